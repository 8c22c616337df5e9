#!/usr/bin/python3
"""The link breaks while a renewal waits for its last answers: the next link is not that renewal's to end."""
import signal
import unittest

from support.proves import main, proves
from uplink.uplink_support import CONNECT, PUBLISH, Scratch, behave_well, wait_for

DRAIN_S, CONNACK_S = 4, 6


class Breaks:
    """Takes messages and answers none; once a renewal was asked for it breaks the link."""

    def __init__(self, renew):
        self._renew = renew

    def __call__(self, connection, _broker):
        connection.packet()
        connection.send(0x20, 2, 0, 0)
        while (packet := connection.packet()) and packet[0] != PUBLISH:
            continue
        self._renew()


def says_nothing(connection, _broker):
    """Holds the next link in its CONNECT until the renewal's time is over."""
    while (packet := connection.packet()) and packet[0] == CONNECT:
        continue


class LostRenewal(unittest.TestCase):
    @proves("T-DATA-01", "T-DOS-03")
    def test_the_uplink_goes_on(self):
        scratch = Scratch(self)

        def renew():
            gateway.signal(signal.SIGUSR1)
            self.assertTrue(wait_for(lambda: gateway.status().get("state") == "renewing"))

        broker = scratch.broker(Breaks(renew), says_nothing, behave_well)
        gateway = scratch.gateway(broker.port, drain_timeout_s=DRAIN_S, connack_timeout_s=CONNACK_S,
                                  acknowledge_timeout_s=30)
        gateway.fill(20)
        gateway.start()
        self.assertTrue(wait_for(lambda: gateway.acknowledged() == 20), gateway.log())
        self.assertEqual(3, len(broker.accepted), gateway.log())


if __name__ == "__main__":
    main()
