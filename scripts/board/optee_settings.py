#!/usr/bin/python3
"""Fails when OP-TEE was not built as it was asked to be: optee_settings.py ASKED CONF_MK

ASKED holds the words given to make; CONF_MK is what OP-TEE's own build wrote down. A platform's file, a dependency
between settings or a name that a newer OP-TEE changed may have turned one round.
"""
import sys
from pathlib import Path


def asked(words: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words.split() if word.startswith("CFG_"))


def built(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if line.startswith("CFG_"))


def differences(want: dict[str, str], have: dict[str, str]) -> list[str]:
    return [f"{name} is {have.get(name, 'unknown to OP-TEE')}, asked for {value}"
            for name, value in sorted(want.items()) if have.get(name) != value]


def main() -> int:
    want = asked(Path(sys.argv[1]).read_text())
    wrong = differences(want, built(Path(sys.argv[2]).read_text()))
    for each in wrong:
        print(f"optee: {each}", file=sys.stderr)
    return 0 if want and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
