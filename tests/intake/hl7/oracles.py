#!/usr/bin/python3
"""What Mitral reads in HL7 v2 messages, beside two readers that share no code with it: python3-hl7 and tshark.

Where a reader cannot serve as judge is listed in `Judgement.limits` with the reason, and how often that is.
"""
import collections
import gc
import logging
import pickle
import re
import shutil
import sys
import unittest

from support.proves import main, proves

PROGRAM = sys.argv.pop(1)
GENERATED, SEED = 2500, 20261122

import hl7_corpus  # noqa: E402
import hl7_readers  # noqa: E402


def copied(reading):
    return pickle.loads(pickle.dumps(reading))  # many times as fast as deepcopy


class Judgement:
    """Messages that are read otherwise, and how many were left out or judged in part, by reason."""

    def __init__(self):
        self.differing = []
        self.limits = collections.Counter()


# Every sequence that python3-hl7 knows or was told of.
_KNOWN_SEQUENCE = re.compile(r"\\(?:[FSTREHNP]|\.br|X(?:[0-7][0-9A-Fa-f])+)\\")


def judge_with_python_hl7(messages, ours):
    judgement = Judgement()
    for (name, message), mine in zip(messages.items(), ours, strict=True):
        if b"\n" in message:
            judgement.limits["ends segments at CR only: given the message with CR"] += 1
            message = message.replace(b"\r\n", b"\r").replace(b"\n", b"\r")
        theirs = hl7_readers.read_with_python_hl7(message)
        if b"^~ &" in message:
            judgement.limits["takes a blanked escape character for one: texts compared as they stand"] += 1
            mine, theirs = _without_unescaping(mine), _without_unescaping(theirs)
        elif _drop_unknown_sequences(mine, theirs):
            judgement.limits["drops unknown escape sequences: those texts compared as they stand"] += 1
        if mine != theirs:
            judgement.differing.append(name)
    return judgement


def _leaves(reading):
    for message in reading:
        for _, fields in message:
            for _, repetitions in fields:
                for repetition in repetitions:
                    for component in repetition:
                        yield component


def _without_unescaping(reading):
    reading = copied(reading)
    for component in _leaves(reading):
        component[:] = [(raw, raw) for raw, _ in component]
    return reading


def _drop_unknown_sequences(mine, theirs):
    """Makes both say the raw text where it holds a sequence that is none; whether there was any."""
    found = False
    for one, other in zip(_leaves(mine), _leaves(theirs)):
        for i, ((raw, _), (other_raw, _)) in enumerate(zip(one, other)):
            if "\\" in _KNOWN_SEQUENCE.sub("", raw):
                one[i], other[i] = (raw, raw), (other_raw, other_raw)
                found = True
    return found


def judge_with_tshark(messages, ours):
    judgement = Judgement()
    read = hl7_readers.read_with_tshark(list(messages.values()))
    for (name, message), theirs, mine in zip(messages.items(), read, ours, strict=True):
        if message.startswith((b"FHS", b"BHS")):
            judgement.limits["does not dissect batches: not judged"] += 1
            assert theirs is None
            continue
        segments = _as_sent(mine, message)
        if not message.endswith((b"\r", b"\n")):
            judgement.limits["leaves out a last segment without CR: the others judged"] += 1
            segments = segments[:-1]
        if segments != theirs:
            judgement.differing.append(name)
    return judgement


def _as_sent(reading, message):
    """The fields that are not empty, in the sender's character set; MSH-1 is not a field for tshark."""
    codec = hl7_corpus.CODECS[hl7_corpus.character_set(message)]
    [segments] = reading
    return [[name, {number: raw.decode().encode(codec, "replace") for number, (raw, _) in enumerate(fields, 1)
                    if raw and (name, number) != ("MSH", 1)}] for name, fields in segments]


# Faults that a reader could have, put into what Mitral's says.
def _counts_the_header_like_other_segments(reading):
    fields = reading[0][0][1]
    fields.pop(0)


def _loses_empty_fields(reading):
    for message in reading:
        for segment in message:
            segment[1] = [field for field in segment[1] if field[0]]


def _unescapes_twice(reading):
    for component in _leaves(reading):
        component[:] = [(raw, text.replace("\\F\\", "|")) for raw, text in component]


def _takes_null_for_empty(reading):
    for component in _leaves(reading):
        component[:] = [(raw, "" if text == '""' else text) for raw, text in component]


def _reads_latin_1_as_cyrillic(reading):
    for message in reading:
        for segment in message:
            segment[1] = [(raw.decode().replace("ö", "і").encode(), parts) for raw, parts in segment[1]]


def _merges_repetitions(reading):
    for message in reading:
        for _, fields in message:
            for _, repetitions in fields:
                repetitions[:] = [[c for r in repetitions for c in r]] if len(repetitions) > 1 else repetitions


STRUCTURAL_FAULTS = (_counts_the_header_like_other_segments, _loses_empty_fields, _reads_latin_1_as_cyrillic)
TEXT_FAULTS = (_unescapes_twice, _takes_null_for_empty, _merges_repetitions)


class Oracles(unittest.TestCase):
    maxDiff = None
    @classmethod
    def setUpClass(cls):
        if not shutil.which("tshark"):
            raise unittest.SkipTest("tshark is not installed")
        logging.getLogger(hl7_readers.hl7.util.__file__).setLevel(logging.CRITICAL)
        cls.by_hand = {**hl7_corpus.written(), **hl7_corpus.variants()}
        cls.messages = {**cls.by_hand, **hl7_corpus.generated(SEED, GENERATED)}
        cls.ours = hl7_readers.read_with_mitral(PROGRAM, list(cls.messages.values()))

    def reading(self, count=None):
        return copied(self.ours[:count])

    def test_nothing_is_refused(self):
        self.assertEqual([name for name, reading in zip(self.messages, self.ours)
                          if not reading or any(isinstance(message, str) for message in reading)], [])

    @proves("T-DATA-05", "T-MON-04", "CR 3.5")
    def test_python_hl7_reads_the_same(self):
        judgement = judge_with_python_hl7(self.messages, self.reading())
        self.assertEqual(judgement.differing, [])
        by_hand = len(hl7_corpus.written())
        self.assertEqual(dict(judgement.limits), {
            "ends segments at CR only: given the message with CR": 2 * by_hand,
            "takes a blanked escape character for one: texts compared as they stand": 4,
            "drops unknown escape sequences: those texts compared as they stand": 8})

    @proves("T-DATA-05", "T-MON-04", "CR 3.5")
    def test_tshark_reads_the_same(self):
        judgement = judge_with_tshark(self.messages, self.reading())
        self.assertEqual(judgement.differing, [])
        batches = sum(message.startswith((b"BHS", b"FHS")) for message in self.messages.values())
        without_cr = sum(not message.endswith((b"\r", b"\n")) for message in self.messages.values()
                         if not message.startswith((b"BHS", b"FHS")))
        self.assertEqual(dict(judgement.limits), {
            "does not dissect batches: not judged": batches,
            "leaves out a last segment without CR: the others judged": without_cr})
        self.assertLess(batches, len(self.messages) / 10)

    def test_pieces_make_no_difference(self):
        some = list(self.by_hand.values())
        self.assertEqual(hl7_readers.read_with_mitral(PROGRAM, some, piece=1), self.ours[:len(some)])

    def test_a_faulty_reader_is_noticed(self):
        for fault in STRUCTURAL_FAULTS + TEXT_FAULTS:
            with self.subTest(fault=fault.__name__):
                faulty = self.reading(len(self.by_hand))
                for each in faulty:
                    fault(each)
                self.assertTrue(judge_with_python_hl7(self.by_hand, copied(faulty)).differing)
                if fault in STRUCTURAL_FAULTS:
                    self.assertTrue(judge_with_tshark(self.by_hand, faulty).differing)


if __name__ == "__main__":
    gc.disable()  # millions of small lists and no cycle: three times as fast
    main()
