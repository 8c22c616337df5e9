#!/usr/bin/python3
"""What HL7 v2 senders of others send arrives byte for byte, and they understand our answers."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import npm_packages
from hl7_senders import ALL, Medplum, MllpSend, NodeHl7Client, SimpleHl7, expected_answer, hl7_corpus
from support.proves import main, proves

READER, SERVER = sys.argv.pop(1), sys.argv.pop(1)


def corpus():
    """A batch is left out: it has one answer for each of its messages, and all these senders wait for one."""
    messages = {**hl7_corpus.written(), **hl7_corpus.variants()}
    return {name: message for name, message in messages.items() if "batch" not in name}


class Server:
    """Ours: the decoder and the acknowledgement of the gateway."""

    def __init__(self, verdict):
        self.verdict = verdict

    def __enter__(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="mitral-hl7-")
        self.record = pathlib.Path(self.scratch.name) / "record"
        self.process = subprocess.Popen([SERVER, self.record, self.verdict], stdout=subprocess.PIPE, text=True)
        self.port = self.process.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.scratch.cleanup()

    def frames(self):
        done = subprocess.run([READER], input=self.record.read_bytes(), capture_output=True, check=True)
        *events, end = [json.loads(line) for line in done.stdout.splitlines()]
        assert (end["junk"], end["mid_frame"]) == (0, False), end
        return [event["text"].encode("latin-1") for event in events]


class Senders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if npm_packages.missing_tools():
            raise unittest.SkipTest("node and npm are not installed")
        npm_packages.install()

    def exchange(self, sender, verdict, application, commit):
        messages = {name: message for name, message in corpus().items()
                    if sender.takes(message) and expected_answer(message, application, commit)}
        with Server(verdict) as server:
            answers = sender.send(server.port, messages.values())
            arrived = server.frames()
        for (name, message), frame in zip(messages.items(), arrived, strict=True):
            self.assertEqual(frame, sender.sends(message), name)
        expected = [expected_answer(message, application, commit) for message in messages.values()]
        self.assertEqual(answers, expected)
        return len(messages)

    @proves("T-DATA-05", "T-DATA-01")
    def test_mllp_send(self):
        self.assertEqual(self.exchange(MllpSend, "accepted", "AA", "CA"), 62)

    @proves("T-DATA-05", "T-DATA-01")
    def test_simple_hl7(self):
        self.assertEqual(self.exchange(SimpleHl7, "accepted", "AA", "CA"), 26)

    @proves("T-DATA-05", "T-DATA-01")
    def test_node_hl7_client(self):
        self.assertEqual(self.exchange(NodeHl7Client, "accepted", "AA", "CA"), 28)

    @proves("T-DATA-05", "T-DATA-01")
    def test_medplum(self):
        self.assertEqual(self.exchange(Medplum, "accepted", "AA", "CA"), 32)

    def test_each_hears_a_refusal_too(self):
        for sender in ALL:
            with self.subTest(sender=sender.__name__):
                self.exchange(sender, "never", "AR", "CR")
                self.exchange(sender, "later", "AE", "CE")


if __name__ == "__main__":
    main()
