#!/usr/bin/python3
"""Every program that is installed carries the hardening of cmake/MitralCompiler.cmake, read from the binary.

A program built on purpose without any of it is the control: each check has to report it.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import elf
from support.proves import main, proves

PROGRAMS = [pathlib.Path(argument) for argument in sys.argv[1:]]
del sys.argv[1:]

WEAK_SOURCE = r"""
#include <stdio.h>
#include <string.h>
__asm__(".pushsection .both,\"awx\",@progbits\n.byte 0\n.popsection");
int main(int argc, char** argv) { char text[16]; strcpy(text, argv[argc - 1]); return puts(text) < 0; }
"""
WEAK_FLAGS = ["-O0", "-U_FORTIFY_SOURCE", "-fno-stack-protector", "-no-pie", "-fno-pie", "-fcf-protection=none",
              "-Wl,-z,norelro", "-Wl,-z,lazy", "-Wl,-z,execstack", "-Wl,-rpath,/opt/weak"]


class Hardening(unittest.TestCase):
    @proves("T-SW-08", "CR 3.2", "EDR 3.2", "R60")
    def test_every_program_is_hardened(self):
        self.assertTrue(PROGRAMS, "no programs to look at")
        for program in PROGRAMS:
            with self.subTest(program=program.name):
                self.assertEqual(elf.Elf(program).faults(), [])

    @proves("T-SW-08")
    def test_control_a_weak_program_is_reported(self):
        with tempfile.TemporaryDirectory() as directory:
            source, program = pathlib.Path(directory, "weak.c"), pathlib.Path(directory, "weak")
            source.write_text(WEAK_SOURCE)
            subprocess.run(["cc", *WEAK_FLAGS, "-w", source, "-o", program], check=True)
            weak = elf.Elf(program)
            # Code relocations cannot be had together with the others on every architecture.
            holds = {name for name, value in weak._checks().items() if value} - {"no relocations in code"}
            self.assertEqual(holds, set(), "a check does not see that the protection is missing")

    @proves("T-SW-08", "R60")
    def test_every_source_is_compiled_with_the_flags(self):
        commands = json.loads(pathlib.Path(os.environ["MITRAL_BINARY_DIR"], "compile_commands.json").read_text())
        ours = [entry for entry in commands if "/src/" in entry["file"]]
        self.assertTrue(ours)
        for entry in ours:
            for flag in ("-fstack-protector-strong", "-D_FORTIFY_SOURCE=3", "-fstack-clash-protection", "-Werror"):
                self.assertIn(flag, entry["command"], entry["file"])


if __name__ == "__main__":
    main()
