"""A hub that stays away while a small spool runs over: what had to go is accounted, the rest arrives."""
import json

import stack  # first: it sets the path to the demo's modules
import decode
import jsonschema
import layout
import ledger
from patient import Plan
from support.proves import main, proves

AWAY_S = 12
DRAIN_S = 90.0


class Gaps(stack.StackTest):
    tuning = layout.Tuning(batch_interval_s=1, spool_mb=2, segment_mb=1)
    plans = (
        Plan("bed-1", interval_s=0, window=32),
        Plan("bed-2", interval_s=0, window=32, first_row=700, wave_every=10),
    )

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ward.start()
        cls.stack.wait_for(lambda: cls.ward.delivered > 500, 20)
        cls.stack.hub_away(AWAY_S)
        cls.stack.wait_for(lambda: cls.dropped("vitals") > 100, AWAY_S)
        cls.ward.stop()
        cls.stack.close_intake()
        cls.drained = cls.stack.wait_for(
            lambda: cls.ward.all_arrived(cls.stack.queued_records()) and cls.stack.queued_records() == 0, DRAIN_S)
        cls.ward.end()
        cls.lines = list(cls.stack.hub.log())
        cls.report = ledger.balance(cls.stack.layout.books, cls.lines)
        print(cls.report.line(), flush=True)

    @classmethod
    def dropped(cls, lane):
        return cls.stack.intake_status().get("lanes", {}).get(lane, {}).get("dropped_records", 0)

    @proves("T-DOS-02", "T-DATA-01", "CR 7.1")
    def test_what_had_to_go_is_in_gap_records_and_nothing_else_is_missing(self):
        report = self.report
        self.assertTrue(self.drained, "the queue did not drain")
        self.assertGreater(report.gaps, 0, "the bound was never reached: this run proves nothing")
        self.assertEqual((0, 0), (report.lost, report.altered), report.examples)
        self.assertEqual(report.sent, report.delivered + report.gaps)

    def test_both_lanes_had_to_give(self):
        """Waves go first; the vitals' own gaps show that the run went past them."""
        gaps = [line for line in self.lines if line["properties"]["schema"] == "mitral.gap/1"]
        self.assertEqual({"vitals", "waves"}, {line["properties"]["lane"] for line in gaps})

    def test_gap_messages_follow_the_schema(self):
        schema = json.loads((stack.SOURCE / "docs/formats/gap-1.schema.json").read_text())
        validator = jsonschema.Draft202012Validator(schema)
        bodies = [json.loads(decode.message_body(line)) for line in self.lines
                  if line["properties"]["schema"] == "mitral.gap/1"]
        self.assertTrue(bodies)
        for body in bodies:
            validator.validate(body)
            self.assertEqual("bound-reached", body["reason"])
        for damage in ({"first": 0}, {"stream": "7"}, {"reason": "policy"}, {"source": "bed-1"}, {"lane": "numerics"}):
            self.assertFalse(validator.is_valid({**bodies[0], **damage}), damage)
        one_sided = {key: value for key, value in bodies[0].items() if key != "last_written"}
        self.assertFalse(validator.is_valid(one_sided))

    @proves("T-DOS-02")
    def test_acquisition_went_on(self):
        """Every line was taken, whatever had to go for it."""
        self.assertEqual([], self.ward.refused)

    @proves("T-DATA-01")
    def test_without_its_gap_records_the_ledger_would_not_balance(self):
        kept = [line for line in self.lines if line["properties"]["schema"] != "mitral.gap/1"]
        report = ledger.balance(self.stack.layout.books, kept)
        self.assertEqual(self.report.gaps, report.lost)


if __name__ == "__main__":
    main()
