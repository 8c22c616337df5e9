"""The hub over MQTT: other people's client (mosquitto), and one that misbehaves on purpose."""
import json
import os
import subprocess
import time
import unittest
import urllib.request

from cloud.local_azure import LocalAzure, derive, sas
from cloud.mqtt_client import Mqtt, packet, publish_packet, text
from support.proves import main, proves


class HubCase(unittest.TestCase):
    """A local Azure with three devices, and clients of it."""
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--expiry-grace", "1", "--clock-skew", "0").__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        cls.group = cls.azure.group()
        for name in ("dev-01", "dev-011", "dev-02"):
            cls.azure.register(cls.group["primary_key"], name)

    def key(self, device):
        return derive(self.group["primary_key"], device)

    def user(self, device):
        return f"{self.azure.hub}/{device}/?api-version=2021-04-12"

    def token(self, device, **options):
        return sas(self.key(device), f"{self.azure.hub}/devices/{device}", **options)

    def client(self):
        return Mqtt(self.azure.ports["mqtt"], self.azure.ca)

    def connected(self, device="dev-01", **options):
        client = self.client()
        present, code = client.connect(device, self.user(device), self.token(device), **options)
        self.assertEqual(code, 0)
        return client

    def code(self, device, token, user=None, client_id=None):
        with self.client() as client:
            present, code = client.connect(client_id or device, user or self.user(device), token)
            if code:
                self.assertEqual(present, 0)
                self.assertTrue(client.closed())
            return code

    def wait(self, condition, seconds=15):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)


class Hub(HubCase):
    def mosquitto(self, token, topic, body, *more, device="dev-01"):
        return subprocess.run(
            ["mosquitto_pub", "-h", "localhost", "-p", str(self.azure.ports["mqtt"]), "--cafile", self.azure.ca,
             "-V", "mqttv311", "-i", device, "-u", self.user(device), "-P", token, "-q", "1", "-t", topic,
             "-m", body, *more], capture_output=True, text=True, timeout=30)

    def test_mosquitto_publishes(self):
        start = json.loads(self.azure.admin("/log").splitlines()[-1])["offset"] + 1 if self.azure.admin("/log") else 0
        done = self.mosquitto(self.token("dev-01"), "devices/dev-01/messages/events/%24.mid=m%201&a=%C3%A9&b=", "hello")
        self.assertEqual(done.returncode, 0, done.stderr)
        row = self.azure.messages(start)[-1]
        self.assertEqual((row["device"], row["mid"], row["body"], row["qos"]), ("dev-01", "m 1", b"hello", 1))
        self.assertEqual(row["properties"], {"a": "é", "b": ""})

    @proves("T-TOK-02", "T-TOK-05", "CR 1.2", "CR 1.14")
    def test_bad_credentials_get_code_5(self):
        own = f"{self.azure.hub}/devices/dev-01"
        self.assertEqual(self.code("dev-01", self.token("dev-01")), 0)  # the control
        self.assertEqual(self.code("dev-01", sas(self.key("dev-02"), own)), 5)
        self.assertEqual(self.code("dev-01", sas(self.key("dev-01"), own, lifetime=-2)), 5)
        self.assertEqual(self.code("dev-01", sas(self.key("dev-01"), own[:-1])), 5)
        self.assertEqual(self.code("dev-011", sas(self.key("dev-011"), own)), 5)
        self.assertEqual(self.code("dev-01", sas(self.key("dev-01"), "other.test/devices/dev-01")), 5)
        self.assertEqual(self.code("dev-99", self.token("dev-99")), 5)
        self.assertEqual(self.code("dev-02", self.token("dev-01")), 5)
        self.assertEqual(self.code("dev-01", self.token("dev-01"), client_id="dev-02"), 5)
        self.assertEqual(self.code("dev-01", "not a token"), 5)
        done = self.mosquitto(sas(self.key("dev-02"), own), "devices/dev-01/messages/events/", "x")
        self.assertNotEqual(done.returncode, 0)

    def test_tokens_as_four_code_bases_write_them(self):
        own = f"{self.azure.hub}/devices/dev-01"
        lower = sas(self.key("dev-01"), own).split("&")[0].split("sr=")[1].lower()
        self.assertEqual(self.code("dev-01", sas(self.key("dev-01"), lower, encode=False)), 0)
        self.assertEqual(self.code("dev-01", sas(self.key("dev-01"), own, encode=False)), 0)

    @proves("T-SW-02", "CR 3.5")
    def test_other_protocol_levels_get_code_1(self):
        for name, level in (("MQIsdp", 3), ("MQTT", 5)):
            with self.client() as client:
                self.assertEqual(client.connect("dev-01", "u", "p", name=name, level=level), (0, 1))
                self.assertTrue(client.closed())

    @proves("CR 2.1", "T-ID-02")
    def test_foreign_topics_and_quality_two_close(self):
        own = "devices/dev-01/messages/events/"
        for bad in (publish_packet("devices/dev-02/messages/events/", "x", 1),
                    publish_packet("devices/dev-011/messages/events/", "x", 1),
                    publish_packet(own, "x", 1, qos=2),
                    publish_packet(own, bytes(256 * 1024 + 1), 1),
                    packet(0x82, b"\0\1" + text("#") + b"\0"),
                    packet(0x82, b"\0\1" + text("devices/dev-02/messages/devicebound/#") + b"\0"),
                    packet(0x20, b"\0\0"), packet(0x62, b"\0\1"), b"\x30\xff\xff\xff\x7f"):
            with self.connected() as client:
                client.send(bad)
                self.assertTrue(client.closed(), bad[:60])

    def test_what_came_before_a_violation_is_acknowledged(self):
        with self.connected() as client:
            client.send(publish_packet("devices/dev-01/messages/events/", "x", 9) + packet(0x20, b"\0\0"))
            self.assertEqual(client.receive(), (0x40, b"\0\x09"))
            self.assertTrue(client.closed())

    def test_retain_and_will_become_properties(self):
        with self.connected() as client:
            client.send(publish_packet("devices/dev-01/messages/events/a=1", "kept", 2, retain=True))
            self.assertEqual(client.receive(), (0x40, b"\0\2"))
        self.assertEqual(self.azure.messages()[-1]["properties"], {"a": "1", "mqtt-retain": "true"})
        client = self.connected(will=("devices/dev-01/messages/events/", "gone"))
        count = len(self.azure.messages())
        client.socket.close()
        self.wait(lambda: len(self.azure.messages()) > count)
        row = self.azure.messages()[-1]
        self.assertEqual((row["body"], row["properties"]), (b"gone", {"iothub-MessageType": "Will"}))
        with self.connected(will=("devices/dev-01/messages/events/", "gone")) as client:
            client.send(packet(0xE0))
            self.assertTrue(client.closed())
        self.assertEqual(len(self.azure.messages()), count + 1)

    @proves("T-ID-02")
    def test_second_connection_takes_over(self):
        with self.connected() as first, self.connected() as second:
            self.assertTrue(first.closed())
            second.send(packet(0xC0))
            self.assertEqual(second.receive(), (0xD0, b""))

    @proves("T-TOK-05", "CR 2.6")
    def test_connection_ends_with_its_token(self):
        with self.client() as client:
            token = self.token("dev-01", lifetime=2)
            self.assertEqual(client.connect("dev-01", self.user("dev-01"), token), (0, 0))
            before = time.monotonic()
            self.assertTrue(client.closed())
            self.assertLess(time.monotonic() - before, 10)

    @proves("CR 2.5")
    def test_silence_beyond_the_keep_alive_closes(self):
        with self.connected(keep_alive=1) as client:
            before = time.monotonic()
            self.assertTrue(client.closed())
            self.assertGreater(time.monotonic() - before, 1.3)

    def test_sessions_are_kept(self):
        with self.connected("dev-02", clean=True):
            pass
        subscribe = packet(0x82, b"\0\1" + text("$iothub/twin/res/#") + b"\2")
        get = publish_packet("$iothub/twin/GET/?$rid=5", " ", qos=0)
        with self.connected("dev-02", clean=False) as client:
            client.send(subscribe)
            self.assertEqual(client.receive(), (0x90, b"\0\1\1"))
        client = self.client()
        self.assertEqual(client.connect("dev-02", self.user("dev-02"), self.token("dev-02"), clean=False), (1, 0))
        with client:
            client.send(get)
            first, body = client.receive()
            self.assertEqual((first, body[2:29]), (0x30, b"$iothub/twin/res/200/?$rid="))

    @proves("T-SW-02", "T-DOS-04", "CR 3.5")
    def test_garbage_never_hurts_the_others(self):
        with self.connected("dev-02") as steady:
            for size in (1, 2, 10, 100, 5000):
                for _ in range(5):
                    with self.client() as client:
                        client.send(os.urandom(size))
                        client.socket.settimeout(0.05)
                        try:
                            client.socket.recv(100)
                        except OSError:
                            pass
            steady.send(packet(0xC0))
            self.assertEqual(steady.receive(), (0xD0, b""))
        self.assertIsNone(self.azure.process.poll())

    @proves("T-DOS-03")
    def test_faults_drop_and_refuse(self):
        with self.connected("dev-02") as client:
            self.assertEqual(self.azure.admin("/faults/drop?device=dev-02", "POST"), '{"dropped":1}')
            self.assertTrue(client.closed())
        with self.connected("dev-02") as client:
            self.azure.admin("/faults/hub-away?seconds=60", "POST")
            self.assertTrue(client.closed())
        with self.assertRaises(OSError):
            self.client()
        self.azure.admin("/faults/hub-away?seconds=0", "POST")
        self.connected("dev-02").socket.close()

    def test_log_is_followed(self):
        count = len(self.azure.messages())
        url = f"http://127.0.0.1:{self.azure.ports['admin']}/log?from={count}&follow=1"
        with urllib.request.urlopen(url, timeout=20) as stream, self.connected() as client:
            for i in range(1, 6):
                client.send(publish_packet("devices/dev-01/messages/events/", f"live {i}", i))
                row = json.loads(stream.readline())
                self.assertEqual(row["offset"], count + i - 1)
                self.assertEqual(client.receive(), (0x40, bytes([0, i])))

    def test_log_is_followed_past_a_burst(self):
        """More than a stream's buffer holds, all of it out with one flush: the stream must go on."""
        count, large = len(self.azure.messages()), "x" * 100_000
        with self.connected() as client:
            for i in range(1, 4):
                client.send(publish_packet("devices/dev-01/messages/events/", large, i))
                client.receive()
            url = f"http://127.0.0.1:{self.azure.ports['admin']}/log?from={count}&follow=1"
            with urllib.request.urlopen(url, timeout=10) as stream:
                for i in range(3):
                    self.assertEqual(json.loads(stream.readline())["offset"], count + i)
                client.send(publish_packet("devices/dev-01/messages/events/", "after", 4))
                self.assertEqual(json.loads(stream.readline())["offset"], count + 3)

    def test_dps_over_mqtt(self):
        scope = self.azure.ports["id_scope"]
        user = f"{scope}/registrations/dev-05/api-version=2019-03-31&ClientVersion=test"

        def run(token):
            with self.client() as client:
                self.assertEqual(client.connect("dev-05", user, token), (0, 0))
                client.send(packet(0x82, b"\0\1" + text("$dps/registrations/res/#") + b"\1"))
                self.assertEqual(client.receive()[0], 0x90)
                client.send(publish_packet("$dps/registrations/PUT/iotdps-register/?$rid=1", "{}", 2))
                first, body = client.receive()
                self.assertEqual(client.receive(), (0x40, b"\0\2"))
                size = int.from_bytes(body[:2], "big")
                topic, answer = body[2:2 + size].decode(), json.loads(body[2 + size:])
                if "res/202/" not in topic:
                    return topic, answer
                client.send(publish_packet("$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId=" +
                                           answer["operationId"], " ", qos=0))
                first, body = client.receive()
                size = int.from_bytes(body[:2], "big")
                return body[2:2 + size].decode(), json.loads(body[2 + size:])

        resource = f"{scope}/registrations/dev-05"
        topic, answer = run(sas(self.key("dev-05"), resource, policy="registration"))
        self.assertEqual(topic, "$dps/registrations/res/200/?$rid=2")
        self.assertEqual(answer["registrationState"]["assignedHub"], self.azure.hub)
        topic, answer = run(sas(self.key("dev-02"), resource, policy="registration"))
        self.assertTrue(topic.startswith("$dps/registrations/res/401/?$rid=1"), topic)
        self.assertEqual(answer["errorCode"], 401002)
        with self.client() as client:
            self.assertEqual(client.connect("dev-05", "0ne0/registrations/dev-05/api-version=2019-03-31", "x"), (0, 5))


if __name__ == "__main__":
    main()
