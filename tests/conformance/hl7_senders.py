"""HL7 v2 senders that we did not write, unmodified, behind one interface: which messages each takes, what it makes of
one before it sends it, and what it says of the answers."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import hl7

import npm_packages

sys.path.insert(0, str(pathlib.Path(os.environ["MITRAL_SOURCE_DIR"]) / "tests/intake/hl7"))

import hl7_corpus  # noqa: E402


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


ALL = (MllpSend, SimpleHl7, NodeHl7Client, Medplum)
