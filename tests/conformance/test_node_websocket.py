"""Microsoft's Node device and provisioning clients over MqttWs, which knows one port only: 443. Unmodified and pinned."""
import base64
import os
import unittest

import own_network
import test_node_device as node
from cloud.local_azure import LocalAzure, derive, wait_until
from support.proves import proves

HOST = own_network.DPS


class NodeOverWebsocket(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--name", HOST, "--assigned-hub", HOST)
        # Nothing listens where clients of MQTT over TLS would look: what arrives came over WebSocket.
        cls.azure.start(https=443)
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        cls.group = cls.azure.group()

    def good(self, result):
        self.assertTrue(result["ok"], result)
        return result

    def open(self, sdk, name, **more):
        device = self.azure.device(name)
        self.assertIn(f"HostName={HOST};", device["connection_string"])
        return self.good(sdk("open", over="websocket", connection=device["connection_string"], **more))

    def stored(self, device):
        return {row["mid"]: row for row in self.azure.messages() if row["device"] == device}

    @proves("T-DATA-02", "CR 1.2")
    def test_provision_connect_and_send(self):
        key = derive(self.group["primary_key"], "ws-01")
        with node.Sdk(self.azure) as sdk:
            result = sdk("provision", over="websocket", host=HOST, scope=self.group["id_scope"], registration="ws-01",
                         key=key)
            self.assertEqual(result, {"ok": True, "hub": HOST, "device": "ws-01", "status": "assigned"})
            self.good(sdk("open", over="websocket",
                          connection=f"HostName={HOST};DeviceId=ws-01;SharedAccessKey={key}"))
            messages = [node.message(i, properties={"n": str(i)}) for i in range(50)]
            messages.append({"body": base64.b64encode(os.urandom(200_000)).decode(), "messageId": "large"})
            self.assertEqual(sdk("send", messages=messages[:25]), {"ok": True, "sent": 25})
            self.assertEqual(sdk("sendTogether", messages=messages[25:]), {"ok": True, "sent": 26})
            self.good(sdk("close"))
        rows = self.stored("ws-01")
        self.assertEqual(len(rows), len(messages))
        for sent in messages:
            self.assertEqual(base64.b64encode(rows[sent["messageId"]]["body"]).decode(), sent["body"])

    @proves("CR 1.2", "CR 1.14", "T-TOK-02")
    def test_wrong_keys_are_unauthorized(self):
        wrong = base64.b64encode(bytes(32)).decode()
        self.azure.device("ws-02")
        with node.Sdk(self.azure) as sdk:
            result = sdk("open", over="websocket", connection=f"HostName={HOST};DeviceId=ws-02;SharedAccessKey={wrong}")
            self.assertEqual((result["ok"], result["error"]), (False, "UnauthorizedError"), result)
            result = sdk("provision", over="websocket", host=HOST, scope=self.group["id_scope"], registration="ws-02",
                         key=wrong)
            self.assertEqual((result["ok"], result["error"]), (False, "UnauthorizedError"), result)

    def test_what_the_hub_sends_arrives(self):
        with node.Sdk(self.azure) as sdk:
            self.open(sdk, "ws-03")
            self.good(sdk("listen", settle="complete"))
            self.good(sdk("report", patch={"battery": 55}))
            self.assertEqual(sdk("twin"), {"ok": True, "desired": 1})
            body = bytes(range(256)) * 200
            wait_until(lambda: "ws-03" in self.azure.admin("/devices"))
            self.azure.admin("/devices/ws-03/messages?mid=m1", "POST", body)
            received = self.good(sdk("received", count=1))["messages"][0]
            self.assertEqual((base64.b64decode(received["body"]), received["messageId"]), (body, "m1"))

    @proves("T-DATA-01", "T-DOS-03")
    def test_reconnects_after_a_dropped_connection(self):
        with node.Sdk(self.azure) as sdk:
            self.open(sdk, "ws-04")
            self.good(sdk("send", messages=[node.message(i) for i in range(5)]))
            self.assertEqual(self.azure.admin("/faults/drop?device=ws-04", "POST"), '{"dropped":1}')
            self.good(sdk("send", messages=[node.message(i) for i in range(5, 10)]))
            self.azure.admin("/faults/hub-away?seconds=2", "POST")
            self.good(sdk("send", messages=[node.message(i) for i in range(10, 15)]))
        self.assertEqual(set(self.stored("ws-04")), {node.message(i)["messageId"] for i in range(15)})


if __name__ == "__main__":
    own_network.run(__file__)
