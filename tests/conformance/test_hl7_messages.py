#!/usr/bin/python3
"""Messages that others ship with their libraries, not a monitor's: each is read, and what becomes of it is written
down here. And the ids of readings, calculated by what the documents say of them."""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import unittest

import npm_packages
from support.proves import main, proves

READINGS = sys.argv.pop(1)
sys.path.insert(0, str(pathlib.Path(os.environ["MITRAL_SOURCE_DIR"]) / "tests/intake/hl7"))

import hl7_corpus  # noqa: E402


def nothing_of(codes):
    return {"readings": [], "not_understood": {"codes": codes}}


NO_REPORT = {"refused": "not a report of observations (ORU^R01 and its like)"}
TRAINING = {"refused": "MSH-11 says that it is for training or debugging"}
# Laboratory, admission, immunisation: no code of theirs is a vital sign that the gateway's table has.
SHIPPED = {
    "hl7-standard/examples/data/input.hl7": [TRAINING],
    "hl7-standard/tests/data/batch.hl7": [NO_REPORT, NO_REPORT],
    "hl7-standard/tests/data/message.hl7": [NO_REPORT],
    "hl7-standard/tests/data/message2.hl7": [NO_REPORT],
    "hl7-standard/tests/data/message3.hl7": [NO_REPORT],
    "simple-hl7/test/samples/adt.hl7": [NO_REPORT],
    "simple-hl7/test/samples/orm.hl7": [NO_REPORT],
    "simple-hl7/test/samples/oru-imm.hl7": [TRAINING],
    "simple-hl7/test/samples/oru.hl7": [nothing_of(codes=5)],
}
OF_TRAINING = {"hl7-standard/examples/data/input.hl7": [nothing_of(codes=2)],
               "simple-hl7/test/samples/oru-imm.hl7": [nothing_of(codes=47)]}


def read(messages):
    capture = b"".join(map(hl7_corpus.frame, messages))
    done = subprocess.run([READINGS], input=capture, capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def control_id(message):
    """From MSH-3, MSH-10 and MSH-7 as they were sent."""
    header = message.replace(b"\n", b"\r").split(b"\r")[0]
    fields = header.split(header[3:4])
    return hashlib.sha256(b"\0".join([fields[2], fields[9], fields[6]])).hexdigest()[:32]


class ShippedMessages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if npm_packages.missing_tools():
            raise unittest.SkipTest("node and npm are not installed")
        npm_packages.install()

    @proves("T-DATA-05", "T-MON-04", "CR 3.5")
    def test_each_is_read_or_refused_with_a_reason(self):
        for name, expected in SHIPPED.items():
            with self.subTest(message=name):
                self.assertEqual(read([(npm_packages.MODULES / name).read_bytes()]), [expected])

    @proves("T-DATA-05", "T-MON-04")
    def test_those_for_training_are_read_where_they_say_production(self):
        self.assertEqual({name for name, expected in SHIPPED.items() if TRAINING in expected}, set(OF_TRAINING))
        for name, expected in OF_TRAINING.items():
            with self.subTest(message=name):
                message = (npm_packages.MODULES / name).read_bytes()
                self.assertEqual(message.count(b"|T|2.3"), 1)
                self.assertEqual(read([message.replace(b"|T|2.3", b"|P|2.3")]), [expected])

    def test_none_is_passed_over(self):
        found = {str(path.relative_to(npm_packages.MODULES)) for package in ("hl7-standard", "simple-hl7")
                 for path in (npm_packages.MODULES / package).rglob("*.hl7")}
        self.assertEqual(found, set(SHIPPED))

    @proves("T-DATA-05")
    def test_a_vital_sign_put_into_one_is_found(self):
        """The control: what is written down above is not what a reader says of anything."""
        message = (npm_packages.MODULES / "simple-hl7/test/samples/oru.hl7").read_bytes()
        more = message.rstrip() + b"\rOBX|9|NM|147842^MDC_ECG_HEART_RATE^MDC||72|/min|||||F\r"
        [[reading]] = [message["readings"] for [message] in read([more])]
        self.assertEqual(reading["observations"], [["MDC_ECG_HEART_RATE", "72", "/min"]])


class Identity(unittest.TestCase):
    @proves("T-DATA-01")
    def test_who_sees_the_message_can_calculate_the_id(self):
        seen = 0
        for name, message in {**hl7_corpus.written(), **hl7_corpus.variants()}.items():
            if "batch" in name:
                continue
            [[said]] = read([message])
            for k, reading in enumerate(said.get("readings", [])):
                self.assertEqual(reading["control_id"], control_id(message) + (f".{k}" if k else ""), name)
                seen += 1
        self.assertGreater(seen, 30)


if __name__ == "__main__":
    main()
