#!/usr/bin/python3
"""Real recordings through intake and encoders, read back by decoders that were written from the format pages.

Every value is compared with the recording exactly, as decimals; every message against the published schema.
"""
import base64
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest
from decimal import Decimal

import cbor2
import jsonschema

from support.proves import main, proves

TOOL = sys.argv.pop(1)
SOURCE = pathlib.Path(os.environ["MITRAL_SOURCE_DIR"])
SCHEMA = json.loads((SOURCE / "docs/formats/vitals-1.schema.json").read_text())
CDDL = (SOURCE / "docs/formats/wave-1.cddl").read_text()
NUMERICS = {
    "HR [bpm]": ("MDC_ECG_HEART_RATE", "/min", 147842, "8867-4"),
    "ABPSys [mmHg]": ("MDC_PRESS_BLD_ART_SYS", "mm[Hg]", 150033, "76215-3"),
    "ABPDias [mmHg]": ("MDC_PRESS_BLD_ART_DIA", "mm[Hg]", 150034, "76213-8"),
    "ABPMean [mmHg]": ("MDC_PRESS_BLD_ART_MEAN", "mm[Hg]", 150035, "76214-6"),
    "PULSE [bpm]": ("MDC_PULS_OXIM_PULS_RATE", "/min", 149530, "8889-8"),
    "RESP [pm]": ("MDC_RESP_RATE", "/min", 151562, "9279-1"),
    "SpO2 [%]": ("MDC_PULS_OXIM_SAT_O2", "%", 150456, "59408-5"),
    "NBPSys [mmHg]": ("MDC_PRESS_BLD_NONINV_SYS", "mm[Hg]", 150021, "8480-6"),
    "NBPDias [mmHg]": ("MDC_PRESS_BLD_NONINV_DIA", "mm[Hg]", 150022, "8462-4"),
    "NBPMean [mmHg]": ("MDC_PRESS_BLD_NONINV_MEAN", "mm[Hg]", 150023, "8478-0"),
}
# Gains of the recording, as scales with exact decimals where there are any.
WAVES = {"II [mV]": ("MDC_ECG_ELEC_POTL_II", "mV", "0.000438404"), "V [mV]": ("own.ecg-v", "mV", "0.000538793"),
         "PLETH [NU]": ("MDC_PULS_OXIM_PLETH", "1", "0.0008"), "RESP [NU]": ("own.resp", "1", "2.572e-5")}
BLOCK = 2500  # samples: ten seconds
HEADER = '{"schema":"mitral.lines/1","source":"icu-3975656"}\n'


def rows(name):
    with open(SOURCE / "tests/data" / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def observation(column, text):
    """What an adapter for this monitor writes: a 0 of this recording means that nothing was measured."""
    code, unit, _, _ = NUMERICS[column]
    value = '"absent":"not-measured"' if Decimal(text) == 0 else f'"value":{text}'
    return f'{{"code":"{code}","unit":"{unit}",{value}}}'


def numeric_lines(recording):
    for row in recording:
        cells = [(column, row[column]) for column in NUMERICS if row[column] != ""]
        yield (f'{{"id":"m-{row["minute"]}","time":"2026-01-01T00:00:{int(row["minute"]) % 60:02}Z",'
               f'"obs":[{",".join(observation(*cell) for cell in cells)}]}}\n')


def wave_lines(recording):
    for start in range(0, len(recording), BLOCK):
        waves = [f'{{"code":"{code}","unit":"{unit}","rate":250,"scale":{scale},'
                 f'"samples":[{",".join(row[column] for row in recording[start:start + BLOCK])}]}}'
                 for column, (code, unit, scale) in WAVES.items()]
        yield f'{{"id":"w-{start}","waves":[{",".join(waves)}]}}\n'


def messages(lines, batch):
    done = subprocess.run([TOOL, str(batch)], input=(HEADER + "".join(lines)).encode(), capture_output=True, check=True)
    return done.stderr.decode(), [json.loads(line) for line in done.stdout.splitlines()]


def samples(block):
    """As docs/formats/wave-1.md says."""
    value, shift, unsigned = 0, 0, 0
    for byte in block["delta"]:
        unsigned |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            value += unsigned >> 1 if unsigned % 2 == 0 else -(unsigned >> 1) - 1
            yield value
            shift, unsigned = 0, 0
    assert shift == 0


def cddl_keys(name):
    """The keys of one map of the published CDDL, in its order, each with whether it may be missing."""
    body = re.search(rf"^{name} = \{{\n(.*?)^\}}", CDDL, re.DOTALL | re.MULTILINE).group(1)
    return {key: bool(optional) for optional, key in re.findall(r"^    (\? )?(\w+): ", body, re.MULTILINE)}


def decimal(pair):
    return Decimal(pair[0]).scaleb(pair[1])


class Vitals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.recording = rows("icu-numerics.csv")
        cls.replies, cls.messages = messages(numeric_lines(cls.recording), 60)
        cls.bodies = [json.loads(base64.b64decode(message["body"]), parse_float=Decimal) for message in cls.messages]

    @proves("T-DATA-02", "T-DATA-05")
    def test_every_value_arrives_as_it_was_measured(self):
        arrived = {}
        for body in self.bodies:
            for cells in body["rows"]:
                values = {column["code"]: (column, cell) for column, cell in zip(body["columns"], cells[5:], strict=True)
                          if cell is not None}
                self.assertNotIn(cells[0], arrived)
                arrived[cells[0]] = values
        self.assertEqual(len(arrived), len(self.recording))
        compared = 0
        for row in self.recording:
            values = arrived[f"m-{row['minute']}"]
            expected = {NUMERICS[column][0]: (column, row[column]) for column in NUMERICS if row[column] != ""}
            self.assertEqual(set(values), set(expected))
            for index, (code, (column, text)) in enumerate(expected.items()):
                header, cell = values[code]
                self.assertEqual((header["index"], header["unit"], header["mdc"], header["loinc"]),
                                 (index, *NUMERICS[column][1:]))
                if Decimal(text) == 0:
                    self.assertEqual(cell, "not-measured")
                else:
                    self.assertEqual(str(cell), text)  # digit for digit
                compared += 1
        self.assertGreater(compared, 13_000)

    @proves("T-DATA-05")
    def test_no_zero_leaves_as_a_vital_sign(self):
        cells = [cell for body in self.bodies for row in body["rows"] for cell in row[5:]]
        self.assertFalse([cell for cell in cells if isinstance(cell, (int, Decimal)) and cell == 0])
        self.assertGreater(cells.count("not-measured"), 6000)

    def test_messages_follow_the_schema(self):
        validator = jsonschema.Draft202012Validator(SCHEMA)
        for message in self.messages:
            self.assertEqual((message["schema"], message["content_type"], message["content_encoding"]),
                             ("mitral.vitals/1", "application/json", "utf-8"))
            validator.validate(json.loads(base64.b64decode(message["body"])))

    def test_the_schema_can_refuse(self):
        validator = jsonschema.Draft202012Validator(SCHEMA)
        good = json.loads(base64.b64decode(self.messages[0]["body"]))
        for damage in (lambda m: m.update(source="Jane Doe"), lambda m: m["rows"][0].__setitem__(5, "gone"),
                       lambda m: m["columns"][0].update(unit="m g"), lambda m: m.update(extra=1),
                       lambda m: m["rows"][0].__setitem__(3, "fine"), lambda m: m.pop("base_time"),
                       lambda m: m["rows"][0].__setitem__(4, "sure"), lambda m: m["rows"][0].__setitem__(4, None),
                       lambda m: m["rows"][0].__setitem__(1, None), lambda m: m.update(subject="Jane Doe")):
            body = json.loads(json.dumps(good))
            damage(body)
            self.assertFalse(validator.is_valid(body))

    def test_a_message_may_name_a_subject_and_a_reading_no_time(self):
        validator = jsonschema.Draft202012Validator(SCHEMA)
        body = json.loads(base64.b64decode(self.messages[0]["body"]))
        body["subject"] = "abcdefghijklmnopqrstu_"
        body["rows"][0][1] = body["rows"][0][4] = None
        validator.validate(body)

    def test_times(self):
        for body, message in zip(self.bodies, self.messages):
            self.assertEqual(message["source"], "icu-3975656")
            self.assertEqual(body["rows"][0][2], 0)
            for row in body["rows"]:
                device = (body["base_time"] + row[1]) / 1000 - 1767225600
                self.assertEqual(device, int(row[0].split("-")[1]) % 60)
                self.assertGreaterEqual(row[2], 0)
                self.assertEqual(row[3:5], ["synchronised", "zone-stated"])

    def test_a_row_costs_what_the_format_promises(self):
        size = sum(len(base64.b64decode(message["body"])) for message in self.messages)
        cells = sum(cell is not None for body in self.bodies for row in body["rows"] for cell in row[5:])
        self.assertLess(size / cells, 21)  # bytes per value, of which the device clock's cell is 1.9

    def test_the_sender_heard_that_all_is_stored(self):
        self.assertEqual(self.replies, f"ok {len(self.recording)}\n")


class Waves(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.recording = rows("icu-waves-250hz.csv")
        cls.replies, cls.messages = messages(wave_lines(cls.recording), 4)
        cls.bodies = [cbor2.loads(base64.b64decode(message["body"])) for message in cls.messages]

    @proves("T-DATA-02", "T-DATA-05")
    def test_every_sample_arrives(self):
        arrived = {column: {} for column in WAVES}
        names = {code: column for column, (code, _, _) in WAVES.items()}
        for body in self.bodies:
            for block in body["blocks"]:
                decoded = list(samples(block))
                self.assertEqual(len(decoded), block["count"])
                self.assertEqual(decimal(block["rate"]), 250)
                self.assertEqual(decimal(block["scale"]), Decimal(WAVES[names[block["code"]]][2]))
                arrived[names[block["code"]]][int(block["id"].split("-")[1])] = decoded
        for column, blocks in arrived.items():
            together = [sample for start in sorted(blocks) for sample in blocks[start]]
            self.assertEqual(together, [int(row[column]) for row in self.recording], column)

    def test_blocks_have_the_published_keys(self):
        message_keys, block_keys = cddl_keys("message"), cddl_keys("block")
        self.assertEqual([key for key, optional in block_keys.items() if optional], ["mdc"])
        for message, body in zip(self.messages, self.bodies):
            self.assertEqual((message["schema"], message["content_type"], message["content_encoding"]),
                             ("mitral.wave/1", "application/cbor", ""))
            self.assertEqual(list(body), [key for key, optional in message_keys.items() if not optional])
            self.assertEqual(body["schema"], "mitral.wave/1")
            for index, block in enumerate(body["blocks"]):
                keys = [key for key in block_keys if key != "mdc" or not block["code"].startswith("own.")]
                self.assertEqual(list(block), keys)
                self.assertEqual(block["index"], index % len(WAVES))
                self.assertIsNone(block["time"])
                self.assertIsNone(block["device_clock"])
                self.assertEqual(block["clock"], "synchronised")

    def test_the_page_explains_every_published_key(self):
        page = (SOURCE / "docs/formats/wave-1.md").read_text()
        explained = {key for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
                     for key in re.findall(r"`(\w+)`", row)}
        self.assertEqual(explained, set(cddl_keys("block")))
        self.assertEqual(set(cddl_keys("message")), {"schema", "source", "subject", "base_time", "blocks"})
        self.assertIn("`subject`", page)

    def test_integers_are_as_short_as_they_can_be(self):
        for message in self.messages:
            body = base64.b64decode(message["body"])
            self.assertEqual(cbor2.dumps(cbor2.loads(body)), body)

    def test_a_sample_costs_what_the_format_promises(self):
        size = sum(len(base64.b64decode(message["body"])) for message in self.messages)
        self.assertLess(size / (len(self.recording) * len(WAVES)), 1.5)


if __name__ == "__main__":
    main()
