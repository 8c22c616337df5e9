"""Every message that was acknowledged is in the log, although the process is killed in mid-burst."""
import os
import random
import signal
import subprocess
import threading
import time
import unittest

from cloud.local_azure import BINARY, LocalAzure, sas
from cloud.mqtt_client import Mqtt, publish_packet
from support.proves import main, proves

ROUNDS = 6
WINDOW = 200


class Publisher(threading.Thread):
    """Publishes numbered messages with a window of unacknowledged ones until the connection breaks."""

    def __init__(self, azure, device, round_number):
        super().__init__(daemon=True)
        self.azure, self.device, self.round = azure, device, round_number
        self.acknowledged = set()
        self.started = threading.Event()

    def run(self):
        name = self.device["deviceId"]
        hub = self.azure.hub
        client = Mqtt(self.azure.ports["mqtt"], self.azure.ca)
        assert client.connect(name, f"{hub}/{name}/?api-version=2021-04-12",
                              sas(self.device["primary_key"], f"{hub}/devices/{name}"))[1] == 0
        in_flight, number = {}, 0
        try:
            while True:
                batch = b""
                while len(in_flight) < WINDOW:
                    number += 1
                    packet_id = number % 65535 + 1
                    in_flight[packet_id] = f"{name}/{self.round}/{number}"
                    batch += publish_packet(f"devices/{name}/messages/events/%24.mid={in_flight[packet_id]}",
                                            b"x" * 300, packet_id)
                client.send(batch)
                for _ in range(WINDOW // 2):
                    answer = client.receive()
                    if answer is None:
                        return
                    assert answer[0] == 0x40
                    self.acknowledged.add(in_flight.pop(int.from_bytes(answer[1], "big")))
                self.started.set()
        except OSError:
            pass
        finally:
            self.started.set()


def burst(azure, devices, number, dice):
    """Devices publish until the server is killed in the midst of it; returns what was acknowledged."""
    publishers = [Publisher(azure, device, number) for device in devices]
    for publisher in publishers:
        publisher.start()
    for publisher in publishers:
        assert publisher.started.wait(30)
    time.sleep(dice.uniform(0.0, 0.4))  # where in the burst it dies
    assert azure.stop(signal.SIGKILL) == -signal.SIGKILL
    for publisher in publishers:
        publisher.join(30)
    return set().union(*(publisher.acknowledged for publisher in publishers))


def lost(acknowledged, rows):
    return acknowledged - {row["mid"] for row in rows}


class Durability(unittest.TestCase):
    @proves("T-DATA-01", "CR 3.4")
    def test_acknowledged_messages_survive_kill_9(self):
        dice = random.Random(7)
        acknowledged = set()
        with LocalAzure() as azure:
            ports = {name: azure.ports[name] for name in ("mqtt", "https", "admin")}
            devices = [azure.device(f"burst-{i}") for i in range(3)]
            for number in range(ROUNDS):
                acknowledged |= burst(azure, devices, number, dice)
                azure.start(**ports)
            rows = azure.messages()
            self.assertGreater(len(acknowledged), 1000)
            self.assertEqual(lost(acknowledged, rows), set())
            self.assertEqual([row["offset"] for row in rows], list(range(len(rows))))
            print(f"acknowledged {len(acknowledged)}, stored {len(rows)}, kills {ROUNDS}")
            self.assertEqual(azure.stop(), 0, azure.log()[-4000:])

    @proves("T-DATA-01")
    def test_control_a_log_that_lost_its_end_is_noticed(self):
        # What a server would leave behind that acknowledges first and writes later.
        with LocalAzure() as azure:
            acknowledged = burst(azure, [azure.device("burst")], 0, random.Random(7))
            segment = max((azure.state / "messages").iterdir())
            os.truncate(segment, segment.stat().st_size * 9 // 10)
            azure.start()
            rows = azure.messages()
            self.assertGreater(len(lost(acknowledged, rows)), 0)
            self.assertEqual([row["offset"] for row in rows], list(range(len(rows))))

    def log_with(self, azure, messages=200):
        device = azure.device("burst")
        with Mqtt(azure.ports["mqtt"], azure.ca) as client:
            name = device["deviceId"]
            self.assertEqual(client.connect(name, f"{azure.hub}/{name}/?api-version=2021-04-12",
                                            sas(device["primary_key"], f"{azure.hub}/devices/{name}"))[1], 0)
            for number in range(messages):
                client.send(publish_packet(f"devices/{name}/messages/events/", b"x" * 300, number + 1))
                self.assertEqual(client.receive()[0], 0x40)
        return min((azure.state / "messages").iterdir())

    def missing(self, azure):
        return int(next(line.split()[1] for line in azure.admin("/metrics").splitlines()
                        if line.startswith("mitral_cloud_log_missing_messages ")))

    @proves("T-DATA-01", "CR 3.4")
    def test_damage_in_the_middle_is_told(self):
        with LocalAzure() as azure:
            segment = self.log_with(azure)
            self.assertEqual(azure.stop(), 0)
            content = bytearray(segment.read_bytes())
            content[len(content) // 2] ^= 0x20
            segment.write_bytes(content)
            azure.start()
            rows = azure.messages()
            self.assertEqual(len(rows), 199)
            gone = set(range(200)) - {row["offset"] for row in rows}
            self.assertEqual(len(gone), 1)
            self.assertEqual(self.missing(azure), 1)
            self.assertIn(f"message-log-damaged first_missing={gone.pop()} missing=1", azure.log())
            # What comes then neither takes its place nor is hidden by it.
            self.log_with(azure, 1)
            self.assertEqual(azure.messages(200)[0]["offset"], 200)

    @proves("T-DATA-01")
    def test_control_a_whole_log_is_not_called_damaged(self):
        with LocalAzure() as azure:
            self.log_with(azure)
            self.assertEqual(azure.stop(), 0)
            azure.start()
            self.assertEqual((len(azure.messages()), self.missing(azure)), (200, 0))
            self.assertNotIn("message-log-damaged", azure.log())

    def test_two_servers_never_share_a_state(self):
        with LocalAzure() as azure:
            second = subprocess.run([str(BINARY), "serve", "--state", str(azure.state), "--mqtt-port", "0", "--https-port",
                                     "0", "--admin-port", "0"], capture_output=True, text=True, timeout=20)
            self.assertEqual(second.returncode, 1)
            self.assertIn("another mitral-cloud", second.stderr)
            self.assertEqual(azure.admin("/ready"), '{"ready":true}')

    @proves("T-DATA-01", "T-DOS-02")
    def test_a_full_disk_acknowledges_nothing(self):
        # RLIMIT_FSIZE stands in for a full disk: write(2) fails in the same place.
        with LocalAzure() as azure:
            device = azure.device("full")
            name = device["deviceId"]
            limit = 64 * 1024
            subprocess.run(["prlimit", "--pid", str(azure.process.pid), f"--fsize={limit}:{limit}"], check=True)
            with Mqtt(azure.ports["mqtt"], azure.ca) as client:
                token = sas(device["primary_key"], f"{azure.hub}/devices/{name}")
                self.assertEqual(client.connect(name, f"{azure.hub}/{name}/?api-version=2021-04-12", token)[1], 0)
                acknowledged = 0
                for i in range(1, 200):
                    client.send(publish_packet(f"devices/{name}/messages/events/", b"x" * 1000, i))
                    if client.receive() is None:
                        break
                    acknowledged += 1
                self.assertLess(acknowledged, 60)
            self.assertEqual(len(azure.messages()), acknowledged)


if __name__ == "__main__":
    main()
