"""No token and no key in any log, state or status file, environment, command line or memory of the gateway."""
import base64
import hashlib
import hmac
import mmap
import os
import pathlib
import tempfile
import unittest

import stack  # first: it sets the path to the demo's modules
import layout
import peek
from support.proves import main, proves

TOKEN = b"SharedAccessSignature sr="
SIGNATURE = b"&sig="


def shapes(key):
    """A key as it may lie around: raw, in text, and as the first blocks of HMAC (RFC 2104)."""
    block = key.ljust(64, b"\0")
    encoded = base64.b64encode(key)
    return {"raw": key, "base64": encoded.rstrip(b"="), "base64url": base64.urlsafe_b64encode(key).rstrip(b"="),
            "hex": key.hex().encode(), "HEX": key.hex().upper().encode(),
            "inner pad": bytes(byte ^ 0x36 for byte in block), "outer pad": bytes(byte ^ 0x5C for byte in block)}


def found_in(data, needles):
    return [name for name, needle in needles.items() if needle in data]


class Secrets(stack.StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        group_key = base64.b64decode(cls.stack.group["primary_key"])
        device_key = hmac.new(group_key, layout.REGISTRATION_ID.encode(), hashlib.sha256).digest()
        cls.keys = {f"device key, {shape}": needle for shape, needle in shapes(device_key).items()}
        cls.keys |= {f"group key, {shape}": needle for shape, needle in shapes(group_key).items()}
        cls.ward.start()
        cls._until(lambda: cls.ward.delivered > 200, "the stack does not deliver")
        cls.stack.renew_token()
        cls._until(lambda: cls.stack.renewals() > 0, "the token is not renewed")
        cls.ward.stop()
        cls.ward.end()

    @classmethod
    def _until(cls, holds, otherwise):
        if not cls.stack.wait_for(holds, 30):
            cls.failed = True
            raise AssertionError(f"{otherwise}: {cls.stack.uplink_status()}")

    def files(self):
        """All the gateway wrote; the station's folder and the cloud's own state hold keys by right."""
        place = self.stack.layout
        for top in (place.logs, place.state, place.run, place.config.parent, place.tpm, place.books):
            for path in pathlib.Path(top).rglob("*"):
                if path.is_file() and not path.is_symlink():
                    yield path

    def places(self):
        for path in self.files():
            yield str(path), path.read_bytes()
        for name, daemon in self.stack.daemons().items():
            for part in ("environ", "cmdline"):
                yield f"{name} {part}", pathlib.Path(f"/proc/{daemon.pid}/{part}").read_bytes()

    @proves("T-TOK-03", "CR 1.5")
    def test_no_token_is_written_anywhere(self):
        self.assertGreater(len(list(self.files())), 10)
        for place, data in self.places():
            self.assertEqual([], found_in(data, {"token": TOKEN, "signature": SIGNATURE}), place)

    @proves("T-KEY-01", "T-KEY-02", "CR 1.5")
    def test_no_key_is_written_anywhere(self):
        for place, data in self.places():
            self.assertEqual([], found_in(data, self.keys), place)

    @proves("T-KEY-01", "T-KEY-02", "CR 1.14")
    def test_no_key_is_in_any_daemons_memory(self):
        for name, daemon in self.stack.daemons().items():
            memory = peek.Memory(daemon.pid)
            for piece in memory.pieces():
                self.assertEqual([], found_in(piece, self.keys), name)
            self.assertGreater(memory.read, 1 << 20, f"{name}: its memory could not be read")
            self.assertLess(memory.skipped, peek.Memory.FEW, f"{name}: pages that could not be read")

    @proves("T-DATA-03", "T-PHY-01", "CR 4.1")
    def test_no_reading_lies_readable_in_the_spool(self):
        words = {word: word.encode() for word in ("MDC_ECG_HEART_RATE", "HEART_RATE", "mm[Hg]", "bed-1", "n-0000001")}
        stored = b"".join(path.read_bytes() for path in self.stack.layout.spool.rglob("*") if path.is_file())
        self.assertGreater(len(stored), 5000, "nothing lies in the spool: the search proves nothing")
        self.assertEqual([], found_in(stored, words))
        book = (self.stack.layout.books / "bed-1.acked.jsonl").read_bytes()
        self.assertEqual(["bed-1", "n-0000001"], found_in(book, words))  # the search does find words

    def test_the_search_finds_what_is_there(self):
        """Negative control: a planted file, and this process, which derived the key itself."""
        planted = self.stack.layout.logs / "planted.log"
        planted.write_bytes(b"x" + TOKEN + b"hub" + SIGNATURE + base64.b64encode(self.keys["device key, raw"]))
        try:
            hits = {name for _place, data in self.places()
                    for name in found_in(data, {"token": TOKEN, "signature": SIGNATURE, **self.keys})}
        finally:
            planted.unlink()
        self.assertLessEqual({"token", "signature", "device key, base64"}, hits)
        own = {name for piece in peek.Memory(os.getpid()).pieces() for name in found_in(piece, self.keys)}
        self.assertIn("device key, raw", own)


class Reader(unittest.TestCase):
    def test_a_page_that_cannot_be_read_costs_that_page_and_is_counted(self):
        page, mark = peek.Memory.PAGE, os.urandom(32)
        with tempfile.TemporaryFile() as file:
            file.write(mark.ljust(4 * page, b"."))
            file.flush()
            with mmap.mmap(file.fileno(), 4 * page) as mapping:
                file.truncate(page)  # the other three are beyond the end now
                memory = peek.Memory(os.getpid())
                pieces = [len(piece) for piece in memory.pieces() if piece.startswith(mark)]
                self.assertEqual(mark, mapping[:32])
        self.assertEqual([page], pieces)
        self.assertEqual(3 * page, memory.skipped)


if __name__ == "__main__":
    main()
