"""Faults of the line, of time and of certificates, seen from the outside; each with its control."""
import datetime
import email.utils
import json
import socket
import ssl
import struct
import subprocess
import time

from cloud.fault_case import TOPIC, FaultCase
from cloud.local_azure import derive, sas, wait_until
from cloud.mqtt_client import Mqtt, connect_packet, packet, publish_packet, text
from support.proves import main, proves

PING, PONG = packet(0xC0), (0xD0, b"")
TWIN_GET = "$iothub/twin/GET/?$rid=1"


class Lines(FaultCase):
    def elapsed(self, action):
        start = time.monotonic()
        action()
        return time.monotonic() - start

    def pinged(self, client):
        client.send(PING)
        return client.receive()

    def service_token(self):
        return sas(self.azure.policy("iothubowner")["primary_key"], self.azure.hub, policy="iothubowner")

    # -- half-open ---------------------------------------------------------------------------------
    @proves("T-DOS-03")
    def test_a_half_open_connection_is_told_nothing_and_others_go_on(self):
        fired = self.fired("half-open")
        with self.connected() as old:
            self.assertEqual(self.pinged(old), PONG)  # the control
            self.assertEqual(self.row("half-open")["on"], False)
            self.ask("/half-open?device=another", "POST")
            self.assertEqual(self.pinged(old), PONG)
            self.ask("/half-open?device=dev-01", "POST")
            self.assertEqual(self.fired("half-open") - fired, 1)
            old.send(PING)
            with self.connected() as new:  # takes over; the old one must not learn of it
                self.assertEqual(self.pinged(new), PONG)
                old.socket.settimeout(0.5)
                with self.assertRaises(socket.timeout):
                    old.socket.recv(1)
                self.ask("/half-open", "DELETE")
                old.socket.settimeout(15)
                self.assertTrue(old.closed())
                self.assertEqual(self.pinged(new), PONG)

    def test_all_connections_become_half_open_and_the_hub_forgets_them_in_its_time(self):
        with Mqtt(self.azure.ports["mqtt"], self.azure.ca) as client:
            self.assertEqual(client.connect("dev-01", *self.credentials(), keep_alive=1)[1], 0)
            self.ask("/half-open", "POST")
            wait_until(lambda: "mitral_cloud_connected_clients 0\n" in self.azure.admin("/metrics"))
            client.socket.settimeout(0.3)
            with self.assertRaises(socket.timeout):
                client.socket.recv(1)
            self.ask("/half-open", "DELETE")
            client.socket.settimeout(15)
            self.assertTrue(client.closed())

    # -- latency -----------------------------------------------------------------------------------
    def test_latency_of_mqtt_each_way_in_order(self):
        with self.connected() as client:
            for parameters in ("up_ms=300", "down_ms=300", "up_ms=150&down_ms=150"):
                with self.subTest(parameters):
                    self.ask(f"/latency?port=mqtt&{parameters}", "POST")
                    stored = self.stored()
                    sent = b"".join(publish_packet(TOPIC, f"t{i}", i) for i in range(1, 20)) + PING
                    start = time.monotonic()
                    client.send(sent)
                    answers = [client.receive() for _ in range(20)]
                    self.assertGreaterEqual(time.monotonic() - start, 0.3)
                    self.assertEqual(answers, [(0x40, struct.pack(">H", i)) for i in range(1, 20)] + [PONG])
                    self.assertEqual(self.stored() - stored, 19)
            self.assertGreater(self.fired("latency"), 0)
            self.ask("/latency", "DELETE")
            self.assertEqual(self.pinged(client), PONG)

    def test_latency_of_https_is_none_of_mqtt(self):
        token = self.service_token()
        self.ask("/latency?port=https&up_ms=200&down_ms=200", "POST")
        self.assertGreaterEqual(self.elapsed(lambda: self.azure.https("GET", "/devices/dev-01", token)), 0.4)
        fired = self.fired("latency")
        with self.connected() as client:
            self.assertEqual(self.pinged(client), PONG)
        self.assertEqual(self.fired("latency"), fired)  # the control
        self.assertEqual(self.azure.https("GET", "/devices/dev-01", token)[0], 200)

    # -- loss --------------------------------------------------------------------------------------
    def lost(self, seed, of):
        """Which of 40 messages get no PUBACK, and how many of them are stored."""
        self.ask(f"/loss?percent=50&seed={seed}&of={of}", "POST")
        stored = self.stored()
        with self.connected() as client:
            client.send(b"".join(publish_packet(TOPIC, f"t{i}", i) for i in range(1, 41)) + PING)
            answered = set()
            while (answer := client.receive()) != PONG:
                answered.add(struct.unpack(">H", answer[1])[0])
        return sorted(set(range(1, 41)) - answered), self.stored() - stored

    @proves("T-DATA-01")
    def test_a_share_is_lost_and_the_same_seed_loses_the_same(self):
        for of in ("puback", "message"):
            with self.subTest(of):
                missing, stored = self.lost(7, of)
                self.assertTrue(5 < len(missing) < 35, missing)
                self.assertEqual(stored, 40 if of == "puback" else 40 - len(missing))
                self.assertEqual(self.lost(7, of)[0], missing)
                self.assertNotEqual(self.lost(8, of)[0], missing)
        self.ask("/loss", "DELETE")

    # -- time --------------------------------------------------------------------------------------
    @proves("T-TIME-01")
    def test_a_wrong_clock_judges_tokens_and_stamps_messages(self):
        self.ask("/clock-off?offset_s=7200", "POST")  # tokens here last an hour
        self.assertEqual(self.code(), 5)
        status, headers, _ = self.azure.https("GET", "/devices/dev-01", self.service_token())
        self.assertEqual(status, 401)
        ahead = email.utils.parsedate_to_datetime(headers["date"]).timestamp() - time.time()
        self.assertTrue(7100 < ahead < 7300, ahead)
        self.ask("/clock-off?offset_s=-86400", "POST")  # a token of the future is as good as one of today
        with self.connected() as client:
            client.send(publish_packet(TOPIC, "x", 1))
            self.assertEqual(client.receive(), (0x40, b"\0\1"))
        stamp = datetime.datetime.fromisoformat(self.azure.messages()[-1]["enqueued"].replace("Z", "+00:00"))
        self.assertTrue(-86500 < stamp.timestamp() - time.time() < -86300)
        self.ask("/clock-off", "DELETE")
        self.assertEqual(self.code(), 0)

    # -- certificates ------------------------------------------------------------------------------
    def trusted(self, file):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.azure.ports['mqtt']}",
                               "-servername", "localhost", "-CAfile", str(file), "-verify_return_error"],
                              input=b"", capture_output=True, timeout=30, check=False)
        return done.returncode == 0 and b"Verify return code: 0 (ok)" in done.stdout

    def publish(self, file):
        user, token = self.credentials()
        return subprocess.run(
            ["mosquitto_pub", "-h", "localhost", "-p", str(self.azure.ports["mqtt"]), "--cafile", str(file),
             "-V", "mqttv311", "-q", "1", "-i", "dev-01", "-u", user, "-P", token, "-t", TOPIC, "-m", "x"],
            capture_output=True, timeout=30, check=False).returncode == 0

    @proves("T-MITM-01")
    def test_another_root_takes_over_and_goes_again(self):
        first = self.azure.state / "tls/ca.pem"
        second = self.azure.state / "tls/rollover/ca.pem"
        both = self.azure.state / "both.pem"
        both.write_text(first.read_text() + second.read_text())
        state = lambda: [(self.trusted(file), self.publish(file)) for file in (first, second, both)]  # noqa: E731
        yes, no = (True, True), (False, False)
        self.assertEqual(state(), [yes, no, yes])
        with self.connected() as kept, Mqtt(self.azure.ports["mqtt"], self.azure.ca):
            self.ask("/certificate-rollover?cut=0", "POST")
            self.assertEqual(self.pinged(kept), PONG)  # who is there is not touched
            with self.assertRaises(ssl.SSLError):
                Mqtt(self.azure.ports["mqtt"], first)
            self.assertEqual(state(), [no, yes, yes])
        self.ask("/certificate-rollover", "DELETE")
        self.assertEqual(state(), [yes, no, yes])
        with self.connected() as cut:
            self.ask("/certificate-rollover?cut=1", "POST")
            self.assertTrue(cut.closed())
        self.assertGreater(self.fired("certificate-rollover"), 0)
        old = second.read_text()
        self.ask("/certificate-rollover?fresh=1", "POST")
        self.assertNotEqual(second.read_text(), old)
        self.assertEqual(state(), [no, yes, no])  # nobody could know this one before

    # -- one device, other hubs --------------------------------------------------------------------
    @proves("T-TOK-05")
    def test_the_token_of_one_device_expires(self):
        self.azure.register(self.group["primary_key"], "dev-02")
        host = self.azure.hub
        other = (f"{host}/dev-02/?api-version=2021-04-12",
                 sas(derive(self.group["primary_key"], "dev-02"), f"{host}/devices/dev-02"))
        with self.connected() as concerned, Mqtt(self.azure.ports["mqtt"], self.azure.ca) as spared:
            self.assertEqual(spared.connect("dev-02", *other)[1], 0)
            self.ask("/expired-tokens?device=dev-01&count=1", "POST")
            self.assertTrue(concerned.closed())
            self.assertEqual(self.pinged(spared), PONG)
        with Mqtt(self.azure.ports["mqtt"], self.azure.ca) as client:
            self.assertEqual(client.connect("dev-02", *other)[1], 0)
        self.assertEqual([self.code(), self.code()], [5, 0])

    @proves("T-ID-02")
    def test_a_hub_fails_over_to_another_through_dps(self):
        other = f"127.0.0.1:{self.azure.ports['mqtt']}"
        client = self.connected()
        self.ask(f"/hub-failover?hub={other}", "POST")
        self.assertTrue(client.closed())
        self.assertEqual((self.code(), self.code(other)), (5, 0))
        self.assertEqual(self.azure.register(self.group["primary_key"], "dev-01")["assignedHub"], other)
        self.assertGreaterEqual(self.fired("hub-failover"), 2)
        self.ask("/hub-failover", "DELETE")
        self.assertEqual((self.code(), self.code(other)), (0, 0))
        self.assertEqual(self.azure.register(self.group["primary_key"], "dev-01")["assignedHub"], self.azure.hub)

    # -- malformed replies -------------------------------------------------------------------------
    def twin(self, client):
        client.send(packet(0x82, b"\0\1" + text("$iothub/twin/res/#") + b"\0"))
        self.assertEqual(client.receive()[0], 0x90)
        client.send(publish_packet(TWIN_GET, "", qos=0))
        return client.receive()

    @proves("T-DOS-03")
    def test_replies_of_mqtt_are_broken_one_by_one(self):
        self.ask("/malformed?kind=connack&count=1", "POST")
        with Mqtt(self.azure.ports["mqtt"], self.azure.ca) as client:
            user, token = self.credentials()
            client.send(connect_packet("dev-01", user, token))
            first, body = client.receive()
            self.assertTrue(len(body) != 2 or body[0] > 1 or body[1] > 5, (first, body))
        with self.connected() as client:
            self.ask("/malformed?kind=packet-id&count=1", "POST")
            client.send(publish_packet(TOPIC, "x", 1) + publish_packet(TOPIC, "x", 2))
            self.assertEqual([client.receive() for _ in range(2)], [(0x40, b"\x80\1"), (0x40, b"\0\2")])
            self.ask("/malformed?kind=twin-json&count=1", "POST")
            body = self.twin(client)[1].split(b"rid=1", 1)[1]
            try:
                twin = json.loads(body)
                self.assertFalse(isinstance(twin, dict) and isinstance(twin.get("desired"), dict)
                                 and isinstance(twin["desired"].get("$version"), int))
            except ValueError:
                pass
            json.loads(self.twin(client)[1].split(b"rid=1", 1)[1])["desired"]["$version"] += 0  # the control
            self.ask("/malformed?kind=truncated&count=1", "POST")
            client.send(publish_packet(TOPIC, "x", 3))
            self.assertEqual(client.socket.recv(100), b"\x40\x02")  # the first half of a PUBACK, then the end
            self.assertTrue(client.closed())

    @proves("T-DOS-03")
    def test_replies_of_https_are_broken(self):
        token = self.service_token()
        get = lambda: self.azure.https("GET", "/devices/dev-01", token)  # noqa: E731
        self.ask("/malformed?kind=http-json&count=1", "POST")
        with self.assertRaises(ValueError):
            get()
        self.ask("/malformed?kind=http-html&count=1", "POST")
        with self.assertRaises(ValueError):
            get()
        self.ask("/malformed?kind=http-cut&count=1", "POST")
        with self.assertRaises(Exception) as cut:  # http.client.IncompleteRead
            get()
        self.assertEqual(type(cut.exception).__name__, "IncompleteRead")
        self.assertEqual(get()[0], 200)


if __name__ == "__main__":
    main()
