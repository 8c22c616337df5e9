"""A hub that answers little by little: what it acknowledged counts, however few bytes that were."""
import unittest

from support.proves import main, proves
from uplink.uplink_support import CONNECT, PUBLISH, Scratch, behave_well, publish_fields, wait_for

WINDOW = 100
ANSWERED = 5


def mid_number(topic):
    return int(topic.split("mid=", 1)[1].split("&", 1)[0].rsplit("-", 1)[1])


class FewAnswers:
    """Takes a full window, acknowledges the first few and falls silent."""

    def __init__(self):
        self.taken = []

    def __call__(self, connection, _broker):
        while len(self.taken) < WINDOW:
            packet = connection.packet()
            if packet is None:
                return
            kind, _, body = packet
            if kind == CONNECT:
                connection.send(0x20, 2, 0, 0)
            elif kind == PUBLISH:
                self.taken.append(publish_fields(body)[:2])
        for _, packet_id in self.taken[:ANSWERED]:
            connection.send(0x40, 2, packet_id >> 8, packet_id & 0xFF)
        while connection.packet():
            continue


class SlowAnswers(unittest.TestCase):
    @proves("T-DATA-01")
    def test_a_few_answers_count(self):
        scratch = Scratch(self)
        few = FewAnswers()
        broker = scratch.broker(few, behave_well)
        gateway = scratch.gateway(broker.port, window=WINDOW)
        gateway.fill(WINDOW + 50, batch=1)
        gateway.start()
        self.assertTrue(wait_for(lambda: gateway.acknowledged() == WINDOW + 50))
        sent_again = [mid_number(topic) for topic, _ in broker.messages]
        self.assertEqual([mid_number(topic) for topic, _ in few.taken], list(range(1, WINDOW + 1)))
        # Only what was not acknowledged comes again, and everything comes.
        self.assertEqual(sent_again, list(range(ANSWERED + 1, WINDOW + 51)))
        self.assertIn("no PUBACK for 2 s", gateway.log())


if __name__ == "__main__":
    main()
