"""HL7 v2 messages of our own: written by hand (corpus-messages), variants of those, and random ones from a seed."""
import pathlib
import random

HERE = pathlib.Path(__file__).parent
START, END = b"\x0b", b"\x1c\r"
CODECS = {"": "ascii", "UNICODE UTF-8": "utf-8", "8859/1": "iso8859-1", "8859/5": "iso8859-5", "8859/15": "iso8859-15"}
STANDARD = "|^~\\&"
_SEGMENTS = ("PID", "PV1", "OBR", "OBX", "OBX", "OBX", "NTE", "ZPM", "Z99", "AL1", "PV2")
_WORDS = {"ascii": ("72", "-4.5", "mm[Hg]", "MDC", "Bed 12", "a", "", "", '""', "1.2.840.10004",
                    "20261122101612+0100", "#"),
          "utf-8": ("Größe", "Пётр", "脈拍", "🫀", "°C", "naïve", ""),
          "iso8859-1": ("Größe", "°C", "±0,1 µ", "ÿ", "Åse"),
          "iso8859-5": ("Пётр", "Анна", "№7", "ЂЃЄ"),
          "iso8859-15": ("Œuvre", "10 €", "Ÿ")}


def frame(message):
    return START + message + END


def character_set(message):
    """MSH-18 of a message as bytes, `""` where it has none."""
    line = message[message.index(b"MSH"):].splitlines()[0]
    fields = line.split(line[3:4])
    return fields[17].decode("ascii") if len(fields) > 17 else ""


def written():
    """Name and bytes of each message in corpus-messages, ends of segments and character set as its sender has them."""
    messages = {}
    for path in sorted((HERE / "corpus-messages").glob("*.hl7")):
        text = path.read_text(encoding="utf-8").replace("\n", "\r")
        codec = CODECS[character_set(text.encode())]
        messages[path.stem] = text.encode("utf-8" if codec == "ascii" else codec)
    return messages


def variants():
    """The same messages as other senders end and fill them."""
    messages = {}
    for name, message in written().items():
        messages[f"{name}, LF"] = message.replace(b"\r", b"\n")
        messages[f"{name}, CR LF"] = message.replace(b"\r", b"\r\n")
        messages[f"{name}, no CR at the end"] = message[:-1]
    pcd01 = written()["pcd01-vitals"]
    samples = "^".join(str((i * 37) % 4096 - 2048) for i in range(5_000))
    messages["5,000 samples"] = pcd01 + f"OBX|8|NA|131330^MDC_ECG_ELEC_POTL_II^MDC||{samples}\r".encode()
    messages["3,000 observations"] = pcd01 + b"".join(
        b"OBX|%d|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC||%d|%%\r" % (i, i % 100) for i in range(8, 3008))
    return messages


class Generator:
    """Random messages; the same ones for the same seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def message(self):
        """One in fifteen is a batch."""
        if self.random.random() < 1 / 15:
            return self._batch()
        return self._message()

    def _message(self, charset=None):
        pick = self.random
        charset = pick.choice(list(CODECS)) if charset is None else charset
        self.delimiters = STANDARD if pick.random() < 0.8 else "".join(pick.sample("|^~\\&!$%*+;@=", 5))
        self.codec = CODECS[charset]
        field, component = self.delimiters[:2]
        header = ["MSH", self.delimiters[1:], self._field(), self._field(), "", "", "20261122101612",
                  "", f"ORU{component}R01", f"G{pick.randrange(10 ** 9)}", "P", "2.6", "", "", "", "", "", charset]
        lines = [field.join(header)]
        for _ in range(pick.choice((1, 2, 4, 9))):
            fields = [self._field() for _ in range(pick.choice((0, 1, 5, 18)))]
            lines.append(field.join([pick.choice(_SEGMENTS), *fields]))
        lines[-1] += f"{field}end"
        return ("\r".join(lines) + pick.choice(("\r", ""))).encode(self.codec)

    def _batch(self):
        charset = self.random.choice(list(CODECS))  # one reader takes a batch as a whole
        messages = [self._message(charset).rstrip(b"\r") for _ in range(self.random.randrange(1, 4))]
        return b"\r".join([b"BHS|^~\\&|BATCH", *messages, b"BTS|%d" % len(messages), b""])

    def _field(self):
        return self._joined(2, self._repetition, odds=0.1)

    def _repetition(self):
        return self._joined(1, self._component, odds=0.4)

    def _component(self):
        return self._joined(4, self._text, odds=0.15)

    def _joined(self, delimiter, part, odds):
        count = 1
        while self.random.random() < odds:
            count += 1
        return self.delimiters[delimiter].join(part() for _ in range(count))

    def _text(self):
        return "".join(self._piece() for _ in range(self.random.choice((0, 1, 1, 1, 2, 4))))

    def _piece(self):
        pick = self.random
        if pick.random() < 0.15:
            escape = self.delimiters[3]
            sequence = pick.choice(("F", "S", "T", "R", "E", ".br", "H", "N", "X41", "X7e20"))
            return f"{escape}{sequence}{escape}"
        word = pick.choice(_WORDS["ascii"] + _WORDS.get(self.codec, ()) if self.codec != "ascii" else _WORDS["ascii"])
        return word.translate({ord(c): "." for c in self.delimiters})


def generated(seed, count):
    generator = Generator(seed)
    return {f"seed {seed}, message {i}": generator.message() for i in range(count)}
