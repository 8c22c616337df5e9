#!/usr/bin/python3
"""The search behind board_extraction.py, on files that hold a key on purpose (its shapes: vault.canary)."""
import hashlib
import os
import sys
import tempfile
import unittest
from pathlib import Path

from support.proves import main
from support.secret_search import CHUNK, Search, forms_of, sha256_state

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "board"))

from inspector import memory_views  # noqa: E402

PAGE = 4096
MAP = """\
FlatView #0
 AS "cpu-secure-memory-0", root: secure-memory
 Root memory region: secure-memory
  0000000000000000-0000000003ffffff (prio 0, romd): virt.flash0
  0000000009000000-0000000009000fff (prio 0, i/o): pl011
  000000000e000000-000000000effffff (prio 0, ram): virt.secure-ram
  0000000040000000-000000007fffffff (prio 0, ram): mach-virt.ram

FlatView #1
 AS "memory", root: system
 AS "cpu-memory-0", root: system
 Root memory region: system
  0000000009000000-0000000009000fff (prio 0, i/o): pl011
  0000000040000000-000000004fffffff (prio 0, ram): mach-virt.ram
  0000000050000000-000000007fffffff (prio 0, ram): mach-virt.ram @0000000010000000
"""


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mitral-search-")
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name, "dump")
        self.key = os.urandom(32)
        self.forms = forms_of(self.key)

    def found(self, halves=False, **pieces):
        """What is found in a file of these pieces, each at its offset, with holes between."""
        with self.file.open("wb") as file:
            for at, data in sorted((int(name[1:]), data) for name, data in pieces.items()):
                file.seek(at)
                file.write(data)
        return Search({"key": self.key}, halves).in_file(self.file)

    def test_nothing_is_found_where_nothing_is(self):
        other = b"".join(forms_of(os.urandom(32)).values())
        self.assertEqual(self.found(halves=True, _0=os.urandom(1 << 20) + other), [])

    def test_every_shape_is_found_wherever_it_stands(self):
        everything = sorted(f"key ({form})" for form in self.forms)
        row = os.urandom(7).join(self.forms.values())
        for at in (0, 3, PAGE - 5, CHUNK - len(row) // 2, 3 * CHUNK - 1):
            with self.subTest(at):
                self.assertEqual(self.found(**{f"_{at}": os.urandom(9) + row}), everything)

    def test_a_shape_across_the_end_of_a_chunk_is_found(self):
        for form, pattern in self.forms.items():
            before = os.urandom(CHUNK - len(pattern) // 2)
            self.assertIn(f"key ({form})", self.found(_0=before + pattern))

    def test_half_a_shape_is_found_where_a_page_ends(self):
        for form, pattern in self.forms.items():
            for cut in (1, len(pattern) // 2, len(pattern) - 1):
                parted = {f"_{4 * PAGE - cut}": pattern[:cut], f"_{9 * PAGE}": pattern[cut:]}
                with self.subTest(form, cut=cut):
                    self.assertIn(f"key ({form})", self.found(halves=True, **parted))
                    self.assertNotIn(f"key ({form})", self.found(**parted))  # control: no whole one is there

    def test_what_was_searched_is_counted(self):
        self.found(_0=b"x" * PAGE)
        search = Search({"key": self.key})
        self.assertEqual(search.in_file(self.file), [])
        self.assertEqual(search.searched, PAGE)

    def test_its_hash_is_sha256(self):
        for text in (b"", b"abc", os.urandom(55)):
            block = text + b"\x80" + bytes(55 - len(text)) + (8 * len(text)).to_bytes(8, "big")
            self.assertEqual(b"".join(word.to_bytes(4, "big") for word in sha256_state(block)),
                             hashlib.sha256(text).digest())


class Map(unittest.TestCase):
    def test_each_world_has_its_memory(self):
        views = memory_views(MAP)
        main_memory = {(0x40000000, 0x80000000): "mach-virt.ram"}
        self.assertEqual(views["memory"], main_memory)
        self.assertEqual(views["cpu-memory-0"], main_memory)
        self.assertEqual(views["cpu-secure-memory-0"], {(0, 0x4000000): "virt.flash0",
                                                        (0xE000000, 0xF000000): "virt.secure-ram", **main_memory})


if __name__ == "__main__":
    main()
