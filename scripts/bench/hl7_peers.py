"""The same HL7 messages by other means: a receiver that keeps nothing, and a parser."""
import importlib.util
import time

import cpu
import hl7_unit
import processes


class Receiver:
    """The least a receiver can do; keeps nothing."""

    def __init__(self, shop):
        self.port = processes.free_ports(1)[0]
        self._process = processes.Process("hl7-receiver", [shop.clients / "bench_hl7_receiver", "--port", self.port],
                                          shop.scratch, shop.reaper).start()
        self._process.wait_until(lambda: processes.accepts(self.port), "its start")

    @property
    def pid(self):
        return self._process.pid

    def stop(self):
        self._process.stop()


def receiver_at_load(shop, message, beds, rate, seconds):
    receiver = Receiver(shop)
    try:
        meter = cpu.Meter({"receiver": receiver.pid})
        seen = hl7_unit.answer(hl7_unit.client(shop, receiver.port, "pace", [message], beds=beds, rate=rate,
                                               seconds=seconds))
        return {**seen, "cpu_us": meter.read()["receiver"].total / seen["messages"]}
    finally:
        receiver.stop()


def python_us(message, times=50):
    """CPU of python3-hl7 for parsing alone; nothing where it is not installed."""
    if importlib.util.find_spec("hl7") is None:
        return {}
    import hl7
    text = message.replace("\n", "\r")
    begin = time.process_time()
    for _ in range(times):
        hl7.parse(text)
    return {"python3-hl7, parsing alone": (time.process_time() - begin) / times * 1e6}
