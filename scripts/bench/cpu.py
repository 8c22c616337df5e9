"""What a process uses: CPU, memory, wake-ups."""
import dataclasses
import os
import pathlib
import struct
import threading
import time

TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True)
class Cpu:
    """Microseconds. The sum is the scheduler's, in nanoseconds; its parts are ticks scaled to it."""
    total: float
    user_share: float

    @property
    def user(self):
        return self.total * self.user_share

    @property
    def system(self):
        return self.total * (1 - self.user_share)


def _ticks(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return int(fields[11]), int(fields[12])


def run_time_us(pid):
    """CPU of all threads of a process."""
    total = 0
    for task in os.scandir(f"/proc/{pid}/task"):
        with open(f"{task.path}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1000


class Meter:
    """CPU of some processes (name -> pid) between its making and `read()`."""

    def __init__(self, pids):
        self._pids = dict(pids)
        self._before = {name: (run_time_us(pid), *_ticks(pid)) for name, pid in self._pids.items()}

    def read(self):
        return {name: self._since(pid, *self._before[name]) for name, pid in self._pids.items()}

    @staticmethod
    def _since(pid, total, user, system):
        now_user, now_system = _ticks(pid)
        used = now_user - user + now_system - system
        return Cpu(run_time_us(pid) - total, (now_user - user) / used if used else 0.5)


class BusyUntil:
    """Watches one process from a thread: when had it done its work? For ends that nobody announces."""

    STEP_S = 0.01
    QUIET_US = 100  # of CPU in one step: a daemon's own timers, no work

    def __init__(self, pid):
        self._pid = pid
        self._ending = threading.Event()
        self.last_busy = time.monotonic()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        try:
            before = run_time_us(self._pid)
            while not self._ending.wait(self.STEP_S):
                now = run_time_us(self._pid)
                if now - before > self.QUIET_US:
                    self.last_busy = time.monotonic()
                before = now
        except OSError:
            return  # it has ended

    def wait_quiet(self, seconds=0.5, timeout=300):
        deadline = time.monotonic() + timeout
        while time.monotonic() - self.last_busy < seconds:
            if time.monotonic() > deadline:
                raise TimeoutError(f"process {self._pid} does not come to rest")
            time.sleep(self.STEP_S)

    def stop(self):
        self._ending.set()
        self._thread.join()
        return self.last_busy


def context_switches(pid):
    """Voluntary and involuntary, of all threads: how often it was woken or put aside."""
    count = 0
    for task in os.scandir(f"/proc/{pid}/task"):
        for line in pathlib.Path(task.path, "status").read_text(encoding="ascii", errors="replace").splitlines():
            if "ctxt_switches:" in line:
                count += int(line.split()[1])
    return count


def _resident_pages(pid):
    """Numbers of the physical pages a process has mapped; needs root."""
    page = os.sysconf("SC_PAGE_SIZE")
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        for line in maps:
            first, last = (int(part, 16) // page for part in line.split()[0].split("-"))
            if "[vsyscall]" in line:
                continue
            pagemap.seek(first * 8)
            for entry in struct.iter_unpack("=Q", pagemap.read((last - first) * 8)):
                if entry[0] >> 63:
                    yield entry[0] & ((1 << 55) - 1)


def distinct_kb(pids):
    """Memory of all of them together, a page that several share counted once: their PSS if nobody else ran."""
    pages = set()
    for pid in pids:
        pages.update(_resident_pages(pid))
    return len(pages) * os.sysconf("SC_PAGE_SIZE") // 1024


def pss_kb(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise ValueError(f"no Pss of {pid}")
