"""The local Azure as a hub: messages beside mosquitto, memory of many devices, a storm of reconnects."""
import dataclasses
import pathlib
import random
import resource
import statistics

import cpu
import fleet
import processes
import summary

NAMES = ("cloud-ingest", "cloud-devices")
SENDERS, WINDOW, BODY = 20, 50, 256
DEVICES, SPARE_DESCRIPTORS = 10_000, 200


@dataclasses.dataclass(frozen=True)
class Ingest:
    per_s: float
    cpu_us: float


def measure(shop, options):
    if options.wants("cloud-ingest"):
        yield from _ingest(shop, options)
    if options.wants("cloud-devices"):
        yield from _devices(shop, options)


def _order(devices, text, **expected):
    seen = devices.order(text)
    for name, value in expected.items():
        if seen[name] != value:
            raise processes.StartFailed(f"{text}: {seen}")
    return seen


def _send(shop, hub, tokens, count):
    with fleet.Fleet(shop, hub, tokens, b"x" * BODY, WINDOW) as devices:
        _order(devices, "connect", connected=len(tokens))
        meter = cpu.Meter({"hub": hub.pid})
        seen = _order(devices, f"publish {count}", acknowledged=count, lost=0)
        return Ingest(count / seen["seconds"], meter.read()["hub"].total / count)


def _ingest(shop, options):
    azure = fleet.LocalAzure(shop, "cloud-ingest").start()
    try:
        hubs = [azure, fleet.Mosquitto(shop)]
        senders = fleet.identities(SENDERS)
        tokens = {hub.name: hub.credentials(senders) for hub in hubs}
        runs = {hub.name: [] for hub in hubs}
        for number in range(options.rounds):
            for hub in random.sample(hubs, len(hubs)):
                shop.say(f"  round {number + 1}: {options.count} messages to {hub.name}")
                runs[hub.name].append(_send(shop, hub, tokens[hub.name], options.count))
        stored = azure.stored()
        if stored != options.rounds * options.count:
            raise processes.StartFailed(f"{stored} messages in the log of {options.rounds * options.count}")
    finally:
        azure.stop()
    pairs = list(zip(runs[azure.name], runs[hubs[1].name]))
    how = [f"{SENDERS} devices, {WINDOW} messages of {BODY} bytes without PUBACK each, TLS 1.3, QoS 1; every message "
           "authorised, stamped and in the log before its PUBACK; mosquitto asks nobody and keeps nothing"]
    how += [f"{name}: {summary.spread([r.per_s for r in all_of], 0)} messages/s, "
            f"{summary.spread([r.cpu_us for r in all_of])} µs of CPU a message" for name, all_of in runs.items()]
    for name, bar, ratios in (
            ("cloud-ingest-to-mosquitto", summary.at_least(0.7), [our.per_s / its.per_s for our, its in pairs]),
            ("cloud-ingest-per-cpu-to-mosquitto", summary.at_least(0.7), [its.cpu_us / our.cpu_us for our, its in pairs])):
        yield summary.Figure(name, statistics.median(ratios), "ratio", bar, {},
                             how + [f"paired by round: {summary.spread(ratios)}"])


def _allow_descriptors(count):
    """For the hub, which inherits it, and the devices, which are as many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + SPARE_DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, most)))


def _resident_mb(pid, what="VmRSS"):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) / 1000
    raise ValueError(f"no {what} of {pid}")


def _devices(shop, options):
    count = 50 if options.small else DEVICES
    _allow_descriptors(count)
    azure = fleet.LocalAzure(shop, "cloud-devices").start()
    try:
        shop.say(f"  {count} devices connect, vanish together and come again")
        tokens = azure.credentials(fleet.identities(count))
        before = _resident_mb(azure.pid)
        with fleet.Fleet(shop, azure, tokens, b"x" * BODY) as devices:
            first = devices.order("connect")
            idle, most = _resident_mb(azure.pid), _resident_mb(azure.pid, "VmHWM")
            devices.order("vanish")
            meter = cpu.Meter({"hub": azure.pid})
            storm = devices.order("connect")
            used = meter.read()["hub"].total / count
            sent = devices.order(f"publish {count}") if storm["connected"] == count else {"acknowledged": 0}
        stored = azure.stored()
        after, most_of_all = _resident_mb(azure.pid), _resident_mb(azure.pid, "VmHWM")
    finally:
        azure.stop()
    failed = (count - first["connected"]) + (count - storm["connected"]) + (count - stored)
    yield summary.Figure("cloud-devices-rss", idle, "MB", summary.at_most(400), {}, [
        f"{first['connected']} of {count} devices over TLS, idle; {before:.0f} MB before, {most:.0f} MB at the most, "
        f"while they connected; {after:.0f} MB after the storm, {most_of_all:.0f} MB at the most"])
    yield summary.Figure("cloud-storm-errors", failed, "", summary.at_most(0), {}, [
        f"all connections lost at once, all asked for again at once: {storm}",
        f"{sent['acknowledged']} messages acknowledged afterwards, one of each device; {stored} in the log"])
    yield summary.Figure("cloud-storm", storm["seconds"], "s", None, {}, [
        f"until the last is connected; {used:.0f} µs of the hub's CPU each; the devices' handshakes share the machine"])
