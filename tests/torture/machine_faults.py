"""Faults of a process, of one system call, and of the disk of all processes."""
import errno
import os
import signal
import time

from conductor import NotFired
from fail_points import UPLINK, VAULT
from fault import HELD_S, SEEN_S, Fault


class Kill(Fault):
    name = "kill"

    def strike(self, unit, standing):
        os.kill(standing.pid, signal.SIGKILL)
        return unit.conductor.await_end(standing)


class Refused(Fault):
    """The system call that follows fails with this errno."""

    def __init__(self, name, number):
        self.name, self._number = name, number

    def strike(self, unit, standing):
        standing.say(f"errno {self._number}")
        return unit.conductor.await_errno(standing, self._number)


class ShortWrite(Fault):
    name = "short-write"

    def strike(self, unit, standing):
        standing.say(f"short {unit.random.randint(1, 60)} {errno.ENOSPC}")
        _, cut = unit.conductor.await_event("cut", SEEN_S, lambda who, _: who is standing)
        return f"{cut} bytes written, then " + unit.conductor.await_errno(standing, errno.ENOSPC)


class TornWrite(Fault):
    name = "torn-write"

    def strike(self, unit, standing):
        cut = unit.tear(standing, unit.random.randint(1, 60))
        os.kill(standing.pid, signal.SIGKILL)
        return f"{cut} bytes written, then " + unit.conductor.await_end(standing)


class SlowDisk(Fault):
    """The call takes its time."""

    name = "slow-disk"

    def strike(self, unit, standing):
        begun = time.monotonic()
        time.sleep(HELD_S + unit.random.random() * 0.3)
        standing.say("go")
        return f"the call took {(time.monotonic() - begun) * 1000:.0f} ms"


class FailingDisk(Fault):
    """The file system that holds all state fails every such operation, of every process, until it is lifted."""

    def __init__(self, name, *rules):
        self.name, self._rules = name, rules

    def strike(self, unit, standing):
        before = unit.errors.fired_at_all()
        for number, rule in enumerate(self._rules):
            unit.errors.add(f"{self.name}-{number}", glob="*", **rule)
        standing.say("go")
        if not unit.wait_for(lambda: unit.errors.fired_at_all() > before, SEEN_S):
            raise NotFired("no operation met a rule")
        time.sleep(HELD_S)
        return f"{unit.errors.fired_at_all() - before} operations met it"

    def lift(self, unit):
        unit.errors.clear()


class FullDisk(Fault):
    """Filled to the last block."""

    name = "full-disk"

    def __init__(self):
        self._ballast = []

    def strike(self, unit, standing):
        place = unit.disk / "ballast"
        self._ballast.append(place)
        with place.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        left = os.statvfs(unit.disk)
        if left.f_bavail:
            raise NotFired(f"{left.f_bavail} blocks are free after all")
        standing.say("go")
        time.sleep(HELD_S * 2)
        return "0 blocks free, ENOSPC"

    def lift(self, unit):
        for place in self._ballast:
            place.unlink(missing_ok=True)
        self._ballast.clear()


class VaultKilled(Fault):
    """The trust zone's daemon dies while another process stands."""

    name = "vault-killed"

    def strike(self, unit, standing):
        before = unit.parts[VAULT].restarts
        pid = unit.parts[VAULT].pid
        unit.parts[VAULT].kill()
        standing.say("go")
        if not unit.wait_for(lambda: unit.parts[VAULT].restarts > before, SEEN_S):
            raise NotFired("the vault was not restarted")
        return f"vault pid {pid} killed"


class VanishedGroup(Fault):
    """Not a fault to survive but the run's negative control: readings that were acknowledged are cut off the disk."""

    name = "vanished-group"

    def strike(self, unit, standing):
        uplink = unit.parts[UPLINK]
        uplink.signal(signal.SIGSTOP)
        try:
            unit.conductor.arm(standing.program, "intake.answered", 5)
            standing.say("go")
            standing = unit.conductor.await_point(standing.program, "intake.answered", SEEN_S)
            newest = max((unit.layout.spool / "vitals").glob("*.seg"))
            size = newest.stat().st_size
            os.truncate(newest, size // 2)
            os.kill(standing.pid, signal.SIGKILL)
            return f"{size - size // 2} of {size} bytes gone"
        finally:
            uplink.signal(signal.SIGCONT)
