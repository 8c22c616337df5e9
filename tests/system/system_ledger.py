"""The ledger over 100,000 observations while the hub goes away, processes are killed and tokens renewed."""
import base64
import copy
import os
import random
import time

import stack  # first: it sets the path to the demo's modules
import decode
import faults
import layout
import ledger
from patient import Plan
from support.proves import main, proves

WANTED = int(os.environ.get("MITRAL_LEDGER_OBSERVATIONS", "100000"))
SEED = int(os.environ.get("MITRAL_LEDGER_SEED", "20260101"))
WANTED_ROUNDS = 3   # of every fault
LONGEST_S = 110.0   # of sending
DRAIN_S = 60.0


class LedgerUnderFaults(stack.StackTest):
    tuning = layout.Tuning(batch_interval_s=1, batch_kb=128, segment_mb=1)
    plans = (
        Plan("bed-1", acknowledge="line", interval_s=0.006, window=24),
        Plan("bed-2", acknowledge="batch", interval_s=0.006, window=64, first_row=300, extra_digit=True),
        Plan("bed-3", acknowledge="line", interval_s=0.006, window=24, first_row=800, wave_every=40),
        Plan("bed-4", acknowledge="batch", interval_s=0.006, window=48, first_row=1400, omit_known_unit=True),
    )

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lines = []
        cls.faults = cls._run_patients()
        cls.refused = cls.ward.refused
        cls.closed_by_itself = cls.stack.close_intake()
        cls.drained = cls.stack.wait_for(lambda: cls.ward.all_arrived(cls.stack.queued_records()), DRAIN_S)
        cls.ward.end()
        cls.lines = list(cls.stack.hub.log())
        cls.report = ledger.balance(cls.stack.layout.books, cls.lines)
        print(f"seed {SEED}: faults {cls.faults.counts()}, {cls.report.messages} messages")
        print(cls.report.line(), flush=True)

    @classmethod
    def _run_patients(cls):
        conductor = faults.Conductor(cls.stack, faults.random_plan(SEED, LONGEST_S), lambda text: None)
        cls.ward.start()
        conductor.start()
        deadline = time.monotonic() + LONGEST_S
        while time.monotonic() < deadline:
            counts = conductor.counts()
            rounds = min(counts.get(fault.name, 0) for fault in faults.ALL)
            if cls.ward.acknowledged >= WANTED and rounds >= WANTED_ROUNDS:
                break
            time.sleep(0.1)
        conductor.end()
        cls.ward.stop()
        return conductor

    @proves("T-DATA-01", "T-DATA-02", "CR 3.1", "CR 7.1")
    def test_everything_acknowledged_arrived_unaltered(self):
        self.assertGreaterEqual(self.report.sent, WANTED)
        self.assertTrue(self.drained, "the queue did not drain")
        self.assertTrue(self.report.balanced, f"{self.report.line()} {self.report.examples}")
        self.assertEqual([], self.refused)

    def test_every_fault_happened_more_than_once(self):
        self.assertEqual([], self.faults.failed)
        for fault in faults.ALL:
            self.assertGreaterEqual(self.faults.counts().get(fault.name, 0), 2, fault.name)
        restarts = self.stack.parts["mitral-uplink"].restarts
        self.assertGreaterEqual(restarts, 2, "kill -9 of the uplink had no effect")

    def test_intake_ends_by_itself(self):
        self.assertTrue(self.closed_by_itself)

    def test_waves_arrived_too(self):
        schemas = {line["properties"]["schema"] for line in self.lines}
        self.assertLessEqual({"mitral.vitals/1", "mitral.wave/1"}, schemas)

    # The ledger would notice: the same run's log, tampered with.
    def _tampered(self, change):
        lines = copy.copy(self.lines)
        change(lines)
        return ledger.balance(self.stack.layout.books, lines)

    def _once_delivered(self):
        """The place of a message that came only once."""
        seen = {}
        for place, line in enumerate(self.lines):
            if not decode.is_evidence(line):
                seen.setdefault(line["mid"], []).append(place)
        return random.Random(SEED).choice([places[0] for places in seen.values() if len(places) == 1])

    @proves("T-DATA-01")
    def test_a_dropped_message_is_noticed(self):
        report = self._tampered(lambda lines: lines.pop(self._once_delivered()))
        self.assertGreater(report.lost, 0)
        self.assertFalse(report.balanced)

    @proves("T-DATA-02")
    def test_an_altered_message_is_noticed(self):
        def change(lines):
            for place, line in enumerate(lines):
                body = base64.b64decode(line["body"])
                if b"62.8" in body:
                    lines[place] = dict(line, body=base64.b64encode(body.replace(b"62.8", b"62.9", 1)).decode())
                    return
            self.fail("the recording holds 62.8; it must be somewhere")

        report = self._tampered(change)
        self.assertGreaterEqual(report.altered, 1)
        self.assertFalse(report.balanced)

    def test_a_doubled_message_is_counted_as_a_redelivery(self):
        report = self._tampered(lambda lines: lines.append(dict(lines[self._once_delivered()])))
        self.assertGreater(report.redelivered, self.report.redelivered)
        self.assertTrue(report.balanced, report.line())


if __name__ == "__main__":
    main()
