"""Reads what the hub received: mitral.vitals/1 (JSON) and mitral.wave/1 (CBOR), each to observations.

Written from the published formats alone (docs/formats), without the gateway's code: it is the consumer
that checks the gateway. Values are compared as decimal text, so 62.80 and 62.8 are two things.
"""
import base64
import dataclasses
import hashlib
import json
import re
from decimal import Decimal

import cbor2


EVIDENCE = "mitral.checkpoint/1"


class Malformed(Exception):
    """A message that does not follow its own schema."""


@dataclasses.dataclass(frozen=True)
class Observation:
    source: str
    control_id: str
    index: int
    lane: str          # "vitals" or "waves"
    digest: str        # content hash
    subject: str | None = None       # pseudonym of the patient
    device_clock: str | None = None  # how sure the device time is; None where there is none

    @property
    def identity(self):
        return (self.source, self.control_id, self.index)


@dataclasses.dataclass(frozen=True)
class Gap:
    lane: str
    stream: str
    first: int
    last: int
    first_written: str | None   # absent when nobody knows any more
    last_written: str | None
    reason: str | None = None


def digest(code, unit, content, device_time_ms):
    """Hash of what a sensor said: code, unit, value or reason for its absence, device time."""
    text = json.dumps([code, unit, content, device_time_ms], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def decimal_text(value):
    """The digits as measured: "36.80" stays "36.80"; never an exponent."""
    return format(value if isinstance(value, Decimal) else Decimal(value), "f")


def value_content(value):
    return "value:" + decimal_text(value)


def absent_content(reason):
    return "absent:" + reason


def wave_content(rate, scale, samples):
    return f"wave:{decimal_text(rate)}:{decimal_text(scale)}:" + ",".join(map(str, samples))


def message_body(line):
    return base64.b64decode(line["body"], validate=True)


def is_evidence(line):
    return line.get("properties", {}).get("schema") == EVIDENCE


def observations(line):
    """All observations of one line of the hub's message log; a Gap for a gap message."""
    schema = line.get("properties", {}).get("schema", "")
    body = message_body(line)
    try:
        if schema == "mitral.vitals/1":
            return list(_vitals(json.loads(body, parse_float=Decimal, parse_int=Decimal,
                                            parse_constant=_no_constant)))
        if schema == "mitral.wave/1":
            return list(_waves(cbor2.loads(body)))
        if schema == "mitral.gap/1":
            return [_gap(json.loads(body))]
        if schema == EVIDENCE:
            return _evidence(json.loads(body))
    except (KeyError, IndexError, TypeError, ValueError, ArithmeticError) as error:
        raise Malformed(f"{schema}: {error!r}") from error
    raise Malformed(f"unknown schema {schema!r}")


def _vitals(body):
    if body["schema"] != "mitral.vitals/1":
        raise Malformed("the body names another schema than the property")
    base_time = int(body["base_time"])
    columns = body["columns"]
    for row in body["rows"]:
        control_id, device_offset, _received, clock, device_clock = row[:5]
        if clock not in ("synchronised", "free_running", "free-running", "implausible"):
            raise Malformed(f"clock state {clock!r}")
        _check_device_clock(device_offset, device_clock)
        cells = row[5:]
        if len(cells) != len(columns):
            raise Malformed("a row has another length than the columns")
        device_time = None if device_offset is None else base_time + int(device_offset)
        for column, cell in zip(columns, cells):
            if cell is None:
                continue
            content = absent_content(cell) if isinstance(cell, str) else value_content(cell)
            yield Observation(body["source"], control_id, int(column["index"]), "vitals",
                              digest(column["code"], column["unit"], content, device_time),
                              _subject(body), device_clock)


def _waves(body):
    if body["schema"] != "mitral.wave/1":
        raise Malformed("the body names another schema than the property")
    for block in body["blocks"]:
        samples = undelta(block["delta"], block["count"])
        content = wave_content(_pair(block["rate"]), _pair(block["scale"]), samples)
        offset = block["time"]
        _check_device_clock(offset, block["device_clock"])
        device_time = None if offset is None else body["base_time"] + offset
        yield Observation(body["source"], block["id"], block["index"], "waves",
                          digest(block["code"], block["unit"], content, device_time),
                          _subject(body), block["device_clock"])


def _subject(body):
    subject = body.get("subject")
    if subject is not None and not re.fullmatch(r"[A-Za-z0-9_-]{22}", subject):
        raise Malformed(f"subject {subject!r}")
    return subject


def _check_device_clock(device_offset, device_clock):
    known = (None,) if device_offset is None else ("zone-stated", "zone-assumed", "disagrees")
    if device_clock not in known:
        raise Malformed(f"device clock {device_clock!r}")


def _pair(pair):
    mantissa, exponent = pair
    return Decimal((0 if mantissa >= 0 else 1, tuple(map(int, str(abs(mantissa)))), exponent))


def undelta(data, count):
    """Zigzag varints: the first sample, then differences."""
    samples = []
    accumulator = shift = value = 0
    for byte in data:
        accumulator |= (byte & 0x7F) << shift
        shift += 7
        if shift > 70:
            raise Malformed("a varint that does not end")
        if byte & 0x80:
            continue
        value += (accumulator >> 1) ^ -(accumulator & 1)
        samples.append(value)
        accumulator = shift = 0
    if shift or len(samples) != count:
        raise Malformed(f"{len(samples)} samples where {count} are stated")
    return samples


def _gap(body):
    if body["schema"] != "mitral.gap/1":
        raise Malformed("the body names another schema than the property")
    gap = Gap(body["lane"], body["stream"], int(body["first"]), int(body["last"]),
              body.get("first_written"), body.get("last_written"), body.get("reason"))
    if gap.first < 1 or gap.last < gap.first:
        raise Malformed("a gap that ends before it begins")
    return gap


def _evidence(body):
    """No readings: what the trust zone signed about itself, which `mitral verify` judges."""
    if body["schema"] != EVIDENCE:
        raise Malformed("the body names another schema than the property")
    base64.b64decode(body["checkpoint"], validate=True)
    if any(len(entry.split(" ")) != 2 for lane in body["lanes"] for entry in lane["messages"]):
        raise Malformed("a line of a list that is not an id and a hash")
    return []


def _no_constant(name):
    raise ValueError(f"{name} is not JSON")
