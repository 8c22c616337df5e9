#!/usr/bin/python3
"""HL7 v2 senders of others against the real program: its answers, and its readings at the other end of the spool."""
import json
import subprocess
import sys
import unittest

import hl7_senders  # first: it sets the path to the corpus
import hl7_gateway
import npm_packages
from hl7_senders import hl7_corpus
from support.proves import main, proves

READINGS, READ_SPOOL = sys.argv.pop(1), sys.argv.pop(1)
NO_REPORTS = ("admission", "empty-and-null")


def readings_of(messages):
    """As a reader of the spool prints them."""
    done = subprocess.run([READINGS], input=b"".join(map(hl7_corpus.frame, messages)), capture_output=True, check=True)
    for line in done.stdout.splitlines():
        for message in json.loads(line):
            for reading in message.get("readings", []):
                if reading["observations"]:
                    cells = [f"{code}={value}" for code, value, _unit in reading["observations"]]
                    yield " ".join(["icu-1", reading["control_id"], *cells])


class ThroughTheGateway(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if npm_packages.missing_tools():
            raise unittest.SkipTest("node and npm are not installed")
        npm_packages.install()

    @proves("T-DATA-01", "T-DATA-05", "T-MON-04")
    def test_what_each_sender_sends_is_in_the_spool(self):
        for sender in hl7_senders.ALL:
            with self.subTest(sender=sender.__name__):
                self.exchange(sender)

    def exchange(self, sender):
        messages = {name: message for name, message in hl7_corpus.written().items()
                    if name != "batch" and sender.takes(message)}
        gateway = hl7_gateway.Gateway(READ_SPOOL)
        try:
            gateway.start()
            answers = sender.send(str(gateway.port), messages.values())
            spooled = gateway.spooled()
        finally:
            gateway.stop()
        expected = [hl7_senders.expected_answer(message, *(("AR", "CR") if name in NO_REPORTS else ("AA", "CA")))
                    for name, message in messages.items()]
        self.assertEqual(answers, expected)
        self.assertEqual(spooled, list(readings_of(map(sender.sends, messages.values()))))
        self.assertGreater(len(spooled), 5)


if __name__ == "__main__":
    main()
