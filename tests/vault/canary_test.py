"""A known device key and a known site key for pseudonyms are given to the real daemon; then everything an attacker can read is searched for them:
the daemon's memory (as root), its files, its log, and the wire between it and the TPM, recorded by a
proxy. With the TPM back end they must be nowhere. The same search over the software back end must find them:
a search that cannot find is no proof.
"""
import base64
import ctypes
import ctypes.util
import hashlib
import hmac
import json
import os
import pathlib
import select
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest
import urllib.parse

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from support.proves import main, proves
from support.secret_search import Search, forms_of
from system.peek import Memory

BINARIES = pathlib.Path(os.environ["MITRAL_BINARY_DIR"])
DAEMON = BINARIES / "bin" / "mitral-vault"
STATION = BINARIES / "tests" / "vault" / "canary_station"
REGISTRATION = b"canary-unit"
MINTS = 34  # × 3 kinds of token: more than a hundred


def found_in(data, secrets):
    return Search(secrets).in_bytes(data)


def sha256_state(block):
    """What OpenSSL keeps of a block."""
    library, context = ctypes.CDLL(ctypes.util.find_library("crypto")), ctypes.create_string_buffer(256)
    library.SHA256_Init(context)
    library.SHA256_Update(context, block, len(block))
    return context.raw[:32]


def leaks_of(key):
    """The same shapes made another way, as a careless program would leave them, each inside other text."""
    def encoded(data):
        return subprocess.run(["openssl", "base64", "-A"], input=data, capture_output=True, check=True).stdout

    number, text = int.from_bytes(key, "big"), encoded(key)
    block = int.from_bytes(key + bytes(64 - len(key)), "big")
    inner, outer = ((block ^ int.from_bytes(bytes([pad]) * 64, "big")).to_bytes(64, "big") for pad in (0x36, 0x5C))
    mac = hashlib.sha256(outer + hashlib.sha256(inner + b"text").digest()).digest()  # RFC 2104
    assert mac == hmac.digest(key, b"text", "sha256")
    states = {name: sha256_state(block) for name, block in (("inner", inner), ("outer", outer))}
    percent = text.replace(b"+", b"%2B").replace(b"/", b"%2F").replace(b"=", b"%3D")
    return {"raw": b"\x07" + key, "hex": b"key=%064x;" % number, "HEX": b"key=%064X;" % number,
            "base64": b'{"key":"' + text + b'"}', "base64url": b"?k=" + text.translate(bytes.maketrans(b"+/", b"-_")),
            "percent-encoded base64": b"sig=" + percent, "hmac inner pad": inner, "hmac outer pad": outer,
            **{f"hmac {name} state": state for name, state in states.items()},
            **{f"hmac {name} state, big-endian": b"".join(state[i:i + 4][::-1] for i in range(0, 32, 4))
               for name, state in states.items()},
            "raw, reversed": bytes(reversed(key)), "base64 +1": encoded(b"\n" + key + b"\n"),
            "base64 +2": encoded(b"k=" + key + b"\n")}


def opened_with(root, custody):
    """What an attacker gets from the software store's files: each sealed piece that the root key opens."""
    sealed_size, found = 32 + 32 + 16, []
    for at in range(len(custody) - sealed_size + 1):
        salt, sealed = custody[at:at + 32], custody[at + 32:at + sealed_size]
        key = HKDF(hashes.SHA256(), 32, salt, b"mitral software slot 1").derive(root)
        try:
            found.append(AESGCM(key).decrypt(bytes(12), sealed, None))
        except InvalidTag:
            continue
    return found


def free_pair():
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
                return port
            except (OSError, OverflowError):
                continue


class RecordingProxy:
    """Two ports in a row, forwarded to swtpm's two; what passes is kept."""

    def __init__(self, target):
        self.record = bytearray()
        self.port = free_pair()
        self.listeners = []
        for offset in (0, 1):
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.port + offset))
            listener.listen(8)
            self.listeners.append(listener)
            threading.Thread(target=self._accept, args=(listener, target + offset), daemon=True).start()

    def _accept(self, listener, target):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", target))
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()

    def _forward(self, client, server):
        with client, server:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    self.record += data
                    (server if ready is client else client).sendall(data)

    def close(self):
        for listener in self.listeners:
            listener.close()


def ed25519_pair():
    pem = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-outform", "DER"],
                         check=True, capture_output=True).stdout
    public = subprocess.run(["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"],
                            check=True, capture_output=True, input=pem).stdout
    return pem[-32:], public[-32:]


class Unit:
    """Daemon, its trust zone and its station in a scratch directory."""

    def __init__(self, backend):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="mitral-canary-"))
        self.swtpm = self.proxy = self.daemon = None
        station, public = ed25519_pair()
        self.group_key = os.urandom(32)
        (self.directory / "station.key").write_bytes(station)
        (self.directory / "group.key").write_bytes(self.group_key)
        self.subject_key = os.urandom(32)
        (self.directory / "subject.key").write_bytes(self.subject_key)
        (self.directory / "station.pub").write_text(base64.b64encode(public).decode() + "\n")
        tcti = "device:/dev/null"
        if backend == "tpm":
            self._start_swtpm()
            tcti = f"swtpm:host=127.0.0.1,port={self.proxy.port}"
        self.socket = str(self.directory / "vault.sock")
        (self.directory / "mitral.toml").write_text(f"""
[vault]
socket = "{self.socket}"
state = "{self.directory}/state"
backend = "{backend}"
tcti = "{tcti}"
station_key = "{self.directory}/station.pub"
rate_burst = 10000
[[vault.peer]]
user = "{os.getuid()}"
may = ["mint-hub", "mint-registration", "new-data-key", "open-data-key", "begin-provisioning",
       "execute-order", "status", "pseudonym"]
identities = ["device", "modules/DeviceUpdate"]
""")
        self.log = (self.directory / "log").open("wb")
        self.daemon = subprocess.Popen([DAEMON, "--config", self.directory / "mitral.toml"],
                                       stderr=subprocess.PIPE)
        self.log_thread = threading.Thread(target=self._keep_log, daemon=True)
        self.ready = threading.Event()
        self.log_thread.start()
        if not self.ready.wait(30):
            raise AssertionError("the daemon does not get ready: " + self.log_text().decode())

    def _keep_log(self):
        for line in self.daemon.stderr:
            self.log.write(line)
            self.log.flush()
            if b"vault-ready" in line:
                self.ready.set()

    def _start_swtpm(self):
        port = free_pair()
        (self.directory / "tpm").mkdir()
        self.swtpm = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.directory}/tpm", "--server",
             f"type=tcp,bindaddr=127.0.0.1,port={port}", "--ctrl",
             f"type=tcp,bindaddr=127.0.0.1,port={port + 1}", "--flags", "not-need-init"])
        while True:  # until it listens; it offers nothing else to wait for
            if self.swtpm.poll() is not None:
                raise AssertionError("swtpm does not start")
            try:
                socket.create_connection(("127.0.0.1", port + 1)).close()
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                select.select([], [], [], 0.002)
        self.proxy = RecordingProxy(port)

    def station(self, *arguments):
        result = subprocess.run([STATION, *arguments], capture_output=True, text=True)
        if result.returncode:
            raise AssertionError(result.stderr + self.log_text().decode())
        return [json.loads(line) for line in result.stdout.splitlines()]

    def live(self):
        self.station("provision", self.socket, self.directory / "station.key",
                     self.directory / "group.key", self.directory / "subject.key")
        return self.station("exercise", self.socket, str(MINTS))

    def secrets(self):
        device = hmac.digest(self.group_key, REGISTRATION, "sha256")
        module = hmac.digest(device, b"mitral module key 1\0DeviceUpdate", "sha256")
        return {"group key": self.group_key, "device key": device, "module key": module,
                "subject key": self.subject_key}

    def pseudonym(self, patient):
        """All of the HMAC, of which the vault gives the first half (docs/formats/vault-protocol.md)."""
        return hmac.digest(self.subject_key, b"mitral subject 1\0\0\x04HOSP" + patient.encode(), "sha256")

    def log_text(self):
        return (self.directory / "log").read_bytes()

    def files(self):
        for path in (self.directory / "state").rglob("*"):
            if path.is_file():
                yield path, path.read_bytes()

    def close(self):
        for process in (self.daemon, self.swtpm):
            if process:
                process.kill()
                process.wait()
        if self.daemon:
            self.daemon.stderr.close()
        if self.proxy:
            self.proxy.close()
        self.log.close()
        shutil.rmtree(self.directory)


def judge(token, keys):
    """An independent reading of Azure's rule: HMAC over the raw sr and se."""
    prefix, _, fields = token.partition(" ")
    assert prefix == "SharedAccessSignature", prefix
    parts = dict(field.split("=", 1) for field in fields.split("&"))
    resource = urllib.parse.unquote(parts["sr"])
    key = keys["module key"] if "/modules/" in resource else keys["device key"]
    mac = hmac.new(key, f"{parts['sr']}\n{parts['se']}".encode(), hashlib.sha256).digest()
    return resource, base64.b64encode(mac).decode() == urllib.parse.unquote(parts["sig"]), mac


@unittest.skipUnless(os.geteuid() == 0, "reading another process's memory needs root")
class Canary(unittest.TestCase):
    def unit(self, backend):
        unit = Unit(backend)
        self.addCleanup(unit.close)
        return unit

    @proves("T-KEY-01", "T-KEY-02", "T-PHY-01", "T-PHY-02", "T-TOK-03", "CR 1.14", "CR 4.1")
    def test_with_a_tpm_the_key_is_nowhere(self):
        unit = self.unit("tpm")
        got = unit.live()
        secrets = unit.secrets()
        memory = Memory(unit.daemon.pid)
        for data in memory.pieces():
            self.assertEqual(found_in(data, secrets), [], "in memory")
        self.assertGreater(memory.read, 1 << 20)
        self.assertLess(memory.skipped, Memory.FEW)
        for path, data in unit.files():
            self.assertEqual(found_in(data, secrets), [], f"in {path}")
        self.assertEqual(found_in(unit.log_text(), secrets), [])
        self.assertNotIn(b"SharedAccessSignature", unit.log_text())
        bus = bytes(unit.proxy.record)
        self.assertGreater(len(bus), 100_000)
        self.assertEqual(found_in(bus, secrets), [], "on the TPM bus")
        # Nor what the TPM answered: MACs and data keys cross the bus encrypted only.
        tokens = pseudonyms = 0
        for line in got:
            if "data_key" in line:
                self.assertTrue(line["opens"])
                self.assertNotIn(bytes.fromhex(line["data_key"]), bus)
            elif "patient" in line:
                mac = unit.pseudonym(line["patient"])
                self.assertEqual(line["pseudonym"], mac[:16].hex())
                self.assertNotIn(mac[:16], bus)
                self.assertNotIn(line["patient"].encode(), unit.log_text())
                pseudonyms += 1
            else:
                resource, good, mac = judge(line["token"], secrets)
                self.assertTrue(good, resource)
                self.assertNotIn(mac, bus)
                tokens += 1
        self.assertGreater(tokens, 100)
        self.assertEqual(pseudonyms, MINTS)

        # The recorder does record: what is sent in the clear is found.
        unit.daemon.kill()
        unit.daemon.wait()
        marker = os.urandom(32)
        (unit.directory / "marker").write_bytes(marker)
        subprocess.run(["tpm2_hash", "-T", f"swtpm:host=127.0.0.1,port={unit.proxy.port}",
                        unit.directory / "marker"], check=True, capture_output=True)
        self.assertIn(marker, bytes(unit.proxy.record))

    @proves("T-KEY-01")
    def test_the_same_search_finds_it_in_the_software_store(self):
        unit = self.unit("software")
        for line in unit.live():
            if "token" in line:
                self.assertTrue(judge(line["token"], unit.secrets())[1])
        device = {"device key": unit.secrets()["device key"]}
        hits = [hit for data in Memory(unit.daemon.pid).pieces() for hit in found_in(data, device)]
        self.assertIn("device key (raw)", hits)
        unit.station("name", unit.socket, "somebody")  # puts the other key in use
        subject = {"subject key": unit.subject_key}
        hits = [hit for data in Memory(unit.daemon.pid).pieces() for hit in found_in(data, subject)]
        self.assertIn("subject key (raw)", hits)
        # The group key never was on the unit, with any back end.
        group = {"group key": unit.group_key}
        for data in Memory(unit.daemon.pid).pieces():
            self.assertEqual(found_in(data, group), [], "in memory")

        # On the disk the root key lies open, and with it the device key and the site's. They lie there sealed, not in the clear.
        files = dict((path.name, data) for path, data in unit.files())
        root = {"root key": files["root.key"]}
        self.assertEqual({name for name, data in files.items() if found_in(data, root)}, {"root.key"})
        self.assertEqual([hit for data in files.values() for hit in found_in(data, device | subject)], [])
        opened = opened_with(files["root.key"], files["custody"])
        self.assertIn(unit.secrets()["device key"], opened)
        self.assertIn(unit.subject_key, opened)

    @proves("T-KEY-01")
    def test_the_search_knows_every_shape(self):
        key = os.urandom(32)
        leaks = leaks_of(key)
        self.assertEqual(set(leaks), set(forms_of(key)))
        expected = {f"canary ({form})" for form in leaks}
        for form, leak in leaks.items():
            self.assertIn(f"canary ({form})", found_in(os.urandom(500) + leak + os.urandom(500), {"canary": key}))
        self.assertEqual(found_in(os.urandom(5000), {"canary": key}), [])
        # In another process's memory too.
        text = b"\0".join(leaks.values())
        holder = subprocess.Popen(
            ["/usr/bin/python3", "-c", "import sys\nheld = sys.stdin.buffer.read(int(sys.argv[1]))\n"
             "print('held', flush=True)\nsys.stdin.read()", str(len(text))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(holder.communicate)
        holder.stdin.write(text)
        holder.stdin.flush()
        self.assertEqual(holder.stdout.readline(), b"held\n")
        hits = {hit for data in Memory(holder.pid).pieces() for hit in found_in(data, {"canary": key})}
        self.assertEqual(hits, expected)


if __name__ == "__main__":
    main()
