"""Moves the wall clock that one process sees, while it runs; its monotonic clock goes on as before.

libfaketime answers for the C library's clocks and reads the offset from a file at each question, also inside the
daemons' sandbox: the file must lie where the daemon may read (its state or run directory, see FakeClock).
"""
import glob
import os
import pathlib
import time

HOUR = 3600
YEAR = 365 * 24 * HOUR


class NotInstalled(Exception):
    """libfaketime is missing; scripts/deps.sh test installs it."""


def library():
    for pattern in ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1"):
        for found in glob.glob(pattern):
            return found
    raise NotInstalled("libfaketime is not installed: run scripts/deps.sh test")


class FakeClock:
    """`directory`: one that the watched process may read once it is in its sandbox."""

    def __init__(self, directory):
        self.file = pathlib.Path(directory) / "wall-clock"
        self._library = library()
        self._offset = 0.0
        self.real()

    def environment(self):
        """For the process whose clock is to move."""
        return {"LD_PRELOAD": self._library, "FAKETIME_TIMESTAMP_FILE": str(self.file),
                "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def command(self, argv):
        """The same as a command line: the program under this clock."""
        return ["env", *(f"{name}={value}" for name, value in self.environment().items()), *map(str, argv)]

    def shift(self, seconds):
        """The wall clock stands `seconds` beside the real one (negative: behind) and goes on from there."""
        self._offset = float(seconds)
        unfinished = self.file.with_suffix(".new")
        unfinished.write_text(f"{seconds:+.3f}\n", encoding="ascii")
        unfinished.chmod(0o644)
        os.replace(unfinished, self.file)  # a reader sees the old offset or the new one, never half of it

    def set_to(self, unix_seconds):
        """The wall clock shows this moment now: 0 is 1970."""
        self.shift(unix_seconds - time.time())

    def real(self):
        self.shift(0)

    def now(self):
        """What the process sees, in Unix seconds."""
        return time.time() + self._offset
