#!/usr/bin/python3
"""Example adapter: sends a bedside monitor's CSV file to mitral-intake-lines over its socket.

The first column is a number that is new in each row; it becomes the id. The others are measurements. In these
files an empty cell means that the monitor recorded nothing, and 0 that nothing was measured.
"""
import argparse
import collections
import csv
import json
import socket
import sys
import time

CODES = {  # column: (code, UCUM unit)
    "HR [bpm]": ("MDC_ECG_HEART_RATE", "/min"),
    "ABPSys [mmHg]": ("MDC_PRESS_BLD_ART_SYS", "mm[Hg]"),
    "ABPDias [mmHg]": ("MDC_PRESS_BLD_ART_DIA", "mm[Hg]"),
    "ABPMean [mmHg]": ("MDC_PRESS_BLD_ART_MEAN", "mm[Hg]"),
    "PULSE [bpm]": ("MDC_PULS_OXIM_PULS_RATE", "/min"),
    "RESP [pm]": ("MDC_RESP_RATE", "/min"),
    "SpO2 [%]": ("MDC_PULS_OXIM_SAT_O2", "%"),
    "NBPSys [mmHg]": ("MDC_PRESS_BLD_NONINV_SYS", "mm[Hg]"),
    "NBPDias [mmHg]": ("MDC_PRESS_BLD_NONINV_DIA", "mm[Hg]"),
    "NBPMean [mmHg]": ("MDC_PRESS_BLD_NONINV_MEAN", "mm[Hg]"),
}
WINDOW = 64     # lines on the way at once
PAUSE_S = 1.0   # before trying again


def observation(column, text):
    code, unit = CODES[column]
    # The digits go through as text: a float would turn 36.8 into 36.800000000000004 one day.
    content = '"absent":"not-measured"' if float(text) == 0 else f'"value":{text}'
    return f'{{"code":"{code}","unit":"{unit}",{content}}}'


def line_of(row):
    number = next(iter(row.values()))
    observations = [observation(column, row[column]) for column in CODES if row.get(column)]
    return f'{{"id":"row-{number}","obs":[{",".join(observations)}]}}' if observations else None


class Link:
    """One connection: counts its lines and knows which of them have no answer yet."""

    def __init__(self, path, source):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.answers = self.socket.makefile("r", encoding="utf-8")
        self.waiting = collections.OrderedDict()  # line number: line
        self.postponed = []
        self.sent = 0
        self._write(json.dumps({"schema": "mitral.lines/1", "source": source}))

    def _write(self, line):
        self.socket.sendall(line.encode() + b"\n")

    def send(self, line):
        self.sent += 1
        self.waiting[self.sent] = line
        self._write(line)

    def wait_for_answer(self):
        answer = self.answers.readline()
        if not answer.endswith("\n"):
            raise ConnectionError("the gateway closed the connection")
        word, number, *reason = answer.rstrip("\n").split(" ", 2)
        number = int(number)
        if number == 0:
            sys.exit(f"the gateway refused the connection: {''.join(reason)}")
        if word == "no":
            print(f"refused for good: {''.join(reason)}: {self.waiting.pop(number)}", file=sys.stderr)
        elif word == "later":
            self.postponed.append(self.waiting.pop(number))
        elif word == "ok":  # everything up to here that had no answer of its own is on disk
            for known in [n for n in self.waiting if n <= number]:
                del self.waiting[known]


def deliver(path, source, lines):
    """Sends everything, until everything has its answer."""
    queue = collections.deque(lines)
    while queue:
        link = None
        try:
            link = Link(path, source)
            while queue or link.waiting:
                while queue and len(link.waiting) < WINDOW:
                    link.send(queue.popleft())
                link.wait_for_answer()
                if link.postponed:
                    time.sleep(PAUSE_S)
                    queue.extendleft(reversed(link.postponed))
                    link.postponed.clear()
        except OSError as error:
            print(f"{error}; trying again", file=sys.stderr)
            if link is not None:  # the same lines, the same ids, in the same order
                queue.extendleft(reversed([*link.postponed, *link.waiting.values()]))
            time.sleep(PAUSE_S)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--socket", default="/run/mitral/intake-lines/intake-lines.sock")
    parser.add_argument("--source", required=True, help="what sends: a bed, a device; no person's name")
    parser.add_argument("file")
    arguments = parser.parse_args()
    with open(arguments.file, newline="", encoding="utf-8") as file:
        lines = [line for line in map(line_of, csv.DictReader(file)) if line]
    deliver(arguments.socket, arguments.source, lines)


if __name__ == "__main__":
    main()
