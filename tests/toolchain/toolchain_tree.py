#!/usr/bin/python3
"""The source tree holds no secret, no path of somebody's machine and no package registry's address."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from support.proves import main, proves

ROOT = pathlib.Path(os.environ["MITRAL_SOURCE_DIR"])

# Each pattern is written so that it does not find itself.
FORBIDDEN = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*\n?\s*[A-Za-z0-9+/\\n]{40}"),
    "signed token": re.compile(r"SharedAccessSignature sr=[^\s&\"']+&sig=[A-Za-z0-9%+/]{30,}"),
    "connection string": re.compile(r"SharedAccessKey=[A-Za-z0-9+/]{30,}={0,2}"),
    "path of a machine": re.compile(r"(?<![\w./])/(?:work/|root/|home/[a-z])"),
    "package registry": re.compile(r"registry\.npmjs\.[o]rg|\"resolved\"\s*:\s*\"http|files\.python[h]osted|pypi\.[o]rg"),
}
# Published test vectors: keys and tokens that protect nothing, of public documents.
EXEMPT = {
    "signed token": re.compile(r"^(?:tests/|docs/)"),
    "connection string": re.compile(r"^tests/.*vector"),
    "path of a machine": re.compile(r"^tests/toolchain/|^tests/sandbox/"),
}


def tracked(root):
    """What git would publish; in an unpacked archive, everything that is no build."""
    answer = subprocess.run(["git", "-c", f"safe.directory={root}", "ls-files", "--cached", "--others",
                             "--exclude-standard", "-z"],
                            cwd=root, capture_output=True, check=False)
    if answer.returncode == 0:
        return [name for name in answer.stdout.decode().split("\0") if name]
    return [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and "build" not in path.parts]


def findings(root):
    found = []
    for name in tracked(root):
        try:
            text = (root / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            continue  # binary data, or removed since
        for what, pattern in FORBIDDEN.items():
            if what in EXEMPT and EXEMPT[what].search(name):
                continue
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{name}:{line}: {what}")
    return found


def allowed_includes(architecture):
    """Room by room what the table of docs/architecture.md lets it include: rooms, or one header of a room; "all" is
    every room."""
    rows = dict(re.findall(r"^\| `(\w+(?:/\w+)?)` \|[^|]*\| ([^|]+) \|$", architecture, re.MULTILINE))
    listed = {room: set(rows if text == "all" else re.findall(r"\w+(?:/\w+)*(?:\.h(?:pp)?)?", text))
              for room, text in rows.items()}
    headers = {room: {name for name in names if name.endswith((".h", ".hpp"))} for room, names in listed.items()}
    return {room: {room} | headers[room] | (listed[room] & set(rows)) for room in rows}


def room_of(path, rooms):
    """`intake/lines/session.hpp` is of the room intake/lines, `vault/tpm/keys.hpp` of the room vault."""
    parts = path.split("/")
    inner = "/".join(parts[:2])
    return inner if inner in rooms else parts[0]


def trespasses(root, allowed):
    """Includes across rooms that the table does not list; a room it does not know may include nothing."""
    found = []
    for path in sorted(root.glob("src/*/**/*.[ch]*")):
        room = room_of(str(path.relative_to(root / "src")), allowed)
        for included in re.findall(r'^\s*#\s*include "(\w+/[^"]+)"', path.read_text(), re.MULTILINE):
            used = room_of(included, allowed)
            if not {used, included} & allowed.get(room, set()):
                found.append(f"{path.relative_to(root)}: {room} may not include {used}")
    return found


def rooms_in(sources):
    """A folder that makes a room or a program of its own, or else its folders that do."""
    rooms = set()
    for listing in sources.rglob("CMakeLists.txt"):
        if re.search(r"^mitral_(?:room|program)\(", listing.read_text(), re.MULTILINE):
            rooms.add(str(listing.parent.relative_to(sources)))
    return rooms


class Rooms(unittest.TestCase):
    def setUp(self):
        self.allowed = allowed_includes((ROOT / "docs/architecture.md").read_text())

    def test_the_table_names_every_room(self):
        self.assertEqual(set(self.allowed), rooms_in(ROOT / "src"))

    @proves("T-WAY-02", "T-SW-06")
    def test_no_room_includes_more_than_the_table_says(self):
        self.assertEqual(trespasses(ROOT, self.allowed), [])

    @proves("T-WAY-02")
    def test_control_a_trespass_is_found(self):
        with tempfile.TemporaryDirectory() as directory:
            place = pathlib.Path(directory, "src/intake/lines")
            place.mkdir(parents=True)
            (place / "a.cpp").write_text('#include <vector>\n#include "base/result.hpp"\n  #  include "net/tls.hpp"\n'
                                         '#include "intake/store/refusal.hpp"\n#include "intake/hl7/text.hpp"\n')
            place = pathlib.Path(directory, "src/vault")
            place.mkdir()
            (place / "b.cpp").write_text('#include "trusted/protocol.h"\n#include "trusted/core/keys.h"\n')
            self.assertEqual(trespasses(pathlib.Path(directory), self.allowed),
                             ["src/intake/lines/a.cpp: intake/lines may not include net",
                              "src/intake/lines/a.cpp: intake/lines may not include intake/hl7",
                              "src/vault/b.cpp: vault may not include trusted"])


class Tree(unittest.TestCase):
    @proves("T-KEY-05", "CR 1.5", "R51")
    def test_nothing_forbidden_is_in_the_tree(self):
        self.assertEqual(findings(ROOT), [])

    @proves("T-KEY-05")
    def test_control_what_is_planted_is_found(self):
        body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC"
        planted = {
            "private key": "-----BEGIN " + "PRIVATE KEY-----\n" + body,
            "signed token": "SharedAccessSignature " + "sr=hub%2Fdevices%2Fd&sig=" + body,
            "connection string": "SharedAccess" + "Key=" + body,
            "path of a machine": "see /ro" + "ot/notes",
            "package registry": "https://registry.npmjs." + "org/left-pad",
        }
        self.assertEqual(set(planted), set(FORBIDDEN), "a pattern without a control")
        for what, text in planted.items():
            with self.subTest(what), tempfile.TemporaryDirectory() as directory:
                pathlib.Path(directory, "file.txt").write_text(text)
                self.assertEqual(findings(pathlib.Path(directory)), [f"file.txt:1: {what}"])

    def test_every_source_file_is_text_of_one_kind(self):
        for name in tracked(ROOT):
            if re.search(r"\.(?:cpp|hpp|c|h|py|sh|cmake|md)$", name) and (ROOT / name).exists():
                content = (ROOT / name).read_bytes()
                self.assertNotIn(b"\r\n", content, name)
                self.assertTrue(content.endswith(b"\n") or not content, f"{name} lacks its last line end")


if __name__ == "__main__":
    main()
