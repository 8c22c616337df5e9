"""Faults on demand, seen from the outside; each with its control: off, and all is as before."""
import json
import socket
import subprocess
import time
import urllib.error

from cloud.fault_case import TOPIC, FaultCase
from cloud.local_azure import BINARY, derive, sas
from cloud.mqtt_client import Mqtt, connect_packet, packet, publish_packet
from support.proves import main, proves


class Faults(FaultCase):
    # -- the hub -----------------------------------------------------------------------------------
    @proves("T-DOS-03")
    def test_throttled_connects_get_code_3(self):
        before = self.fired("throttle-connects")
        with self.connected() as steady:
            self.ask("/throttle-connects?count=2", "POST")
            self.assertEqual(self.row("throttle-connects")["count_left"], 2)
            steady.send(packet(0xC0))
            self.assertEqual(steady.receive(), (0xD0, b""))  # who is connected is not concerned
        self.assertEqual([self.code() for _ in range(3)], [3, 3, 0])
        row = self.row("throttle-connects")
        self.assertEqual((row["on"], row["fired"] - before), (False, 2))

    def test_telemetry_above_the_rate_waits_and_then_costs_the_connection(self):
        stored, fired = self.stored(), self.fired("throttle-telemetry")
        self.ask("/throttle-telemetry?per_second=4&queue_ms=600", "POST")
        with self.connected() as client:
            start = time.monotonic()
            client.send(b"".join(publish_packet(TOPIC, f"t{i}", i) for i in (1, 2)))
            self.assertEqual([client.receive() for _ in range(2)], [(0x40, b"\0\1"), (0x40, b"\0\2")])
            self.assertGreaterEqual(time.monotonic() - start, 0.2)  # the second one waited its turn
            client.send(b"".join(publish_packet(TOPIC, f"t{i}", i) for i in range(3, 40)))
            while client.receive():
                pass  # what found room is acknowledged, then the hub hangs up
        self.assertGreaterEqual(self.fired("throttle-telemetry") - fired, 2)
        self.assertLess(self.stored() - stored, 10)
        self.ask("/throttle-telemetry", "DELETE")
        with self.connected() as client:
            client.send(b"".join(publish_packet(TOPIC, f"t{i}", i) for i in range(1, 40)))
            self.assertEqual([client.receive()[0] for _ in range(39)], [0x40] * 39)

    @proves("T-DOS-03")
    def test_a_used_up_quota_takes_the_connection_and_drops_it_at_the_first_message(self):
        stored = self.stored()
        self.ask("/daily-quota", "POST")
        with self.connected() as client:
            client.send(packet(0xC0))
            self.assertEqual(client.receive(), (0xD0, b""))
            client.send(publish_packet(TOPIC, "x", 1))
            self.assertTrue(client.closed())
        self.assertEqual((self.stored(), self.row("daily-quota")["on"]), (stored, True))
        self.ask("/daily-quota", "DELETE")
        with self.connected() as client:
            client.send(publish_packet(TOPIC, "x", 1))
            self.assertEqual(client.receive(), (0x40, b"\0\1"))
        self.assertEqual(self.stored(), stored + 1)

    def test_a_slow_puback_is_late_in_order_and_after_the_message_is_stored(self):
        stored, fired = self.stored(), self.fired("slow-puback")
        self.ask("/slow-puback?delay_ms=400&count=1", "POST")
        with self.connected() as client:
            start = time.monotonic()
            client.send(publish_packet(TOPIC, "held", 1) + publish_packet(TOPIC, "behind", 2) + packet(0xC0))
            self.assertEqual(client.receive(), (0xD0, b""))  # the rest of the connection is not slow
            self.assertEqual(self.stored(), stored + 2)
            self.assertEqual([client.receive() for _ in range(2)], [(0x40, b"\0\1"), (0x40, b"\0\2")])
            self.assertGreaterEqual(time.monotonic() - start, 0.4)
            client.send(publish_packet(TOPIC, "swift", 3) + packet(0xC0))
            self.assertEqual([client.receive()[0] for _ in range(2)], [0x40, 0xD0])  # the control: in order
        self.assertEqual(self.fired("slow-puback") - fired, 1)

    @proves("T-DOS-03")
    def test_a_silent_hub_takes_all_and_answers_nothing(self):
        stored, fired = self.stored(), self.fired("silent-hub")
        old = self.connected()
        self.ask("/silent-hub", "POST")
        new = Mqtt(self.azure.ports["mqtt"], self.azure.ca)
        new.send(connect_packet("dev-01", *self.credentials()))
        old.send(publish_packet(TOPIC, "x", 1) + packet(0xC0))
        for client in (old, new):
            client.socket.settimeout(0.5)
            with self.assertRaises(socket.timeout):
                client.socket.recv(1)
        self.assertEqual((self.fired("silent-hub") - fired, self.stored()), (2, stored))
        self.ask("/silent-hub", "DELETE")
        for client in (old, new):
            client.socket.settimeout(15)
            self.assertTrue(client.closed())
            client.socket.close()
        with self.connected() as client:
            client.send(packet(0xC0))
            self.assertEqual(client.receive(), (0xD0, b""))

    @proves("T-TOK-05")
    def test_a_token_that_expires_now_costs_the_connection(self):
        client = self.connected()
        self.ask("/expired-tokens?count=1", "POST")
        self.assertTrue(client.closed())
        self.assertEqual([self.code(), self.code()], [5, 0])

    def test_all_connections_are_dropped(self):
        with self.connected() as client:
            self.assertEqual(self.ask("/drop?all=1", "POST"), {"dropped": 1})
            self.assertTrue(client.closed())
        self.assertGreaterEqual(self.fired("drop"), 1)

    @proves("T-DOS-03")
    def test_the_hub_is_away_for_a_while(self):
        fired = self.fired("hub-away")
        with self.connected() as client:
            self.assertEqual(self.ask("/hub-away?seconds=60", "POST"), {"dropped": 1})
            self.assertTrue(client.closed())
        with self.assertRaises(OSError):
            Mqtt(self.azure.ports["mqtt"], self.azure.ca)
        self.assertEqual(self.fired("hub-away") - fired, 2)
        self.assertLessEqual(self.row("hub-away")["ends_in_s"], 60)

    def test_a_fault_ends_by_itself(self):
        self.ask("/throttle-connects?seconds=1", "POST")
        self.assertEqual(self.code(), 3)
        deadline = time.monotonic() + 20
        while self.row("throttle-connects")["on"]:
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(self.code(), 0)

    # -- DPS ---------------------------------------------------------------------------------------
    def registration(self):
        scope = self.azure.ports["id_scope"]
        token = sas(derive(self.group["primary_key"], "dev-01"), f"{scope}/registrations/dev-01", policy="registration")
        return self.azure.https("PUT", f"/{scope}/registrations/dev-01/register?api-version=2021-06-01", token,
                                {"registrationId": "dev-01"})

    @proves("T-DOS-03")
    def test_dps_is_throttled(self):
        self.ask("/dps-throttled?retry_after=7&count=1", "POST")
        status, headers, body = self.registration()
        self.assertEqual((status, headers["retry-after"], body["errorCode"]), (429, "7", 429001))
        self.assertEqual(self.registration()[0], 202)

    def test_dps_is_unreachable(self):
        fired = self.fired("dps-unreachable")
        self.ask("/dps-unreachable", "POST")
        with self.assertRaises(OSError):
            self.registration()
        self.assertEqual(self.fired("dps-unreachable") - fired, 1)
        self.ask("/dps-unreachable", "DELETE")
        self.assertEqual(self.registration()[0], 202)

    @proves("T-ID-02")
    def test_dps_assigns_another_hub_and_the_first_one_forgets_the_device(self):
        other = f"127.0.0.1:{self.azure.ports['mqtt']}"
        self.assertEqual((self.code(), self.code(other)), (0, 0))  # the control: two names of one hub
        client = self.connected()
        self.ask(f"/dps-reassigning?hub={other}", "POST")
        self.assertEqual(self.azure.register(self.group["primary_key"], "dev-01")["assignedHub"], other)
        self.assertTrue(client.closed())
        self.assertEqual((self.code(), self.code(other)), (5, 0))
        self.ask("/dps-reassigning", "DELETE")
        self.assertEqual((self.code(), self.code(other)), (5, 0))  # until it registers again
        self.assertEqual(self.azure.register(self.group["primary_key"], "dev-01")["assignedHub"], self.azure.hub)
        self.assertEqual(self.code(), 0)

    # -- the switchboard itself --------------------------------------------------------------------
    @proves("CR 3.5")
    def test_what_is_not_understood_is_refused_in_one_line(self):
        for path, words in (("/rain", "no fault has this name"),
                            ("/slow-puback", "delay_ms is missing"),
                            ("/slow-puback?delay_ms=0", "delay_ms is a whole number from 1"),
                            ("/slow-puback?delay_ms=12x", "delay_ms is a whole number from 1"),
                            ("/slow-puback?delay_ms=5&delay=5", "slow-puback takes seconds, count, delay_ms"),
                            ("/silent-hub?count=1", "silent-hub takes seconds"),
                            ("/throttle-connects?count=0", "count is a whole number from 1"),
                            ("/throttle-connects?seconds=-1", "seconds is a whole number from 1"),
                            ("/dps-reassigning", "hub is missing"),
                            ("/dps-reassigning?hub=a%2Fb", "hub is a host name"),
                            ("/hub-away", "seconds is missing"), ("/drop", "drop takes device=ID or all=1")):
            with self.subTest(path), self.assertRaises(urllib.error.HTTPError) as refused:
                self.ask(path, "POST")
            answer = refused.exception.read().decode()
            self.assertEqual(refused.exception.code, 400)
            self.assertIn(words, json.loads(answer)["Message"])
            self.assertNotIn("\n", answer)
        self.assertFalse(any(row["on"] for row in self.ask("")["faults"]))

    def test_the_command_line_sets_shows_and_clears(self):
        row = self.azure.command("fault", "--name", "slow-puback", "--with", "delay_ms=5", "--with", "count=3")[0]
        self.assertEqual((row["on"], row["count_left"], row["parameters"]), (True, 3, {"delay_ms": 5}))
        self.assertIn(row, self.azure.command("faults"))
        self.assertFalse(self.azure.command("clear-fault", "--name", "slow-puback")[0]["on"])
        wrong = subprocess.run([str(BINARY), "fault", "--name", "rain", "--state", str(self.azure.state)],
                               capture_output=True, text=True, check=False)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("no fault has this name", wrong.stderr)
        self.assertEqual(wrong.stderr.count("\n"), 1)

    def test_strikes_stand_among_the_metrics(self):
        self.ask("/throttle-connects?count=1", "POST")
        self.code()
        self.assertIn(f'mitral_cloud_faults_fired_total{{fault="throttle-connects"}} {self.fired("throttle-connects")}',
                      self.azure.admin("/metrics"))


if __name__ == "__main__":
    main()
