"""What security costs at a ward's load: the gateway beside one without TLS, vault, encryption and sandbox."""
import re
import shutil
import statistics

import cpu
import shapes
import summary
import unit

NAMES = ("security",)
RAM_MIB = 512  # of the smallest board
PERCENT_OF_A_CORE = 1e6 / 100  # microseconds a second


def measure(shop, options):
    if not options.wants("security"):
        return
    backend = "tpm" if shutil.which("swtpm") else "software"
    rounds = _run_side_by_side(shop, options, backend)
    yield from _cpu_and_ram(rounds, options, backend)
    if shutil.which("valgrind"):
        yield _instructions(shop, options)


def _settings(build, backend="software", **more):
    return unit.Settings(backend=backend, build=build, batched=True, paced=True, window=100, spool_mb=1024, **more)


class Round:
    """Both at once, so that both meet the same neighbours on the machine. CPU is in percent of a core."""

    def __init__(self, gateways, lines, seconds):
        meters = {build: cpu.Meter(gateway.pids()) for build, gateway in gateways.items()}
        senders = {build: gateway.pace(lines, shapes.WARD_BEDS, 1000, seconds) for build, gateway in gateways.items()}
        for build, gateway in gateways.items():
            gateway.finish_pace(senders[build])
        self.parts = {build: {name: used.total / seconds / PERCENT_OF_A_CORE for name, used in meter.read().items()}
                      for build, meter in meters.items()}
        self.cpu = {build: sum(parts.values()) for build, parts in self.parts.items()}

    @property
    def extra(self):
        return self.cpu["installed"] - self.cpu["unprotected"]


def _run_side_by_side(shop, options, backend):
    gateways = {"installed": unit.Unit(shop, "protected", _settings("installed", backend)),
                "unprotected": unit.Unit(shop, "unprotected", _settings("unprotected"))}
    try:
        for gateway in gateways.values():
            gateway.start()
        lines, rounds = shapes.ward(shop.data), []
        Round(gateways, lines, options.warm_s)  # each has its token and the keys of its segments
        for number in range(1, options.rounds + 1):
            rounds.append(Round(gateways, lines, options.ward_s))
            shop.say(f"  ward, round {number}/{options.rounds}: "
                     + ", ".join(f"{build} {used:.2f} % of a core" for build, used in rounds[-1].cpu.items()))
        memory = {build: cpu.distinct_kb(gateway.pids().values()) / 1024 for build, gateway in gateways.items()}
        return rounds, memory
    finally:
        for gateway in gateways.values():
            gateway.stop()


def _cpu_and_ram(measured, options, backend):
    rounds, memory = measured
    extra = [one.extra for one in rounds]
    details = [shapes.WARD,
               f"{options.rounds} rounds of {options.ward_s} s, both gateways at once; key store: {backend}",
               *(_describe(rounds, build) for build in memory),
               f"difference, paired by round: {summary.spread(extra)} %",
               "ratio: " + summary.spread([one.cpu["installed"] / one.cpu["unprotected"] for one in rounds])]
    yield summary.Figure("security-cpu", statistics.median(extra), "% of a core", summary.at_most(0.5),
                         {"the reference system, of the gateway's CPU and RAM": 5}, details)
    ram = memory["installed"] - memory["unprotected"]
    yield summary.Figure("security-ram", ram / RAM_MIB * 100, f"% of {RAM_MIB} MiB", summary.at_most(2), {}, [
        *(f"{build}: {mib:.1f} MiB, a page counted once" for build, mib in memory.items()),
        f"difference: {ram:.1f} MiB, the vault's process and libcrypto for the most part"])


def _describe(rounds, build):
    parts = ", ".join(f"{name} {statistics.median(one.parts[build][name] for one in rounds):.2f}"
                      for name in rounds[0].parts[build])
    return f"{build}: {summary.spread([one.cpu[build] for one in rounds])} % of a core ({parts})"


def _instructions(shop, options):
    """callgrind over a short and a long stretch; the difference leaves the start out."""
    shop.say("  counting instructions (callgrind)")
    short, long = options.callgrind_s
    counts = {build: _marginal(_count(shop, build, short), _count(shop, build, long))
              for build in ("uncaged", "unprotected")}
    totals = {build: sum(parts.values()) for build, parts in counts.items()}
    lines = (long - short) * shapes.WARD_BEDS * 2
    details = ["user instructions, both without the sandbox, whose filters run in the kernel; the vault's included",
               *(f"{build}: {totals[build] / lines:,.0f} a line (" + ", ".join(
                   f"{name} {count / lines:,.0f}" for name, count in parts.items()) + ")"
                 for build, parts in counts.items())]
    ratio = totals["uncaged"] / totals["unprotected"]
    return summary.Figure("security-instructions", ratio, "ratio", None, {}, details)


def _marginal(short, long):
    return {name: long[name] - short[name] for name in long}


def _count(shop, build, seconds):
    gateway = unit.Unit(shop, f"callgrind-{build}-{seconds}", _settings(build, callgrind=True))
    try:
        gateway.start()
        names = list(gateway.pids())
        gateway.finish_pace(gateway.pace(shapes.ward(shop.data), shapes.WARD_BEDS, 1000, seconds))
    finally:
        gateway.stop()
    return {name: _total(gateway.instructions_of(name)) for name in names}


def _total(file):
    return int(re.search(r"^(?:summary|totals): (\d+)", file.read_text(encoding="ascii", errors="replace"),
                         re.MULTILINE).group(1))
