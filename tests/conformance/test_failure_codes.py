"""Each way in which hub and DPS refuse: what Microsoft's client makes of it, and what other people's clients see."""
import json
import subprocess
import threading
import unittest

import eclipse
import npm_packages
from cloud.local_azure import LocalAzure, derive, sas
from cloud.mqtt_client import Mqtt, packet, publish_packet, text
from support.proves import main, proves
from test_node_device import Sdk

API = "api-version=2021-10-01"
ACCEPTED, BAD_VERSION, BAD_CLIENT_ID, UNAVAILABLE, REFUSED = 0, 1, 2, 3, 5


def paho_code(azure, client_id, user, password, protocol=eclipse.V311):
    """What the Eclipse client is told in the CONNACK."""
    client = eclipse.client(client_id, clean_session=True, protocol=protocol, reconnect_on_failure=False)
    client.tls_set(azure.ca)
    client.username_pw_set(user, password)
    codes, told = [], threading.Event()

    def on_connect(_client, _data, _flags, code, *_properties):
        codes.append(code)
        told.set()
    client.on_connect = on_connect
    client.connect("localhost", azure.ports["mqtt"], 60)
    client.loop_start()
    try:
        if not told.wait(30):
            raise AssertionError("no CONNACK")
    finally:
        client.disconnect()
        client.loop_stop()
    return codes[0]


class FailureCase(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        if npm_packages.missing_tools():
            raise unittest.SkipTest("node and npm are not installed")
        npm_packages.install()
        cls.azure = LocalAzure(*cls.options).__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        cls.group = cls.azure.group()
        cls.scope = cls.group["id_scope"]

    def fault(self, text_of_fault, method="POST"):
        return json.loads(self.azure.admin(f"/faults{text_of_fault}", method))

    def fired(self, name):
        return next(row for row in self.fault("", "GET")["faults"] if row["name"] == name)["fired"]

    def tearDown(self):
        self.fault("", "DELETE")

    def user(self, device):
        return f"{self.azure.hub}/{device}/?api-version=2021-04-12"

    def put(self, path, body, policy="iothubowner"):
        token = sas(self.azure.policy(policy)["primary_key"], self.azure.hub, policy=policy)
        status, _, answer = self.azure.https("PUT", f"{path}?{API}", token, body, {"If-Match": "*"})
        self.assertEqual(status, 200, answer)

    def disable(self, device):
        self.put(f"/devices/{device}", {"deviceId": device, "status": "disabled"})


class ConnectCodes(FailureCase):
    def test_code_1_for_another_version(self):
        key = self.azure.device("v-1")["primary_key"]
        token = sas(key, f"{self.azure.hub}/devices/v-1")
        self.assertEqual(paho_code(self.azure, "v-1", self.user("v-1"), token), ACCEPTED)  # the control
        self.assertEqual(paho_code(self.azure, "v-1", self.user("v-1"), token, eclipse.V31), BAD_VERSION)
        for version in ("mqttv31", "mqttv5"):
            done = subprocess.run(
                ["mosquitto_pub", "-h", "localhost", "-p", str(self.azure.ports["mqtt"]), "--cafile", self.azure.ca,
                 "-V", version, "-i", "v-1", "-u", self.user("v-1"), "-P", token,
                 "-t", "devices/v-1/messages/events/", "-m", "x", "-q", "1"],
                capture_output=True, text=True, timeout=60, check=False)
            self.assertNotEqual(done.returncode, 0, version)
            self.assertIn("version", done.stderr.lower(), version)

    def test_code_2_for_an_empty_client_id(self):
        key = self.azure.device("v-2")["primary_key"]
        token = sas(key, f"{self.azure.hub}/devices/v-2")
        for client_id, code in (("v-2", ACCEPTED), ("", BAD_CLIENT_ID)):  # Paho would take another id by itself
            with Mqtt(self.azure.ports["mqtt"], self.azure.ca) as client:
                self.assertEqual(client.connect(client_id, self.user("v-2"), token), (0, code))

    @proves("T-DOS-03")
    def test_code_3_is_retried(self):
        """Node takes it for an overload, waits, and is in at the third attempt."""
        device = self.azure.device("v-3")
        before = self.fired("throttle-connects")
        self.fault("/throttle-connects?count=2")
        with Sdk(self.azure) as sdk:
            self.assertTrue(sdk("open", connection=device["connection_string"])["ok"])
        self.assertEqual(self.fired("throttle-connects") - before, 2)
        self.fault("/throttle-connects?count=1")
        token = sas(device["primary_key"], f"{self.azure.hub}/devices/v-3")
        self.assertEqual(paho_code(self.azure, "v-3", self.user("v-3"), token), UNAVAILABLE)

    @proves("T-TOK-02", "T-TOK-05", "CR 1.2", "CR 1.14")
    def test_code_5_and_never_4(self):
        hub = self.azure.hub
        key, other = (self.azure.device(name)["primary_key"] for name in ("v-5", "v-55"))
        off = self.azure.device("v-off")["primary_key"]
        self.disable("v-off")
        good = sas(key, f"{hub}/devices/v-5")
        table = {
            "good": ("v-5", good, ACCEPTED),
            "another key": ("v-5", sas(other, f"{hub}/devices/v-5"), REFUSED),
            "expired": ("v-5", sas(key, f"{hub}/devices/v-5", lifetime=-4000), REFUSED),
            "a flipped bit": ("v-5", good.replace("sig=", "sig=x", 1), REFUSED),
            "of the device whose name begins so": ("v-55", good, REFUSED),
            "unknown device": ("v-none", sas(key, f"{hub}/devices/v-none"), REFUSED),
            "disabled device": ("v-off", sas(off, f"{hub}/devices/v-off"), REFUSED),
            "another hub": ("v-5", sas(key, "other.test/devices/v-5"), REFUSED),
            "no token": ("v-5", "", REFUSED),
            "a word": ("v-5", "secret", REFUSED),
        }
        for name, (device, password, code) in table.items():
            with self.subTest(name):
                self.assertEqual(paho_code(self.azure, device, self.user(device), password), code)
        with Sdk(self.azure) as sdk:
            result = sdk("open", connection=f"HostName={hub};DeviceId=v-off;SharedAccessKey={off}")
            self.assertEqual((result["ok"], result["error"]), (False, "UnauthorizedError"), result)


class ProvisioningCodes(FailureCase):
    def register(self, sdk, name, key=None):
        return sdk("provision", host=f"localhost:{self.azure.ports['mqtt']}", scope=self.scope, registration=name,
                   key=key or derive(self.group["primary_key"], name))

    def ask(self, name, *requests, key=None):
        """(status, body) of each answer over bare MQTT; CONNECT has to be accepted."""
        token = sas(key or derive(self.group["primary_key"], name), f"{self.scope}/registrations/{name}",
                    policy="registration")
        answers = []
        with Mqtt(self.azure.ports["mqtt"], self.azure.ca) as client:
            user = f"{self.scope}/registrations/{name}/api-version=2021-06-01&ClientVersion=1.15.0"
            self.assertEqual(client.connect(name, user, token), (0, 0))
            client.send(packet(0x82, b"\0\1" + text("$dps/registrations/res/#") + b"\1"))
            self.assertEqual(client.receive()[0], 0x90)
            for request in requests:
                operation = answers[-1][1].get("operationId", "") if answers else ""
                client.send(publish_packet(request.format(operation), "{}", qos=0))
                _, body = client.receive()
                size = int.from_bytes(body[:2], "big")
                answers.append((int(body[2:2 + size].split(b"/")[3]), json.loads(body[2 + size:])))
        return answers

    PUT = "$dps/registrations/PUT/iotdps-register/?$rid=1"
    GET = "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId={}"

    def test_assigning_twice_then_assigned(self):
        before = self.fired("dps-assigning")
        self.fault("/dps-assigning?count=2")
        with Sdk(self.azure) as sdk:
            result = self.register(sdk, "p-slow")
        self.assertEqual((result["ok"], result.get("status")), (True, "assigned"), result)
        self.assertEqual(self.fired("dps-assigning") - before, 2)
        self.fault("/dps-assigning?count=1")
        answers = self.ask("p-slow", self.PUT, self.GET, self.GET)
        self.assertEqual([(status, body["status"]) for status, body in answers],
                         [(202, "assigning"), (202, "assigning"), (200, "assigned")])

    def test_custom_allocation_failed(self):
        for code in (400207, 400208, 400209):
            with self.subTest(code), Sdk(self.azure) as sdk:
                self.fault(f"/dps-failed?error_code={code}")
                result = self.register(sdk, "p-fails")
                self.assertFalse(result["ok"], result)
                status, body = self.ask("p-fails", self.PUT, self.GET)[1]
                self.assertEqual((status, body["status"]), (200, "failed"))
                self.assertEqual(body["registrationState"]["errorCode"], code)
                self.fault("", "DELETE")
                self.assertTrue(self.register(sdk, "p-fails")["ok"])  # the control

    @proves("CR 1.2")
    def test_disabled_beats_the_group(self):
        with Sdk(self.azure) as sdk:
            self.assertTrue(self.register(sdk, "p-off")["ok"])  # by its group
            self.put("/enrollments/p-off", {"registrationId": "p-off", "provisioningStatus": "disabled",
                                            "attestation": {"type": "symmetricKey", "symmetricKey": {
                                                "primaryKey": derive(self.group["primary_key"], "p-off"),
                                                "secondaryKey": derive(self.group["secondary_key"], "p-off")}}},
                     "provisioningserviceowner")
            result = self.register(sdk, "p-off")
            # The SDK knows no such state and says so.
            self.assertEqual((result["ok"], result["name"]), (False, "SyntaxError"), result)
            self.assertIn("disabled", result["message"])
        self.assertEqual(self.ask("p-off", self.PUT)[0][1]["registrationState"]["status"], "disabled")

    @proves("CR 1.2", "CR 1.14", "T-TOK-02")
    def test_401_at_the_registration_and_not_before(self):
        stranger = derive(self.group["primary_key"], "p-other")
        status, body = self.ask("p-wrong", self.PUT, key=stranger)[0]
        self.assertEqual((status, body["errorCode"]), (401, 401002))
        self.assertEqual({"trackingId", "message", "timestampUtc"} - set(body), set())
        with Sdk(self.azure) as sdk:
            result = self.register(sdk, "p-wrong", key=stranger)
            self.assertEqual((result["ok"], result["error"]), (False, "UnauthorizedError"), result)

    def test_other_error_codes(self):
        status, body = self.ask("p-lost", self.PUT, self.GET.replace("{}", "4.none.none"))[1]
        self.assertEqual((status, body["errorCode"]), (404, 404202))
        for code in (401000, 401002, 404201, 404202, 404203):
            with self.subTest(code), Sdk(self.azure) as sdk:
                self.fault(f"/dps-failed?error_code={code}")
                status, body = self.ask("p-lost", self.PUT)[0]
                self.assertEqual((status, body["errorCode"]), (code // 1000, code))
                self.assertFalse(self.register(sdk, "p-lost")["ok"])

    @proves("T-DOS-03")
    def test_429_is_sent_again(self):
        before = self.fired("dps-throttled")
        self.fault("/dps-throttled?count=2&retry_after=1")
        with Sdk(self.azure) as sdk:
            result = self.register(sdk, "p-many")
        self.assertEqual((result["ok"], result.get("status")), (True, "assigned"), result)
        self.assertEqual(self.fired("dps-throttled") - before, 2)
        self.fault("/dps-throttled?count=1&retry_after=9")
        status, body = self.ask("p-many", self.PUT)[0]
        self.assertEqual((status, body["errorCode"]), (429, 429001))


class AsObserved(FailureCase):
    """What people saw instead of what is documented: only when asked for. The other classes hold the documented side,
    as the tests of the room do for QoS 2, RETAIN and filters."""
    options = ("--as-observed", "disabled-code-3", "--as-observed", "qos2-puback", "--as-observed", "x-opt-retain",
               "--as-observed", "filter-suback")

    def test_a_disabled_device_is_told_3(self):
        key = self.azure.device("o-off")["primary_key"]
        token = sas(key, f"{self.azure.hub}/devices/o-off")
        self.assertEqual(paho_code(self.azure, "o-off", self.user("o-off"), token), ACCEPTED)
        self.disable("o-off")
        self.assertEqual(paho_code(self.azure, "o-off", self.user("o-off"), token), UNAVAILABLE)
        self.assertEqual(paho_code(self.azure, "o-none", self.user("o-none"), token), REFUSED)

    def test_quality_two_retain_and_filters(self):
        key = self.azure.device("o-1")["primary_key"]
        topic = "devices/o-1/messages/events/"
        with Mqtt(self.azure.ports["mqtt"], self.azure.ca) as client:
            self.assertEqual(client.connect("o-1", self.user("o-1"), sas(key, f"{self.azure.hub}/devices/o-1")), (0, 0))
            client.send(publish_packet(topic, "two", 1, qos=2))
            self.assertEqual(client.receive(), (0x40, b"\0\1"))
            client.send(publish_packet(topic, "kept", 2, retain=True))
            self.assertEqual(client.receive(), (0x40, b"\0\2"))
            client.send(packet(0x82, b"\0\3" + text("#") + b"\0" + text("$iothub/twin/res/#") + b"\0"))
            self.assertEqual(client.receive(), (0x90, b"\0\3\x80\0"))
            client.send(publish_packet("devices/o-2/messages/events/", "x", 4))
            self.assertTrue(client.closed())  # what nobody saw otherwise stays as it is
        self.assertEqual([(row["body"], row["properties"]) for row in self.azure.messages()],
                         [(b"two", {}), (b"kept", {"x-opt-retain": "true"})])

    def test_an_unknown_observation_stops_the_start(self):
        with self.assertRaisesRegex(RuntimeError, "one of qos2-puback"):
            LocalAzure("--as-observed", "rain").start()


class CleanSessions(unittest.TestCase):
    """What waited for a device when it connects with a clean session and subscribes anew."""

    def first_message(self, *options):
        with LocalAzure(*options) as azure:
            key = azure.device("c-1")["primary_key"]
            user = f"{azure.hub}/c-1/?api-version=2021-04-12"

            def listening(client, clean):
                self.assertEqual(client.connect("c-1", user, sas(key, f"{azure.hub}/devices/c-1"), clean=clean)[1], 0)
                client.send(packet(0x82, b"\0\1" + text("devices/c-1/messages/devicebound/#") + b"\0"))
                self.assertEqual(client.receive()[0], 0x90)
                return client
            with Mqtt(azure.ports["mqtt"], azure.ca) as client:
                listening(client, False)
                client.send(packet(0xE0))
                self.assertTrue(client.closed())
            azure.admin("/devices/c-1/messages?mid=old", "POST", b"old")
            with Mqtt(azure.ports["mqtt"], azure.ca) as client:
                listening(client, True)
                azure.admin("/devices/c-1/messages?mid=new", "POST", b"new")
                return client.receive()[1][-3:]

    def test_documented_and_observed(self):
        self.assertEqual(self.first_message(), b"new")  # the documentation of Microsoft's embedded C client
        self.assertEqual(self.first_message("--as-observed", "clean-session-keeps-queue"), b"old")


if __name__ == "__main__":
    main()
