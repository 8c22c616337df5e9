"""The ledger over simulated monitors that misbehave, while mitral-intake-hl7 is killed in the midst of their bursts."""
import copy
import os
import random
import time

import stack  # first: it sets the path to the demo's modules
import decode
import faults
import gateway
import layout
import ledger
import processes
import toml_text
from support.proves import main, proves

WANTED = int(os.environ.get("MITRAL_LEDGER_OBSERVATIONS", "20000"))
SEED = int(os.environ.get("MITRAL_LEDGER_SEED", "20261122"))
WANTED_KILLS = 6
LONGEST_S = 90.0   # of sending
DRAIN_S = 60.0
FAREWELL_S = 30
ZONE = "Europe/Paris"
# A monitor with each fault alone would hide what two at once do: all make all of them.
BEDS = {
    "bed-1": {"dialect": "pcd", "window": 8},
    "bed-2": {"dialect": "pcd", "first_row": 300, "clock_offset_s": -4000},
    "bed-3": {"dialect": "pcd", "first_row": 800, "waves_every_ms": 1000},
    "bed-4": {"dialect": "local", "first_row": 1100, "zone": ZONE, "window": 4},
    "bed-5": {"dialect": "local", "first_row": 1400, "zone": ZONE, "clock_offset_s": 86_400},
}
FAULTS = ["resend", "split", "several", "junk", "tail", "silence", "half"]


class Place:
    """Each bed by its address, over plain TCP."""

    def __init__(self):
        self.plain_port, = processes.free_ports(1)

    def make_certificates(self):
        """None are needed."""

    @staticmethod
    def address(source):
        return "127.0.1." + source.removeprefix("bed-")

    def settings(self):
        return {"messages_per_s": 10_000, "listen": [{"address": f"127.0.0.1:{self.plain_port}"}],
                "monitor": [{"source": source, "address": self.address(source), "zone": bed.get("zone", "")}
                            for source, bed in BEDS.items()]}

    def plan(self, books):
        ward = {"recording": stack.DATA, "book": books, "farewell_s": FAREWELL_S, "answer_s": 5, "seed": SEED}
        common = {"to": f"127.0.0.1:{self.plain_port}", "vitals_every_ms": 20, "fault_percent": 2, "faults": FAULTS}
        return toml_text.table("ward", ward) + toml_text.tables("bed", [
            {"source": source, "from": self.address(source), **common, **bed} for source, bed in BEDS.items()])


class Stack(gateway.Stack):
    needed = ("mitral", "mitral-vault", "mitral-intake-hl7", "mitral-enrol", "mitral-uplink", "mitral-cloud",
              "mitral-bedside")

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.layout.monitors = Place()

    def start_monitors(self):
        plan = self.layout.root / "etc/bedside.toml"
        plan.write_text(self.layout.monitors.plan(self.layout.books), encoding="utf-8")
        return self.launch("mitral-bedside", ["--plan", plan])


class LedgerUnderKills(stack.StackTest):
    tuning = layout.Tuning(batch_interval_s=1, batch_kb=128, segment_mb=1)

    @classmethod
    def setUpClass(cls):
        if not processes.is_root():
            raise stack.unittest.SkipTest("needs root: the daemons drop to users of their own")
        cls.stack = Stack(stack.BINARY / "bin", stack.SOURCE, tuning=cls.tuning)
        cls.addClassCleanup(cls._take_down)
        cls.failed = True  # until the books are closed
        cls.stack.start()
        cls.kills = cls._run_monitors()
        cls.closed_by_itself = cls.stack.close_intake()
        cls.acknowledged, cls.pending = ledger.read_sent(cls.stack.layout.books)
        cls.stack.wait_for(lambda: cls.stack.queued_records() == 0 and cls._all_arrived(), DRAIN_S)
        cls.lines = list(cls.stack.hub.log())
        cls.report = ledger.balance(cls.stack.layout.books, cls.lines)
        cls.failed = False
        print(f"seed {SEED}: {cls.kills} kills, {cls.report.messages} messages")
        print(cls.report.line(), flush=True)

    @classmethod
    def _all_arrived(cls):
        return ledger.balance(cls.stack.layout.books, cls.stack.hub.log()).delivered >= len(cls.acknowledged)

    @classmethod
    def _run_monitors(cls):
        """How often the intake was killed while monitors were sending."""
        chance = random.Random(SEED)
        plan, at = [], 2.0
        while at < LONGEST_S:
            plan.append((at, faults.KILL_INTAKE))
            at += chance.uniform(0.8, 3.0)
        monitors = cls.stack.start_monitors()
        conductor = faults.Conductor(cls.stack, plan, lambda text: None)
        conductor.start()
        deadline = time.monotonic() + LONGEST_S
        while time.monotonic() < deadline and monitors.running:
            booked = sum(path.read_bytes().count(b"\n") for path in cls.stack.layout.books.glob("*.acked.jsonl"))
            if booked >= WANTED and len(conductor.done) >= WANTED_KILLS:
                break
            time.sleep(0.2)
        conductor.end()
        conductor.join()
        cls.ended_well = monitors.stop(timeout=FAREWELL_S + 10)
        return len(conductor.done)

    @proves("T-DATA-01", "T-DATA-02", "T-DATA-04", "CR 3.1", "CR 7.1")
    def test_everything_acknowledged_arrived_unaltered(self):
        self.assertGreaterEqual(self.report.sent, WANTED)
        self.assertTrue(self.report.balanced, f"{self.report.line()} {self.report.examples}")

    def test_the_kills_were_kills_in_a_burst(self):
        self.assertGreaterEqual(self.kills, WANTED_KILLS)
        self.assertGreaterEqual(self.stack.parts["mitral-intake-hl7"].restarts, WANTED_KILLS)

    def test_all_monitors_ended_well_and_were_refused_nothing(self):
        self.assertTrue(self.ended_well)
        self.assertTrue(self.closed_by_itself)
        for path in self.stack.layout.books.glob("*.refused.jsonl"):
            self.assertEqual("", path.read_text(), path.name)
        sources = {source for source, _id, _index in self.acknowledged}
        self.assertEqual(set(BEDS), sources)

    def test_waves_arrived_too(self):
        schemas = {line["properties"]["schema"] for line in self.lines}
        self.assertLessEqual({"mitral.vitals/1", "mitral.wave/1"}, schemas)

    @proves("T-DATA-01")
    def test_a_dropped_message_is_noticed(self):
        """The control: the same books against a log that lacks one message."""
        lines, seen = copy.copy(self.lines), {}
        for place, line in enumerate(lines):
            if not decode.is_evidence(line):
                seen.setdefault(line["mid"], []).append(place)
        lines.pop(random.Random(SEED).choice([places[0] for places in seen.values() if len(places) == 1]))
        self.assertGreater(ledger.balance(self.stack.layout.books, lines).lost, 0)


if __name__ == "__main__":
    main()
