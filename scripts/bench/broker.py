"""The hub of the measurements: a stock mosquitto, TLS 1.3, an ECDSA P-256 certificate made for the run."""
import datetime
import pathlib
import queue
import shutil
import subprocess
import threading
import time

import processes
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
PUBLISHER = shutil.which("mosquitto_pub")
SUBSCRIBER = shutil.which("mosquitto_sub")
COUNT_S = 5


def make_certificate(directory):
    """A self-signed server certificate for localhost that is its own pinned root: (certificate, key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.utcnow()
    day = datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + 30 * day)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256()))
    certificate_file, key_file = directory / "hub.pem", directory / "hub.key"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    certificate_file.chmod(0o644)
    key_file.touch(mode=0o600)
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    return certificate_file, key_file


class Broker:
    """One mosquitto; `configuration` is its file's text."""

    def __init__(self, name, directory, reaper, configuration, port):
        self.port = port
        self.config = pathlib.Path(directory) / f"{name}.conf"
        self.config.write_text(configuration, encoding="ascii")
        self.process = processes.Process(name, [PROGRAM, "-c", self.config], directory, reaper)

    def start(self):
        self.process.start()
        self.process.wait_until(lambda: processes.accepts(self.port), "its port")
        return self

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        self.process.stop(timeout=5)


class Hub(Broker):
    """TLS for gateway and peers; a plain listener beside it for whoever looks in, and for a gateway without TLS."""

    def __init__(self, directory, reaper):
        self._counter = self._expected = None
        self.certificate, key = make_certificate(directory)
        self.tls_port, self.plain_port = processes.free_ports(2)
        super().__init__("hub", directory, reaper, f"""
            listener {self.tls_port} 127.0.0.1
            certfile {self.certificate}
            keyfile {key}
            tls_version tlsv1.3
            allow_anonymous true
            listener {self.plain_port} 127.0.0.1
            allow_anonymous true
            user root
            persistence false
            sys_interval 1
            max_queued_messages 0
            """.replace(" " * 12, ""), self.tls_port)

    def start(self):
        super().start()
        self._counter = self.subscribe("%p", "$SYS/broker/publish/messages/received")
        return self

    def stop(self):
        self._counter.stop()
        super().stop()

    def count_from_here(self):
        """Its own count of PUBLISH packets is renewed once a second, and written where it has changed."""
        time.sleep(2.5)
        self._expected = self._counter.last()

    def expect(self, messages):
        """So many PUBLISH packets, neither more nor less, have come since the last call."""
        self._expected += messages
        deadline = time.monotonic() + COUNT_S
        while self._counter.last() != self._expected:
            if time.monotonic() > deadline:
                missing = self._expected - self._counter.last()
                raise processes.StartFailed(f"the hub misses {missing} of {messages} messages")
            time.sleep(0.05)

    def subscribe(self, form, topic="devices/#"):
        """A consumer behind the hub, listening: it writes a line of this form (mosquitto_sub -F) for each message."""
        return Consumer(subprocess.Popen(
            ["stdbuf", "-oL", SUBSCRIBER, "-h", "127.0.0.1", "-p", str(self.plain_port), "-q", "1", "-d",
             "-t", topic, "-F", form], stdout=subprocess.PIPE, text=True))


class Consumer:
    """Reads all the time: a subscriber whose pipe is full takes no messages."""

    def __init__(self, process):
        self._process, self._lines, self._last = process, queue.Queue(), None
        for line in process.stdout:
            if line.startswith("Subscribed"):
                break
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            if not line.startswith(("Client ", "Subscribed")):  # what mosquitto_sub says about itself
                self._last = line
                self._lines.put(line)

    def line(self, timeout=30):
        return self._lines.get(timeout=timeout)

    def last(self):
        """The latest line as a number."""
        return int(self._last or self.line())

    def stop(self):
        self._process.kill()
        self._process.wait()


class Bridge(Broker):
    """A second mosquitto as the gateway: local clients on a plain listener, a bridge to the hub over TLS 1.3."""

    def __init__(self, directory, reaper, hub):
        state = pathlib.Path(directory) / "bridge"
        state.mkdir(exist_ok=True)
        self.local_port = processes.free_ports(1)[0]
        super().__init__("bridge", directory, reaper, f"""
            listener {self.local_port} 127.0.0.1
            allow_anonymous true
            user root
            persistence true
            persistence_location {state}/
            max_queued_messages 0
            max_inflight_messages 100
            connection hub
            address localhost:{hub.tls_port}
            topic # out 1
            cleansession false
            notifications false
            bridge_cafile {hub.certificate}
            bridge_tls_version tlsv1.3
            """.replace(" " * 12, ""), self.local_port)
