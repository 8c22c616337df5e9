"""The authorisation matrix, generated whole: operations times credentials, over HTTPS and MQTT."""
import unittest

from cloud import authorisation_matrix as matrix
from cloud.local_azure import LocalAzure
from cloud.mqtt_client import Mqtt, packet, publish_packet, text
from support.proves import main, proves


class Authorisation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure().__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        with LocalAzure() as other:
            cls.credentials = matrix.credentials(cls.azure, other)
        cls.azure.group()

    @proves("CR 2.1", "CR 1.2", "CR 1.14", "T-TOK-02", "T-TOK-05")
    def test_http(self):
        allowed = set()
        for operation, (method, path, body, needs) in matrix.HTTP_OPERATIONS.items():
            path += ("&" if "?" in path else "?") + "api-version=2021-04-12"
            headers = {"If-Match": '"*"'} if method in ("PUT", "DELETE") else {}
            for credential, (token, grants) in self.credentials.items():
                with self.subTest(operation=operation, credential=credential):
                    status, _, answer = self.azure.https(method, path, token, body, headers)
                    self.assertEqual(status != 401, needs in grants, (status, answer))
                    self.assertNotIn(status, (405, 500, 501), answer)
                    if status != 401:
                        allowed.add(operation)
        self.assertEqual(allowed, set(matrix.HTTP_OPERATIONS))  # the control: each can be done by somebody

    def connect(self, client, token):
        mqtt = Mqtt(self.azure.ports["mqtt"], self.azure.ca)
        user = f"{self.azure.hub}/{client}/?api-version=2021-04-12"
        return mqtt, mqtt.connect(client, user, token or "")[1]

    @proves("CR 2.1", "CR 1.2", "T-TOK-02", "T-ID-02")
    def test_mqtt_connect(self):
        clients = {matrix.DEVICE: matrix.AS_DEVICE, f"{matrix.DEVICE}/{matrix.MODULE}": matrix.AS_MODULE}
        for client, needs in clients.items():
            for credential, (token, grants) in self.credentials.items():
                with self.subTest(client=client, credential=credential):
                    mqtt, code = self.connect(client, token)
                    mqtt.close()
                    self.assertEqual(code, 0 if needs in grants else 5)
        owner = self.credentials["policy iothubowner"][0]
        mqtt, code = self.connect(f"{matrix.DEVICE}/unknown", owner)
        mqtt.close()
        self.assertEqual(code, 5)  # a policy opens no door to a module that is not registered

    @proves("CR 2.1", "T-ID-02")
    def test_mqtt_topics(self):
        identities = {matrix.AS_DEVICE: (matrix.DEVICE, self.credentials["device"][0]),
                      matrix.AS_MODULE: (f"{matrix.DEVICE}/{matrix.MODULE}", self.credentials["module"][0])}
        packets = [(topic, publish_packet(topic, "{}", 7), rights) for topic, rights in matrix.MQTT_PUBLISHES.items()]
        packets += [(name, packet(0x82, b"\0\7" + text(name) + b"\1"), rights)
                    for name, rights in matrix.MQTT_FILTERS.items()]
        for identity, (client, token) in identities.items():
            for name, data, rights in packets:
                with self.subTest(identity=identity, topic=name):
                    mqtt, code = self.connect(client, token)
                    self.assertEqual(code, 0)
                    with mqtt:
                        mqtt.send(data)
                        self.assertEqual(mqtt.receive() is not None, identity in rights)


if __name__ == "__main__":
    main()
