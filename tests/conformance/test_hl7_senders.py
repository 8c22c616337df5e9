#!/usr/bin/python3
"""HL7 v2 senders that we did not write, unmodified: what they send arrives byte for byte, and they understand our
answers. What a sender changes in a message before it sends it stands in its class."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import hl7

import npm_packages
from support.proves import main, proves

READER, SERVER = sys.argv.pop(1), sys.argv.pop(1)
sys.path.insert(0, str(pathlib.Path(os.environ["MITRAL_SOURCE_DIR"]) / "tests/intake/hl7"))

import hl7_corpus  # noqa: E402
import hl7_readers  # noqa: E402


def corpus():
    """A batch is left out: it has one answer for each of its messages, and all these senders wait for one."""
    messages = {**hl7_corpus.written(), **hl7_corpus.variants()}
    return {name: message for name, message in messages.items() if "batch" not in name}


def is_utf8(message):
    return hl7_corpus.CODECS[hl7_corpus.character_set(message)] in ("ascii", "utf-8")


class MllpSend:
    """`mllp_send` of python3-hl7: takes off the last CR. It hands over the answer as bytes, which its library reads."""

    @staticmethod
    def takes(message):
        return True

    @staticmethod
    def sends(message):
        return message.strip(b"\r")

    @staticmethod
    def send(port, messages):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"".join(map(hl7_corpus.frame, messages)))
            file.flush()
            done = subprocess.run(["mllp_send", "--port", port, "--file", file.name, "127.0.0.1"], capture_output=True,
                                  check=True, timeout=60)
        replies = [reply.strip(b"\x0b\r\n") for reply in done.stdout.split(b"\x1c")]
        # As bytes: the header gives back what stood in the sender's.
        replies = [hl7.parse(reply.decode("latin-1")) for reply in replies if reply]
        return [(reply["MSA.F1"], reply["MSA.F2"]) for reply in replies]


class NodeSender:
    package = None

    @staticmethod
    def takes(message):
        return is_utf8(message) and b"\n" not in message

    @classmethod
    def send(cls, port, messages):
        lines = []
        for message in messages:
            codec = hl7_corpus.CODECS[hl7_corpus.character_set(message)]
            lines.append(json.dumps({"text": message.decode(codec), "encoding": codec}))
        done = subprocess.run(["node", npm_packages.HERE / "hl7_senders.js", cls.package, port],
                              input="\n".join(lines) + "\n", text=True, capture_output=True, timeout=60, check=False,
                              env={**os.environ, "NODE_PATH": str(npm_packages.MODULES)})
        if done.returncode != 0:
            raise RuntimeError(f"{cls.package}: {done.stderr}")
        return [(reply["code"], reply["id"]) for reply in map(json.loads, filter(None, done.stdout.split("\n")))]


class SimpleHl7(NodeSender):
    """Reads and writes the usual delimiters only and UTF-8 only; takes off the last CR, mends MSH-2, and puts a
    delimiter behind a segment without fields."""
    package = "simple-hl7"

    @classmethod
    def takes(cls, message):
        return super().takes(message) and message.startswith(b"MSH|")

    @staticmethod
    def sends(message):
        header, *others = message.strip(b"\r").split(b"\r")
        header = b"|".join([b"MSH", b"^~\\&", *header.split(b"|")[2:]])
        return b"\r".join([header, *(line if len(line) > 3 else line + b"|" for line in others)])


class NodeHl7Client(NodeSender):
    """Sends UTF-8 only and takes off the last CR."""
    package = "node-hl7-client"

    @staticmethod
    def sends(message):
        return message.rstrip(b"\r")


class Medplum(NodeSender):
    """Sends in any character set, and nothing but what it was given."""
    package = "@medplum/hl7"

    @staticmethod
    def takes(message):
        return b"\n" not in message

    @staticmethod
    def sends(message):
        return message


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


def expected_answer(message, application, commit):
    """Code and control id, from the message alone; None: the sender asked for no such answer."""
    line = message.replace(b"\n", b"\r").split(b"\r")[0].decode(hl7_corpus.CODECS[hl7_corpus.character_set(message)])
    fields = [*line.split(line[3]), *[""] * 16]
    if fields[14] == fields[15] == "":
        return application, fields[9]
    wishes = {"AL", "SU" if application == "AA" else "ER"}
    if fields[14] in wishes:
        return commit, fields[9]
    return (application, fields[9]) if fields[15] in wishes else None


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
        for sender in (MllpSend, SimpleHl7, NodeHl7Client, Medplum):
            with self.subTest(sender=sender.__name__):
                self.exchange(sender, "never", "AR", "CR")
                self.exchange(sender, "later", "AE", "CE")


if __name__ == "__main__":
    main()
