"""Microsoft's Node provisioning client over HTTPS, which knows one port only: 443."""
import base64
import unittest

import own_network
import test_node_device as node
from cloud.local_azure import LocalAzure, derive
from support.proves import proves

HOST = own_network.DPS


class NodeOverHttps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--name", HOST)
        cls.azure.start(https=443)
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        cls.group = cls.azure.group()

    def provision(self, registration, key):
        with node.Sdk(self.azure) as sdk:
            return sdk("provision", over="https", host=HOST, scope=self.group["id_scope"], registration=registration,
                       key=key)

    @proves("CR 1.2")
    def test_provision(self):
        result = self.provision("node-https", derive(self.group["primary_key"], "node-https"))
        self.assertEqual(result, {"ok": True, "hub": self.azure.hub, "device": "node-https", "status": "assigned"})

    @proves("CR 1.2", "CR 1.14", "T-TOK-02")
    def test_a_wrong_key_is_unauthorized(self):
        result = self.provision("node-https", base64.b64encode(bytes(32)).decode())
        self.assertEqual((result["ok"], result["error"]), (False, "UnauthorizedError"), result)


if __name__ == "__main__":
    own_network.run(__file__)
