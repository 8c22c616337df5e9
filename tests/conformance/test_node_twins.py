"""Twins and queries by Microsoft's Node clients, of the device and of the service, unmodified and pinned."""
import unittest

import own_network
import test_node_device as node
from cloud.local_azure import LocalAzure, wait_until
from support.proves import proves
from test_node_service import HOST, Service


class NodeTwins(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--name", HOST)
        cls.azure.start(https=443)
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)

    def open(self, sdk, name, **more):
        result = sdk("open", connection=self.azure.device(name)["connection_string"], **more)
        self.assertTrue(result["ok"], result)

    def good(self, result):
        self.assertTrue(result["ok"], result)
        return result

    def test_both_sides(self):
        with node.Sdk(self.azure) as device, Service(self.azure, "service") as service:
            self.open(device, "node-twin")
            self.good(device("report", patch={"battery": {"level": 55}, "gone": None}))
            twin = self.good(service("registry", call="getTwin", **{"with": ["node-twin"]}))["result"]
            self.assertEqual(twin["properties"]["reported"]["battery"], {"level": 55})
            self.assertEqual(twin["properties"]["reported"]["$version"], 2)
            self.follow(device)
            patch = {"tags": {"ward": "3"}, "properties": {"desired": {"rate": 250, "old": 1}}}
            self.good(service("registry", call="updateTwin", **{"with": ["node-twin", patch, twin["etag"]]}))
            desired = self.good(device("desired", version=2))["desired"]
            self.assertEqual((desired["rate"], desired["old"]), (250, 1))
            patch = {"properties": {"desired": {"old": None}}}
            self.good(service("registry", call="updateTwin", **{"with": ["node-twin", patch, "*"]}))
            desired = self.good(device("desired", version=3))["desired"]
            self.assertEqual({name for name in desired if name != "$version"}, {"rate"})
            stale = service("registry", call="updateTwin", **{"with": ["node-twin", patch, twin["etag"]]})
            self.assertEqual((stale["ok"], stale["error"]), (False, "InvalidEtagError"), stale)
            nobody = service("registry", call="getTwin", **{"with": ["node-nobody"]})
            self.assertEqual((nobody["ok"], nobody["error"]), (False, "DeviceNotFoundError"), nobody)

    @proves("CR 3.5", "CR 3.7")
    def test_a_bad_report_fails_at_the_device(self):
        with node.Sdk(self.azure) as device:
            self.open(device, "node-bad")
            result = device("report", patch={"a.b": 1})
            self.assertFalse(result["ok"], result)
            self.good(device("report", patch={"ab": 1}))

    @proves("T-TOK-05")
    def test_pushes_arrive_after_a_renewal(self):
        """The SDK connects again with a new token and does not subscribe again."""
        with node.Sdk(self.azure) as device, Service(self.azure) as service:
            self.open(device, "node-renewed",
                      renewal={"tokenValidTimeInSeconds": 12, "tokenRenewalMarginInSeconds": 10})
            self.follow(device)
            connects = self.metric("connects")
            wait_until(lambda: self.metric("connects") >= connects + 1, 60)
            patch = {"properties": {"desired": {"a": 1}}}
            version = 1
            # A push in the moment of a renewal is lost, as on Azure: the next one is not.
            for version in (2, 3, 4):
                self.good(service("registry", call="updateTwin", **{"with": ["node-renewed", patch, "*"]}))
            desired = self.good(device("desired", version=version))["desired"]
            self.assertEqual(desired["a"], 1)

    def metric(self, name):
        lines = self.azure.admin("/metrics").splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith(f"mitral_cloud_{name}_total ")))

    def follow(self, device):
        """The SDK subscribes after it has called back, and a push before that is lost."""
        self.good(device("twin"))  # subscribes to answers, which is not what is waited for
        subscribes = self.metric("subscribes")
        self.good(device("follow"))
        wait_until(lambda: self.metric("subscribes") > subscribes)

    def test_queries(self):
        with Service(self.azure) as service:
            for number in range(5):
                self.azure.device(f"node-query-{number}")
                patch = {"tags": {"set": "q", "number": number}}
                self.good(service("registry", call="updateTwin", **{"with": [f"node-query-{number}", patch, "*"]}))
            pages = self.good(service("query", query="SELECT * FROM devices WHERE tags.set = 'q'", size=2,
                                      twins=True))["pages"]
            self.assertEqual([[twin["deviceId"] for twin in page] for page in pages],
                             [["node-query-0", "node-query-1"], ["node-query-2", "node-query-3"], ["node-query-4"]])
            count = "SELECT COUNT() AS n FROM devices WHERE tags.number >= 2"
            pages = self.good(service("query", query=count))["pages"]
            self.assertEqual(pages, [[{"n": 3}]])
            bad = service("query", query="SELECT * FROM devices WHERE tags.number >= ")
            self.assertEqual((bad["ok"], bad["error"]), (False, "ArgumentError"), bad)
            statistics = self.good(service("registry", call="getRegistryStatistics", **{"with": []}))["result"]
            self.assertEqual(statistics["disabledDeviceCount"], 0)


if __name__ == "__main__":
    own_network.run(__file__)
