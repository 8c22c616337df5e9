"""What the tests of the AMQP endpoint share: a server of their own, tokens and devices that publish."""
import sys
import unittest

from cloud.local_azure import LocalAzure, sas
from cloud.mqtt_client import Mqtt, publish_packet

try:
    from cloud import amqp_client as amqp
except ImportError:
    print("skipped: Qpid Proton for Python is not installed (package python3-qpid-proton)")
    sys.exit(77)

PARTITIONS = 4


def place(partition, group="$Default"):
    return f"messages/events/ConsumerGroups/{group}/Partitions/{partition}"


def partition_of(device):
    """FNV-1a, its upper half."""
    value = 0xcbf29ce484222325
    for byte in device.encode():
        value = (value ^ byte) * 0x100000001b3 % 2**64
    return (value >> 32) % PARTITIONS


class AmqpCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--consumer-group", "analytics")
        cls.azure.start(amqp=0)
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)

    def token(self, policy="service", lifetime=3600, resource=None, key=None):
        key = key or self.azure.policy(policy)["primary_key"]
        return sas(key, resource or self.azure.hub.split(":")[0], lifetime, policy)

    def connect(self, policy=None, port="amqp", **more):
        client = amqp.Amqp(self.azure.ports[port], self.azure.ca, **more)
        self.addCleanup(client.__exit__)
        if policy:
            self.assertEqual(client.put_token(self.token(policy)), 200)
        return client

    def publish(self, name, bodies, head=""):
        device = self.azure.device(name)
        with Mqtt(self.azure.ports["mqtt"], self.azure.ca) as client:
            token = sas(device["primary_key"], f"{self.azure.hub}/devices/{name}")
            self.assertEqual(client.connect(name, f"{self.azure.hub}/{name}/?api-version=2021-04-12", token)[1], 0)
            for number, body in enumerate(bodies, 1):
                client.send(publish_packet(f"devices/{name}/messages/events/{head}", body, number))
                self.assertEqual(client.receive()[0], 0x40)
        return partition_of(name)

    def alive(self):
        self.assertEqual(self.azure.admin("/ready"), '{"ready":true}')
        self.assertIsNone(self.azure.process.poll())
