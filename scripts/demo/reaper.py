#!/usr/bin/python3
"""Ends what a killed demo or test would leave behind.

Runs beside it as a process of its own and reads `+PID` and `-PID` lines. When the other side is gone,
however it went, the processes still on the list are killed.
"""
import os
import signal
import subprocess
import sys


class Reaper:
    """The demo's end of the pipe."""

    def __init__(self):
        self._child = subprocess.Popen([sys.executable, "-B", os.path.abspath(__file__)], stdin=subprocess.PIPE,
                                       stdout=subprocess.DEVNULL, start_new_session=True, text=True, bufsize=1)

    def watch(self, pid):
        self._tell(f"+{pid}\n")

    def forget(self, pid):
        self._tell(f"-{pid}\n")

    def _tell(self, line):
        try:
            self._child.stdin.write(line)
        except OSError:
            pass  # without a reaper things end in the ordinary ways

    def end(self):
        self._child.stdin.close()
        self._child.wait(timeout=5)


def main():
    alive = set()
    for line in sys.stdin:
        pid = int(line[1:])
        if line[0] == "+":
            alive.add(pid)
        else:
            alive.discard(pid)
    for pid in alive:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass


if __name__ == "__main__":
    main()
