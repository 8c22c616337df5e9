"""What tests of identities with certificates share: a local Azure that knows an authority, and certificates."""
import tempfile
import unittest

from cloud.device_certificates import Certificates
from cloud.local_azure import LocalAzure, sas
from cloud.mqtt_client import Mqtt

API = "api-version=2021-04-12"


class X509Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure().__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        place = tempfile.TemporaryDirectory(prefix="mitral-x509-")
        cls.addClassCleanup(place.cleanup)
        cls.make = make = Certificates(place.name)
        cls.root, cls.other_root = make.authority("Ward root"), make.authority("Ward root")
        cls.middle = make.authority("Ward 3", cls.root)
        cls.azure.command("ca-certificate", "add", "--name", "ward", "--file", cls.root.file)

    @classmethod
    def owner(cls, policy="iothubowner"):
        return sas(cls.azure.policy(policy)["primary_key"], cls.azure.hub, policy=policy)

    @classmethod
    def call(cls, method, path, body=None, headers=None, policy="iothubowner"):
        joint = "&" if "?" in path else "?"
        return cls.azure.https(method, f"{path}{joint}{API}", cls.owner(policy), body, headers)

    @classmethod
    def put(cls, name, authentication, **more):
        status, _, body = cls.call("PUT", f"/devices/{name}",
                                   {"deviceId": name, "authentication": authentication, **more})
        assert status == 200, (status, body)
        return body

    def connect(self, client, certificate=None, token=None, user=None):
        mqtt = Mqtt(self.azure.ports["mqtt"], self.azure.ca, certificate=certificate and certificate.file)
        code = mqtt.connect(client, user or f"{self.azure.hub}/{client}/?{API}", token)[1]
        return mqtt, code

    def code(self, *arguments, **options):
        mqtt, code = self.connect(*arguments, **options)
        mqtt.close()
        return code
