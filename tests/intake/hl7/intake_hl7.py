#!/usr/bin/python3
"""The real mitral-intake-hl7 with a real vault and spool, and monitors in all their ways."""
import sys
import unittest

from support.proves import main, proves

READ_SPOOL = sys.argv.pop(1)

from hl7_gateway import GatewayTest, frame, report  # noqa: E402

GatewayTest.READ_SPOOL = READ_SPOOL


class Conversation(GatewayTest):
    @proves("T-DATA-01")
    def test_a_report_is_acknowledged_and_spooled(self):
        self.start()
        monitor = self.monitor()
        self.assertEqual(monitor.report("A1", ["72", "73"]), ("AA", "A1"))
        status = self.counted(lambda s: s["messages"] == 1)
        self.assertEqual((status["readings"], status["observations"], status["open"]), (1, 2, 1))
        self.assertEqual([line.split(" ", 2)[::2] for line in self.gateway.spooled()],
                         [["icu-1", "MDC_ECG_HEART_RATE=72 MDC_ECG_HEART_RATE=73"]])


if __name__ == "__main__":
    main()
