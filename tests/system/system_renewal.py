"""Nobody asks for it: a token is renewed by its own timer, in time and without loss."""
import time

import stack  # first: it sets the path to the demo's modules
import layout
import ledger
from support.proves import main, proves

LIFETIME_S = 10       # renewed between 75 % and 85 % of it
RENEWALS = 2
WITHIN_S = 25.0
DRAIN_S = 30.0
STATUS_LAG_S = 1.0     # a new token shows in the status file after a second at most


class Renewal(stack.StackTest):
    tuning = layout.Tuning(token_lifetime_s=LIFETIME_S)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        begin = time.monotonic()
        cls.ages = []
        cls.ward.start()
        cls.renewed = cls.stack.wait_for(cls._seen_enough, WITHIN_S)
        cls.seconds = time.monotonic() - begin
        cls.ward.stop()
        cls.closed = cls.stack.close_intake()
        cls.drained = cls.stack.wait_for(lambda: cls.ward.all_arrived(cls.stack.queued_records()), DRAIN_S)
        cls.ward.end()
        cls.lines = list(cls.stack.hub.log())
        cls.report = ledger.balance(cls.stack.layout.books, cls.lines)
        print(f"{cls.stack.renewals()} renewals in {cls.seconds:.1f} s; {cls.report.line()}", flush=True)

    @classmethod
    def _seen_enough(cls):
        age = cls.stack.token_age()
        if age is not None:
            cls.ages.append(age)
        return cls.stack.renewals() >= RENEWALS

    @proves("T-TOK-05")
    def test_the_timer_renews(self):
        self.assertTrue(self.renewed, f"{self.stack.renewals()} renewals in {WITHIN_S} s")
        self.assertEqual(self.stack.uplink_status()["connections"], 1 + self.stack.renewals())

    @proves("T-TOK-05")
    def test_no_token_grows_old(self):
        self.assertGreater(len(self.ages), 50)
        self.assertLess(max(self.ages), LIFETIME_S + STATUS_LAG_S)
        self.assertGreater(max(self.ages), 0.75 * LIFETIME_S - 0.5)  # and none is thrown away young

    @proves("T-TOK-05", "T-DATA-01")
    def test_nothing_is_lost_and_doubles_are_counted(self):
        self.assertTrue(self.closed and self.drained)
        self.assertTrue(self.report.balanced, f"{self.report.line()} {self.report.examples}")
        self.assertGreater(self.report.sent, 500)
        doubled = len(self.lines) - len({line["mid"] for line in self.lines})
        self.assertEqual(self.report.redelivered > 0, doubled > 0)
        # A renewal in order waits for what is outstanding: nothing goes out twice.
        self.assertEqual((0, 0), (self.stack.uplink_status()["failures"], doubled))


if __name__ == "__main__":
    main()
