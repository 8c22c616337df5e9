"""Microsoft's Node service client (azure-iothub) with its device clients over MQTT and HTTPS, unmodified and pinned.
The service client knows port 443 only, so the test has a network of its own."""
import base64
import json
import signal
import unittest
import urllib.parse

import own_network
import test_node_device as node
from cloud.local_azure import LocalAzure, wait_until
from support.proves import proves

HOST = own_network.DPS


class Service(node.Sdk):
    program = "service.js"

    def __init__(self, azure, policy="iothubowner"):
        super().__init__(azure)
        key = azure.policy(policy)["primary_key"]
        assert self("connect", connection=f"HostName={HOST};SharedAccessKeyName={policy};SharedAccessKey={key}")["ok"]

    def invoke(self, device, method, **more):
        return self("invoke", device=device, method={"methodName": method, "responseTimeoutInSeconds": 20, **more})


class NodeService(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--name", HOST)
        cls.azure.start(https=443)
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)

    def open(self, sdk, name, **more):
        device = self.azure.device(name)
        result = sdk("open", connection=device["connection_string"], **more)
        self.assertTrue(result["ok"], result)
        return device

    def metric(self, name):
        lines = self.azure.admin("/metrics").splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith(f"mitral_cloud_{name} ")))

    def test_methods(self):
        with node.Sdk(self.azure) as device, Service(self.azure) as service:
            self.open(device, "node-method")
            for name in ("plain", "with space/é?#"):
                # The SDK does not decode the name: its users have to register the encoded one.
                self.assertTrue(device("method", name=urllib.parse.quote(name, safe=""), status=207)["ok"])
                result = service.invoke("node-method", name, payload={"n": [1, "ü"]}, connectTimeoutInSeconds=20)
                self.assertEqual(result.get("result"), {"status": 207, "payload": {"asked": {"n": [1, "ü"]}}}, result)
            for number in range(10):  # several in flight
                service.start("invoke", device="node-method", method={"methodName": "plain", "payload": number})
            answers = [service.finish()["result"]["payload"]["asked"] for _ in range(10)]
            self.assertEqual(sorted(answers), list(range(10)))

    def test_methods_of_nobody(self):
        with Service(self.azure) as service:
            self.azure.device("node-absent")
            result = service.invoke("node-absent", "x")
            self.assertFalse(result["ok"])
            self.assertIn("404103", str(result))
            self.assertIn("DeviceNotFound", str(service.invoke("node-nobody", "x")))

    @proves("CR 2.1")
    def test_methods_need_the_right(self):
        with Service(self.azure, "registryRead") as service:
            result = service.invoke("node-method", "x")
            self.assertEqual((result["ok"], result["error"]), (False, "UnauthorizedError"), result)

    @proves("T-TOK-05")
    def test_methods_arrive_after_a_renewal(self):
        """The SDK renews its token by connecting again, and does not subscribe again."""
        with node.Sdk(self.azure) as device, Service(self.azure) as service:
            self.open(device, "node-renews", renewal={"tokenValidTimeInSeconds": 12, "tokenRenewalMarginInSeconds": 10})
            self.assertTrue(device("method", name="still-there", status=200)["ok"])
            self.assertTrue(service.invoke("node-renews", "still-there", connectTimeoutInSeconds=20)["ok"])
            connects, subscribes = self.metric("connects_total"), self.metric("subscribes_total")
            wait_until(lambda: self.metric("connects_total") >= connects + 2, 60)
            result = service.invoke("node-renews", "still-there", connectTimeoutInSeconds=20)
            self.assertTrue(result["ok"], result)
            self.assertEqual(self.metric("subscribes_total"), subscribes)

    def send(self, device, body, **parameters):
        query = urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote)
        self.azure.admin(f"/devices/{device}/messages?{query}", "POST", body)

    def outcomes(self, device):
        rows = [json.loads(line) for line in self.azure.admin("/feedback").splitlines()]
        return {row["originalMessageId"]: row["statusCode"] for row in rows if row["deviceId"] == device}

    @proves("T-DATA-02")
    def test_messages_to_a_device(self):
        awkward = {f"p.k{text}": text for text in node.AWKWARD if text}
        for over, settle, outcome in (("mqtt", "complete", "Success"), ("https", "complete", "Success"),
                                      ("https", "reject", "Rejected")):
            with self.subTest(over=over, settle=settle), node.Sdk(self.azure) as sdk:
                name = f"node-{over}-{settle}"
                device = self.azure.device(name)
                connection = device["connection_string"]
                if over == "https":
                    connection = connection.replace(self.azure.hub, HOST)
                self.assertTrue(sdk("open", connection=connection, over=over)["ok"])
                subscribes = self.metric("subscribes_total")
                self.assertTrue(sdk("listen", settle=settle)["ok"])
                if over == "mqtt":
                    wait_until(lambda: self.metric("subscribes_total") > subscribes)
                # Over HTTPS the SDK reads bodies as UTF-8.
                body = bytes(range(256)) if over == "mqtt" else "tü".encode()
                properties = awkward if over == "mqtt" else {"p.kind": "order"}
                self.send(name, body, mid="m 1/é" if over == "mqtt" else "m-1", cid="c", ct="a/b", ack="full",
                          **properties)
                message = sdk("received", count=1)["messages"][0]
                self.assertEqual(base64.b64decode(message["body"]), body)
                self.assertEqual(message["correlationId"], "c")
                self.assertEqual(message["to"], f"/devices/{name}/messages/devicebound")
                found = message["properties"]
                for key, value in properties.items():
                    self.assertEqual(found.get(key[2:], found.get("iothub-app-" + key[2:])), value, found)
                wait_until(lambda: outcome in self.outcomes(name).values())

    def test_messages_sent_while_away_arrive_later(self):
        with node.Sdk(self.azure) as sdk:
            device = self.open(sdk, "node-away")
            subscribes = self.metric("subscribes_total")
            self.assertTrue(sdk("listen", settle="complete")["ok"])
            wait_until(lambda: self.metric("subscribes_total") > subscribes)
        self.send("node-away", b"later", mid="m", ack="full")
        self.azure.stop(signal.SIGKILL)
        self.azure.start(https=443, mqtt=int(self.azure.hub.split(":")[1]))
        with node.Sdk(self.azure) as sdk:
            self.assertTrue(sdk("open", connection=device["connection_string"], settle="complete")["ok"])
            self.assertEqual(base64.b64decode(sdk("received", count=1)["messages"][0]["body"]), b"later")
            wait_until(lambda: self.outcomes("node-away") == {"m": "Success"})

    @proves("T-DATA-02")
    def test_telemetry_over_https(self):
        device = self.azure.device("node-posts")
        with node.Sdk(self.azure) as sdk:
            sdk("open", connection=device["connection_string"].replace(self.azure.hub, HOST), over="https")
            messages = [{"body": base64.b64encode(bytes([n, 0, 255])).decode(), "messageId": f"m{n}",
                         "contentType": "application/json", "properties": {"ward": "icu"}} for n in range(3)]
            self.assertEqual(sdk("send", messages=messages), {"ok": True, "sent": 3})
            self.assertTrue(sdk("sendBatch", messages=messages)["ok"])
        rows = [row for row in self.azure.messages() if row["device"] == "node-posts"]
        self.assertEqual([row["body"] for row in rows], [bytes([n, 0, 255]) for n in (0, 1, 2, 0, 1, 2)])
        self.assertEqual([row["mid"] for row in rows[:3]], ["m0", "m1", "m2"])
        self.assertEqual(rows[0]["system"]["$.ct"], "application/json")
        self.assertEqual({row["properties"]["ward"] for row in rows}, {"icu"})

    def test_registry_one_by_one(self):
        with Service(self.azure) as service:
            def registry(call, *parameters):
                return service("registry", call=call, **{"with": parameters})
            made = registry("create", {"deviceId": "node-one", "status": "enabled"})
            self.assertTrue(made["ok"], made)
            again = registry("create", {"deviceId": "node-one"})
            self.assertEqual((again["ok"], again["error"]), (False, "DeviceAlreadyExistsError"), again)
            self.assertEqual(registry("get", "node-one")["result"]["generationId"], made["result"]["generationId"])
            changed = registry("update", {"deviceId": "node-one", "status": "disabled"})  # If-Match: "*"
            self.assertEqual(changed["result"]["status"], "disabled", changed)
            self.assertIn("node-one", [row["deviceId"] for row in registry("list")["result"]])
            self.assertTrue(registry("delete", "node-one")["ok"])
            for call in ("get", "delete"):
                gone = registry(call, "node-one")
                self.assertEqual((gone["ok"], gone["error"]), (False, "DeviceNotFoundError"), gone)

    def test_registry_in_bulk(self):
        names = [f"node-bulk-{n}" for n in range(20)]
        with Service(self.azure) as service:
            def registry(call, *parameters):
                return service("registry", call=call, **{"with": parameters})
            devices = [{"deviceId": name} for name in names]
            self.assertTrue(registry("addDevices", devices)["result"]["isSuccessful"])
            result = registry("addDevices", devices[:1])
            self.assertIn("DeviceAlreadyExists", str(result))
            listed = {row["deviceId"] for row in registry("list")["result"]}
            self.assertLessEqual(set(names), listed)
            self.assertTrue(registry("updateDevices", [{"deviceId": names[0], "status": "disabled"}], True)["ok"])
            self.assertEqual(registry("get", names[0])["result"]["status"], "disabled")
            self.assertTrue(registry("removeDevices", devices, True)["result"]["isSuccessful"])
            self.assertIn("DeviceNotFound", str(registry("get", names[0])))

    @proves("T-ID-02")
    def test_modules(self):
        self.azure.device("node-parent")
        with Service(self.azure) as service, node.Sdk(self.azure) as sdk:
            def registry(call, *parameters):
                return service("registry", call=call, **{"with": parameters})
            made = registry("addModule", {"deviceId": "node-parent", "moduleId": "mod"})
            self.assertTrue(made["ok"], made)
            modules = registry("getModulesOnDevice", "node-parent")["result"]
            self.assertEqual([row["moduleId"] for row in modules], ["mod"])
            key = registry("getModule", "node-parent", "mod")["result"]["authentication"]["symmetricKey"]["primaryKey"]
            result = sdk("open", connection=f"HostName={self.azure.hub};DeviceId=node-parent;ModuleId=mod;"
                                            f"SharedAccessKey={key}")
            self.assertTrue(result["ok"], result)
            self.assertTrue(sdk("method", name="ask", status=201)["ok"])
            answer = service("invoke", device="node-parent", module="mod",
                             method={"methodName": "ask", "payload": 7, "connectTimeoutInSeconds": 20})
            self.assertEqual(answer.get("result"), {"status": 201, "payload": {"asked": 7}}, answer)
            self.assertTrue(sdk("send", messages=[node.message(1)])["ok"])
            row = next(row for row in self.azure.messages() if row.get("module") == "mod")
            self.assertEqual(row["system"]["iothub-connection-module-id"], "mod")
            self.assertTrue(registry("removeModule", "node-parent", "mod")["ok"])
            self.assertIn("ModuleNotFound", str(registry("getModule", "node-parent", "mod")))


if __name__ == "__main__":
    own_network.run(__file__)
