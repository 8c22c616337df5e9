"""Microsoft's Node device and provisioning SDKs, unmodified and pinned, against the local Azure."""
import base64
import json
import os
import subprocess
import threading
import unittest

import npm_packages
from cloud.local_azure import LocalAzure, derive
from support.proves import main, proves

AWKWARD = ["", "plain", "a b", "a&b=c", "50%", "%41", "é/ü", "x/y/z", "+plus+", "#hash", "q?uestion", "\"quoted\"",
           "日本語", "semi;colon", "tab\there", "'single'", "!*()", "$dollar", "~tilde-_.", "emoji 🫀"]


class Sdk:
    """The JavaScript side: one command, one answer."""
    program = "device.js"

    def __init__(self, azure, ca=None):
        environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(ca or azure.ca), "NODE_PATH": str(npm_packages.MODULES)}
        self.process = subprocess.Popen(["node", "--no-warnings", str(npm_packages.HERE / self.program)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def start(self, command, **arguments):
        self.process.stdin.write(json.dumps({"do": command, **arguments}) + "\n")
        self.process.stdin.flush()

    def finish(self, seconds=120):
        """An SDK that never calls back ends the test with an error, not with its time limit."""
        alarm = threading.Timer(seconds, self.process.kill)
        alarm.start()
        try:
            line = self.process.stdout.readline()
        finally:
            alarm.cancel()
        if not line:
            raise AssertionError("the SDK gave no answer")
        return json.loads(line)

    def __call__(self, command, **arguments):
        self.start(command, **arguments)
        return self.finish()


def message(number, **more):
    body = bytes([number % 256]) * 3 + AWKWARD[number % len(AWKWARD)].encode()
    return {"body": base64.b64encode(body).decode(), "messageId": f"m {number}/%é", **more}


class NodeDevice(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if npm_packages.missing_tools():
            raise unittest.SkipTest("node and npm are not installed")
        npm_packages.install()
        cls.azure = LocalAzure().__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        cls.group = cls.azure.group()

    def provision(self, sdk, registration, key):
        return sdk("provision", host=f"localhost:{self.azure.ports['mqtt']}", scope=self.group["id_scope"],
                   registration=registration, key=key)

    def connection(self, hub, device, key):
        return f"HostName={hub};DeviceId={device};SharedAccessKey={key}"

    @proves("T-DATA-02")
    def test_provision_connect_and_send(self):
        key = derive(self.group["primary_key"], "node-01")
        with Sdk(self.azure) as sdk:
            result = self.provision(sdk, "node-01", key)
            self.assertEqual(result, {"ok": True, "hub": self.azure.hub, "device": "node-01", "status": "assigned"})
            self.assertTrue(sdk("open", connection=self.connection(result["hub"], "node-01", key))["ok"])
            messages = [message(i, contentType="application/json", contentEncoding="utf-8", correlationId=f"c{i}",
                                properties={f"k{AWKWARD[i % 20]}": AWKWARD[(i * 7) % 20], "n": str(i)})
                        for i in range(50)]
            self.assertEqual(sdk("send", messages=messages[:25]), {"ok": True, "sent": 25})
            self.assertEqual(sdk("sendTogether", messages=messages[25:]), {"ok": True, "sent": 25})
            self.assertEqual(sdk("close")["ok"], True)
        rows = {row["mid"]: row for row in self.azure.messages() if row["device"] == "node-01"}
        self.assertEqual(len(rows), 50)
        for sent in messages:
            row = rows[sent["messageId"]]
            self.assertEqual(base64.b64encode(row["body"]).decode(), sent["body"])
            self.assertEqual(row["properties"], sent["properties"])
            self.assertEqual(row["system"]["$.ct"], "application/json")
            self.assertEqual(row["system"]["$.ce"], "utf-8")
            self.assertEqual(row["system"]["$.cid"], sent["correlationId"])
            self.assertEqual(row["qos"], 1)

    @proves("CR 1.2", "CR 1.14", "T-TOK-02")
    def test_wrong_keys_are_unauthorized(self):
        wrong = base64.b64encode(bytes(32)).decode()
        self.azure.device("node-02")
        with Sdk(self.azure) as sdk:
            result = sdk("open", connection=self.connection(self.azure.hub, "node-02", wrong))
            self.assertEqual((result["ok"], result["error"]), (False, "UnauthorizedError"), result)
            result = sdk("open", connection=self.connection(self.azure.hub, "node-unknown", wrong))
            self.assertEqual((result["ok"], result["error"]), (False, "UnauthorizedError"), result)
            result = self.provision(sdk, "node-02", wrong)
            self.assertEqual((result["ok"], result["error"]), (False, "UnauthorizedError"), result)

    def test_twin_can_be_asked_for(self):
        device = self.azure.device("node-03")
        with Sdk(self.azure) as sdk:
            self.assertTrue(sdk("open", connection=device["connection_string"])["ok"])
            self.assertEqual(sdk("twin"), {"ok": True, "desired": 1})

    @proves("T-DATA-01", "T-DOS-03")
    def test_reconnects_after_a_dropped_connection(self):
        device = self.azure.device("node-04")
        with Sdk(self.azure) as sdk:
            self.assertTrue(sdk("open", connection=device["connection_string"])["ok"])
            self.assertTrue(sdk("send", messages=[message(i) for i in range(5)])["ok"])
            self.assertEqual(self.azure.admin("/faults/drop?device=node-04", "POST"), '{"dropped":1}')
            self.assertTrue(sdk("send", messages=[message(i) for i in range(5, 10)])["ok"])
            self.azure.admin("/faults/hub-away?seconds=2", "POST")
            self.assertTrue(sdk("send", messages=[message(i) for i in range(10, 15)])["ok"])
        stored = {row["mid"] for row in self.azure.messages() if row["device"] == "node-04"}
        self.assertEqual(stored, {message(i)["messageId"] for i in range(15)})


if __name__ == "__main__":
    main()
