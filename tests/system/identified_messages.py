"""HL7 v2 messages with what names a person in every place that a message has, one place after the other."""
import random

import identifiers

FIELDS = 30
SHAPES = {"whole": "{0}", "second component": "^{0}", "second repetition": "x~{0}", "subcomponent": "^&{0}",
          "between others": "a^{0}^b", "quoted": '"{0}"', "twice": "{0}^{0}&{0}~{0}"}
# What leaves, as it must. Times of a reading: a birth date to the second that stands there is taken for one.
TIMES = {("MSH", 7), ("OBR", 7), ("OBX", 14)}
HEART_RATE = "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|{0}|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R|||{1}"
# Values of a code that the gateway knows (place in TEMPLATE, field): a record number there is taken for a measurement.
VALUES = {(8, 5)}
PATIENT = "4711"
TEMPLATE = [
    "MSH|^~\\&|MONITOR||GATEWAY||{1}||ORU^R01^ORU_R01|{2}|P|2.6|||AL|NE||{3}",
    f"PID|1||{PATIENT}", "PD1", "NK1|1", "PV1|1|I|ICU^1^1", "PV2", "ORC|RE",
    "OBR|1|||182777000^monitoring of patient^SCT|||{1}",
    HEART_RATE, "OBX|2|ST|77^remark^L||text|||||R", "OBX|3|NM|78^private^99X||5|/min|||||R",
    "OBX|4|NA|131330^MDC_ECG_ELEC_POTL_II^MDC||1^2^3|266418^MDC_DIM_MILLI_VOLT^MDC|||||R",
    "NTE|1||note", "ZPD|1", "XYZ"]
CHARACTER_SETS = {"UNICODE UTF-8": "utf-8", "8859/1": "iso8859-1", "8859/5": "iso8859-5", "": "utf-8"}


def in_hex(text, codec):
    return "\\X" + text.encode(codec).hex().upper() + "\\"


class Writer:
    """Numbers its messages; the heart rate tells which one a reading comes from."""

    def __init__(self, seed, time):
        self.random = random.Random(seed)
        self.time = time
        self.count = 0

    def _lines(self, charset):
        self.count += 1
        return [line.format(30 + self.count % 200, self.time, f"P{self.count}", charset) for line in TEMPLATE]

    def _identifier(self):
        """Text, its character set's name and codec."""
        while True:
            charset, codec = self.random.choice(list(CHARACTER_SETS.items()))
            text = self.random.choice(identifiers.ALL)
            text = self.random.choice((text, text, text.upper(), text.lower()))
            try:
                text.encode(codec)
            except UnicodeEncodeError:
                continue
            return (in_hex(text, codec) if self.random.random() < 0.15 else text), charset, codec

    def everywhere(self):
        """(place, message): an identifier in every field of every segment, in every shape."""
        for number, template in enumerate(TEMPLATE):
            name = template[:3]
            for field in range(1 if name != "MSH" else 3, FIELDS + 1):
                for shape, pattern in SHAPES.items():
                    text, charset, codec = self._identifier()
                    if text.isdigit() and ((name, field) in TIMES or (number, field) in VALUES):
                        continue
                    lines = self._lines(charset)
                    fields = lines[number].split("|")
                    place = field - 1 if name == "MSH" else field
                    fields += [""] * (place + 1 - len(fields))
                    fields[place] = pattern.format(text)
                    lines[number] = "|".join(fields)
                    yield f"{name}-{field} {shape}", "\r".join([*lines, ""]).encode(codec)

    def segment_names(self):
        for text in identifiers.ALL:
            lines = self._lines("")
            yield f"segment {text}", "\r".join([*lines, f"{text}|{text}"]).encode()
            yield f"segment {text} after its name", "\r".join([*lines, f"ZZZ|{text}", f"Z{text}"]).encode()

    def malformed(self):
        """Messages that cannot be taken, and what is none."""
        for text in identifiers.ALL:
            whole = "\r".join(self._lines("UNICODE UTF-8")).replace(PATIENT, f"{PATIENT}^^^{text}")
            for cut in range(1, len(whole), 97):
                yield f"cut after {cut}", whole[:cut].encode()
            yield "an unknown character set", whole.replace("UNICODE UTF-8", text).encode()
            yield "a wrong character set", whole.replace("UNICODE UTF-8", "BIG-5").encode()
            yield "no header", f"{text}\r{text}|{text}".encode()
            yield "delimiters", whole.replace("|^~\\&|", f"|{text}|", 1).encode()
            yield "another type", whole.replace("ORU^R01", f"{text}^{text}").encode()
            yield "an admission", whole.replace("ORU^R01^ORU_R01", "ADT^A01").replace("GATEWAY", text).encode()
            yield "the same id, other content", whole.replace("|P|2.6", f"|{text}|2.6").replace("|R|", "|F|").encode()
            yield "half in its character set", whole.replace("UNICODE UTF-8", "8859/8").encode() + "\rNTE|Ñ".encode()
            yield "bytes that are no text", whole.encode() + b"\rNTE|" + text.encode() + b"\xff\xfe\x80"
            yield "binary", text.encode("utf-16-le") * 20
        yield "too long", b"MSH|^~\\&|" + identifiers.NAMES[0].encode() * 20_000
