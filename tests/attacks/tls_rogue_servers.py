"""Somebody else answers in the hub's place: refused before a token or a reading is sent, each with its own reason."""
import datetime
import select
import socket
import ssl
import threading
import unittest

from support.proves import main, proves
from uplink.uplink_support import (CONNECT, DAY, PUBLISH, Authority, Scratch, behave_well, publish_fields, server_context,
                                    wait_for)

NOW = datetime.datetime.utcnow()


class RogueServers(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch(self)
        self.authority = self.scratch.authority

    def expect_refused(self, context, reason, environment=None, **settings):
        broker = self.scratch.broker(behave_well, context=context)
        gateway = self.scratch.gateway(broker.port, **settings)
        gateway.fill(5)
        gateway.start(environment)
        self.assertTrue(gateway.logged("hub-not-trusted"), gateway.log())
        line = next(line for line in gateway.log().splitlines() if "hub-not-trusted" in line)
        self.assertRegex(line, reason)
        self.assertIn("security=yes", line)
        self.assertEqual(gateway.stop(), 0)
        for connection in broker.connections:  # a server that believed the handshake done still got nothing
            self.assertEqual(connection.received, b"")
        self.assertEqual(broker.messages, [])

    def expect_accepted(self, context, **settings):
        broker = self.scratch.broker(behave_well, context=context)
        gateway = self.scratch.gateway(broker.port, **settings)
        gateway.fill(5)
        gateway.start()
        self.assertTrue(wait_for(lambda: broker.messages), gateway.log())
        self.assertEqual(gateway.stop(), 0)
        self.assertNotIn("hub-not-trusted", gateway.log())
        return gateway.log()

    def test_control_the_right_server_is_accepted(self):
        self.assertIn("TLSv1.3", self.expect_accepted(server_context(*self.authority.issue())))

    def test_control_tls12_with_ecdhe_and_aead_is_accepted(self):
        context = server_context(*self.authority.issue(rsa_key=True), maximum=ssl.TLSVersion.TLSv1_2)
        self.assertIn("TLSv1.2", self.expect_accepted(context))

    @proves("T-MITM-02")
    def test_wrong_name(self):
        self.expect_refused(server_context(*self.authority.issue(names=("other.example",))), "name")

    @proves("T-MITM-02")
    def test_name_only_in_the_subject(self):
        self.expect_refused(server_context(*self.authority.issue(names=("127.0.0.2",))), "name")

    @proves("T-MITM-02")
    def test_expired(self):
        self.expect_refused(server_context(*self.authority.issue(begins=NOW - 3 * DAY, ends=NOW - DAY)), "expired")

    @proves("T-MITM-02")
    def test_not_yet_valid(self):
        self.expect_refused(server_context(*self.authority.issue(begins=NOW + DAY, ends=NOW + 3 * DAY)),
                            "not yet valid")

    @proves("T-MITM-01")
    def test_unknown_authority(self):
        stranger = Authority(self.scratch.path, "Unknown Root")
        self.expect_refused(server_context(*stranger.issue()), "pinned")

    @proves("T-MITM-01")
    def test_public_but_not_pinned(self):
        """The authority is in the machine's trust store, as a public one would be: that counts for nothing."""
        public = Authority(self.scratch.path, "Public Root")
        bundle = self.scratch.path / "ca-certificates.crt"
        bundle.write_bytes(public.file.read_bytes() + self.authority.file.read_bytes())
        certificate, key = public.issue()
        # Control: a client that trusts the store does connect.
        store = ssl.create_default_context(cafile=str(bundle))
        listener = self.scratch.broker(behave_well, context=server_context(certificate, key))
        with store.wrap_socket(socket.create_connection(("127.0.0.1", listener.port)),
                               server_hostname="localhost") as stream:
            self.assertTrue(stream.version())
        self.expect_refused(server_context(certificate, key), "pinned", environment={"SSL_CERT_FILE": str(bundle)})

    @proves("T-MITM-01")
    def test_self_signed(self):
        self.expect_refused(server_context(*self.authority.issue(self_signed=True)), "self-signed")

    @proves("T-MITM-03")
    def test_tls11(self):
        context = server_context(*self.authority.issue(rsa_key=True), minimum=ssl.TLSVersion.TLSv1_1,
                                 maximum=ssl.TLSVersion.TLSv1_1, ciphers="ALL:@SECLEVEL=0")
        self.expect_refused(context, "version")

    @proves("T-MITM-03")
    def test_no_forward_secrecy(self):
        context = server_context(*self.authority.issue(rsa_key=True), maximum=ssl.TLSVersion.TLSv1_2,
                                 ciphers="AES128-SHA:AES128-GCM-SHA256:@SECLEVEL=0")
        self.expect_refused(context, "cipher")

    @proves("T-MITM-03")
    def test_no_aead(self):
        context = server_context(*self.authority.issue(rsa_key=True), maximum=ssl.TLSVersion.TLSv1_2,
                                 ciphers="ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA384:@SECLEVEL=0")
        self.expect_refused(context, "cipher")

    @proves("T-MITM-03")
    def test_tls12_below_a_floor_of_13(self):
        context = server_context(*self.authority.issue(), maximum=ssl.TLSVersion.TLSv1_2)
        self.expect_refused(context, "version", minimum_tls="1.3")


def drop_after_one(connection, _broker):
    """Acknowledges one message and hangs up."""
    while (packet := connection.packet()) is not None:
        kind, _, body = packet
        if kind == CONNECT:
            connection.send(0x20, 2, 0, 0)
        elif kind == PUBLISH:
            packet_id = publish_fields(body)[1]
            return connection.send(0x40, 2, packet_id >> 8, packet_id & 0xFF)


class Handshakes(unittest.TestCase):
    """A server that offers session tickets: each connection authenticates it anew all the same."""

    VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)

    def setUp(self):
        self.scratch = Scratch(self)

    @proves("T-MITM-02", "T-MITM-03")
    def test_every_connection_names_the_hub_and_none_is_resumed(self):
        for version in self.VERSIONS:
            with self.subTest(version.name):
                scratch = Scratch(self)
                context = server_context(*scratch.authority.issue(), maximum=version)
                broker = scratch.broker(drop_after_one, behave_well, context=context)
                gateway = scratch.gateway(broker.port)
                gateway.fill(40)
                gateway.start()
                self.assertTrue(wait_for(lambda: len(broker.resumed) >= 2 and broker.messages), gateway.log())
                self.assertEqual(gateway.stop(), 0)
                self.assertEqual(set(broker.names), {"localhost"})
                self.assertEqual(len(broker.names), len(broker.resumed))
                self.assertEqual(set(broker.resumed), {False})

    def test_control_this_server_does_resume(self):
        for version in self.VERSIONS:
            with self.subTest(version.name):
                context = server_context(*self.scratch.authority.issue(), maximum=version)
                broker = self.scratch.broker(behave_well, context=context)
                client = ssl.create_default_context(cafile=str(self.scratch.authority.file))
                session = None
                for _ in range(2):
                    with client.wrap_socket(socket.create_connection(("127.0.0.1", broker.port)),
                                            server_hostname="localhost", session=session) as stream:
                        stream.sendall(b"\x10\x00")
                        self.assertEqual(stream.recv(4), b"\x20\x02\x00\x00")  # the ticket came before it
                        session = stream.session
                self.assertEqual(broker.resumed, [False, True])


class Proxy:
    """An HTTP CONNECT proxy; `redirect` sends every tunnel somewhere else."""

    def __init__(self, redirect=None, answer=b"HTTP/1.1 200 Connection established\r\n\r\n"):
        self.requests = []
        self._redirect, self._answer = redirect, answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                data = client.recv(4096)
                if not data:
                    return
                head += data
            self.requests.append(head)
            client.sendall(self._answer)
            if not self._answer.startswith(b"HTTP/1.1 200"):
                return
            host, port = head.split()[1].decode().rsplit(":", 1)
            try:
                with socket.create_connection(("127.0.0.1", self._redirect or int(port))) as server:
                    self._relay(client, server)
            except OSError:
                return

    @staticmethod
    def _relay(client, server):
        pairs = {client: server, server: client}
        while True:
            for ready in select.select(list(pairs), [], [])[0]:
                data = ready.recv(65536)
                if not data:
                    return
                pairs[ready].sendall(data)

    def close(self):
        self._listener.close()


class HostileProxy(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch(self)

    def proxy(self, **options):
        proxy = Proxy(**options)
        self.addCleanup(proxy.close)
        return proxy

    def test_control_through_an_honest_proxy(self):
        proxy = self.proxy()
        broker = self.scratch.broker(behave_well)
        gateway = self.scratch.gateway(broker.port, proxy=f"127.0.0.1:{proxy.port}")
        gateway.fill(5)
        gateway.start()
        self.assertTrue(wait_for(lambda: broker.messages), gateway.log())
        self.assertEqual(gateway.stop(), 0)
        self.assertIn(f"CONNECT localhost:{broker.port} ".encode(), proxy.requests[0])

    @proves("T-MITM-05", "T-MITM-04")
    def test_a_proxy_that_leads_elsewhere(self):
        stranger = Authority(self.scratch.path, "Proxy Root")
        trap = self.scratch.broker(behave_well, context=server_context(*stranger.issue()))
        proxy = self.proxy(redirect=trap.port)
        gateway = self.scratch.gateway(1, proxy=f"127.0.0.1:{proxy.port}")
        gateway.fill(5)
        gateway.start()
        self.assertTrue(gateway.logged("hub-not-trusted"), gateway.log())
        self.assertEqual(gateway.stop(), 0)
        self.assertEqual(trap.messages, [])
        self.assertNotIn(gateway.token.encode(), b"".join(proxy.requests))

    @proves("T-MITM-05")
    def test_a_proxy_that_refuses_or_babbles(self):
        for answer in (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b"\x90\x03\x00\x01\x00\r\n\r\n",
                       b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000):
            with self.subTest(answer[:20]):
                proxy = self.proxy(answer=answer)
                scratch = Scratch(self)
                gateway = scratch.gateway(8883, proxy=f"127.0.0.1:{proxy.port}")
                gateway.fill(5)
                gateway.start()
                self.assertTrue(gateway.logged("not-connected"), gateway.log())
                self.assertIn("proxy", gateway.log())
                self.assertEqual(gateway.stop(), 0)


if __name__ == "__main__":
    main()
