#!/usr/bin/python3
"""Fails when U-Boot was not configured as asked, as a newer one may have renamed something: ASKED CONFIG"""
import re
import sys
from pathlib import Path

LINE = re.compile(r"(CONFIG_\w+)=.*|# (CONFIG_\w+) is not set")


def lines(text: str) -> dict[str, str]:
    matches = (LINE.fullmatch(line) for line in text.splitlines())
    return {match[1] or match[2]: match[0] for match in matches if match}


def differences(asked: str, built: str) -> list[str]:
    have = lines(built)
    wrong = []
    for name, line in lines(asked).items():
        absent = f"# {name} is not set"
        if have.get(name, absent) != line:
            wrong.append(f"{name}: {have.get(name, 'not there')}, asked for {line}")
    return wrong


def main() -> int:
    wrong = differences(*(Path(argument).read_text() for argument in sys.argv[1:3]))
    for each in wrong:
        print(f"u-boot: {each}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
