"""A Roughtime client that shares no code with the server: requests, right or wrong, and the checks of RFC 10049."""
import base64
import hashlib
import os
import socket
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VERSION_1, DRAFTS = 1, 0x8000000C


class Invalid(Exception):
    """An answer that a client must not believe."""


def half_sha512(data):
    return hashlib.sha512(data).digest()[:32]


def name(tag):
    return int.from_bytes(tag.encode().ljust(4, b"\0"), "little")


def message(values, order=None):
    """`values` by tag; in the order of the numbers unless `order` says otherwise."""
    tags = order or sorted(values, key=name)
    offsets, at = [], 0
    for tag in tags[:-1]:
        at += len(values[tag])
        offsets.append(at)
    return struct.pack(f"<{2 * len(tags)}I", len(tags), *offsets, *map(name, tags)) + b"".join(values[t] for t in tags)


def packet(body):
    return b"ROUGHTIM" + struct.pack("<I", len(body)) + body


def request(key=None, versions=(VERSION_1,), size=1024, **changed):
    """A request of `size` bytes; a tag given as None is left out."""
    values = {"VER": struct.pack(f"<{len(versions)}I", *versions), "NONC": os.urandom(32), "TYPE": bytes(4)}
    if key:
        values["SRV"] = half_sha512(b"\xff" + key)
    values.update(changed)
    values = {tag: value for tag, value in values.items() if value is not None}
    missing = size - len(packet(message({**values, "ZZZZ": b""})))
    if missing >= 0 and "ZZZZ" not in values:
        values["ZZZZ"] = bytes(missing)
    return packet(message(values))


def parse(body):
    count = struct.unpack_from("<I", body)[0]
    words = struct.unpack_from(f"<{2 * count}I", body)
    offsets, tags = [0, *words[1:count], len(body) - 8 * count], words[count:]
    if list(tags) != sorted(set(tags)) or offsets != sorted(offsets) or any(offset % 4 for offset in offsets):
        raise Invalid("malformed message")
    values = body[8 * count:]
    return {tag.to_bytes(4, "little").rstrip(b"\0").decode(): values[offsets[i]:offsets[i + 1]]
            for i, tag in enumerate(tags)}


def unpacked(data):
    if data[:8] != b"ROUGHTIM" or struct.unpack_from("<I", data, 8)[0] != len(data) - 12:
        raise Invalid("no packet")
    return parse(data[12:])


def _signed(key, signature, signed):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except InvalidSignature as wrong:
        raise Invalid("signature") from wrong


def verify(sent, answer, key):
    """What a valid answer says; raises Invalid for every other."""
    said, asked = unpacked(answer), unpacked(sent)
    cert = parse(said["CERT"])
    dele, srep = parse(cert["DELE"]), parse(said["SREP"])
    _signed(key, cert["SIG"], b"RoughTime v1 delegation signature\0" + cert["DELE"])
    _signed(dele["PUBK"], said["SIG"], b"RoughTime v1 response signature\0" + said["SREP"])
    number = {tag: int.from_bytes(value, "little") for tag, value in {**dele, **srep, **said}.items()}
    if not number["MINT"] <= number["MIDP"] <= number["MAXT"]:
        raise Invalid("outside of its delegation")
    if said["NONC"] != asked["NONC"] or number["TYPE"] != 1 or number["RADI"] == 0:
        raise Invalid("NONC, TYPE or RADI")
    path, index, node = said["PATH"], number["INDX"], half_sha512(b"\0" + sent)
    if len(path) % 32 or len(path) > 32 * 32:
        raise Invalid("PATH")
    for at in range(0, len(path), 32):
        pair = (path[at:at + 32], node) if index & 1 else (node, path[at:at + 32])
        node, index = half_sha512(b"\1" + pair[0] + pair[1]), index >> 1
    if index or node != srep["ROOT"]:
        raise Invalid("the tree does not hold this request")
    versions = list(struct.unpack(f"<{len(srep['VERS']) // 4}I", srep["VERS"]))
    if versions != sorted(versions) or number["VER"] not in versions:
        raise Invalid("versions")
    return {"time": number["MIDP"], "radius": number["RADI"], "version": number["VER"], "versions": versions,
            "root": srep["ROOT"], "path": len(path) // 32, "mint": number["MINT"], "maxt": number["MAXT"]}


def public_key(state):
    return base64.b64decode((state / "time" / "public.key").read_text())


class Client:
    """One UDP socket to the server."""

    def __init__(self, port, timeout=15):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, sent):
        self.socket.send(sent)
        return self.socket.recv(65535)
