"""The hub is away until the bound is reached, then back while readings go on: live first, the backlog beside it."""
import stack  # first: it sets the path to the demo's modules
import layout
import ledger
from patient import Plan
from support.proves import main, proves

AWAY_S = 25
BACK_S = 60.0
DRAIN_S = 120.0
GAP = "mitral.gap/1"


def numbers(lines, lane="vitals"):
    """Record numbers of a lane's data messages, in the order in which the hub took them, each once."""
    mids = [line["mid"] for line in lines
            if line["properties"].get("lane") == lane and line["properties"]["schema"] != GAP]
    return [int(mid.removesuffix("-w").rsplit("-", 1)[1]) for mid in dict.fromkeys(mids)]


def overtaken(taken):
    """How many messages came after one with a higher number."""
    highest, count = 0, 0
    for number in taken:
        count += number < highest
        highest = max(highest, number)
    return count


class Outage(stack.StackTest):
    tuning = layout.Tuning(batch_interval_s=1, batch_kb=4, spool_mb=2, segment_mb=1)
    plans = (Plan("bed-1", interval_s=0.004), Plan("bed-2", interval_s=0.004, first_row=700),
             Plan("bed-3", interval_s=0.02, first_row=300, wave_every=5))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ward.start()
        cls.stack.wait_for(lambda: cls.ward.delivered > 500, 20)
        cls.stack.hub_away(AWAY_S)
        cls.dropped = cls.stack.wait_for(cls.bound_reached, AWAY_S)
        cls.split = cls.stack.wait_for(lambda: cls.logged("live-first"), AWAY_S + BACK_S)
        cls.showed = cls.stack.wait_for(cls.shows_both, 10)
        cls.joined = cls.stack.wait_for(lambda: cls.logged("backlog-drained"), DRAIN_S)
        cls.ward.stop()
        cls.stack.close_intake()
        cls.drained = cls.stack.wait_for(
            lambda: cls.ward.all_arrived(cls.stack.queued_records()) and cls.stack.queued_records() == 0, DRAIN_S)
        cls.ward.end()
        cls.lines = list(cls.stack.hub.log())
        cls.report = ledger.balance(cls.stack.layout.books, cls.lines)
        print(cls.report.line(), flush=True)

    @classmethod
    def logged(cls, event):
        return event in cls.stack.parts["mitral-uplink"].log.read_text(errors="replace")

    @classmethod
    def bound_reached(cls):
        lanes = cls.stack.intake_status().get("lanes", {})
        return lanes.get("vitals", {}).get("dropped_records", 0) > 0

    @classmethod
    def shows_both(cls):
        lanes = cls.stack.uplink_status().get("lanes", [])
        return any(lane["parts"] > 1 and lane["live_backlog"] < lane["backlog"] for lane in lanes)

    @proves("T-DOS-02", "T-DATA-01", "CR 7.1")
    def test_nothing_is_missing_but_what_gaps_name(self):
        self.assertTrue(self.dropped, "the bound was not reached: this run proves less")
        self.assertTrue(self.drained, "the queue did not drain")
        self.assertGreater(self.report.gaps, 0)
        self.assertEqual((0, 0), (self.report.lost, self.report.altered), self.report.examples)
        self.assertEqual(self.report.sent, self.report.delivered + self.report.gaps)

    @proves("T-DOS-02")
    def test_what_was_measured_after_the_outage_overtook_the_backlog(self):
        self.assertTrue(self.split and self.showed and self.joined, (self.split, self.showed, self.joined))
        self.assertGreater(overtaken(numbers(self.lines)), 50)

    def test_the_count_of_the_overtaken_can_be_nought(self):
        self.assertEqual(0, overtaken(sorted(numbers(self.lines))))

    @proves("T-DOS-02")
    def test_acquisition_went_on(self):
        self.assertEqual([], self.ward.refused)


if __name__ == "__main__":
    main()
