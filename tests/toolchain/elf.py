"""What the hardening of a program looks like in its ELF file, read with readelf(1)."""
import platform
import re
import subprocess


def readelf(path, *options):
    return subprocess.run(["readelf", "--wide", *options, str(path)], check=True, capture_output=True,
                          text=True).stdout


def disassembled_main(path):
    return subprocess.run(["objdump", "--disassemble=main", "--no-show-raw-insn", str(path)], check=True,
                          capture_output=True, text=True).stdout


class Elf:
    def __init__(self, path):
        self.header = readelf(path, "--file-header")
        self.segments = readelf(path, "--segments")
        self.dynamic = readelf(path, "--dynamic")
        self.symbols = readelf(path, "--dyn-syms")
        self.code = disassembled_main(path)

    def faults(self):
        """The names of the protections that are missing; empty when the program is as it should be."""
        return [name for name, holds in self._checks().items() if not holds]

    def _checks(self):
        stack = re.search(r"GNU_STACK\s+(?:0x\w+\s+){5}([RWE ]+?)\s+0x", self.segments)
        checks = {
            "position independent": bool(re.search(r"Type:\s+DYN", self.header)) and "INTERP" in self.segments,
            "relocations read-only": "GNU_RELRO" in self.segments,
            "symbols bound at start": bool(re.search(r"BIND_NOW|FLAGS_1.*\bNOW\b", self.dynamic)),
            "stack not executable": bool(stack) and "E" not in stack[1],
            "stack protector": "__stack_chk_fail" in self.symbols,
            "checked library calls": bool(re.search(r"__(?!stack)\w+_chk@", self.symbols)),
            "no library path of its own": not re.search(r"\((RPATH|RUNPATH)\)", self.dynamic),
            "no relocations in code": "TEXTREL" not in self.dynamic,
            "no segment writable and executable": not re.search(r"^\s*LOAD\s.*\sRWE\s", self.segments, re.MULTILINE),
        }
        # Seen in the code, not in the ELF notes: the linker keeps those only if the C library's own start
        # files carry them, and Debian's do not.
        marker = {"x86_64": "endbr64", "aarch64": r"(?:bti|paciasp)"}.get(platform.machine())
        if marker:
            checks["indirect branch targets marked"] = bool(re.search(rf"<main>:\n\s*\w+:\s+{marker}\b", self.code))
        return checks
