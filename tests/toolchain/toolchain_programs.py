#!/usr/bin/python3
"""Every program explains itself: --help, --version, a man page that mandoc accepts, one clear line for a mistake."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

from support.proves import main

PROGRAMS = [pathlib.Path(argument) for argument in sys.argv[1:]]
del sys.argv[1:]
SOURCES = pathlib.Path(os.environ["MITRAL_SOURCE_DIR"], "src")


def run(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=20, check=False)


def man_page(name):
    pages = [page for section in "18" for page in SOURCES.rglob(f"{name}.{section}")]
    return pages[0] if len(pages) == 1 else None


class Programs(unittest.TestCase):
    def each(self, check):
        self.assertTrue(PROGRAMS, "no programs to look at")
        for program in PROGRAMS:
            with self.subTest(program=program.name):
                check(program)

    def test_help(self):
        def check(program):
            answer = run(program, "--help")
            self.assertEqual(answer.returncode, 0, answer.stderr)
            self.assertIn("--help", answer.stdout)
        self.each(check)

    def test_version(self):
        def check(program):
            answer = run(program, "--version")
            self.assertEqual(answer.returncode, 0, answer.stderr)
            self.assertRegex(answer.stdout, r"\b\d+\.\d+\.\d+\b")
        self.each(check)

    def test_a_mistake_is_refused_in_words(self):
        def check(program):
            answer = run(program, "--no-such-option")
            self.assertNotEqual(answer.returncode, 0)
            self.assertTrue(answer.stderr.strip(), "refused without a word")
            self.assertLessEqual(len(answer.stderr.splitlines()), 3, "one clear line, not a page")
        self.each(check)

    def test_man_page(self):
        def check(program):
            page = man_page(program.name)
            self.assertIsNotNone(page, "no man page, or two")
            text = page.read_text()
            for section in ("NAME", "SYNOPSIS", "DESCRIPTION"):
                self.assertRegex(text, rf"(?m)^\.S[Hh] \"?{section}", section)
            if shutil.which("mandoc"):
                lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True,
                                      check=False)
                # The date's form and the reader's own system are matters of taste.
                complaints = [line for line in lint.stdout.splitlines() if not re.search(r"date|operating system", line)]
                self.assertEqual(complaints, [])
        self.each(check)


if __name__ == "__main__":
    main()
