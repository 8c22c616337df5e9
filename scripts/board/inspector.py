"""Looks into a unit in QEMU from outside: its memory map, and what the normal world's memory holds."""
import json
import re
import socket
from pathlib import Path
from typing import Iterator

from unit import Unit

PIECE = 64 << 20
ANSWER_S = 300.0
RANGE = re.compile(r"^\s+([0-9a-f]{16})-([0-9a-f]{16}) \(prio -?\d+, (\w+)\): (\S+)")
NORMAL, SECURE = "memory", "cpu-secure-memory-0"  # names of QEMU's address spaces


class Inspector:
    """Speaks QMP with the QEMU of a unit that was started with `arguments(unit)`."""

    @staticmethod
    def arguments(unit: Unit) -> list[str]:
        return ["-qmp", f"unix:{unit.folder / 'qmp'},server=on,wait=off"]

    def __init__(self, unit: Unit):
        self._folder, self._pid = unit.folder, unit.process.pid
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(ANSWER_S)
        self._socket.connect(str(unit.folder / "qmp"))
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self._lines.readline()  # its greeting
        self.ask("qmp_capabilities")

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def ask(self, command: str, **arguments: object) -> object:
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        for line in self._lines:
            said = json.loads(line)
            if "error" in said:
                raise OSError(f"QEMU refuses {command}: {said['error']['desc']}")
            if "return" in said:
                return said["return"]
        raise OSError("QEMU is gone")

    def memory(self, address_space: str) -> dict[tuple[int, int], str]:
        """(first, behind the last) of what can be read there as memory -> QEMU's name of it."""
        views = memory_views(str(self.ask("human-monitor-command", **{"command-line": "info mtree -f"})))
        return views[address_space]

    def secure_only(self) -> dict[tuple[int, int], str]:
        normal = self.memory(NORMAL)
        return {place: name for place, name in self.memory(SECURE).items() if place not in normal}

    def dump(self) -> Iterator[Path]:
        """All memory the normal world has, in files one after the other; the machine stands still meanwhile."""
        piece = self._folder / "memory.piece"
        self.ask("stop")
        try:
            for first, behind in self.memory(NORMAL):
                for at in range(first, behind, PIECE):
                    self.ask("pmemsave", val=at, size=min(PIECE, behind - at), filename=str(piece))
                    yield piece
        finally:
            self.ask("cont")
            piece.unlink(missing_ok=True)

    def qemu_holds(self, size: int) -> list[bytes]:
        """Mappings of exactly this size in QEMU itself: there the secure world's memory can be seen, too."""
        found = []
        with open(f"/proc/{self._pid}/maps", encoding="ascii") as maps, open(f"/proc/{self._pid}/mem", "rb", 0) as memory:
            for line in maps:
                first, last = (int(part, 16) for part in line.split()[0].split("-"))
                if last - first == size and line.split()[1].startswith("rw"):
                    memory.seek(first)
                    found.append(memory.read(size))
        return found


def memory_views(text: str) -> dict[str, dict[tuple[int, int], str]]:
    """Of `info mtree -f`: address space -> its ranges of RAM and ROM; neighbours of one name are one."""
    views: dict[str, dict[tuple[int, int], str]] = {}
    names: list[str] = []
    for line in text.splitlines():
        if line.startswith("FlatView"):
            names = []
        elif line.strip().startswith('AS "'):
            names.append(line.split('"')[1])
            views[names[-1]] = {}
        elif (found := RANGE.match(line)) and found[3] in ("ram", "rom", "romd"):
            for name in names:
                _add(views[name], int(found[1], 16), int(found[2], 16) + 1, found[4])
    return views


def _add(view: dict[tuple[int, int], str], first: int, behind: int, name: str) -> None:
    for (begin, end), other in list(view.items()):
        if end == first and other == name:
            del view[begin, end]
            first = begin
    view[first, behind] = name
