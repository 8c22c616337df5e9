"""Nothing that names a person leaves a gateway with its readings, or stays on it: what stands in HL7 v2 messages, well
formed or not, in junk and in certificates, is looked for in everything that programs wrote and sent."""
import base64
import collections
import hmac
import json
import os
import pathlib
import pwd
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

READ_SPOOL = sys.argv.pop(1)

import stack  # first: it sets the path to the demo's modules
import cbor2
import certificates
import gateway
import identified_messages
import identifiers
import processes
from support.proves import main, proves

SEED = 20261122
PATIENCE_S = 60
PLANTED = "Kontrollpatientin-Wxq"   # as careless configuration would have it
FRAME_KB = 64
ADDRESSES = {"icu-1": "127.0.0.2", "icu-2": "127.0.0.3", PLANTED: "127.0.0.4"}
STRANGER = "127.0.0.9"
GATEWAY, MONITOR = "gateway.mitral.test", "monitor-7.mitral.test"
NAMED_CERTIFICATE = "mrn88402719533.zlatoprtek.test"


class Place:
    """Monitors that are known by their address, one that is known by its certificate."""

    def __init__(self, directory):
        self.directory = directory
        self.authority = None
        self.tls_port, self.plain_port = processes.free_ports(2)

    def make_certificates(self):
        self.authority = certificates.Authority(self.directory, "ward")
        self.authority.issue(GATEWAY, server=True)
        self.authority.issue(MONITOR)

    def settings(self):
        pem, key = self.directory / f"{GATEWAY}.pem", self.directory / f"{GATEWAY}.key"
        return {
            "pseudonyms": True, "frame_kb": FRAME_KB, "messages_per_s": 100_000,
            "listen": [{"address": f"127.0.0.1:{self.plain_port}"},
                       {"address": f"127.0.0.1:{self.tls_port}", "certificate": pem, "key": key,
                        "client_roots": [self.directory / "ward.pem"]}],
            "monitor": [{"source": "icu-tls", "certificate": MONITOR},
                        *({"source": source, "address": address} for source, address in ADDRESSES.items())]}


class Stack(gateway.Stack):
    subject_key = os.urandom(32)
    needed = ("mitral", "mitral-vault", "mitral-intake-hl7", "mitral-enrol", "mitral-uplink", "mitral-cloud")

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.layout.monitors = Place(self.layout.hl7)


class Link:
    """One connection of a monitor."""

    def __init__(self, port, address, tls=None, name=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S, source_address=(address, 0))
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname=name)
        self._received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, message):
        """One message; its answer."""
        self.socket.sendall(b"\x0b" + message + b"\x1c\r")
        while b"\x1c\r" not in self._received:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError("the gateway closed the connection")
            self._received += data
        answer, _, self._received = self._received.partition(b"\x1c\r")
        return answer

    def say(self, data):
        """Anything; all that comes back until the gateway closes."""
        answer = b""
        try:
            self.socket.sendall(data)
            self.socket.shutdown(socket.SHUT_WR)
            while data := self.socket.recv(65536):
                answer += data
        except TimeoutError:
            raise
        except OSError:
            pass  # cut off: as good an end as any
        return answer


class Privacy(stack.StackTest):
    @classmethod
    def setUpClass(cls):
        if not processes.is_root():
            raise unittest.SkipTest("needs root: the daemons drop to users of their own")
        cls.stack = Stack(stack.BINARY / "bin", stack.SOURCE)
        cls.addClassCleanup(cls._take_down)
        scratch = tempfile.TemporaryDirectory(prefix="mitral-monitors-")
        cls.addClassCleanup(scratch.cleanup)
        cls.foreign = pathlib.Path(scratch.name)
        cls.failed = True  # until everything is sent and looked at
        cls.stack.start()
        cls.port = cls.stack.layout.monitors.plain_port
        cls.writer = identified_messages.Writer(SEED, "20261122101612+0100")
        cls.good = cls._send_good()
        cls._send_bad()
        cls._send_over_tls()
        if not cls.stack.wait_for(cls._all_arrived, PATIENCE_S):
            raise AssertionError(f"the readings do not arrive: {cls.stack.uplink_status()}")
        cls.lines = list(cls.stack.hub.log())
        cls.places = dict(cls._places())
        cls.failed = False

    @classmethod
    def _all_arrived(cls):
        readings = cls.stack.intake_status().get("readings", 0)
        return cls.stack.queued_records() == 0 and cls._rows_at_hub() >= readings > 0

    @classmethod
    def _rows_at_hub(cls):
        return sum(len(json.loads(base64.b64decode(line["body"]))["rows"]) for line in cls.stack.hub.log()
                   if line["properties"]["schema"] == "mitral.vitals/1")

    # -- what is sent --------------------------------------------------------------------------
    @classmethod
    def _send_good(cls):
        """How many messages were accepted."""
        accepted = 0
        with Link(cls.port, ADDRESSES["icu-1"]) as link, Link(cls.port, ADDRESSES[PLANTED]) as planted:
            for place, message in [*cls.writer.everywhere(), *cls.writer.segment_names()]:
                if place.startswith("MSH"):  # perhaps it asks for no answer any more
                    accepted += cls._say(message, ADDRESSES["icu-1"]).count(b"\rMSA|CA|")
                else:
                    accepted += b"\rMSA|CA|" in link.send(message)
            for _place, message in cls.writer.segment_names():
                planted.send(message)
        return accepted

    @classmethod
    def _say(cls, message, address):
        with Link(cls.port, address) as link:
            return link.say(b"\x0b" + message + b"\x1c\r")

    @classmethod
    def _send_bad(cls):
        for _place, message in cls.writer.malformed():
            for address in (ADDRESSES["icu-2"], ADDRESSES[PLANTED], STRANGER):
                cls._say(message, address)
        for text in identifiers.ALL:
            data = text.encode()
            for junk in (data * 50, b"\x0b" + data, data + b"\x1c\r" + data, b"\x1c\r\x0b\x0b" + data + b"\x0b" + data):
                with Link(cls.port, ADDRESSES["icu-2"]) as link:
                    link.say(junk)

    @classmethod
    def _send_over_tls(cls):
        """A monitor; a certificate of the ward's for a name nobody configured; one of a foreign authority."""
        monitors, ward = cls.stack.layout.monitors, cls.stack.layout.hl7
        monitors.authority.issue(NAMED_CERTIFICATE)
        for path in ward.glob(f"{NAMED_CERTIFICATE}*"):
            path.rename(cls.foreign / f"ward-{path.name}")
        certificates.Authority(cls.foreign, "zlatoprtek").issue(NAMED_CERTIFICATE)
        for certificate, known in ((ward / MONITOR, True), (cls.foreign / f"ward-{NAMED_CERTIFICATE}", False),
                                   (cls.foreign / NAMED_CERTIFICATE, False)):
            tls = ssl.create_default_context(cafile=ward / "ward.pem")
            tls.load_cert_chain(f"{certificate}.pem", f"{certificate}.key")
            _place, message = next(cls.writer.everywhere())
            try:
                with Link(monitors.tls_port, STRANGER, tls, GATEWAY) as link:
                    accepted = b"\rMSA|CA|" in link.send(message)
            except (EOFError, ConnectionError, ssl.SSLError):
                accepted = False
            assert accepted == known, certificate
        for text in identifiers.ALL:  # and what is no TLS
            with Link(monitors.tls_port, STRANGER) as link:
                link.say(text.encode() * 30)

    # -- where it is looked for ----------------------------------------------------------------
    @classmethod
    def _places(cls):
        place = cls.stack.layout
        for path in place.root.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield f"file {path.relative_to(place.root)}", path.read_bytes()
        yield "cloud, messages", json.dumps(cls.lines, ensure_ascii=False).encode()
        yield "cloud, bodies", b"\n".join(base64.b64decode(line["body"]) for line in cls.lines)
        yield "cloud, decoded", "\n".join(cls._decoded(line) for line in cls.lines).encode()
        yield "spool, decrypted", b"\n".join(cls._payloads(place.hl7_spool))
        for words in (["status"], ["status", "--json"], ["verify-config"]):
            done = subprocess.run([stack.BINARY / "bin/mitral", *words, "--config", place.config], capture_output=True,
                                  check=False, timeout=PATIENCE_S)
            yield f"mitral {' '.join(words)}", done.stdout + done.stderr
        for name, daemon in cls.stack.daemons().items():
            for part in ("environ", "cmdline"):
                yield f"{name} {part}", pathlib.Path(f"/proc/{daemon.pid}/{part}").read_bytes()

    @staticmethod
    def _decoded(line):
        body = base64.b64decode(line["body"])
        if line["properties"]["schema"] == "mitral.wave/1":
            return repr(cbor2.loads(body))
        return json.dumps(json.loads(body), ensure_ascii=False)

    @classmethod
    def _payloads(cls, spool):
        """As the uplink, which may open the segments."""
        uplink = pwd.getpwnam("mitral-uplink")
        done = subprocess.run([READ_SPOOL, spool, cls.stack.layout.vault_socket, "payloads"], capture_output=True,
                              text=True, check=True, timeout=PATIENCE_S, user=uplink.pw_uid, group=uplink.pw_gid,
                              extra_groups=[], cwd="/")
        *payloads, _state = done.stdout.splitlines()
        return [base64.b64decode(payload) for payload in payloads]

    # -- the tests -----------------------------------------------------------------------------
    @proves("T-MON-05", "T-DATA-06", "CR 4.1")
    def test_no_identifier_is_anywhere(self):
        search = identifiers.Search()
        found = {place: search(data) for place, data in self.places.items()}
        self.assertEqual({}, {place: finds for place, finds in found.items() if finds})

    def test_the_messages_were_good_ones(self):
        """Otherwise nothing of them would have been taken, and nothing could leak."""
        self.assertGreater(self.good, 2500)
        self.assertGreater(sum(b"MDC_ECG_HEART_RATE" in base64.b64decode(line["body"]) for line in self.lines), 1)
        status = self.stack.intake_status()
        for reason in ("codes", "texts", "values", "segments", "waves", "units", "character-sets"):
            self.assertGreater(status["not_understood"][reason], 0, reason)
        for counter in ("refused", "rejected", "junk_bytes", "unfinished"):
            self.assertGreater(status[counter], 0, counter)

    @proves("T-MON-05", "T-DATA-06")
    def test_a_patient_is_one_subject_and_others_are_others(self):
        bodies = [json.loads(base64.b64decode(line["body"])) for line in self.lines
                  if line["properties"]["schema"] == "mitral.vitals/1"]
        rows = collections.Counter()
        for body in bodies:
            rows[body.get("subject")] += len(body["rows"])
        usual = self.subject(identified_messages.PATIENT)
        self.assertEqual(usual, rows.most_common(1)[0][0])
        self.assertGreater(rows[usual], 2000)
        # The messages whose PID-3 holds something else.
        self.assertGreater(len(rows), 10)
        self.assertLess(sum(rows.values()) - rows[usual], 500)

    def subject(self, patient):
        """By the document (decision 8), of a patient whose id names no authority."""
        mac = hmac.digest(self.stack.subject_key, b"mitral subject 1\0" + bytes(2) + patient.encode(), "sha256")
        return base64.urlsafe_b64encode(mac[:16]).decode().rstrip("=")

    @proves("T-MON-05", "T-DATA-06")
    def test_a_planted_identifier_is_found(self):
        """The control: an identifier that was configured as the name of a monitor."""
        search = identifiers.Search([PLANTED])
        found = {place for place, data in self.places.items() if search(data)}
        for place in ("cloud, messages", "cloud, bodies", "cloud, decoded", "spool, decrypted", "mitral status",
                      "mitral status --json", "file run/intake-hl7/intake-hl7.json", "file logs/mitral-intake-hl7.log",
                      "file etc/mitral.toml"):
            self.assertIn(place, found)


class TheSearch(unittest.TestCase):
    def test_it_knows_every_disguise(self):
        search = identifiers.Search()
        for text in identifiers.ALL:
            data = text.encode()
            for disguised in (data, text.upper().encode(), text.lower().encode(), text.encode("utf-16-le"),
                              text.encode("utf-16-be"), data.hex().encode(), data.hex().upper().encode(),
                              json.dumps(text).encode(), base64.b64encode(data),
                              base64.b64encode(b"source=" + data + b";"), base64.urlsafe_b64encode(b"ab" + data)):
                with self.subTest(text=text, disguised=disguised):
                    self.assertTrue(search(b"." + disguised + b"."))

    def test_it_finds_nothing_in_what_names_nobody(self):
        self.assertEqual([], identifiers.Search()(os.urandom(1 << 20)))


if __name__ == "__main__":
    main()
