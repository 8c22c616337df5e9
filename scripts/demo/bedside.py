"""The demo's four beds. Three are monitors of mitral-bedside, in one process; the messages of the fourth go out through
a program that somebody else wrote. What they acknowledged stands in books that the gateway has no part in."""
import json
import shutil
import threading
import time

import certificates
import gateway
import processes
import toml_text
from sender import Sender
from third_party import MllpSend

ZONE = "Europe/Paris"   # of the monitor that does not say it; the gateway is told
GATEWAY = "gateway.mitral.test"
MONITOR = "bed-1.monitor.mitral.test"
ADDRESSES = {"bed-1": "127.0.1.1", "bed-2": "127.0.1.2", "bed-3": "127.0.1.3", "bed-4": "127.0.0.1"}
SPEAKS = {
    "bed-1": "PCD-01 over TLS, with a certificate of its own",
    "bed-2": "UCUM, kPa, and a clock that keeps its zone to itself",
    "bed-3": "PCD-01, with waveforms at 250 Hz",
}
FAREWELL_S = 20
LOOK_S = 0.1


class Hl7Place:
    """What gateway and monitors have to agree on: ports, certificates, who is who."""

    def __init__(self, directory, ports, code_table):
        self.directory, self.code_table = directory, code_table
        self.tls_port, self.plain_port = ports

    def make_certificates(self):
        authority = certificates.Authority(self.directory, "ward")
        authority.issue(GATEWAY, server=True)
        authority.issue(MONITOR)

    def _pem(self, name):
        return self.directory / f"{name}.pem"

    def _key(self, name):
        return self.directory / f"{name}.key"

    def settings(self):
        """For the table [intake-hl7] of the gateway."""
        return {
            "code_tables": [self.code_table],
            "listen": [
                {"address": f"127.0.0.1:{self.tls_port}", "certificate": self._pem(GATEWAY), "key": self._key(GATEWAY),
                 "client_roots": [self._pem("ward")]},
                {"address": f"127.0.0.1:{self.plain_port}"}],
            "monitor": [
                {"source": "bed-1", "address": ADDRESSES["bed-1"], "certificate": MONITOR},
                {"source": "bed-2", "address": ADDRESSES["bed-2"], "zone": ZONE},
                {"source": "bed-3", "address": ADDRESSES["bed-3"]},
                {"source": "bed-4", "address": ADDRESSES["bed-4"], "dialect": "bedside"}]}

    def beds(self):
        """For the plan of mitral-bedside."""
        plain = {"to": f"127.0.0.1:{self.plain_port}"}
        common = {"vitals_every_ms": 100, "fault_percent": 3, "remarks": True}
        return [
            {"source": "bed-1", "dialect": "pcd", "to": f"127.0.0.1:{self.tls_port}",
             "from": ADDRESSES["bed-1"], "roots": [self._pem("ward")],
             "server_name": GATEWAY, "certificate": self._pem(MONITOR), "key": self._key(MONITOR),
             "faults": ["resend", "split", "half"], **common},
            {"source": "bed-2", "dialect": "local", **plain, "from": ADDRESSES["bed-2"], "zone": ZONE,
             "first_row": 300, "faults": ["junk", "tail", "several"], **common},
            {"source": "bed-3", "dialect": "pcd", **plain, "from": ADDRESSES["bed-3"], "first_row": 800,
             "waves_every_ms": 1000, "faults": ["resend", "split"], **common}]


class BedsideStack(gateway.Stack):
    """A gateway whose one adapter is mitral-intake-hl7."""

    needed = ("mitral", "mitral-vault", "mitral-intake-hl7", "mitral-enrol", "mitral-uplink", "mitral-cloud",
              "mitral-bedside")

    def __init__(self, programs, source, **named):
        super().__init__(programs, source, **named)
        self.layout.monitors = Hl7Place(self.layout.hl7, processes.free_ports(2), source / "share/codes/bedside.toml")

    def _check_machine(self):
        super()._check_machine()
        if shutil.which("mllp_send") is None:
            raise processes.StartFailed("mllp_send (python3-hl7) is not installed: run scripts/deps.sh")

    def not_understood(self):
        """What of the monitors' messages the gateway could make nothing of, by reason, as `mitral status` shows it."""
        counted = self.intake_status().get("not_understood", {})
        return {reason: count for reason, count in counted.items() if count}


class Simulator(threading.Thread):
    """mitral-bedside with its monitors; reads in their books what was acknowledged."""

    def __init__(self, stack, recording):
        super().__init__(name="bedside", daemon=True)
        place = stack.layout.monitors
        self._stack = stack
        self._plan = stack.layout.root / "etc/bedside.toml"
        books = stack.layout.books
        ward = {"recording": recording, "book": books, "times": True, "farewell_s": FAREWELL_S}
        self._plan.write_text(toml_text.table("ward", ward) + toml_text.tables("bed", place.beds()), encoding="utf-8")
        self.beds = [Monitor(self, bed["source"], books) for bed in place.beds()]
        self._process = None

    def begin(self):
        """The first bed that starts brings all of them."""
        if self._process is None:
            self._process = self._stack.launch("mitral-bedside", ["--plan", self._plan])
            self.start()

    def run(self):
        while self._process.running:
            time.sleep(LOOK_S)
            self._look()
        self._look()
        for bed in self.beds:
            bed.finished.set()

    def _look(self):
        for bed in self.beds:
            bed.look()

    @property
    def trouble(self):
        """Of the newest line of status, in the simulator's own words."""
        last = self._process.tail(1) if self._process is not None else []
        return last[0].partition(" trouble: ")[2] if last else ""

    def end(self):
        self._process.terminate()


class Monitor(Sender):
    """One bed of the simulator, seen through its books."""

    def __init__(self, simulator, source, books):
        super().__init__(source, SPEAKS.get(source, ""))
        self._simulator = simulator
        self._acked = Tail(books / f"{source}.acked.jsonl")
        self._times = Tail(books / f"{source}.times.jsonl")
        self._refused = Tail(books / f"{source}.refused.jsonl")

    def start(self):
        self._simulator.begin()

    def stop(self, wait_s=30.0):
        del wait_s  # the plan says how long
        self._simulator.end()

    @property
    def trouble(self):
        text = self._simulator.trouble
        return text.removeprefix(self.source + ": ") if text.startswith(self.source + ":") else ""

    def look(self):
        for row in self._times.rows():
            self.acknowledge(row["id"], row["sent"], row["acked"])
        self.acknowledged += len(self._acked.rows())
        self.refused += [(row["control_id"], row["reason"]) for row in self._refused.rows()]


class Tail:
    """The lines that were added to a file of JSON lines."""

    def __init__(self, path):
        self._path, self._offset = path, 0

    def rows(self):
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[:data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [json.loads(line) for line in whole.splitlines()]


def beds(stack, recording):
    """The four senders of the demo."""
    simulator = Simulator(stack, recording)
    return [*simulator.beds, MllpSend(stack, "bed-4", "queried", recording, stack.layout.monitors.plain_port)]
