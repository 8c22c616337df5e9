"""A start in front of a long queue: from exec of mitral-uplink to the first PUBLISH that the hub passes on."""
import os
import statistics
import time

import shapes
import summary
import unit

NAMES = ("start-queued",)


def measure(shop, options):
    if not options.wants("start-queued"):
        return
    gateway = unit.Unit(shop, "start", unit.Settings(paced=True, window=100))
    try:
        gateway.start(uplink=False)
        shop.say(f"  filling the spool with {options.queued} records")
        filled = gateway.fill(shapes.line_256(), options.queued)
        starts = [_start(shop, gateway) for _ in range(options.rounds)]
    finally:
        gateway.stop()
    rate = options.queued / filled["seconds"]
    yield summary.Figure("start-queued", statistics.median(starts), "s", summary.at_most(1), {}, [
        f"{options.queued} messages queued (put there by the real intake at {rate:.0f} lines/s), none of it in the "
        "page cache",
        f"{options.rounds} starts: {summary.spread(starts, 3)} s; Greengrass (reference): 26,500 messages in 5 min"])


def _start(shop, gateway):
    _forget_pages(gateway.place.spool)
    consumer = shop.hub.subscribe("%U")
    try:
        begin = time.time()
        gateway.start_uplink()
        first = float(consumer.line())
    finally:
        consumer.stop()
    gateway.part("mitral-uplink").kill()
    return first - begin


def _forget_pages(folder):
    """The files below leave the page cache, as after a power cut."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
