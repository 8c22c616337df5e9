"""Searches bytes, files and memory for a key in every shape in which it is as good as itself."""
import base64
import ctypes
import functools
import os
import struct
import urllib.parse

CHUNK = 8 << 20

# Some times faster than `in`, which counts with gigabytes and a hundred patterns.
_memmem = ctypes.CDLL(None).memmem
_memmem.restype = ctypes.c_void_p
_memmem.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]


def _fraction_bits(number, root):
    """The first 32 bits behind the point of the square (2) or cube (3) root."""
    low, high = 0, 1 << 40
    while high - low > 1:  # the largest x with (x / 2^32)^root <= number
        middle = (low + high) // 2
        low, high = (middle, high) if middle ** root <= number << 32 * root else (low, middle)
    return low & 0xFFFFFFFF


def _primes(count):
    found = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


_START = [_fraction_bits(prime, 2) for prime in _primes(8)]
_ROUND = [_fraction_bits(prime, 3) for prime in _primes(64)]


def _turned(word, places):
    return (word >> places | word << 32 - places) & 0xFFFFFFFF


@functools.lru_cache(maxsize=64)
def sha256_state(block):
    """The eight words of SHA-256 after one block of 64 bytes (FIPS 180-4, § 6.2.2); hashlib does not show them."""
    words = list(struct.unpack(">16I", block))
    for t in range(16, 64):
        low, high = words[t - 15], words[t - 2]
        words.append(((_turned(high, 17) ^ _turned(high, 19) ^ high >> 10) + words[t - 7] +
                      (_turned(low, 7) ^ _turned(low, 18) ^ low >> 3) + words[t - 16]) & 0xFFFFFFFF)
    a, b, c, d, e, f, g, h = _START
    for word, constant in zip(words, _ROUND):
        first = h + (_turned(e, 6) ^ _turned(e, 11) ^ _turned(e, 25)) + (e & f ^ ~e & g) + constant + word
        second = (_turned(a, 2) ^ _turned(a, 13) ^ _turned(a, 22)) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (first + second) & 0xFFFFFFFF, a, b, c, (d + first) & 0xFFFFFFFF, e, f, g
    return [(old + new) & 0xFFFFFFFF for old, new in zip(_START, (a, b, c, d, e, f, g, h))]


def forms_of(key):
    """Shape -> bytes, for a key of at most 64 bytes."""
    padded = key.ljust(64, b"\0")
    text = base64.b64encode(key)
    forms = {
        "raw": key,
        "raw, reversed": key[::-1],
        "hex": key.hex().encode(),
        "HEX": key.hex().upper().encode(),
        # Without the last digit, which also depends on what follows.
        "base64": text.rstrip(b"=")[:-1],
        "base64url": base64.urlsafe_b64encode(key).rstrip(b"=")[:-1],
        "percent-encoded base64": urllib.parse.quote(text.rstrip(b"=")[:-1], safe="").encode(),
    }
    for shift in (1, 2):  # the key inside a longer text
        forms[f"base64 +{shift}"] = base64.b64encode(bytes(shift) + key)[4:-4]
    for name, pad in (("inner", 0x36), ("outer", 0x5C)):
        block = bytes(byte ^ pad for byte in padded)
        forms[f"hmac {name} pad"] = block[:len(key)]  # the rest of the block is the same for every key
        state = sha256_state(block)
        forms[f"hmac {name} state"] = struct.pack("<8I", *state)
        forms[f"hmac {name} state, big-endian"] = struct.pack(">8I", *state)
    return forms


class Search:
    """`secrets`: name -> key. With `halves` half of a shape is a find: physical memory parts it where a page ends."""

    def __init__(self, secrets, halves=False):
        self._patterns = []
        for name, key in secrets.items():
            for form, pattern in forms_of(key).items():
                middle = len(pattern) // 2
                parts = (pattern[:middle], pattern[middle:]) if halves else (pattern,)
                self._patterns += [(f"{name} ({form})", part) for part in parts]
        self._longest = max((len(pattern) for _, pattern in self._patterns), default=1)
        self.searched = 0  # bytes that are not zero pages or holes

    def in_bytes(self, data):
        """Names of what is found, each once."""
        return sorted({name for name, pattern in self._patterns
                       if _memmem(data, len(data), pattern, len(pattern)) is not None})

    def in_file(self, path):
        found, kept = set(), b""
        with open(path, "rb") as file:
            for at, size in _extents(file):
                file.seek(at)
                for _ in range(0, size, CHUNK):
                    data = file.read(min(CHUNK, at + size - file.tell()))
                    if data.count(0) == len(data):
                        kept = b""
                        continue
                    self.searched += len(data)
                    found.update(self.in_bytes(kept + data))
                    kept = data[-self._longest:]
                kept = b""
        return sorted(found)


def _extents(file):
    """(begin, size) of what is not a hole."""
    end, at = os.fstat(file.fileno()).st_size, 0
    while at < end:
        try:
            begin = os.lseek(file.fileno(), at, os.SEEK_DATA)
        except OSError:  # nothing but a hole is left
            return
        at = os.lseek(file.fileno(), begin, os.SEEK_HOLE)
        yield begin, at - begin
