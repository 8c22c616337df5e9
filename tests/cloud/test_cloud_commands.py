"""The command line as a client of the service API: each command against a running server, and its one error line."""
import json
import subprocess
import threading
import unittest

from cloud.local_azure import BINARY, LocalAzure, sas
from cloud.mqtt_client import Mqtt, packet, publish_packet, text
from support.proves import main, proves


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure().__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)

    def run_command(self, *arguments):
        return subprocess.run([str(BINARY), *arguments, "--state", str(self.azure.state)], capture_output=True,
                              text=True, timeout=60, check=False)

    def rows(self, *arguments):
        done = self.run_command(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def refused(self, words, *arguments):
        done = self.run_command(*arguments)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(words, done.stderr)

    def test_the_registry(self):
        made = self.rows("registry", "create", "--id", "r 1".replace(" ", "-"))[0]
        self.assertEqual(made["deviceId"], "r-1")
        self.assertEqual(self.rows("registry", "show", "--id", "r-1")[0]["authentication"], made["authentication"])
        self.refused("DeviceAlreadyExists", "registry", "create", "--id", "r-1")
        self.assertEqual(self.rows("registry", "create", "--id", "r-1", "--module", "m")[0]["moduleId"], "m")
        self.assertEqual([row["moduleId"] for row in self.rows("registry", "list", "--id", "r-1")], ["m"])
        self.assertIn("r-1", [row["deviceId"] for row in self.rows("registry", "list")])
        self.assertEqual(self.rows("registry", "delete", "--id", "r-1", "--module", "m"), [])
        self.assertEqual(self.rows("registry", "delete", "--id", "r-1"), [])
        self.refused("DeviceNotFound", "registry", "show", "--id", "r-1")

    def test_twins_queries_and_statistics(self):
        for number in range(5):
            self.rows("registry", "create", "--id", f"t-{number}")
        change = json.dumps({"tags": {"ward": "a"}, "properties": {"desired": {"on": True}}})
        twin = self.rows("twin", "patch", "--id", "t-1", "--body", change)[0]
        self.assertEqual(self.rows("twin", "get", "--id", "t-1")[0]["tags"], {"ward": "a"})
        self.refused("PreconditionFailed", "twin", "replace", "--id", "t-1", "--body", "{}", "--etag", "AAAA")
        self.rows("twin", "replace", "--id", "t-1", "--body", '{"tags":{"ward":"b"}}', "--etag", twin["etag"])
        self.assertNotIn("on", self.rows("twin", "get", "--id", "t-1")[0]["properties"]["desired"])
        self.refused("DeviceNotFound", "twin", "get", "--id", "nobody")
        rows = self.rows("query", "SELECT deviceId FROM devices WHERE STARTSWITH(deviceId, 't-')", "--page-size", "2")
        self.assertEqual([row["deviceId"] for row in rows], [f"t-{n}" for n in range(5)])  # three pages
        self.refused("column", "query", "SELECT nonsense nonsense")
        totals = self.rows("statistics")
        self.assertGreaterEqual(totals[0]["totalDeviceCount"], 5)
        self.assertEqual(totals[1], {"connectedDeviceCount": 0})

    @proves("T-TOK-03")
    def test_the_admin_port_asks_for_the_same_token(self):
        import urllib.error
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.azure.admin("/service/devices/any")
        self.assertEqual(refused.exception.code, 401)

    def test_methods(self):
        key = self.azure.device("m-1")["primary_key"]
        self.refused("Timed out", "method", "--id", "m-1", "--name", "reboot", "--timeout", "5")
        self.refused("--payload is no JSON", "method", "--id", "m-1", "--name", "reboot", "--payload", "{")
        with Mqtt(self.azure.ports["mqtt"], self.azure.ca) as client:
            host = self.azure.hub
            client.connect("m-1", f"{host}/m-1/?api-version=2021-04-12", sas(key, f"{host}/devices/m-1"))
            client.send(packet(0x82, b"\0\1" + text("$iothub/methods/POST/#") + b"\0"))
            client.receive()
            answers = []
            caller = threading.Thread(target=lambda: answers.extend(
                self.rows("method", "--id", "m-1", "--name", "reboot", "--payload", '{"in":5}')))
            caller.start()
            _, body = client.receive()
            request = body[2:].split(b"?$rid=", 1)[1].split(b"{", 1)[0].decode()
            self.assertTrue(body.endswith(b'{"in":5}'))
            client.send(publish_packet(f"$iothub/methods/res/200/?$rid={request}", '{"ok":1}', qos=0))
            caller.join(30)
        self.assertEqual(answers, [{"payload": {"ok": 1}, "status": 200}])

    def test_enrolments_and_messages(self):
        self.azure.group("fleet")
        self.assertEqual([row["enrollmentGroupId"] for row in self.rows("enrolment", "list")], ["fleet"])
        self.assertEqual(self.rows("enrolment", "get", "--name", "fleet")[0]["enrollmentGroupId"], "fleet")
        self.rows("enrolment", "delete", "--name", "fleet")
        self.assertEqual(self.rows("enrolment", "list"), [])
        done = self.run_command("enrolment", "get", "--name", "fleet")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1))
        self.rows("registry", "create", "--id", "c-1")
        for _ in range(3):
            self.azure.command("send", "--id", "c-1", "--body", "x")
        self.assertEqual(self.rows("twin", "get", "--id", "c-1")[0]["cloudToDeviceMessageCount"], 3)
        query = "SELECT deviceId FROM devices WHERE cloudToDeviceMessageCount = 3"
        self.assertEqual(self.rows("query", query), [{"deviceId": "c-1"}])
        self.assertEqual(self.rows("purge", "--id", "c-1")[0]["totalMessagesPurged"], 3)
        self.assertEqual(self.rows("twin", "get", "--id", "c-1")[0]["cloudToDeviceMessageCount"], 0)

    def test_single_enrolments_registrations_and_jobs(self):
        single = ("--kind", "individual")
        made = self.rows("enrolment", "create", "--name", "one", *single, "--body", '{"deviceId":"One"}')[0]
        self.assertEqual(made["deviceId"], "One")
        self.refused("exists", "enrolment", "create", "--name", "one", *single)
        self.rows("enrolment", "update", "--name", "one", *single, "--body", '{"provisioningStatus":"disabled"}')
        row = self.rows("enrolment", "list", *single)[0]
        self.assertEqual((row["provisioningStatus"], row["deviceId"]), ("disabled", "One"))
        keys = self.rows("enrolment", "attestation", "--name", "one", *single)[0]["symmetricKey"]
        self.assertEqual(keys, made["attestation"]["symmetricKey"])
        self.azure.register(self.azure.group("ward")["primary_key"], "w-1")
        self.assertEqual([row["registrationId"] for row in self.rows("registration", "list", "--group", "ward")], ["w-1"])
        self.rows("registration", "delete", "--id", "w-1")
        self.rows("enrolment", "delete", "--name", "ward")
        self.rows("job", "twin", "--id", "far", "--condition", "*", "--start", "2100-01-01T00:00:00Z", "--body",
                  '{"tags":{"a":1}}')
        self.assertEqual([row["status"] for row in self.rows("job", "list")], ["scheduled"])
        self.assertEqual(self.rows("job", "cancel", "--id", "far")[0]["status"], "cancelled")
        self.refused("is over", "job", "cancel", "--id", "far")
        self.assertEqual(self.rows("call", "GET", "/deviceUpdate/default/updates?api-version=2022-10-01")[0]["value"], [])

    def test_without_a_server_it_says_so(self):
        with LocalAzure() as other:
            other.stop()
            done = subprocess.run([str(BINARY), "statistics", "--state", str(other.state)], capture_output=True,
                                  text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1))
        self.assertIn("is mitral-cloud running", done.stderr)



if __name__ == "__main__":
    main()
