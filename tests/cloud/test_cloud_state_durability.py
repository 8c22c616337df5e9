"""Twins, messages to devices and the registry: what was answered with success survives kill -9 and a full disk."""
import http.client
import json
import random
import signal
import ssl
import subprocess
import threading
import unittest

from cloud.local_azure import LocalAzure, sas
from cloud.mqtt_client import Mqtt, packet, text
from support.proves import main, proves

VERSION = "api-version=2021-04-12"
ROUNDS = 4


class Writer(threading.Thread):
    """Counts in a twin's desired properties and settles messages until the server is gone."""

    def __init__(self, azure, first):
        super().__init__(daemon=True)
        self.azure, self.counter = azure, first
        self.token = sas(azure.policy("iothubowner")["primary_key"], azure.hub, policy="iothubowner")
        self.settled = set()
        self.enough = threading.Event()

    def call(self, connection, method, path, body=None):
        headers = {"Authorization": self.token}
        connection.request(method, f"{path}?{VERSION}", body=body and json.dumps(body), headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def run(self):
        context = ssl.create_default_context(cafile=self.azure.ca)
        connection = http.client.HTTPSConnection("localhost", self.azure.ports["https"], context=context, timeout=20)
        try:
            for turn in range(1_000_000):
                change = {"properties": {"desired": {"counter": self.counter + 1}}}
                assert self.call(connection, "PATCH", "/twins/kept", change)[0] == 200
                self.counter += 1
                name = f"{self.counter}"
                self.azure.admin(f"/devices/kept/messages?mid={name}", "POST", b"{}")
                _, headers, _ = self.call(connection, "GET", "/devices/kept/messages/devicebound")
                lock = headers["ETag"].strip('"')
                assert self.call(connection, "DELETE", f"/devices/kept/messages/devicebound/{lock}")[0] == 204
                self.settled.add(headers["iothub-messageid"])
                if turn == 5:
                    self.enough.set()
        except (OSError, http.client.HTTPException):
            pass
        finally:
            self.enough.set()


class StateDurability(unittest.TestCase):
    def https(self, azure, method, path, body=None):
        token = sas(azure.policy("iothubowner")["primary_key"], azure.hub, policy="iothubowner")
        return azure.https(method, f"{path}?{VERSION}", token, body)

    @proves("T-DATA-01", "CR 3.4")
    def test_what_was_answered_survives_kill_9(self):
        dice = random.Random(3)
        with LocalAzure() as azure:
            azure.device("kept")
            counter = 0
            for _ in range(ROUNDS):
                writer = Writer(azure, counter)
                writer.start()
                self.assertTrue(writer.enough.wait(60))
                writer.join(dice.uniform(0, 0.1))  # where in its work it dies
                azure.stop(signal.SIGKILL)
                writer.join(60)
                azure.start()
                twin = self.https(azure, "GET", "/twins/kept")[2]
                counter = twin["properties"]["desired"]["counter"]
                self.assertIn(counter, (writer.counter, writer.counter + 1))
                self.assertEqual(twin["properties"]["desired"]["$version"], counter + 1)
                left = []
                while (answer := self.https(azure, "GET", "/devices/kept/messages/devicebound"))[0] == 200:
                    left.append(answer[1]["iothub-messageid"])
                self.assertEqual(writer.settled & set(left), set())  # none of them comes again
                self.https(azure, "DELETE", "/devices/kept/commands")

    @proves("T-DATA-01", "T-DOS-02")
    def test_a_full_disk_refuses_changes_and_keeps_what_was(self):
        # RLIMIT_FSIZE stands in for a full disk, as in test_cloud_durability.py.
        def limit(azure, size):
            subprocess.run(["prlimit", "--pid", str(azure.process.pid), f"--fsize={size}:"], check=True)

        with LocalAzure() as azure:
            azure.device("full")
            limit(azure, 64 * 1024)
            taken = 0
            for number in range(200):
                status = self.https(azure, "PATCH", "/twins/full", {"tags": {"n": number, "x": "y" * 3000}})[0]
                if status != 200:
                    break
                taken += 1
            self.assertEqual(status, 500)
            self.assertEqual(self.https(azure, "PUT", "/devices/new", {})[0], 500)
            limit(azure, "unlimited")
            twin = self.https(azure, "GET", "/twins/full")[2]
            self.assertEqual(twin["tags"].get("n"), taken - 1 if taken else None)
            self.assertEqual(self.https(azure, "GET", "/devices/new")[0], 404)
            self.assertEqual(self.https(azure, "PUT", "/devices/new", {})[0], 200)  # and it goes on
            self.assertEqual(azure.stop(), 0)

    @proves("CR 2.1", "T-ID-02")
    def test_a_new_identity_finds_no_session_of_the_old_one(self):
        def connect(azure, device, module=None):
            path, client = (f"/devices/{device}", device)
            if module:
                path, client = (f"{path}/modules/{module}", f"{device}/{module}")
            key = self.https(azure, "GET", path)[2]["authentication"]["symmetricKey"]["primaryKey"]
            mqtt = Mqtt(azure.ports["mqtt"], azure.ca)
            token = sas(key, f"{azure.hub}{path}")
            answer = mqtt.connect(client, f"{azure.hub}/{client}/?{VERSION}", token, clean=False)
            self.assertEqual(answer[1], 0)
            return mqtt, bool(answer[0])

        with LocalAzure() as azure:
            for name in ("gone", "gone0", "gone-1"):
                self.assertEqual(self.https(azure, "PUT", f"/devices/{name}", {})[0], 200)
                self.https(azure, "PUT", f"/devices/{name}/modules/m", {})
                for module in (None, "m"):
                    mqtt, _ = connect(azure, name, module)
                    with mqtt:
                        mqtt.send(packet(0x82, b"\0\7" + text("$iothub/methods/POST/#") + b"\1"))
                        self.assertIsNotNone(mqtt.receive())
            self.assertEqual(self.https(azure, "DELETE", "/devices/gone")[0], 204)
            self.assertEqual(self.https(azure, "DELETE", "/devices/gone-1/modules/m")[0], 204)
            self.https(azure, "PUT", "/devices/gone", {})
            self.https(azure, "PUT", "/devices/gone/modules/m", {})
            self.https(azure, "PUT", "/devices/gone-1/modules/m", {})
            for name, module, present in (("gone", None, False), ("gone", "m", False), ("gone0", None, True),
                                          ("gone0", "m", True), ("gone-1", None, True), ("gone-1", "m", False)):
                mqtt, found = connect(azure, name, module)
                mqtt.close()
                self.assertEqual(found, present, (name, module))


if __name__ == "__main__":
    main()
