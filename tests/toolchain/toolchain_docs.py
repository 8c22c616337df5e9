#!/usr/bin/python3
"""docs/configuration.md lists the keys that the programs read, all of them and no other."""
import os
import pathlib
import re
import unittest

from support.proves import main

ROOT = pathlib.Path(os.environ["MITRAL_SOURCE_DIR"])
PAGE = (ROOT / "docs/configuration.md").read_text()
READERS = {"vault": "vault", "intake-lines": "intake/lines", "intake-hl7": "intake/hl7", "enrol": "enrol",
           "timed": "timed", "uplink": "uplink", "cloud": "cloud"}
# What the tables of all adapters have alike.
SHARED = {"intake-lines": "intake/store/adapter_settings.cpp", "intake-hl7": "intake/store/adapter_settings.cpp"}
# Tables within a table that have a file of their own.
ENTRIES = {"intake-hl7.listen": "intake/hl7/listen_settings.cpp", "intake-hl7.monitor": "intake/hl7/monitor_settings.cpp"}


def documented(page):
    """table: its keys. A heading [table] or a line that begins with [[table]] starts a table."""
    keys = {}
    table = None
    for line in page.splitlines():
        if start := re.match(r"(?:## \[([\w-]+)\]|`\[\[([\w.-]+)\]\]`)", line):
            table = start[1] or start[2]
            keys[table] = []
        elif table and line.startswith("| `"):
            keys[table] += re.findall(r"`(\w+)`", line.split("|")[1])
    return keys


def asked_for(source):
    """The keys in table.text("key", …), helper(table, "key", …) and helper("key", …); a table or a kind is no key."""
    return [key for call, key in re.findall(r"\b(\w+)\(\s*(?:table,\s*)?\"([a-z]\w*)\"[,)]", source)
            if call not in ("tables", "table", "read_adapter_settings")]


def read_by_programs(sources):
    keys = {}
    for table, source in sources.items():
        parts = re.split(r"^(?=\S.*\bread_peer\(base::Table)|^(?=// Without any \[\[vault.peer\]\])", source,
                         flags=re.MULTILINE)
        if len(parts) == 3:
            keys[f"{table}.peer"] = asked_for(parts.pop(1))
        keys[table] = asked_for("".join(parts))
    return keys


def differences(page, sources):
    in_page, in_sources = documented(page), read_by_programs(sources)
    found = []
    for table in sorted({*in_page, *in_sources}):
        ours, theirs = in_page.get(table, []), in_sources.get(table, [])
        found += [f"[{table}] {key}: read, not documented" for key in sorted(set(theirs) - set(ours))]
        found += [f"[{table}] {key}: documented, not read" for key in sorted(set(ours) - set(theirs))]
        found += [f"[{table}] {key}: documented twice" for key in sorted(set(ours)) if ours.count(key) > 1]
    return found


class Configuration(unittest.TestCase):
    def setUp(self):
        self.sources = {table: (ROOT / "src" / room / "settings.cpp").read_text() for table, room in READERS.items()}
        self.sources |= {table: (ROOT / "src" / path).read_text() for table, path in ENTRIES.items()}
        for table, shared in SHARED.items():
            self.sources[table] += (ROOT / "src" / shared).read_text()

    def test_the_page_lists_every_key_and_no_other(self):
        self.assertEqual([], differences(PAGE, self.sources))

    def test_no_program_is_forgotten(self):
        rooms = {str(path.parent.relative_to(ROOT / "src")) for path in (ROOT / "src").rglob("settings.cpp")}
        self.assertEqual(rooms - {"mitral"}, set(READERS.values()))  # src/mitral reads the others' tables
        self.assertEqual({*READERS, *ENTRIES, "vault.peer"}, set(documented(PAGE)))

    def test_a_difference_is_found(self):
        """In every table, whichever side lacks the key."""
        for table, keys in documented(PAGE).items():
            with self.subTest(table=table):
                renamed = PAGE.replace(f"| `{keys[0]}`", "| `renamed`")
                self.assertIn(f"[{table}] renamed: documented, not read", differences(renamed, self.sources))
                self.assertIn(f"[{table}] {keys[0]}: read, not documented", differences(renamed, self.sources))
        for table, source in self.sources.items():
            with self.subTest(reader=table):
                more = source.replace("table.finish()", 'table.text("forgotten", ""), table.finish()', 1)
                self.assertTrue(any("forgotten: read, not documented" in one
                                    for one in differences(PAGE, {**self.sources, table: more})))


if __name__ == "__main__":
    main()
