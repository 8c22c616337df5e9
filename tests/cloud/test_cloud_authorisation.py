"""The authorisation matrix, generated whole: operations times credentials, over HTTPS and MQTT."""
import http.client
import json
import ssl
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
        rows = [json.loads(line) for line in cls.azure.admin("/calls").splitlines()]
        cls.calls = [(row["method"], row["path"]) for row in rows]
        # What is not built answers 501 to everybody, and does nothing.
        scope = cls.azure.ports["id_scope"]
        cls.calls = [(method, path) for method, path in cls.calls
                     if path.endswith("/websocket") or
                     cls.azure.https(method, matrix.fill(path, scope))[0] != 501]
        context = ssl.create_default_context(cafile=cls.azure.ca)
        cls.connection = http.client.HTTPSConnection("localhost", cls.azure.ports["https"], context=context, timeout=30)
        cls.addClassCleanup(cls.connection.close)

    def call(self, method, path, token, body, headers):
        """As LocalAzure.https, but all on one connection."""
        sent = {"Content-Type": "application/json", **headers, **({"Authorization": token} if token else {})}
        self.connection.request(method, path, body=json.dumps(body) if body is not None else None, headers=sent)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    @proves("CR 2.1", "T-TOK-02")
    def test_control_a_call_that_nobody_judged_is_noticed(self):
        self.assertIn(("POST", "/devices/query"), self.calls)
        with self.assertRaisesRegex(AssertionError, "POST /devices/[{]device[}]/secrets"):
            matrix.operations([*self.calls, ("POST", "/devices/{device}/secrets")], "scope")

    @proves("CR 2.1", "CR 1.2", "CR 1.14", "T-TOK-02", "T-TOK-05")
    def test_http(self):
        allowed = set()
        operations = matrix.operations(self.calls, self.azure.ports["id_scope"])
        for operation, (method, path, body, needs) in operations.items():
            path += ("&" if "?" in path else "?") + "api-version=2021-04-12"
            headers = {"If-Match": '"*"'} if method in ("PUT", "DELETE") else {}
            for credential, (token, grants) in self.credentials.items():
                with self.subTest(operation=operation, credential=credential):
                    status, answer = self.call(method, path, token, body, headers)
                    self.assertEqual(status != 401, needs in grants, (status, answer))
                    self.assertNotIn(status, (405, 500, 501), answer)
                    if status != 401:
                        allowed.add(operation)
        self.assertEqual(allowed, set(operations))  # the control: each can be done by somebody

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
