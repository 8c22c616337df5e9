#!/usr/bin/python3
"""Who may come in over TLS: no, wrong, expired, another ward's certificate, and the right one."""
import socket
import ssl
import sys

from support.proves import main, proves

READ_SPOOL = sys.argv.pop(1)

from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: E402
from hl7_gateway import PATIENCE_S, GatewayTest, Monitor, frame, report  # noqa: E402
from ward_certificates import Authority  # noqa: E402

GatewayTest.READ_SPOOL = READ_SPOOL
MONITORS = """
[[intake-hl7.monitor]]
source = "icu-17"
address = "127.0.0.0/16"
certificate = "monitor-17.icu"
[[intake-hl7.monitor]]
source = "icu-18"
address = "127.1.0.18"
certificate = "monitor-18.icu"
"""


class Ward(GatewayTest):
    """Each refused peer has an address of its own, so that each reason is told."""

    def setUp(self):
        super().setUp()
        self.directory = self.gateway.path
        self.icu = Authority(self.directory, "ICU Authority")
        self.other_ward = Authority(self.directory, "Maternity Authority")
        self.gateway_authority = Authority(self.directory, "Gateway Authority")
        self.server = self.gateway_authority.issue("localhost")
        self.addresses = iter(f"127.0.0.{n}" for n in range(2, 250))

    def start_ward(self, roots=True, minimum="1.2", monitors=MONITORS):
        listen = (f'certificate = "{self.server}.pem"\nkey = "{self.server}.key"\nminimum_tls = "{minimum}"\n'
                  + (f'client_roots = ["{self.icu.path}"]' if roots else ""))
        self.start(listen=listen, monitors=monitors)

    def tls(self, certificate=None, version=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.gateway_authority.path)
        if certificate is not None:
            context.load_cert_chain(f"{certificate}.pem", f"{certificate}.key")
        if version is not None:
            # TLS 1.1 is behind OpenSSL's lowest level; the peer of the test may offer it all the same.
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = min(version, ssl.TLSVersion.TLSv1_2)
            context.maximum_version = version
        return context

    def attempt(self, certificate=None, address=None, version=None):
        """The answer to a report; None: cut off, in the handshake or behind it."""
        where = ("127.0.0.1", self.gateway.port)
        try:
            with Monitor(where, address or next(self.addresses), self.tls(certificate, version)) as monitor:
                return monitor.report("1")
        except OSError:
            return None

    def refused(self, reason, certificate=None, address=None, version=None):
        address = address or next(self.addresses)
        self.assertIsNone(self.attempt(certificate, address, version))
        self.logged(f"address={address} ")
        lines = [line for line in self.gateway.log().splitlines() if f"address={address} " in line]
        self.assertEqual(len(lines), 1, self.gateway.log())
        self.assertIn(reason, lines[0])
        self.assertIn("peer-cut-off security=yes", lines[0])


class Matrix(Ward):
    @proves("T-MON-01", "T-MON-02", "T-MITM-01", "CR 1.2", "CR 1.8", "CR 1.9")
    def test_only_the_monitor_itself_comes_in(self):
        self.start_ward()
        self.assertEqual(self.attempt(self.icu.issue("monitor-17.icu")), ("AA", "1"))
        self.refused("no client certificate was shown")
        self.refused("self-signed certificate", Authority.self_signed(self.directory, "monitor-17.icu"))
        self.refused("does not chain to a pinned root", self.other_ward.issue("monitor-17.icu"))
        self.refused("certificate has expired", self.icu.issue("monitor-17.icu", -30, -1))
        self.refused("not valid yet", self.icu.issue("monitor-17.icu", 1, 30))
        self.refused("certificate is not acceptable",
                     self.icu.issue("monitor-17.icu", usage=[ExtendedKeyUsageOID.SERVER_AUTH]))
        self.refused("not that of the monitor at this address", self.icu.issue("monitor-99.icu"))
        self.refused("not that of the monitor at this address", self.icu.issue("monitor-18.icu"))
        self.refused("not that of the monitor at this address", self.icu.issue("monitor-17.icu"), "127.1.0.18")
        self.refused("no monitor is configured", self.icu.issue("monitor-17.icu"), "127.2.0.1")
        self.assertEqual(self.attempt(self.icu.issue("monitor-18.icu"), "127.1.0.18"), ("AA", "1"))
        status = self.counted(lambda s: s["rejected"] == 10)
        self.assertEqual([m["messages"] for m in status["monitors"]], [1, 1])

    @proves("T-MON-02", "T-MITM-01", "CR 1.2")
    def test_old_versions_and_plain_bytes_are_refused(self):
        self.start_ward()
        good = self.icu.issue("monitor-17.icu")
        self.refused("no acceptable TLS version", good, version=ssl.TLSVersion.TLSv1_1)
        address = next(self.addresses)
        with Monitor(("127.0.0.1", self.gateway.port), address) as plain:
            plain.send(frame(report("1")))
            self.assertIsNone(plain.answer())
        self.logged(f"address={address} ")
        self.assertEqual(self.attempt(good, version=ssl.TLSVersion.TLSv1_2), ("AA", "1"))

    @proves("T-MON-02", "T-MITM-01", "CR 1.2")
    def test_the_listener_may_insist_on_tls_1_3(self):
        self.start_ward(minimum="1.3")
        good = self.icu.issue("monitor-17.icu")
        self.refused("no acceptable TLS version", good, version=ssl.TLSVersion.TLSv1_2)
        self.assertEqual(self.attempt(good), ("AA", "1"))

    def test_without_the_protection_all_of_them_come_in(self):
        """The control: the same clients, and nobody asks for their certificates."""
        self.start_ward(roots=False, monitors='[[intake-hl7.monitor]]\nsource = "icu-1"\naddress = "127.0.0.0/8"\n')
        for certificate in (None, Authority.self_signed(self.directory, "monitor-17.icu"),
                            self.other_ward.issue("monitor-17.icu"), self.icu.issue("monitor-17.icu", -30, -1),
                            self.icu.issue("monitor-17.icu", 1, 30), self.icu.issue("monitor-99.icu")):
            self.assertIsNotNone(self.attempt(certificate))

    def test_a_common_name_counts_where_there_is_no_other(self):
        self.start_ward()
        self.assertEqual(self.attempt(self.icu.issue("monitor-17.icu", dns=False)), ("AA", "1"))


class Dialled(Ward):
    """The monitor is the server, and may ask for the gateway's certificate."""

    def setUp(self):
        super().setUp()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE_S)
        self.addCleanup(self.listener.close)

    def start_dialling(self, entry=""):
        self.start(listeners="", monitors=f"""
            [[intake-hl7.monitor]]
            source = "or-3"
            dial = "127.0.0.1:{self.listener.getsockname()[1]}"
            query = "mindray"
            {entry}
            """)

    def start_dialling_with_tls(self, shown=None):
        own = f'dial_certificate = "{shown}.pem"\ndial_key = "{shown}.key"' if shown else ""
        self.start_dialling(f'dial_roots = ["{self.icu.path}"]\ndial_name = "monitor-17.icu"\n{own}')

    def take(self, certificate, client_roots=None):
        """As the monitor, what the gateway answers to a report; None: it asked nothing, or was not let in."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{certificate}.pem", f"{certificate}.key")
        if client_roots is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_roots)
        connection, _ = self.listener.accept()
        connection.settimeout(PATIENCE_S)
        try:
            with Monitor.over(context.wrap_socket(connection, server_side=True)) as monitor:
                query = monitor.answer()
                if query is None:
                    return None
                self.assertEqual(query[0][8], "QRY^R02")
                return monitor.report("1")
        except OSError:
            return None
        finally:
            connection.close()

    def passed_by(self, certificate, reason):
        self.start_dialling_with_tls()
        self.assertIsNone(self.take(certificate))
        self.logged(reason)
        self.assertIn("source=or-3", self.gateway.log())

    def test_the_monitor_is_asked(self):
        """The control of the four below."""
        self.start_dialling_with_tls()
        self.assertEqual(self.take(self.icu.issue("monitor-17.icu")), ("AA", "1"))

    @proves("T-MON-01", "T-MON-02", "T-MITM-01", "CR 1.8", "CR 1.9")
    def test_another_monitor_is_not_asked(self):
        self.passed_by(self.icu.issue("monitor-18.icu"), "certificate is for another name")

    @proves("T-MON-01", "T-MON-02", "T-MITM-01", "CR 1.8", "CR 1.9")
    def test_one_of_another_ward_is_not_asked(self):
        self.passed_by(self.other_ward.issue("monitor-17.icu"), "does not chain to a pinned root")

    @proves("T-MON-01", "T-MON-02", "T-MITM-01", "CR 1.8", "CR 1.9")
    def test_one_that_vouches_for_itself_is_not_asked(self):
        self.passed_by(Authority.self_signed(self.directory, "monitor-17.icu"), "self-signed certificate")

    @proves("T-MON-01", "T-MON-02", "T-MITM-01", "CR 1.8", "CR 1.9")
    def test_one_whose_certificate_has_expired_is_not_asked(self):
        self.passed_by(self.icu.issue("monitor-17.icu", -30, -1), "certificate has expired")

    @proves("T-MON-02", "CR 1.2")
    def test_the_gateway_shows_its_certificate_to_a_monitor_that_asks(self):
        self.start_dialling_with_tls(shown=self.gateway_authority.issue("gateway.icu"))
        monitor = self.icu.issue("monitor-17.icu")
        self.assertEqual(self.take(monitor, client_roots=self.gateway_authority.path), ("AA", "1"))

    def test_without_one_it_does_not_come_in(self):
        """The control of the one above."""
        self.start_dialling_with_tls()
        self.assertIsNone(self.take(self.icu.issue("monitor-17.icu"), client_roots=self.gateway_authority.path))


if __name__ == "__main__":
    main()
