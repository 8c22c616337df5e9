"""HL7 monitors: how long they wait for an answer, what a report costs, and that none is lost."""
import dataclasses
import random
import statistics
import time

import cpu
import hl7_messages
import hl7_peers
import hl7_unit
import summary
import watch

NAMES = ("hl7-ward", "hl7-ceiling", "hl7-waves", "hl7-isolation")
WARD_BEDS, WARD_RATE = 320, 2000
WAVE_BEDS, WAVES, SAMPLE_RATE = 320, 3, 250


def measure(shop, options):
    if options.wants("hl7-ward"):
        yield from _ward(shop, options)
    if options.wants("hl7-ceiling"):
        yield from _ceiling(shop, options)
    if options.wants("hl7-waves"):
        yield from _waves(shop, options)
    if options.wants("hl7-isolation"):
        yield _isolation(shop, options)


def _lost(gateway, runs, beds, lane, of_each):
    """Answered readings that are not on disk as they were sent. In a run (first number, count) monitors take turns."""
    readings, observations, samples = gateway.spooled(lane)
    counts = observations if lane == "vitals" else samples
    lost = sum(counts[f"bed-{turn % beds + 1}", hl7_messages.control_id(first + turn)] != of_each
               for first, count in runs for turn in range(count))
    return lost, sum(readings.values()) - len(readings)


@dataclasses.dataclass(frozen=True)
class Ward:
    seen: dict          # what the monitors saw
    disk_ms: dict
    resident: tuple     # MiB: first quarter, last quarter, most
    used: cpu.Cpu
    lost: int
    twice: int
    receiver: dict      # the same load at one that keeps nothing


def _run_ward(shop, options, message):
    beds, rate, seconds = (8, 80, 2) if options.small else (WARD_BEDS, WARD_RATE, options.hl7_s)
    gateway = hl7_unit.Hl7Unit(shop, "hl7-ward", beds)
    try:
        gateway.start()
        filled = _fill_memory_of_ids(shop, gateway, message, beds, seconds)
        shop.say(f"  {beds} monitors, {rate} reports a second for {seconds} s")
        meter, resident = cpu.Meter({"intake": gateway.pid}), watch.Resident(gateway.pid)
        disk = watch.SyncTimes(shop.scratch)
        seen = hl7_unit.answer(gateway.client("pace", [message], beds=beds, rate=rate, seconds=seconds,
                                              first=filled + 1))
        disk_ms, grown, used = disk.stop(), resident.stop(), meter.read()["intake"]
        gateway.part(hl7_unit.DAEMON).stop()
        lost, twice = _lost(gateway, [(1, filled), (filled + 1, seen["messages"])], beds, "vitals",
                            len(hl7_messages.NUMERICS))
        receiver = hl7_peers.receiver_at_load(shop, message, beds, rate, 2 if options.small else 15)
    finally:
        gateway.stop()
    return Ward({**seen, "beds": beds, "filled": filled}, disk_ms, grown, used, lost, twice, receiver)


def _fill_memory_of_ids(shop, gateway, message, beds, seconds):
    """It grows to its bound with the first 2,048 reports of each monitor; flat is what comes after."""
    rate, seconds = (beds, 1) if seconds < 5 else (12_000, seconds * 55 // 60)
    shop.say(f"  {rate * seconds} reports of {beds} monitors before, to fill what is remembered of each")
    return hl7_unit.answer(gateway.client("pace", [message], beds=beds, rate=rate, seconds=seconds))["messages"]


def _ward(shop, options):
    message = hl7_messages.vitals()
    ward = _run_ward(shop, options, message)
    seen, receiver = ward.seen, ward.receiver
    how = [f"{seen['beds']} connections, {seen['messages']} reports of 12 parameters ({len(message)} bytes) in "
           f"{seen['seconds']:.1f} s: {seen['messages'] / seen['seconds']:,.0f}/s, each answered AA after the commit",
           f"longest {seen['ack_max_ms']:.1f} ms; from when a report was due"]
    for part, bar in ((0.5, None), (0.99, summary.at_most(50))):
        name = f"ack_p{part * 100:.0f}_ms"
        yield summary.Figure(f"hl7-ack-p{part * 100:.0f}", seen[name], "ms", bar,
                             {"one fdatasync of 4 KiB on the same disk, meanwhile": ward.disk_ms[part],
                              "receiver that keeps nothing": receiver[name]}, how)
        how = []
    yield summary.Figure("hl7-lost", ward.lost, "reports", summary.at_most(0), {},
                         [f"{seen['filled'] + seen['messages']} answered reports, sought in the spool by the ids the "
                          f"sender computes; {ward.twice} of them twice"])
    first, last, most = ward.resident
    yield summary.Figure("hl7-rss-growth", last / first, "ratio", summary.at_most(1.1), {},
                         [f"resident memory of mitral-intake-hl7, after its memory of ids was filled: first quarter "
                          f"{first:.1f} MiB, last {last:.1f}, most {most:.1f}"])
    cost = ward.used.total / seen["messages"]
    yield summary.Figure("hl7-cpu", cost, "µs/report", None,
                         {"receiver that keeps nothing": receiver["cpu_us"], **hl7_peers.python_us(message)},
                         [f"mitral-intake-hl7 alone, {ward.used.user_share:.0%} of it user, "
                          f"{ward.used.total / 1e4 / seen['seconds']:.0f} % of a core at this load"])
    yield summary.Figure("hl7-cpu-to-receiver", cost / receiver["cpu_us"], "ratio", None, {},
                         ["what meaning, encryption and a durable commit cost beyond taking a report and answering it"])


def _ceiling(shop, options):
    """Stop and wait, as a monitor does: each turn at the gateway and at the receiver follow one another."""
    count = 100 if options.small else 5000
    message = hl7_messages.vitals()
    gateway = hl7_unit.Hl7Unit(shop, "hl7-ceiling", 1, messages_per_s=100_000)
    receiver, rates, first = hl7_peers.Receiver(shop), {"gateway": [], "receiver": []}, 1
    try:
        gateway.start()
        for number in range(1, options.rounds + 1):
            turns = {"gateway": gateway.place.port, "receiver": receiver.port}
            for name, port in random.sample(sorted(turns.items()), 2):
                seen = hl7_unit.answer(hl7_unit.client(shop, port, "flood", [message], count=count, first=first))
                rates[name].append(seen["messages"] / seen["seconds"])
            first += count
            shop.say(f"  one connection, round {number}/{options.rounds}: "
                     + ", ".join(f"{name} {found[-1]:,.0f} reports/s" for name, found in rates.items()))
        disk = watch.SyncTimes(shop.scratch)
        time.sleep(2)
        sync_ms = disk.stop()[0.5]
    finally:
        receiver.stop()
        gateway.stop()
    ratios = [ours / theirs for ours, theirs in zip(rates["gateway"], rates["receiver"])]
    yield summary.Figure("hl7-ceiling", statistics.median(rates["gateway"]), "reports/s", None,
                         {"receiver that keeps nothing": statistics.median(rates["receiver"]),
                          "@medplum/hl7 to such a receiver (reference, not in this run)": 5954},
                         [f"one connection that waits for each answer, {summary.spread(rates['gateway'], 0)}; one "
                          f"fdatasync of 4 KiB takes {sync_ms:.2f} ms here, {1000 / sync_ms:,.0f}/s"])
    yield summary.Figure("hl7-ceiling-to-receiver", statistics.median(ratios), "ratio", None, {},
                         [f"paired by round: {summary.spread(ratios)}"])


def _waves(shop, options):
    beds, seconds = (4, 2) if options.small else (WAVE_BEDS, options.hl7_s)
    message = hl7_messages.waves(shop.data, SAMPLE_RATE)
    gateway = hl7_unit.Hl7Unit(shop, "hl7-waves", beds)
    try:
        gateway.start()
        shop.say(f"  {beds} monitors with {WAVES} waveforms each for {seconds} s")
        meter = cpu.Meter({"intake": gateway.pid})
        seen = hl7_unit.answer(gateway.client("pace", [message], beds=beds, rate=beds, seconds=seconds))
        used = meter.read()["intake"]
        gateway.part(hl7_unit.DAEMON).stop()
        lost, _ = _lost(gateway, [(1, seen["messages"])], beds, "waves", WAVES * SAMPLE_RATE)
    finally:
        gateway.stop()
    samples = seen["messages"] * WAVES * SAMPLE_RATE
    details = [f"{samples:,} samples in {seen['seconds']:.1f} s, {samples / seen['seconds']:,.0f}/s, in reports of "
               f"{len(message)} bytes; answers p50 {seen['ack_p50_ms']:.2f} ms, p99 {seen['ack_p99_ms']:.2f} ms"]
    yield summary.Figure("hl7-waves-lost", lost, "reports", summary.at_most(0), {}, details)
    yield summary.Figure("hl7-waves-cpu", used.total / 1e4 / seen["seconds"], "% of a core", None, {},
                         [f"{used.total / samples * 1000:.0f} ns a sample, mitral-intake-hl7 alone"])


def _isolation(shop, options):
    """Eight monitors alone, then beside one that floods and one that is none of ours; in turns."""
    good, seconds = 8, 2 if options.small else 15
    message = hl7_messages.vitals()
    gateway = hl7_unit.Hl7Unit(shop, "hl7-isolation", good + 1)
    first, found, attacks = 1, {"alone": [], "beside": []}, []
    pace = {"beds": good, "rate": 10 * good, "seconds": seconds}
    try:
        gateway.start()
        for number in range(1, options.rounds + 1):
            for name in ("alone", "beside"):
                trouble = _trouble(gateway, message, good, seconds, first) if name == "beside" else []
                seen = hl7_unit.answer(gateway.client("pace", [message], first=first, **pace))
                attacks += [_ended(each) for each in trouble]
                found[name].append(seen["ack_p99_ms"])
                first += 10 * seen["messages"]
            shop.say(f"  eight monitors, round {number}/{options.rounds}: p99 {found['alone'][-1]:.2f} ms alone, "
                     f"{found['beside'][-1]:.2f} ms beside")
    finally:
        gateway.stop()
    ratios = [beside / alone for alone, beside in zip(found["alone"], found["beside"])]
    return summary.Figure(
        "hl7-isolation", statistics.median(ratios), "ratio", None, {},
        [f"p99 of the answers to {good} monitors, alone {summary.spread(found['alone'])} ms, beside the two "
         f"{summary.spread(found['beside'])} ms; paired by round: {summary.spread(ratios)}",
         "the one floods with 200 reports under way, the other, without an entry, is cut off and comes again"])


def _trouble(gateway, message, number, seconds, first):
    flood = gateway.client("flood", [message], address=hl7_unit.address(number), count=10**9, window=200, first=first)
    storm = gateway.client("storm", [message], address="127.200.0.1", seconds=seconds)
    return [flood, storm]


def _ended(sender):
    sender.terminate()
    sender.communicate(timeout=30)
    return sender.returncode
