"""Names and ports as Azure has them: *.azure-devices.net on 8883 and 443, an authority that the machine trusts, and
nothing that a client would have to be told."""
import subprocess
import unittest

import own_network
import test_node_amqp as node_amqp
import test_node_device as node
from cloud.local_azure import LocalAzure, derive, sas
from own_network import AZURE_DPS, AZURE_HUB
from support.proves import proves


class RealNames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--name", AZURE_HUB, "--name", AZURE_DPS, "--assigned-hub", AZURE_HUB)
        cls.azure.start(mqtt=8883, https=443, amqp=5671)
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        cls.group = cls.azure.group()

    def stored(self, device):
        return [row["mid"] for row in self.azure.messages() if row["device"] == device]

    def test_every_way_in(self):
        """Each transport of the provisioning client, then the same one of the device client."""
        for over in ("mqtt", "websocket", "https"):
            with self.subTest(over), node.Sdk(self.azure) as sdk:
                name = f"real-{over}"
                key = derive(self.group["primary_key"], name)
                result = sdk("provision", over=over, host=AZURE_DPS, scope=self.group["id_scope"], registration=name,
                             key=key)
                self.assertEqual(result, {"ok": True, "hub": AZURE_HUB, "device": name, "status": "assigned"})
                opened = sdk("open", over=over, connection=f"HostName={result['hub']};DeviceId={name};"
                                                           f"SharedAccessKey={key}")
                self.assertTrue(opened["ok"], opened)
                # A header of HTTP holds no more than Latin-1: plain ids.
                sent = [node.message(i, messageId=f"m{i}") for i in range(3)]
                self.assertTrue(sdk("send", messages=sent)["ok"])
                self.assertEqual(self.stored(name), ["m0", "m1", "m2"])

    def test_back_ends(self):
        """The service's clients, over AMQP's port and over WebSocket."""
        device = self.azure.device("real-back-end")
        token = sas(device["primary_key"], f"{AZURE_HUB}/devices/real-back-end")
        path = "/devices/real-back-end/messages/events?api-version=2020-03-13"
        key = self.azure.policy("service")["primary_key"]
        for number, over in enumerate(("tls", "websocket"), 1):
            with self.subTest(over), node_amqp.Events(self.azure) as events, \
                    node_amqp.Messages(self.azure) as messages:
                self.assertEqual(self.azure.https("POST", path, token, {"n": number})[0], 204)
                opened = events("connect", over=over, connection=f"Endpoint=sb://{AZURE_HUB}/;SharedAccessKeyName="
                                                                 f"service;SharedAccessKey={key};EntityPath=messages/events")
                self.assertTrue(opened["ok"], opened)
                self.assertTrue(events("subscribe", **{"from": {"earliest": True}})["ok"])
                found = []
                while len(found) < number:
                    found += [event for event in events("received", count=1)["events"]
                              if event["system"]["iothub-connection-device-id"] == "real-back-end"]
                opened = messages("connect", over=over, connection=f"HostName={AZURE_HUB};SharedAccessKeyName=service;"
                                                                   f"SharedAccessKey={key}")
                self.assertTrue(opened["ok"], opened)
                sent = messages("send", device="real-back-end", body="aGVsbG8=", id=over)
                self.assertTrue(sent["ok"], sent)

    def mosquitto(self, host):
        key = self.azure.device("real-broker")["primary_key"]
        return subprocess.run(
            ["mosquitto_pub", "-h", host, "-p", "8883", "--tls-use-os-certs", "-V", "mqttv311", "-q", "1",
             "-i", "real-broker", "-u", f"{AZURE_HUB}/real-broker/?api-version=2021-04-12",
             "-P", sas(key, f"{AZURE_HUB}/devices/real-broker"), "-t", "devices/real-broker/messages/events/",
             "-m", "x"], capture_output=True, text=True, timeout=60, check=False)

    def curl(self, host):
        key = self.azure.policy("registryRead")["primary_key"]
        return subprocess.run(
            ["curl", "-sS", "-H", f"Authorization: {sas(key, AZURE_HUB, policy='registryRead')}",
             f"https://{host}/devices/?api-version=2021-04-12"], capture_output=True, text=True, timeout=60, check=False)

    @proves("T-MITM-01")
    def test_clients_that_trust_what_the_machine_trusts(self):
        """Without a word about certificates; and the controls: the authority unknown, a name it does not vouch for."""
        self.assertIn("certificate", self.curl(AZURE_HUB).stderr)
        own_network.trust(self.azure.ca)
        try:
            done = self.curl(AZURE_HUB)
            self.assertEqual((done.returncode, done.stdout[:1]), (0, "["), done.stderr)
            done = self.mosquitto(AZURE_HUB)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(self.stored("real-broker")), 1)
            self.assertIn("certificate", self.curl(own_network.HUB).stderr)
            self.assertNotEqual(self.mosquitto(own_network.HUB).returncode, 0)
        finally:
            own_network.forget()

    @proves("T-MITM-01")
    def test_a_name_that_the_certificate_does_not_hold(self):
        with node.Sdk(self.azure) as sdk:
            key = self.azure.device("real-wrong")["primary_key"]
            result = sdk("open", connection=f"HostName={own_network.HUB};DeviceId=real-wrong;SharedAccessKey={key}")
            self.assertFalse(result["ok"], result)


if __name__ == "__main__":
    own_network.run(__file__)
