"""Three readers of HL7 v2 messages, each of its own make: Mitral's, python3-hl7's and tshark's."""
import json
import pathlib
import re
import struct
import subprocess
import tempfile

import hl7

from hl7_corpus import CODECS, character_set, frame

# What python3-hl7 leaves to its user, as HL7 v2.6 §2.7 has it.
_SEQUENCES = {"H": "", "N": "", ".br": "\n", "P": "#"}


def _bytes(text):
    return text.encode("latin-1")


def read_with_mitral(program, messages, piece=8192):
    """For each frame the messages in it: a list of segments [name, [(raw field, parts)…]], or why it is refused."""
    capture = b"".join(frame(message) for message in messages)
    done = subprocess.run([program, str(piece)], input=capture, capture_output=True, check=True)
    *events, end = [json.loads(line) for line in done.stdout.splitlines()]
    assert end == {"kind": "end", "junk": 0, "mid_frame": False}, end
    frames = []
    for event, message in zip(events, messages, strict=True):
        assert event["kind"] == "frame" and _bytes(event["text"]) == message
        frames.append([_message(each) for each in event["messages"]])
    return frames


def _message(message):
    if "refused" in message:
        return message["refused"]
    return [[segment["name"], [(_bytes(field["raw"]), _unpack(field["parts"])) for field in segment["fields"]]]
            for segment in message["segments"]]


def _unpack(parts):
    if parts and isinstance(parts[0], str):
        return tuple(_bytes(text).decode("utf-8", "surrogateescape") for text in parts)
    return [_unpack(part) for part in parts]


def read_with_python_hl7(message):
    """The same shape; a part is (raw, unescaped). Segments have to end with CR for this reader."""
    codec = CODECS[character_set(message)]
    parsed = hl7.parse_file(message, encoding=codec)
    return [[_segment(segment) for segment in each] for batch in parsed for each in batch]


def _segment(segment):
    header = str(segment[0]) == "MSH"
    return [str(segment[0]), [(str(field).encode(), [] if header and number <= 2 else _field(segment, field))
                              for number, field in enumerate(segment) if number > 0]]


def _field(segment, field):
    return [[[(str(leaf), hl7.containers.unescape(segment, str(leaf), _SEQUENCES)) for leaf in _inside(component)]
             for component in _inside(repetition)] for repetition in _inside(field)]


def _inside(part):
    """This reader leaves out levels that hold one text only."""
    if isinstance(part, str) or not part:
        return [part or ""]
    return list(part)


_PDML = re.compile(rb'name="num" pos="0" show="(\d+)"|'
                   rb'<field name="hl7\.(segment|field)" showname="(?: \[truncated\])?(?:field (\d+):)?[^"]*" '
                   rb'size="\d+" pos="\d+" show="[^"]*" value="([0-9a-f]*)"')


def read_with_tshark(messages):
    """For each frame its segments [name, {number: raw field}], empty fields left out; None: not dissected."""
    with tempfile.TemporaryDirectory(prefix="mitral-tshark-") as scratch:
        capture = pathlib.Path(scratch) / "hl7.pcap"
        last_packets = _write_capture(capture, [frame(message) for message in messages])
        done = subprocess.run(["tshark", "-n", "-r", capture, "-Y", "hl7", "-T", "pdml", "-J", "hl7"],
                              capture_output=True, check=True)
    dissected = {}
    for number, kind, field, value in _PDML.findall(done.stdout):
        if number:
            segments = dissected.setdefault(int(number), [])
        elif kind == b"segment":
            segments.append([None, {}])
        elif field == b"1":
            segments[-1][0] = bytes.fromhex(value.decode()).decode()
        else:
            header = segments[-1][0] == "MSH"
            segments[-1][1][int(field) - (0 if header else 1)] = bytes.fromhex(value.decode())
    return [dissected.get(packet) for packet in last_packets]


def _write_capture(path, chunks):
    """A pcap file of one TCP connection; the number of each chunk's last packet."""
    largest, sequence, packet, last_packets = 60_000, 1, 0, []
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 101))  # raw IP
        for chunk in chunks:
            for at in range(0, len(chunk), largest):
                part = chunk[at:at + largest]
                tcp = struct.pack(">HHIIBBHHH", 40_000, 2575, sequence, 1, 5 << 4, 0x18, 65_535, 0, 0)
                ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(part), 0, 0, 64, 6, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
                file.write(struct.pack("<IIII", packet, 0, 40 + len(part), 40 + len(part)) + ip + tcp + part)
                sequence = (sequence + len(part)) % 2 ** 32
                packet += 1
            last_packets.append(packet)
    return last_packets
