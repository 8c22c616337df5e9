"""Twins, queries and statistics over HTTPS and MQTT, as clients on the wire see them."""
import json
import signal
import unittest

from cloud.local_azure import LocalAzure, sas
from cloud.mqtt_client import Mqtt, packet, publish_packet, text
from support.proves import main, proves

VERSION = "api-version=2021-04-12"
DESIRED = "$iothub/twin/PATCH/properties/desired/#"
ANSWERS = "$iothub/twin/res/#"


class Client:
    """One connected identity."""

    def __init__(self, azure, name, key, clean=True, policy=None, module=None):
        self.mqtt = Mqtt(azure.ports["mqtt"], azure.ca)
        client = f"{name}/{module}" if module else name
        resource = f"{azure.hub}/devices/{name}" + (f"/modules/{module}" if module else "")
        token = sas(key, resource, policy=policy)
        user = f"{azure.hub}/{client}/?api-version=2021-04-12&model-id=dtmi:t;1"
        self.session, code = self.mqtt.connect(client, user, token, clean=clean)
        assert code == 0, code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.mqtt.close()

    def subscribe(self, *filters):
        self.mqtt.send(packet(0x82, b"\0\1" + b"".join(text(name) + b"\0" for name in filters)))
        assert self.mqtt.receive()[0] == 0x90

    def next(self):
        first, body = self.mqtt.receive()
        assert first == 0x30, first
        length = int.from_bytes(body[:2], "big")
        payload = body[2 + length:]
        return body[2:2 + length].decode(), json.loads(payload) if payload else None

    def ask(self, topic, body=b""):
        self.mqtt.send(publish_packet(topic, body, qos=0))
        return self.next()

    def report(self, patch):
        return self.ask("$iothub/twin/PATCH/properties/reported/?$rid=1", json.dumps(patch))

    def twin(self):
        return self.ask("$iothub/twin/GET/?$rid=2", " ")[1]


class Twins(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure().__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)

    def token(self, policy):
        return sas(self.azure.policy(policy)["primary_key"], self.azure.hub, policy=policy)

    def answer(self, method, path, body=None, policy="service", **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.azure.https(method, f"{path}?{VERSION}", self.token(policy), body, names)

    def call(self, *arguments, **more):
        status, _, body = self.answer(*arguments, **more)
        return status, body

    def device(self, name, **more):
        return Client(self.azure, name, self.azure.device(name)["primary_key"], **more)

    def test_both_sides_of_a_twin(self):
        with self.device("bed-1") as device:
            device.subscribe(ANSWERS, DESIRED)
            self.assertEqual(device.report({"on": True})[0], "$iothub/twin/res/204/?$rid=1&$version=2")
            status, twin = self.call("PATCH", "/twins/bed-1", {"tags": {"ward": "3"},
                                                               "properties": {"desired": {"rate": 250}}})
            self.assertEqual((status, twin["etag"], twin["connectionState"]), (200, "AAAAAAAAAAI=", "Connected"))
            self.assertEqual(twin["properties"]["reported"]["on"], True)
            self.assertEqual(twin["properties"]["desired"]["$metadata"]["rate"]["$lastUpdatedVersion"], 2)
            self.assertEqual(twin["modelId"], "dtmi:t;1")
            self.assertEqual(device.next(), ("$iothub/twin/PATCH/properties/desired/?$version=2",
                                             {"rate": 250, "$version": 2}))
            self.call("PUT", "/twins/bed-1/properties/desired", {"gain": 1})
            self.assertEqual(device.next()[1], {"rate": None, "gain": 1, "$version": 3})
            self.call("PUT", "/twins/bed-1/tags", {"tags": {"room": "7"}})
            self.assertEqual(device.twin(), {"desired": {"gain": 1, "$version": 3},
                                             "reported": {"on": True, "$version": 2}})
        self.assertEqual(self.call("GET", "/twins/bed-1")[1]["tags"], {"room": "7"})
        status, twin = self.call("PUT", "/twins/bed-1", {"properties": {"desired": {"x": 1}}})
        self.assertEqual((status, twin["tags"], twin["properties"]["desired"]["x"]), (200, {}, 1))

    def test_modules_have_twins_of_their_own(self):
        self.azure.device("host")
        self.assertEqual(self.call("GET", "/twins/host/modules/cam")[0], 404)
        made = self.call("PUT", "/devices/host/modules/cam", {"moduleId": "cam"}, policy="registryReadWrite")[1]
        key = made["authentication"]["symmetricKey"]["primaryKey"]
        with Client(self.azure, "host", key, module="cam") as module:
            module.subscribe(ANSWERS, DESIRED)
            self.call("PATCH", "/twins/host/modules/cam", {"properties": {"desired": {"a": 1}}})
            self.assertEqual(module.next()[1], {"a": 1, "$version": 2})
            self.call("PATCH", "/twins/host", {"properties": {"desired": {"b": 1}}})
            self.assertEqual(module.twin()["desired"], {"a": 1, "$version": 2})
            twin = self.call("GET", "/twins/host/modules/cam")[1]
            self.assertEqual((twin["moduleId"], twin["connectionState"]), ("cam", "Connected"))
        self.assertEqual(self.call("GET", "/twins/host")[1]["connectionState"], "Disconnected")

    def test_nothing_waits_for_a_device_that_is_away(self):
        with self.device("away", clean=False) as device:
            device.subscribe(ANSWERS, DESIRED)
        self.call("PATCH", "/twins/away", {"properties": {"desired": {"a": 1}}})
        with self.device("away", clean=False) as device:
            self.assertEqual(device.session, 1)
            # The subscriptions are back; the first thing that comes is the answer to this.
            self.assertEqual(device.twin()["desired"], {"a": 1, "$version": 2})
            self.call("PATCH", "/twins/away", {"properties": {"desired": {"a": 2}}})
            self.assertEqual(device.next()[1], {"a": 2, "$version": 3})

    def test_twins_survive_a_kill(self):
        with LocalAzure() as azure:
            key = azure.device("bed")["primary_key"]
            with Client(azure, "bed", key) as device:
                device.subscribe(ANSWERS)
                for number in range(20):
                    device.report({"n": number})
            azure.stop(signal.SIGKILL)
            azure.start()
            with Client(azure, "bed", key) as device:
                device.subscribe(ANSWERS)
                self.assertEqual(device.twin()["reported"], {"n": 19, "$version": 21})

    def test_etags(self):
        self.azure.device("tagged")
        etag = self.call("GET", "/twins/tagged")[1]["etag"]
        for match in (f'"{etag}"', "*", '"*"', "'*'", None):
            headers = {"If_Match": match} if match else {}
            self.assertEqual(self.call("PATCH", "/twins/tagged", {"tags": {"a": 1}}, **headers)[0], 200, match)
        status, body = self.call("PATCH", "/twins/tagged", {"tags": {"a": 2}}, If_Match=f'"{etag}"')
        self.assertEqual((status, body["Message"].split(";")[0]), (412, "ErrorCode:PreconditionFailed"))

    @proves("CR 3.5", "CR 3.7")
    def test_bad_twins_are_refused(self):
        self.azure.device("bad")
        for body in ([], {"tags": 1}, {"properties": 1}, {"properties": {"desired": []}}, {"tags": {"a b": 1}},
                     {"tags": {"a": 1 << 60}}, {"tags": {"a": "x" * 4097}}):
            self.assertEqual(self.call("PATCH", "/twins/bad", body)[0], 400, body)
        status, _ = self.call("PATCH", "/twins/bad", {"tags": {f"k{i}": "x" * 4000 for i in range(3)}})
        self.assertEqual(status, 413)
        self.assertEqual(self.call("GET", "/twins/none")[0], 404)
        self.assertEqual(self.call("GET", "/twins/bad")[1]["version"], 2)

    def query(self, text_of_query, **headers):
        status, answered, rows = self.answer("POST", "/devices/query", {"query": text_of_query}, **headers)
        self.assertEqual(status, 200, rows)
        return rows, answered

    def test_queries_in_pages(self):
        for number in range(7):
            self.azure.device(f"page-{number}")
            self.call("PATCH", f"/twins/page-{number}", {"tags": {"set": "pages", "odd": number % 2 == 1}})
        found, place = [], ""
        sizes = []
        while True:
            headers = {"x_ms_continuation": place} if place else {}
            rows, answered = self.query("SELECT * FROM devices WHERE tags.set = 'pages'", x_ms_max_item_count="3",
                                        **headers)
            self.assertEqual(answered["x-ms-item-type"], "twin")
            found += [row["deviceId"] for row in rows]
            sizes.append(len(rows))
            place = answered["x-ms-continuation"]
            if not place:
                break
        self.assertEqual(sizes, [3, 3, 1])
        self.assertEqual(found, [f"page-{number}" for number in range(7)])
        rows, answered = self.query("SELECT tags.odd AS odd, COUNT() AS n FROM devices WHERE tags.set = 'pages' "
                                    "GROUP BY tags.odd")
        self.assertEqual(rows, [{"odd": False, "n": 4}, {"odd": True, "n": 3}])
        self.assertEqual(answered["x-ms-item-type"], "raw")
        rows, _ = self.query("SELECT TOP 2 deviceId FROM devices WHERE STARTSWITH(deviceId, 'page-')")
        self.assertEqual(rows, [{"deviceId": "page-0"}, {"deviceId": "page-1"}])

    @proves("CR 3.5", "CR 3.7")
    def test_bad_queries_say_where(self):
        for body in (None, {}, [], {"query": 1}):
            self.assertEqual(self.call("POST", "/devices/query", body)[0], 400, body)
        status, answer = self.call("POST", "/devices/query", {"query": "SELECT * FROM devices WHERE a ="})
        self.assertEqual(status, 400)
        self.assertIn("column 32: expected a property", answer["Message"])
        good = {"query": "SELECT * FROM devices"}
        for headers in ({"x_ms_max_item_count": "0"}, {"x_ms_max_item_count": "x"}, {"x_ms_continuation": "nonsense"}):
            self.assertEqual(self.call("POST", "/devices/query", good, **headers)[0], 400, headers)

    def test_statistics(self):
        with LocalAzure() as azure:
            for name in ("a", "b", "c"):
                azure.device(name)
            reader = sas(azure.policy("registryRead")["primary_key"], azure.hub, policy="registryRead")
            service = sas(azure.policy("service")["primary_key"], azure.hub, policy="service")
            writer = sas(azure.policy("registryReadWrite")["primary_key"], azure.hub, policy="registryReadWrite")
            azure.https("PUT", f"/devices/c?{VERSION}", writer, {"deviceId": "c", "status": "disabled"},
                        {"If-Match": "*"})
            self.assertEqual(azure.https("GET", f"/statistics/devices?{VERSION}", reader)[2],
                             {"totalDeviceCount": 3, "enabledDeviceCount": 2, "disabledDeviceCount": 1})
            with Client(azure, "a", azure.device("a")["primary_key"]):
                self.assertEqual(azure.https("GET", f"/statistics/service?{VERSION}", service)[2],
                                 {"connectedDeviceCount": 1})

    @proves("CR 2.1", "CR 1.2", "T-TOK-02")
    def test_each_call_needs_its_right(self):
        device = self.azure.device("guarded")
        service = ("service", "iothubowner")
        calls = {("GET", "/twins/guarded"): service, ("PATCH", "/twins/guarded"): service,
                 ("PUT", "/twins/guarded"): service, ("PUT", "/twins/guarded/tags"): service,
                 ("PATCH", "/twins/guarded/properties/desired"): service,
                 ("GET", "/twins/guarded/modules/m"): service, ("POST", "/devices/query"): service,
                 ("GET", "/statistics/service"): service,
                 ("GET", "/statistics/devices"): ("registryRead", "registryReadWrite", "iothubowner")}
        policies = ("iothubowner", "service", "device", "registryRead", "registryReadWrite")
        for (method, path), allowed in calls.items():
            for policy in policies:
                status, _ = self.call(method, path, {"query": "SELECT * FROM devices"} if "query" in path else {},
                                      policy=policy)
                self.assertEqual(status != 401, policy in allowed, (method, path, policy, status))
            for token in (None, sas(device["primary_key"], f"{self.azure.hub}/devices/guarded"),
                          sas(self.azure.policy("service")["primary_key"], "other.test", policy="service"),
                          sas(self.azure.policy("service")["primary_key"], self.azure.hub, policy="service",
                              lifetime=-1000)):
                self.assertEqual(self.azure.https(method, f"{path}?{VERSION}", token, {})[0], 401, (method, path))


if __name__ == "__main__":
    main()
