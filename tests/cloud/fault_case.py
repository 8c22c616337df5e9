"""A local Azure with one device that faults strike, and what tests say to both."""
import json
import unittest

from cloud.local_azure import LocalAzure, derive, sas
from cloud.mqtt_client import Mqtt

TOPIC = "devices/dev-01/messages/events/"


class FaultCase(unittest.TestCase):
    """Each test has its control: off, and all is as before."""
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure().__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        cls.group = cls.azure.group()
        cls.azure.register(cls.group["primary_key"], "dev-01")

    def tearDown(self):
        self.ask("", "DELETE")
        self.azure.register(self.group["primary_key"], "dev-01")  # back to the first hub
        self.assertEqual(self.code(), 0)  # the control of every test: without a fault all is well

    def ask(self, path, method="GET"):
        return json.loads(self.azure.admin(f"/faults{path}", method))

    def row(self, name):
        return next(row for row in self.ask("")["faults"] if row["name"] == name)

    def fired(self, name):
        return self.row(name)["fired"]

    def connected(self, host=None):
        client = Mqtt(self.azure.ports["mqtt"], self.azure.ca)
        self.assertEqual(client.connect("dev-01", *self.credentials(host))[1], 0)
        return client

    def credentials(self, host=None):
        host = host or self.azure.hub
        key = derive(self.group["primary_key"], "dev-01")
        return f"{host}/dev-01/?api-version=2021-04-12", sas(key, f"{host}/devices/dev-01")

    def code(self, host=None):
        with Mqtt(self.azure.ports["mqtt"], self.azure.ca) as client:
            return client.connect("dev-01", *self.credentials(host))[1]

    def stored(self):
        return len(self.azure.messages())
