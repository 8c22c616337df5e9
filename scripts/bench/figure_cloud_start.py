"""The local Azure alone: from exec of mitral-cloud to the first answer of its admin port."""
import json
import os
import signal
import socket
import statistics
import subprocess
import time

import summary

NAMES = ("cloud-start",)


def measure(shop, options):
    if not options.wants("cloud-start"):
        return
    first, again = [], []
    for number in range(options.rounds):
        state = shop.scratch / f"cloud-start-{number}"
        first.append(_start(shop, state))
        again.append(_start(shop, state))
    yield summary.Figure("cloud-start", statistics.median(first), "s", summary.at_most(1), {}, [
        f"{options.rounds} first starts, which make keys and certificates: {summary.spread(first, 3)} s; with the "
        f"state that is there then: {summary.spread(again, 3)} s",
        "signed time on, no device; the admin port's first answer ends the clock"])


def _start(shop, state):
    told = state / "ports.json"
    told.unlink(missing_ok=True)
    begin = time.monotonic()
    process = subprocess.Popen([shop.programs / "mitral-cloud", "serve", "--state", state, "--mqtt-port", "0",
                                "--https-port", "0", "--admin-port", "0", "--time-port", "0"],
                               stderr=subprocess.DEVNULL)
    try:
        while not told.exists():
            if process.poll() is not None or time.monotonic() > begin + 30:
                raise RuntimeError("mitral-cloud did not start")
            os.sched_yield()
        with socket.create_connection(("127.0.0.1", json.loads(told.read_text())["admin"]), timeout=30) as asked:
            asked.sendall(b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert asked.recv(4096).startswith(b"HTTP/1.1 200 ")
        return time.monotonic() - begin
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
