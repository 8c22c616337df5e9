"""The same messages by other means: each `run` publishes `count` of them and says what it cost."""
import dataclasses
import json
import resource
import subprocess
import time

import broker
import cpu

WINDOW = 100  # as in the reference measurement


@dataclasses.dataclass(frozen=True)
class Work:
    topic: str
    payload_bytes: int
    count: int


@dataclasses.dataclass(frozen=True)
class Cost:
    """Per message; `hub_us` is what the broker spent meanwhile."""
    messages: int
    cpu_us: float
    user_share: float
    seconds: float
    hub_us: float


class Peer:
    """`durable`: what it promises when it has taken a message."""
    name = durable = ""
    most = None  # messages in one go

    def __init__(self, shop):
        self.shop = shop

    def run(self, work):
        work = dataclasses.replace(work, count=min(work.count, self.most or work.count))
        payload = self.shop.scratch / "payload"
        payload.write_bytes(b"x" * work.payload_bytes)
        meter = cpu.Meter({"hub": self.shop.hub.pid})
        used, seconds = self._publish(work, payload)
        hub_us = meter.read()["hub"].total / work.count
        return Cost(work.count, used.total / work.count, used.user_share, seconds, hub_us)

    def _publish(self, work, payload):
        raise NotImplementedError

    def close(self):
        pass


def _client(shop, work, payload, port, authority):
    done = subprocess.run(
        [shop.clients / "bench_libmosquitto", "--port", str(port), "--authority", authority, "--topic", work.topic,
         "--payload", payload, "--count", str(work.count), "--window", str(WINDOW)],
        capture_output=True, text=True, timeout=600, check=True)
    return json.loads(done.stdout)


def _used(user_us, system_us):
    total = user_us + system_us
    return cpu.Cpu(total, user_us / total if total else 0)


class Libmosquitto(Peer):
    name, durable = "libmosquitto", "no"

    def _publish(self, work, payload):
        seen = _client(self.shop, work, payload, self.shop.hub.tls_port, self.shop.hub.certificate)
        return _used(seen["user_us"], seen["system_us"]), seen["seconds"]


class MosquittoPub(Peer):
    name, durable = "mosquitto_pub -l", "no"
    most = 20_000  # it queues all it reads and takes message ids for unique: beyond 65,535 it leaves before its end

    def _publish(self, work, payload):
        lines = self.shop.scratch / "payload.lines"
        lines.write_bytes((payload.read_bytes() + b"\n") * work.count)
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        with lines.open("rb") as source:
            subprocess.run([broker.PUBLISHER, "-h", "localhost", "-p", str(self.shop.hub.tls_port),
                            "--cafile", self.shop.hub.certificate, "--tls-version", "tlsv1.3", "-q", "1",
                            "-M", str(WINDOW), "-t", work.topic, "-l"], stdin=source, timeout=600, check=True)
        seconds, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        lines.unlink()
        return _used((after.ru_utime - before.ru_utime) * 1e6, (after.ru_stime - before.ru_stime) * 1e6), seconds


class MosquittoBridge(Peer):
    name, durable = "mosquitto bridge as gateway", "saved every 30 min"

    def __init__(self, shop):
        super().__init__(shop)
        self._bridge = broker.Bridge(shop.scratch, shop.reaper, shop.hub).start()

    def _publish(self, work, payload):
        meter, begin = cpu.Meter({"bridge": self._bridge.pid}), time.monotonic()
        busy = cpu.BusyUntil(self._bridge.pid)
        _client(self.shop, work, payload, self._bridge.local_port, "")
        busy.wait_quiet()
        return meter.read()["bridge"], busy.stop() - begin

    def close(self):
        self._bridge.stop()


def available(shop):
    """Every peer this machine can run."""
    made = [MosquittoPub(shop), MosquittoBridge(shop)] if (shop.clients / "bench_libmosquitto").exists() else [
        MosquittoPub(shop)]
    return ([Libmosquitto(shop)] if len(made) > 1 else []) + made
