"""The local Azure's queries: the processor time of one that looks at every twin of 10,000 devices."""
import json
import statistics
import subprocess

import cpu
import fleet
import summary

NAMES = ("cloud-query",)
DEVICES, SMALL = 10_000, 200
QUERY = "SELECT COUNT() AS n FROM devices WHERE NOT IS_DEFINED(tags.ward)"


def measure(shop, options):
    if not options.wants("cloud-query"):
        return
    count = SMALL if options.small else DEVICES
    azure = fleet.LocalAzure(shop, "cloud-query").start()
    try:
        azure.credentials(fleet.identities(count))
        times = [_ask(shop, azure, count) for _ in range(options.rounds)]
    finally:
        azure.stop()
    yield summary.Figure("cloud-query", statistics.median(times), "s", summary.at_most(0.5), {}, [
        f"{options.rounds} queries over {count:,} twins: {summary.spread(times, 3)} s of the server's processor time"])


def _ask(shop, azure, count):
    meter = cpu.Meter({"hub": azure.pid})
    done = subprocess.run([shop.programs / "mitral-cloud", "query", "--state", azure.state, QUERY], check=True,
                          capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout) == {"n": count}, done.stdout
    return meter.read()["hub"].total / 1e6
