"""How long a sensor waits for its answer, and a reading for the hub."""
import json
import socket
import statistics
import time

import processes
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
        seen = gateway.finish_pace(gateway.pace(shapes.ward(shop.data), shapes.WARD_BEDS, 1000, options.ward_s))
    finally:
        gateway.stop()
    details = [shapes.WARD, f"{seen['lines']} lines in {options.ward_s} s, longest {seen['ack_max_ms']:.1f} ms; from "
               "send() to the `ok` that says it is on disk"]
    yield summary.Figure("ack-p50", seen["ack_p50_ms"], "ms", summary.at_most(10), {}, details)
    yield summary.Figure("ack-p99", seen["ack_p99_ms"], "ms", summary.at_most(10), {})


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
    waited = sorted((arrived[line] - begin) * 1000 for line, begin in sent.items())
    details = [f"{len(waited)} lines of one bed at 10/s, no batching, max_messages_per_s as installed; from send() at "
               "the adapter to the timestamp of mosquitto_sub behind the hub"]
    yield summary.Figure("sensor-to-hub-p50", statistics.median(waited), "ms", None, {}, details)
    yield summary.Figure("sensor-to-hub-p99", waited[int(0.99 * (len(waited) - 1))], "ms", None, {})


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
    for text in consumer.lines():
        when, body = text.split(" ", 1)
        for row in json.loads(body)["rows"]:
            arrived[row[0]] = float(when)
        if len(arrived) == count:
            return arrived
    raise processes.StartFailed(f"the hub passed {len(arrived)} of {count} lines on")
