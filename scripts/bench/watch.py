"""What a process and a disk do while something else is measured."""
import os
import pathlib
import statistics
import threading
import time


class Resident:
    """Resident memory of a process, looked at all the time; in MiB."""

    STEP_S = 0.25

    def __init__(self, pid):
        self._pid, self._ending, self.seen = pid, threading.Event(), []
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        page = os.sysconf("SC_PAGE_SIZE")
        while not self._ending.wait(self.STEP_S):
            fields = pathlib.Path(f"/proc/{self._pid}/statm").read_text(encoding="ascii").split()
            self.seen.append(int(fields[1]) * page / 2**20)

    def stop(self):
        """Medians of the first and the last quarter, and the most."""
        self._ending.set()
        self._thread.join()
        quarter = max(1, len(self.seen) // 4)
        return statistics.median(self.seen[:quarter]), statistics.median(self.seen[-quarter:]), max(self.seen)


class SyncTimes:
    """What the disk takes for the least a commit needs, while something else goes on; in ms."""

    def __init__(self, folder):
        self._ending, self._times = threading.Event(), []
        self._thread = threading.Thread(target=self._watch, args=(folder / "synced",), daemon=True)
        self._thread.start()

    def _watch(self, path):
        with path.open("wb", buffering=0) as file:
            while not self._ending.wait(0.05):
                begin = time.monotonic()
                file.write(bytes(4096))
                os.fdatasync(file.fileno())
                self._times.append((time.monotonic() - begin) * 1000)

    def stop(self):
        self._ending.set()
        self._thread.join()
        times = sorted(self._times)
        return {part: times[int(part * (len(times) - 1))] for part in (0.5, 0.99)}
