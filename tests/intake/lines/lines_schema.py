#!/usr/bin/python3
"""The published schema of mitral.lines/1 against the parser and against what our own adapters write.

What the parser takes, the schema must take. What only the parser refuses must be one of the reasons that the format
page names as beyond a schema.
"""
import copy
import json
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

import jsonschema

import recordings
from support.proves import main, proves

FORMATS = recordings.SOURCE / "docs/formats"
ADAPTERS = recordings.SOURCE / "docs/adapters"
HEADER = '{"schema":"mitral.lines/1","source":"bed-1"}'
# docs/formats/lines-1.md, "a schema cannot say it"
BEYOND_A_SCHEMA = re.compile(r"is not UCUM|does not go with|unit is missing|must be a JSON number of at most 18|"
                             r"key given twice|unknown key 'i\?u0064'|samples must be whole numbers|"
                             r"time must be RFC 3339|(rate|scale) is missing or")
READING = {"id": "b1-7", "time": "2026-01-01T00:00:00.5+01:00",
           "obs": [{"code": "MDC_ECG_HEART_RATE", "value": 62.8, "unit": "/min"},
                   {"code": "own", "absent": "sensor-off", "unit": "{score}"}],
           "waves": [{"code": "MDC_ECG_ELEC_POTL_II", "unit": "mV", "rate": 250, "scale": 0.000438,
                      "samples": [-26, 55]}]}
# Values that have gone wrong somewhere before: what a mutation puts in the place of another.
STRANGE = [None, True, 0, -1, 0.5, 1e30, 2 ** 31, -2 ** 31, 2 ** 63, 123456789012345678901, "", "a", "a b", "a\n",
           "ü", "\x00", '"', "\\", "x" * 32, "x" * 33, "x" * 64, "x" * 65, "/min", "bpm", "mmHg", "not-measured",
           "gone", [], {}, [1], [[]],
           "2026-01-01", "2026-01-01T00:00:00", "2026-04-31T00:00:00Z", "2026-01-01t23:59:59.123456789z",
           "2026-01-01T00:00:60Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z",
           "0000-01-01T00:00:00+23:59", "2026-01-01T00:00:00+24:00", " 2026-01-01T00:00:00Z", "mitral.lines/1",
           "line", "batch"]
NAMES = ["id", "time", "obs", "waves", "code", "value", "unit", "absent", "rate", "scale", "samples", "source",
         "schema", "ack", "x"]


def python_patterns(node):
    """ECMA-262's $ is the end; Python's is also before a line break at the end."""
    if isinstance(node, dict):
        return {key: value.replace("$", r"\Z") if key == "pattern" else python_patterns(value)
                for key, value in node.items()}
    return [python_patterns(item) for item in node] if isinstance(node, list) else node


SCHEMA = python_patterns(json.loads((FORMATS / "lines-1.schema.json").read_text()))


def validator(part):
    return jsonschema.Draft202012Validator({**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{part}"}]})


IS_HEADER, IS_READING = validator("header"), validator("reading")


def schema_takes(judge, line):
    try:
        return judge.is_valid(json.loads(line))
    except ValueError:
        return False


def answers(lines):
    return subprocess.run([recordings.TOOL], input="\n".join([*lines, ""]).encode(), capture_output=True,
                          check=True).stderr.decode().splitlines()


def refusals(lines):
    """number of the line, from 0: reason"""
    found = {}
    for answer in answers([HEADER, *lines]):
        word, number, *reason = answer.split(" ", 2)
        # That refusal comes from behind the parser: these lines share their ids.
        if word == "no" and not reason[0].startswith("id already used"):
            found[int(number) - 1] = reason[0]
    return found


def places(node, path=()):
    yield path
    for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield from places(node[key], (*path, key))


def mutated(chance):
    reading = copy.deepcopy(READING)
    for _ in range(chance.choice((1, 1, 2))):
        *way, last = chance.choice([path for path in places(reading) if path])
        holder = reading
        for step in way:
            holder = holder[step]
        match chance.randrange(4):
            case 0 if isinstance(holder, dict):
                del holder[last]
            case 1 if isinstance(holder, dict):
                holder[chance.choice(NAMES)] = copy.deepcopy(chance.choice(STRANGE))
            case 2 if isinstance(holder, list):
                holder.append(copy.deepcopy(chance.choice([*holder, *STRANGE])))
            case _:
                holder[last] = copy.deepcopy(chance.choice(STRANGE))
    return json.dumps(reading)


def with_observation(text):
    return f'{{"id":"a","obs":[{text}]}}'


def with_waveform(text):
    return f'{{"id":"a","waves":[{text}]}}'


class Parser(unittest.TestCase):
    def compare(self, lines):
        """Fails where schema and parser differ for a reason that the format page does not name."""
        refused = refusals(lines)
        for number, line in enumerate(lines):
            taken = schema_takes(IS_READING, line)
            if number not in refused:
                self.assertTrue(taken, f"only the parser takes {line}")
            elif taken:
                self.assertRegex(refused[number], BEYOND_A_SCHEMA, f"only the schema takes {line}")
        return refused

    @proves("T-SW-01", "T-DATA-05")
    def test_both_refuse(self):
        lines = ["nonsense", "[]", "7", '{"id":"a"}', '{"id":"a","obs":[]}', '{"id":"a","waves":[]}',
                 '{"id":"a","obs":{}}',
                 '{"obs":[{"code":"x","value":1,"unit":"1"}]}', '{"id":"a","name":"Jane Doe"}', HEADER,
                 *map(with_observation, [
                     '{"value":1,"unit":"1"}', '{"code":"x","unit":"1"}',
                     '{"code":"x","unit":"1","value":1,"absent":"error"}',
                     '{"code":"x","unit":"1","absent":"gone"}', '{"code":"x","unit":"m g","value":1}',
                     '{"code":"x","unti":"1","value":1}', '{"code":"x","unit":"1","value":"60"}',
                     '{"code":"x","unit":"1","value":null}',
                     '{"code":"x y","unit":"1","value":1}', "1",
                     ",".join(['{"code":"x","value":1,"unit":"1"}'] * 513)]),
                 *map(with_waveform, [
                     '{"code":"x","unit":"1","rate":0,"scale":1,"samples":[1]}',
                     '{"code":"x","unit":"1","rate":-1,"scale":1,"samples":[1]}',
                     '{"code":"x","unit":"1","rate":1,"scale":0.0,"samples":[1]}',
                     '{"code":"x","unit":"1","rate":1,"scale":1,"samples":[]}',
                     '{"code":"x","unit":"1","rate":1,"scale":1,"samples":[1.5]}',
                     '{"code":"x","unit":"1","rate":1,"scale":1,"samples":[2147483648]}',
                     '{"code":"x","unit":"1","rate":1,"samples":[1]}',
                     '{"code":"x","unit":"1","rate":1,"scale":1,"samples":[' + ",".join(["1"] * 32769) + "]}",
                     ",".join(['{"code":"x","unit":"1","rate":1,"scale":1,"samples":[1]}'] * 17)])]
        refused = refusals(lines)
        for number, line in enumerate(lines):
            self.assertIn(number, refused, line[:200])
            self.assertFalse(schema_takes(IS_READING, line), line[:200])

    def test_both_take(self):
        lines = [json.dumps(READING), '{"id":"a","obs":[{"code":"MDC_ECG_HEART_RATE","value":60}]}',
                 with_observation('{"code":"x","unit":"\\/min","value":-0.50}'), with_waveform(
                     '{"code":"x","unit":"1","rate":1.5,"scale":-1e-3,"samples":[-2147483648,2147483647]}')]
        self.assertEqual(refusals(lines), {})
        for line in lines:
            self.assertTrue(schema_takes(IS_READING, line), line)

    def test_what_a_schema_cannot_say(self):
        """Each of the page's exceptions exists: or the page says too much."""
        lines = [with_observation('{"code":"MDC_ECG_HEART_RATE","value":60,"unit":"bpm"}'),
                 with_observation('{"code":"MDC_ECG_HEART_RATE","value":60,"unit":"%"}'),
                 with_observation('{"code":"own","value":60}'),
                 with_observation('{"code":"x","unit":"1","value":1234567890123456789}'),
                 with_observation('{"code":"x","unit":"1","value":1e-30}'),
                 '{"id":"a","id":"b","obs":[{"code":"x","value":1,"unit":"1"}]}',
                 '{"i\\u0064":"a","obs":[{"code":"x","value":1,"unit":"1"}]}',
                 with_waveform('{"code":"x","unit":"1","rate":1,"scale":1,"samples":[2.0]}'),
                 '{"id":"a","time":"2026-04-31T00:00:00Z","obs":[{"code":"x","value":1,"unit":"1"}]}']
        refused = self.compare(lines)
        for number, line in enumerate(lines):
            self.assertIn(number, refused, line)
            self.assertTrue(schema_takes(IS_READING, line), line)

    @proves("T-SW-01")
    def test_headers(self):
        for line, good in ((HEADER, True), ('{"schema":"mitral.lines/1","source":"b","ack":"batch"}', True),
                           ('{"schema":"mitral.lines/2","source":"b"}', False), ('{"schema":"mitral.lines/1"}',
                               False),
                           ('{"source":"b"}', False), ('{"schema":"mitral.lines/1","source":"Jane Doe"}', False),
                           ('{"schema":"mitral.lines/1","source":"b","ack":"never"}', False),
                           ('{"schema":"mitral.lines/1","source":"b","x":1}', False), (json.dumps(READING), False)):
            with self.subTest(line=line):
                self.assertEqual(schema_takes(IS_HEADER, line), good)
                self.assertEqual(any(answer.startswith("no 0 ") for answer in answers([line])), not good)

    @proves("T-SW-01", "T-DATA-05")
    def test_damaged_lines(self):
        chance = random.Random(1)
        lines = [mutated(chance) for _ in range(4000)]
        refused = {}
        for start in range(0, len(lines), 400):  # few enough that nobody is cut off for unread answers
            refused.update({start + number: reason for number,
                            reason in self.compare(lines[start:start + 400]).items()})
        self.assertGreater(len(refused), 1000)
        self.assertGreater(len(lines) - len(refused), 200)


class Adapters(unittest.TestCase):
    def check(self, header, readings):
        self.assertTrue(schema_takes(IS_HEADER, header), header)
        for line in readings:
            self.assertTrue(schema_takes(IS_READING, line), line)

    def test_recordings(self):
        numerics = [*recordings.numeric_lines(recordings.rows("icu-numerics.csv"))]
        waves = [*recordings.wave_lines(recordings.rows("icu-waves-250hz.csv"))]
        self.assertTrue(numerics and waves)
        self.check(recordings.HEADER, [*numerics, *waves])

    def test_the_python_adapter(self):
        lines = []

        def serve(listener):
            connection, _ = listener.accept()
            with connection, connection.makefile("r", encoding="utf-8") as stream:
                for number, line in enumerate(stream):
                    lines.append(line)
                    if number:
                        connection.sendall(f"ok {number}\n".encode())

        with tempfile.TemporaryDirectory() as scratch, socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"{scratch}/lines.sock")
            listener.listen()
            gateway = threading.Thread(target=serve, args=(listener,), daemon=True)
            gateway.start()
            subprocess.run([sys.executable, ADAPTERS / "csv_adapter.py", "--socket", f"{scratch}/lines.sock",
                            "--source", "bed-1",
                            recordings.SOURCE / "tests/data/icu-numerics.csv"], check=True, timeout=60)
            gateway.join(20)
        header, *readings = lines
        self.assertGreater(len(readings), 1900)
        self.check(header, readings)

    def test_the_shell_adapter(self):
        gateway = "import sys\nfor n, line in enumerate(sys.stdin):\n    print(line, end='', file=sys.stderr)\n" \
                  "    if n: print('ok', n, flush=True)\n"
        device = "NONIN\nSPO2=097 HR=072\nSPO2=--- HR=---\nSPO2=008 HR=000\n"
        done = subprocess.run(["/bin/sh", ADAPTERS / "nonin_adapter.sh", "oximeter-3", sys.executable, "-c", gateway],
                              input=device, capture_output=True, text=True, timeout=60, check=True)
        header, *readings = done.stderr.splitlines()
        self.assertEqual(len(readings), 3)
        self.check(header, readings)

    def test_the_format_page(self):
        page = (FORMATS / "lines-1.md").read_text()
        header, reading, wave = (block.replace("\n", "") for block in re.findall(r"```json\n(.*?)```", page,
            re.DOTALL))
        self.check(header, [reading, wave])
        self.assertEqual(refusals([reading, wave]), {})


if __name__ == "__main__":
    main()
