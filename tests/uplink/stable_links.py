#!/usr/bin/python3
"""A connection that went well ends a run of failures, also when its end is a renewal."""
import signal
import unittest

from support.proves import main, proves
from uplink.uplink_support import CONNECT, Scratch, behave_well, wait_for


def throttle(connection, _broker):
    """CONNACK 3."""
    if connection.packet()[0] == CONNECT:
        connection.send(0x20, 2, 0, 3)


class StableLinks(unittest.TestCase):
    def failures_after_a_renewal(self, stable_after_ms):
        scratch = Scratch(self)
        broker = scratch.broker(throttle, behave_well)
        gateway = scratch.gateway(broker.port)
        gateway.fill(20)
        gateway.start({"HARNESS_STABLE_AFTER_MS": str(stable_after_ms)})
        self.assertTrue(wait_for(lambda: gateway.acknowledged() == 20))
        self.assertEqual(1, gateway.status()["consecutive_failures"])
        gateway.signal(signal.SIGUSR1)
        self.assertTrue(wait_for(lambda: gateway.status().get("connections") == 2))
        return gateway.status()["consecutive_failures"]

    @proves("T-DOS-03")
    def test_a_renewal_ends_a_run_of_failures(self):
        self.assertEqual(0, self.failures_after_a_renewal(stable_after_ms=1))

    @proves("T-DOS-03")
    def test_but_not_after_a_moment_only(self):
        """Negative control."""
        self.assertEqual(1, self.failures_after_a_renewal(stable_after_ms=600_000))


if __name__ == "__main__":
    main()
