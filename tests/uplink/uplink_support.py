"""What the uplink's system tests share: throw-away certificates, a scripted broker, and the harness process."""
import datetime
import ipaddress
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

BINARY_DIR = pathlib.Path(os.environ.get("MITRAL_BINARY_DIR", "build/release"))
HARNESS = BINARY_DIR / "tests/uplink/uplink_harness"

CONNECT, CONNACK, PUBLISH, PUBACK, PINGREQ, DISCONNECT = 1, 2, 3, 4, 12, 14
ALLOWED_OUTBOUND = {CONNECT, PUBLISH, PINGREQ, DISCONNECT}
DAY = datetime.timedelta(days=1)


def wait_for(condition, timeout=20.0):
    """True as soon as `condition()` holds, False after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Authority:
    """A certificate authority that lives as long as the test."""

    def __init__(self, directory, name="Test Root"):
        self.directory = pathlib.Path(directory)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.utcnow()
        self.certificate = (
            x509.CertificateBuilder().subject_name(self.name).issuer_name(self.name)
            .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - 10 * DAY).not_valid_after(now + 10 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256()))
        self.file = self.directory / f"{name.replace(' ', '-')}.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, names=("localhost",), begins=None, ends=None, self_signed=False, rsa_key=False):
        """(certificate file, key file) of a server."""
        now = datetime.datetime.utcnow()
        key = rsa.generate_private_key(65537, 2048) if rsa_key else ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        alternatives = []
        for name in names:
            try:
                alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
            except ValueError:
                alternatives.append(x509.DNSName(name))
        certificate = (
            x509.CertificateBuilder().subject_name(subject)
            .issuer_name(subject if self_signed else self.name)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(begins or now - DAY).not_valid_after(ends or now + DAY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .sign(key if self_signed else self.key, hashes.SHA256()))
        stem = self.directory / f"server-{certificate.serial_number:x}"
        certificate_file, key_file = stem.with_suffix(".pem"), stem.with_suffix(".key")
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return certificate_file, key_file


def server_context(certificate, key, minimum=ssl.TLSVersion.TLSv1_2, maximum=ssl.TLSVersion.MAXIMUM_SUPPORTED,
                   ciphers=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if ciphers:
        context.set_ciphers(ciphers)
    context.minimum_version, context.maximum_version = minimum, maximum
    context.load_cert_chain(certificate, key)
    return context


class Connection:
    """One client at the broker: whole packets in, anything out."""

    def __init__(self, stream):
        self.stream = stream
        self.received = b""
        self._buffer = b""
        self.packets = []

    def packet(self):
        """(type, first byte, body) of the next packet; None when the client is gone."""
        while True:
            parsed = self._parse()
            if parsed:
                self.packets.append(parsed)
                return parsed
            try:
                data = self.stream.recv(65536)
            except OSError:
                return None
            if not data:
                return None
            self.received += data
            self._buffer += data

    def _parse(self):
        length, shift, at = 0, 0, 1
        while True:
            if at >= len(self._buffer):
                return None
            byte = self._buffer[at]
            length |= (byte & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if byte < 0x80:
                break
        if len(self._buffer) < at + length:
            return None
        header, body = self._buffer[0], self._buffer[at:at + length]
        self._buffer = self._buffer[at + length:]
        return header >> 4, header, body

    def send(self, *data):
        try:
            self.stream.sendall(bytes(data))
        except OSError:
            pass


def publish_fields(body):
    """(topic, packet id, payload) of a PUBLISH body."""
    size = int.from_bytes(body[:2], "big")
    return body[2:2 + size].decode(), int.from_bytes(body[2 + size:4 + size], "big"), body[4 + size:]


def behave_well(connection, broker):
    """What a hub does: CONNACK, a PUBACK for each PUBLISH, PINGRESP."""
    while True:
        packet = connection.packet()
        if packet is None:
            return
        kind, _, body = packet
        if kind == CONNECT:
            connection.send(0x20, 2, 0, 0)
        elif kind == PUBLISH:
            topic, packet_id, payload = publish_fields(body)
            broker.messages.append((topic, payload))
            connection.send(0x40, 2, packet_id >> 8, packet_id & 0xFF)
        elif kind == PINGREQ:
            connection.send(0xD0, 0)
        elif kind == DISCONNECT:
            broker.disconnects += 1
            return


class Broker:
    """Serves each connection with the next of `scripts` (the last one for all that follow)."""

    def __init__(self, context, *scripts):
        self.scripts = list(scripts)
        self.connections = []
        self.accepted = []  # when each came, monotonic seconds
        self.messages = []
        self.disconnects = 0
        self.tls_failures = []
        self.names = []    # what clients asked for (SNI), None without
        self.resumed = []  # whether each handshake took an earlier one up again
        self._context = context
        context.sni_callback = lambda _stream, name, _context: self.names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.closing = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while not self.closing.is_set():
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            self.accepted.append(time.monotonic())
            script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
            threading.Thread(target=self._serve, args=(raw, script), daemon=True).start()

    def _serve(self, raw, script):
        with raw:
            try:
                stream = self._context.wrap_socket(raw, server_side=True)
            except OSError as error:  # ssl.SSLError is one
                self.tls_failures.append(str(error))
                return
            self.resumed.append(stream.session_reused)
            connection = Connection(stream)
            self.connections.append(connection)
            script(connection, self)
            stream.close()

    def outbound_types(self):
        return {header >> 4 for connection in self.connections for _, header, _ in connection.packets}

    def close(self):
        self.closing.set()
        self._listener.close()


class Gateway:
    """A spool, a configuration and the harness that sends the one as the other says."""

    def __init__(self, directory, port, root_files, **settings):
        self.directory = pathlib.Path(directory)
        self.spool = self.directory / "spool/lines"
        self.state = self.directory / "state"
        self.status_file = self.directory / "run/uplink.json"
        for path in (self.spool.parent, self.state, self.status_file.parent):
            path.mkdir(parents=True, exist_ok=True)
        self.assignment = self.directory / "enrol/assignment.json"
        self.assignment.parent.mkdir(exist_ok=True)
        self.assignment.write_text(json.dumps({"hub": f"localhost:{port}", "device_id": "unit-1"}))
        table = {"user": "", "vault": "/nonexistent", "assignment": str(self.assignment),
                 "spools": [str(self.spool)], "state": str(self.state), "status": str(self.status_file),
                 "root_files": [str(root) for root in root_files], "hub_port": port,
                 "max_messages_per_s": 0, "connect_timeout_s": 2, "connack_timeout_s": 1,
                 "acknowledge_timeout_s": 2, "reconnect_ceiling_s": 1, **settings}
        self.config = self.directory / "mitral.toml"
        self.config.write_text("[uplink]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in table.items()))
        self.log_file = self.directory / "uplink.log"
        self.token = "SharedAccessSignature sr=canary&sig=" + os.urandom(16).hex()
        self.process = None

    def fill(self, count, first=1, batch=10, source="bed-1", lane="vitals"):
        subprocess.run([HARNESS, "fill", "--spool", self.spool, "--count", str(count), "--first", str(first),
                        "--batch", str(batch), "--source", source, "--lane", lane], check=True, timeout=60)

    def give_to(self, user):
        """What a package's installation does: who may read the spool and write the state."""
        for path in (self.directory, self.spool.parent, *self.spool.parent.rglob("*"), self.assignment.parent,
                     self.assignment):
            path.chmod(0o755 if path.is_dir() else 0o644)
        for path in (self.state, self.status_file.parent):
            shutil.chown(path, user)

    def start(self, environment=None):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [HARNESS, "run", "--config", self.config], stderr=log,
                env={**os.environ, "HARNESS_TOKEN": self.token, **(environment or {})})
        return self

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def logged(self, text, timeout=20.0):
        return wait_for(lambda: text in self.log(), timeout)

    def status(self):
        try:
            return json.loads(self.status_file.read_text())
        except (OSError, ValueError):
            return {}

    def acknowledged(self):
        return sum(lane["acknowledged"] for lane in self.status().get("lanes", []))

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(5)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(5)


class Scratch:
    """A directory for one test, with its certificate authority."""

    def __init__(self, test):
        self._directory = tempfile.TemporaryDirectory()
        test.addCleanup(self._directory.cleanup)
        self.path = pathlib.Path(self._directory.name)
        self.authority = Authority(self.path)
        self._test = test

    def broker(self, *scripts, context=None):
        broker = Broker(context or server_context(*self.authority.issue()), *scripts)
        self._test.addCleanup(broker.close)
        return broker

    def gateway(self, port, roots=None, **settings):
        gateway = Gateway(self.path, port, roots or [self.authority.file], **settings)
        self._test.addCleanup(gateway.stop)
        return gateway
