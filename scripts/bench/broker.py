"""The hub of the measurements: a stock mosquitto, TLS 1.3, an ECDSA P-256 certificate made for the run."""
import datetime
import pathlib
import shutil
import subprocess
import time

import processes
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
PUBLISHER = shutil.which("mosquitto_pub")
SUBSCRIBER = shutil.which("mosquitto_sub")


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

    def received(self):
        """PUBLISH packets it has taken since it started."""
        time.sleep(2.5)  # it counts them up once a second
        done = subprocess.run([SUBSCRIBER, "-h", "127.0.0.1", "-p", str(self.plain_port), "-C", "1", "-W", "5",
                               "-t", "$SYS/broker/publish/messages/received"],
                              capture_output=True, text=True, timeout=10, check=True)
        return int(done.stdout)

    def subscribe(self, form, *options):
        """A consumer behind the hub, listening: it writes a line of this form (mosquitto_sub -F) for each message."""
        subscriber = subprocess.Popen(
            ["stdbuf", "-oL", SUBSCRIBER, "-h", "127.0.0.1", "-p", str(self.plain_port), "-q", "1", "-d",
             "-t", "devices/#", "-F", form, *options], stdout=subprocess.PIPE, text=True)
        for line in subscriber.stdout:
            if line.startswith("Subscribed"):
                return Consumer(subscriber)
        raise processes.StartFailed("mosquitto_sub cannot subscribe")


class Consumer:
    def __init__(self, process):
        self._process = process

    def lines(self):
        """As they come; what mosquitto_sub says about itself is left out."""
        for line in self._process.stdout:
            if not line.startswith(("Client ", "Subscribed", "Received")):
                yield line

    def stop(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


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
