"""A gateway with nothing to do: memory of all its processes, and how often they wake."""
import shutil
import time

import cpu
import shapes
import summary
import unit

NAMES = ("idle",)
BACKENDS = ("software", "tpm")


def measure(shop, options):
    if not options.wants("idle"):
        return
    backends = [name for name in BACKENDS if name != "tpm" or shutil.which("swtpm")]
    seen = {name: _idle(shop, name, options) for name in backends}
    details = [line for name in backends for line in seen[name].describe(name)]
    installed = seen[backends[-1]]  # what a unit has is a TPM
    yield summary.Figure("idle-memory", installed.pss_mib, "MiB", summary.at_most(12),
                         {"Greengrass lite (reference, not in this run)": 12.4}, details)
    yield summary.Figure("idle-memory-alone", installed.alone_mib, "MiB", summary.at_most(12), {},
                         ["pages of the three processes, each counted once whoever else maps it: their PSS where "
                          "nothing else uses the same libraries"])
    yield summary.Figure("idle-wakeups", max(idle.wakeups for idle in seen.values()), f"in {options.idle_s} s",
                         summary.at_most(0), {},
                         ["context switches of all threads with keep_alive_s = 1177: no keep-alive falls in the time"])


class Idle:
    def __init__(self, pids, switches):
        self.pss = {name: cpu.pss_kb(pid) / 1024 for name, pid in pids.items()}
        self.alone_mib = cpu.distinct_kb(pids.values()) / 1024
        self.switches = switches

    @property
    def pss_mib(self):
        return sum(self.pss.values())

    @property
    def wakeups(self):
        return sum(self.switches.values())

    def describe(self, backend):
        parts = ", ".join(f"{name} {mib:.1f}" for name, mib in self.pss.items())
        wakes = ", ".join(f"{name} {count}" for name, count in self.switches.items())
        return [f"{backend} key store: PSS {self.pss_mib:.1f} MiB ({parts}); alone {self.alone_mib:.1f} MiB",
                f"  wake-ups: {wakes}"]


def _idle(shop, backend, options):
    seconds = options.idle_s
    shop.say(f"  idle for {seconds} s with the {backend} key store")
    gateway = unit.Unit(shop, f"idle-{backend}", unit.Settings(
        backend=backend, batched=True, paced=True, window=100, keep_alive_s=1177, spool_mb=1024))
    try:
        gateway.start()
        gateway.finish_pace(gateway.pace(shapes.line_256(), 1, 100, 1))  # has worked before
        time.sleep(options.settle_s)  # the batch's end; every deadline of its message has passed
        pids = gateway.pids()
        before = {name: cpu.context_switches(pid) for name, pid in pids.items()}
        time.sleep(seconds)
        return Idle(pids, {name: cpu.context_switches(pid) - before[name] for name, pid in pids.items()})
    finally:
        gateway.stop()
