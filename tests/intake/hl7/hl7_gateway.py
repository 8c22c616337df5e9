"""mitral-intake-hl7 with a vault and a spool of its own, and monitors that speak to it."""
import base64
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import unittest

BINARY = pathlib.Path(os.environ["MITRAL_BINARY_DIR"]) / "bin"
PATIENCE_S = 20
ANYBODY = '[[intake-hl7.monitor]]\nsource = "icu-1"\naddress = "127.0.0.0/8"\n'


def wait_for(holds, what, child=None):
    deadline = time.monotonic() + PATIENCE_S
    while True:
        held = holds()
        if held:
            return held
        if time.monotonic() > deadline or (child is not None and child.poll() is not None):
            raise AssertionError(what() if callable(what) else what)
        time.sleep(0.02)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Gateway:
    """Started by start(); everything is gone after stop()."""

    def __init__(self, read_spool):
        self.read_spool = read_spool
        self.scratch = tempfile.TemporaryDirectory(prefix="mitral-hl7-")
        self.path = pathlib.Path(self.scratch.name)
        self.port = free_port()
        self.running = {}
        (self.path / "station.pub").write_text(base64.b64encode(os.urandom(32)).decode() + "\n")

    def configure(self, settings="", listen="", monitors=ANYBODY, listeners=None):
        if listeners is None:
            listeners = f'[[intake-hl7.listen]]\naddress = "127.0.0.1:{self.port}"\n{listen}\n'
        (self.path / "mitral.toml").write_text(f"""
[vault]
socket = "{self.path}/vault.sock"
state = "{self.path}/vault"
backend = "software"
station_key = "{self.path}/station.pub"
[[vault.peer]]
user = "{os.getuid()}"
may = ["new-data-key", "open-data-key", "status", "pseudonym", "begin-provisioning", "execute-order"]
[intake-hl7]
spool = "{self.path}/spool"
vault = "{self.path}/vault.sock"
status = "{self.path}/intake-hl7.json"
acknowledgements = "{self.path}/none"
batch_interval_s = 3600
{settings}
{listeners}
{monitors}
""")

    def launch(self, program):
        with open(self.path / f"{program}.log", "ab") as log:
            child = subprocess.Popen([BINARY / program, "--config", self.path / "mitral.toml"], stderr=log,
                                     stdin=subprocess.DEVNULL, restore_signals=False)  # a bounded file is an error
        self.running[program] = child
        return child

    def start(self, **configuration):
        self.configure(**configuration)
        vault = self.launch("mitral-vault")
        wait_for(self._vault_answers, lambda: "no vault: " + self.log("mitral-vault"), vault)
        self.start_intake()

    def start_intake(self):
        said = self.log().count("intake-ready")
        child = self.launch("mitral-intake-hl7")
        wait_for(lambda: self.log().count("intake-ready") > said, lambda: "no intake: " + self.log(), child)

    def _vault_answers(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
            try:
                probe.connect(str(self.path / "vault.sock"))
            except OSError:
                return False
            return True

    def log(self, program="mitral-intake-hl7"):
        path = self.path / f"{program}.log"
        return path.read_text() if path.exists() else ""

    def status(self):
        return json.loads((self.path / "intake-hl7.json").read_text())

    @property
    def intake(self):
        return self.running["mitral-intake-hl7"]

    def end_intake(self):
        self.intake.send_signal(signal.SIGTERM)
        code = self.intake.wait(PATIENCE_S)
        del self.running["mitral-intake-hl7"]
        return code

    def kill_intake(self):
        self.intake.kill()
        self.intake.wait()
        del self.running["mitral-intake-hl7"]

    def spooled(self):
        """What the uplink would send, one reading a line; ends the intake first."""
        if "mitral-intake-hl7" in self.running and self.end_intake() != 0:
            raise AssertionError(self.log())
        done = subprocess.run([self.read_spool, self.path / "spool", self.path / "vault.sock"], capture_output=True,
                              text=True, check=True)
        return done.stdout.splitlines()[:-1]

    def stop(self):
        for child in self.running.values():
            child.kill()
            child.wait()
        self.scratch.cleanup()


def report(control_id="1", values=("72",), mode="", time_of="20261122101600+0000", extra=""):
    rows = "".join(f"OBX|{n}|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.{n}|{value}|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R\r"
                   for n, value in enumerate(values, 1))
    accept, application = mode.split("|") if mode else ("", "")
    return (f"MSH|^~\\&|MON|ICU|GW|HOSP|{time_of}||ORU^R01^ORU_R01|{control_id}|P|2.6|||{accept}|{application}\r"
            f"OBR|1|||182777000^monitoring of patient^SCT|||{time_of}\r{rows}{extra}").encode()


def frame(message, tail=b"\x1c\r"):
    return b"\x0b" + message + tail


class Monitor:
    """An MLLP sender over a socket, plain or TLS."""

    def __init__(self, where, address="127.0.0.1", tls=None, name="localhost"):
        self.connection = socket.create_connection(where, timeout=PATIENCE_S, source_address=(address, 0))
        if tls is not None:
            self.connection = tls.wrap_socket(self.connection, server_hostname=name)
        self.received = b""

    @classmethod
    def over(cls, connection):
        """Over a connection that stands."""
        monitor = cls.__new__(cls)
        monitor.connection, monitor.received = connection, b""
        return monitor

    def send(self, data):
        self.connection.sendall(data)

    def answer(self):
        """The next acknowledgement as its segments; None at the end of the connection."""
        while b"\x1c\r" not in self.received:
            try:
                piece = self.connection.recv(65536)
            except (ConnectionResetError, BrokenPipeError):
                piece = b""
            if not piece:
                return None
            self.received += piece
        answer, self.received = self.received.split(b"\x1c\r", 1)
        assert answer[:1] == b"\x0b", answer
        return [segment.split("|") for segment in answer[1:].decode().rstrip("\r").split("\r")]

    def verdict(self):
        """(MSA-1, MSA-2) of the next acknowledgement; None at the end."""
        answer = self.answer()
        return None if answer is None else tuple(answer[1][1:3])

    def report(self, *args, **kwargs):
        self.send(frame(report(*args, **kwargs)))
        return self.verdict()

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class GatewayTest(unittest.TestCase):
    READ_SPOOL = None

    def setUp(self):
        self.gateway = Gateway(self.READ_SPOOL)
        self.addCleanup(self.gateway.stop)

    def doCleanups(self):
        log = self.gateway.log() if hasattr(self, "gateway") else ""
        done = super().doCleanups()
        if self._outcome is not None and not self._outcome.success:
            print(log)
        return done

    def start(self, **configuration):
        self.gateway.start(**configuration)

    def monitor(self, **options):
        monitor = Monitor(("127.0.0.1", self.gateway.port), **options)
        self.addCleanup(monitor.close)
        return monitor

    def counted(self, holds):
        """The status file, when it says what is expected."""
        seen = {}

        def look():
            seen["status"] = self.gateway.status()
            return seen["status"] if holds(seen["status"]) else None
        return wait_for(look, lambda: f"the status stays {seen['status']}")

    def logged(self, text):
        wait_for(lambda: text in self.gateway.log(), lambda: f"'{text}' is not in the log:\n{self.gateway.log()}")
