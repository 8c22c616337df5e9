"""What a bed with an HL7 monitor costs at the hub: bytes, and messages as Azure bills them."""
import math

import hl7_messages
import hl7_unit
import summary
import unit

NAMES = ("hl7-cost",)
BEDS, DAY_S = 32, 86_400
METER = 4096  # bytes: IoT Hub bills a message by the 4 KB it begins


def measure(shop, options):
    if not options.wants("hl7-cost"):
        return
    seconds, interval = (3, 1) if options.small else (40, 10)
    plain = _ward(shop, "hl7-cost", [hl7_messages.vitals()], seconds, interval)
    observations = len(hl7_messages.NUMERICS)
    yield summary.Figure("hl7-bytes-per-observation", plain.bytes / (plain.reports * observations), "bytes", None, {},
                         [f"{BEDS} beds, 12 parameters a second each, batches of {interval} s as installed; body and "
                          "properties of the messages behind the hub", plain.describe()])
    yield summary.Figure("hl7-hub-messages-per-bed-day", plain.meters_per_bed_day, "messages", None, {},
                         ["as Azure counts: each 4 KB begun of a message is one"])
    with_waves = _ward(shop, "hl7-cost-waves", [hl7_messages.vitals() + "\n" + hl7_messages.waves(shop.data, 250)],
                       seconds, interval, templates=2)
    yield summary.Figure("hl7-hub-messages-per-bed-day-waves", with_waves.meters_per_bed_day, "messages", None, {},
                         ["the same beds with three waveforms of 250 Hz beside", with_waves.describe()])


class Seen:
    def __init__(self, sizes, reports, seconds):
        self.reports, self._count = reports, len(sizes)
        self.bytes = sum(sizes)
        self._meters = sum(math.ceil(size / METER) for size in sizes)
        self._beds_seconds = BEDS * seconds

    @property
    def meters_per_bed_day(self):
        return self._meters / self._beds_seconds * DAY_S

    def describe(self):
        return (f"{self._count} messages of {self.bytes / self._count:,.0f} bytes for {self._beds_seconds} seconds of "
                f"a bed: {self.bytes / self._beds_seconds * DAY_S / 1e6:,.1f} MB and "
                f"{self._count / self._beds_seconds * DAY_S:,.0f} messages a bed and day")


def _ward(shop, name, messages, seconds, interval, templates=1):
    gateway = hl7_unit.Hl7Unit(shop, name, BEDS, unit.Settings(batched=True, window=100), batch_interval_s=interval)
    consumer = shop.hub.subscribe("%l %t")
    sizes = []
    try:
        gateway.start(uplink=True)
        shop.say(f"  {BEDS} monitors for {seconds} s, {templates} report(s) a second each, to the hub")
        sent = hl7_unit.answer(gateway.client("pace", messages, beds=BEDS, rate=BEDS * templates, seconds=seconds))
        # The last batch is closed by its timer, or by the intake's end.
        gateway.part(hl7_unit.DAEMON).stop()
        gateway.wait_rest()
        for _ in range(gateway.published()):
            length, topic = consumer.line().split()
            sizes.append(int(length) + len(topic.partition("/messages/events/")[2]))
    finally:
        consumer.stop()
        gateway.stop()
    return Seen(sizes, sent["messages"], seconds)
