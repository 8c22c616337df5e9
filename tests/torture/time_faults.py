"""Faults of time: the clock, and a renewal at the worst moment."""
import time

import layout
from conductor import NotFired
from fail_points import UPLINK
from fault import HELD_S, SEEN_S, Fault


class ClockSet(Fault):
    """The wall clock of every process of the gateway jumps."""

    def __init__(self, name, offset):
        self.name, self._offset = name, offset

    def strike(self, unit, standing):
        offset = self._offset()
        unit.conductor.clock.shift(offset)
        standing.say("time")
        _, seen = unit.conductor.await_event("time", SEEN_S, lambda who, _: who is standing)
        if abs(int(seen) - (time.time() + offset)) > 2:
            raise NotFired(f"the process reads {seen}")
        standing.say("go")
        unit.hub.drop(layout.REGISTRATION_ID)  # the next link, and perhaps its token, is made by this clock
        time.sleep(HELD_S)
        return "the process reads " + time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(seen)))

    def lift(self, unit):
        unit.conductor.clock.real()


class Renewal(Fault):
    """The token is renewed at this very moment."""

    name = "renewal"

    def strike(self, unit, standing):
        before = unit.log_count(UPLINK, "token-renewed")
        unit.renew_token()
        standing.say("go")
        for _ in range(4):
            if unit.wait_for(lambda: unit.log_count(UPLINK, "token-renewed") > before, SEEN_S / 4):
                return "a fresh token, a new link"
            unit.renew_token()  # a link that was just being made is not renewed
        raise NotFired("no renewal began")
