"""A stock mosquitto as the hub: messages arrive whole, and nothing is lost when it, or we, are killed."""
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import threading
import unittest
import urllib.parse

from support.proves import main, proves
from uplink.uplink_support import Scratch, wait_for

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
SUBSCRIBER = shutil.which("mosquitto_sub")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Hub:
    """mosquitto with TLS for the gateway, and a plain listener and a file for the consumer."""

    def __init__(self, scratch):
        certificate, key = scratch.authority.issue()
        self.port, self.plain_port = free_port(), free_port()
        self.config = scratch.path / "mosquitto.conf"
        # The consumer has no bound in flight: mosquitto writes to it before it acknowledges to us, so that what
        # was acknowledged has left a broker that is killed.
        self.config.write_text(
            f"listener {self.port} 127.0.0.1\ncertfile {certificate}\nkeyfile {key}\nallow_anonymous true\n"
            f"listener {self.plain_port} 127.0.0.1\nallow_anonymous true\nuser root\n"
            "max_queued_messages 0\nmax_inflight_messages 0\nset_tcp_nodelay true\n")
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([MOSQUITTO, "-c", self.config], stderr=subprocess.DEVNULL)
        wait_for(self.answers)

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.plain_port), 1).close()
            return True
        except OSError:
            return False

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(5)


class Consumer:
    """mosquitto_sub; every message as (properties, body)."""

    def __init__(self, port):
        self.messages = []
        self._process = subprocess.Popen(
            [SUBSCRIBER, "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-d", "-t", "devices/unit-1/messages/events/#",
             "-F", "%j"], stdout=subprocess.PIPE)
        self.ready = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        self.ready.wait(10)

    def _read(self):
        for raw in self._process.stdout:
            line = raw.decode()
            if line.startswith("Subscribed"):
                self.ready.set()
            if not line.startswith("{"):
                continue
            message = json.loads(line)
            bag = message["topic"].split("/messages/events/", 1)[1]
            properties = dict(map(urllib.parse.unquote, pair.split("=")) for pair in bag.split("&"))
            payload = message["payload"]
            self.messages.append((properties, json.loads(payload) if isinstance(payload, str) else payload))

    def readings(self):
        return {row[0] for _, body in self.messages for row in body.get("rows", [])}

    def stop(self):
        self._process.kill()
        self._process.wait(5)


@unittest.skipUnless(MOSQUITTO and SUBSCRIBER, "mosquitto and mosquitto-clients are not installed")
class Interop(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch(self)
        self.hub = Hub(self.scratch)
        self.addCleanup(lambda: self.hub.kill())
        self.consumer = self.consume()

    def consume(self):
        consumer = Consumer(self.hub.plain_port)
        self.addCleanup(consumer.stop)
        return consumer

    @proves("T-DATA-02")
    def test_properties_and_body_arrive_as_they_were_meant(self):
        gateway = self.scratch.gateway(self.hub.port)
        gateway.fill(200, batch=50)
        gateway.start()
        expected = {f"bed-1-{i}" for i in range(1, 201)}
        self.assertTrue(wait_for(lambda: self.consumer.readings() == expected), gateway.log())
        for properties, body in self.consumer.messages:
            self.assertEqual(properties["schema"], "mitral.vitals/1")
            self.assertEqual(properties["$.ct"], "application/json")
            self.assertEqual(properties["$.ce"], "utf-8")
            self.assertEqual(properties["lane"], "vitals")
            self.assertEqual(properties["source"], "bed-1")
            self.assertRegex(properties["$.mid"], r"^lines-vitals-[0-9a-f]{16}-\d+$")
            self.assertEqual(body["source"], "bed-1")
            self.assertEqual(body["columns"][0]["code"], "MDC_ECG_HEART_RATE")
            self.assertEqual({row[5] for row in body["rows"]}, {62.8})
        self.assertEqual(len({p["$.mid"] for p, _ in self.consumer.messages}), len(self.consumer.messages))
        self.assertTrue(wait_for(lambda: gateway.acknowledged() >= 200))
        status = gateway.status()
        self.assertTrue(status["connected"])
        self.assertEqual(status["queued"], 0)
        self.assertEqual(status["tls"]["version"], "TLSv1.3")
        self.assertEqual(gateway.stop(), 0)

    @unittest.skipUnless(os.geteuid() == 0, "becoming another user needs root")
    @proves("T-SW-06")
    def test_it_does_its_work_inside_its_sandbox(self):
        gateway = self.scratch.gateway(self.hub.port, user="nobody")
        gateway.fill(20)
        gateway.give_to("nobody")
        gateway.start()
        self.assertTrue(wait_for(lambda: len(self.consumer.readings()) == 20), gateway.log())
        self.assertEqual(pathlib.Path(f"/proc/{gateway.process.pid}/environ").stat().st_uid, 0)  # not dumpable
        facts = pathlib.Path(f"/proc/{gateway.process.pid}/status").read_text()
        user = pwd.getpwnam("nobody").pw_uid
        self.assertRegex(facts, rf"Uid:\t{user}\t{user}\t{user}")
        self.assertRegex(facts, r"CapEff:\t0+\n")
        self.assertRegex(facts, r"NoNewPrivs:\t1")
        self.assertRegex(facts, r"Seccomp:\t2")
        gateway.fill(10, first=21)  # written by another user
        gateway.give_to("nobody")
        self.assertTrue(wait_for(lambda: len(self.consumer.readings()) == 30), gateway.log())
        self.assertTrue(wait_for(lambda: gateway.acknowledged() >= 30))
        self.assertEqual(gateway.stop(), 0)
        self.assertTrue((gateway.state / "lines-vitals.ack").exists())

    @proves("T-DATA-01")
    def test_new_records_travel_at_once(self):
        gateway = self.scratch.gateway(self.hub.port)
        gateway.fill(10)
        gateway.start()
        self.assertTrue(wait_for(lambda: len(self.consumer.readings()) == 10), gateway.log())
        gateway.fill(10, first=11)
        self.assertTrue(wait_for(lambda: len(self.consumer.readings()) == 20, 5), gateway.log())
        self.assertEqual(gateway.stop(), 0)

    @proves("T-DATA-01")
    def test_the_broker_is_killed(self):
        """All that the broker had not passed on before it died goes out again, under the same ids."""
        gateway = self.scratch.gateway(self.hub.port, max_messages_per_s=200)
        gateway.fill(3000, batch=5)
        gateway.start()
        self.assertTrue(wait_for(lambda: len(self.consumer.messages) > 50), gateway.log())
        first = self.consumer
        self.hub.kill()
        self.assertTrue(gateway.logged("not-connected"), gateway.log())
        self.hub.start()
        self.consumer = self.consume()
        expected = {f"bed-1-{i}" for i in range(1, 3001)}
        self.assertTrue(wait_for(lambda: first.readings() | self.consumer.readings() >= expected, 40),
                        f"{len(first.readings() | self.consumer.readings())} readings\n" + gateway.log())
        self.assertEqual(gateway.stop(), 0)

    @proves("T-DATA-01")
    def test_the_uplink_is_killed(self):
        gateway = self.scratch.gateway(self.hub.port, max_messages_per_s=300)
        gateway.fill(3000, batch=5)
        for _ in range(4):
            gateway.start()
            before = len(self.consumer.messages)
            self.assertTrue(wait_for(lambda: len(self.consumer.messages) > before + 40), gateway.log())
            gateway.kill()
        gateway.start()
        expected = {f"bed-1-{i}" for i in range(1, 3001)}
        self.assertTrue(wait_for(lambda: self.consumer.readings() == expected, 40), gateway.log())
        by_id = {}
        for properties, body in self.consumer.messages:  # a redelivery is the same message, byte for byte
            self.assertEqual(by_id.setdefault(properties["$.mid"], body), body)
        self.assertEqual(gateway.stop(), 0)

    @proves("T-TOK-05", "T-DATA-01")
    def test_forced_renewal_loses_nothing(self):
        gateway = self.scratch.gateway(self.hub.port, max_messages_per_s=300)
        gateway.fill(2000, batch=5)
        gateway.start()
        for renewal in range(1, 4):
            before = len(self.consumer.messages)
            self.assertTrue(wait_for(lambda: len(self.consumer.messages) > before + 30), gateway.log())
            gateway.signal(signal.SIGUSR1)
            self.assertTrue(wait_for(lambda: gateway.log().count("token-renewed") >= renewal, 10), gateway.log())
        expected = {f"bed-1-{i}" for i in range(1, 2001)}
        self.assertTrue(wait_for(lambda: self.consumer.readings() == expected, 40), gateway.log())
        # Outstanding acknowledgements were waited for: not one message went twice.
        self.assertEqual(len({p["$.mid"] for p, _ in self.consumer.messages}), len(self.consumer.messages))
        self.assertTrue(wait_for(lambda: gateway.status().get("renewals") == 3))
        self.assertNotIn("not-connected", gateway.log())
        self.assertEqual(gateway.stop(), 0)


if __name__ == "__main__":
    main()
