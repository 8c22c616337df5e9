"""Microsoft's Node service client (azure-iothub) with its device clients over MQTT and HTTPS, unmodified and pinned. The
service client knows port 443 only, so the test has a network of its own."""
import os
import sys
import unittest
import urllib.parse

import npm_packages
import test_node_device as node
import test_node_https as own_network
from cloud.local_azure import LocalAzure, wait_until
from support.proves import main, proves

HOST = own_network.HOST


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


if __name__ == "__main__":
    if reason := own_network.reason_to_skip():
        print(f"skipped: {reason}")
        sys.exit(77)
    if own_network.INSIDE not in os.environ:
        npm_packages.install()
        own_network.enter_own_network(__file__)
    own_network.settle_in()
    main()
