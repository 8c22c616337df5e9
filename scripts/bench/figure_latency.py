"""How long a sensor waits for its answer, and a reading for the hub."""
import json
import os
import socket
import time

import shapes
import summary
import unit

NAMES = ("latency",)
LOW_RATE_S = 0.1


def measure(shop, options):
    if not options.wants("latency"):
        return
    yield from _acknowledgement(shop, options)
    yield from _to_hub(shop, options)


def _acknowledgement(shop, options):
    gateway = unit.Unit(shop, "latency-ack", unit.Settings(batched=True, paced=True, window=100, spool_mb=1024))
    try:
        gateway.start()
        shop.say(f"  acknowledgements at a ward's load for {options.ward_s} s")
        sender = gateway.pace(shapes.ward(shop.data), shapes.WARD_BEDS, 1000, options.ward_s)
        disk = _sync_times(shop.scratch, options.ward_s)
        seen = gateway.finish_pace(sender)
    finally:
        gateway.stop()
    details = [shapes.WARD, f"{seen['lines']} lines in {options.ward_s} s, longest {seen['ack_max_ms']:.1f} ms; from "
               "send() to the `ok` that says it is on disk"]
    for name, part in (("ack-p50", 0.5), ("ack-p99", 0.99)):
        yield summary.Figure(name, seen[name.replace("-", "_") + "_ms"], "ms", summary.at_most(10),
                             {"one fdatasync of 4 KiB on the same disk, meanwhile": quantile(disk, part)}, details)
        details = []


def _sync_times(folder, seconds):
    """What the disk takes for the least a commit needs, in ms."""
    times, end = [], time.monotonic() + seconds
    with (folder / "synced").open("wb", buffering=0) as file:
        while time.monotonic() < end:
            begin = time.monotonic()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            times.append((time.monotonic() - begin) * 1000)
            time.sleep(0.05)
    return times


def quantile(values, part):
    return sorted(values)[int(part * (len(values) - 1))]


def _to_hub(shop, options):
    gateway = unit.Unit(shop, "latency-hub", unit.Settings(paced=True, window=100, spool_mb=1024))
    consumer = shop.hub.subscribe("%U %p")
    try:
        gateway.start()
        sent = _send_slowly(gateway, options.low_rate_lines)
        arrived = _arrivals(consumer, len(sent))
    finally:
        consumer.stop()
        gateway.stop()
    waited = [(arrived[line] - begin) * 1000 for line, begin in sent.items()]
    details = [f"{len(waited)} lines of one bed at 10/s, no batching, max_messages_per_s as installed; from send() at "
               "the adapter to the timestamp of mosquitto_sub behind the hub"]
    yield summary.Figure("sensor-to-hub-p50", quantile(waited, 0.5), "ms", None, {}, details)
    yield summary.Figure("sensor-to-hub-p99", quantile(waited, 0.99), "ms", None, {})


def _send_slowly(gateway, count):
    """Line id -> when it was sent (Unix seconds)."""
    sent = {}
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.connect(str(gateway.place.lines_socket))
        link.sendall(b'{"schema":"mitral.lines/1","source":"bed-1"}\n')
        line = json.loads(shapes.vitals(3))
        for number in range(count):
            line["id"] = f"low-{number}"
            text = json.dumps(line).encode() + b"\n"
            sent[line["id"]] = time.time()
            link.sendall(text)
            link.recv(4096)
            time.sleep(LOW_RATE_S)
    return sent


def _arrivals(consumer, count):
    arrived = {}
    while len(arrived) < count:
        when, body = consumer.line().split(" ", 1)
        for row in json.loads(body)["rows"]:
            arrived[row[0]] = float(when)
    return arrived
