"""The limits of a tier, on the line: F1 with its 8,000 messages a day, metered in 512 bytes."""
import json
import signal
import unittest

from cloud.local_azure import LocalAzure, sas
from cloud.mqtt_client import Mqtt, publish_packet
from support.proves import main, proves

LARGE = "x" * (200 * 1024)  # 400 of the 8,000


class Limits(unittest.TestCase):
    def setUp(self):
        self.azure = LocalAzure("--tier", "F1").__enter__()
        self.addCleanup(self.azure.__exit__, None, None, None)
        self.key = self.azure.device("lim-1")["primary_key"]

    def client(self):
        client = Mqtt(self.azure.ports["mqtt"], self.azure.ca)
        self.addCleanup(client.close)
        host = self.azure.hub
        answer = client.connect("lim-1", f"{host}/lim-1/?api-version=2021-04-12", sas(self.key, f"{host}/devices/lim-1"))
        return client, answer[1]

    def limits(self):
        return json.loads(self.azure.admin("/limits"))

    @proves("T-DOS-04")
    def test_the_quota_of_the_day(self):
        client, code = self.client()
        self.assertEqual(code, 0)
        topic = "devices/lim-1/messages/events/"
        for number in range(1, 20):
            client.send(publish_packet(topic, LARGE, number))
            client.receive()
        self.assertEqual(self.limits()["messagesUsed"], 19 * 400)
        self.azure.stop(signal.SIGKILL)
        self.azure.start()
        self.assertEqual(self.limits()["messagesUsed"], 19 * 400)  # the day goes on
        client, _ = self.client()
        client.send(publish_packet(topic, LARGE, 20))
        client.receive()
        client, code = self.client()
        self.assertEqual(code, 0)  # CONNECT is good, and the first PUBLISH costs the connection
        client.send(publish_packet(topic, "{}", 21))
        self.assertTrue(client.closed())
        self.assertEqual(len(self.azure.messages()), 20)
        token = sas(self.key, f"{self.azure.hub}/devices/lim-1")
        status, _, body = self.azure.https("POST", "/devices/lim-1/messages/events?api-version=2021-04-12", token, {})
        self.assertEqual(status, 403, body)
        self.assertIn("IotHubQuotaExceeded", body["Message"])
        page = self.azure.admin("/metrics")
        self.assertIn("mitral_cloud_quota_messages 8000\n", page)
        self.assertIn("mitral_cloud_quota_messages_used 8000\n", page)
        self.assertIn('mitral_cloud_throttled_total{limit="daily-quota"} 2\n', page)

    def test_queries_a_minute(self):
        owner = sas(self.azure.policy("iothubowner")["primary_key"], self.azure.hub, policy="iothubowner")

        def ask():
            return self.azure.https("POST", "/devices/query?api-version=2021-04-12", owner,
                                    {"query": "SELECT * FROM devices"})
        answers = [ask() for _ in range(40)]
        statuses = [status for status, _, _ in answers]
        self.assertEqual(statuses[:20], [200] * 20)
        self.assertIn(429, statuses[20:])
        refused = answers[statuses.index(429)]
        self.assertIn("ThrottlingException", refused[2]["Message"])
        self.assertEqual(refused[1]["Retry-After"], "1")


class Unlimited(unittest.TestCase):
    def test_without_a_tier_there_are_none(self):
        with LocalAzure() as azure:
            self.assertEqual(json.loads(azure.admin("/limits")), {})
            self.assertNotIn("quota_messages", azure.admin("/metrics"))

    def test_a_tier_that_does_not_exist(self):
        azure = LocalAzure("--tier", "S9")
        with self.assertRaisesRegex(RuntimeError, "tier is F1, S1, S2 or S3"):
            azure.start()
        azure.stop()


if __name__ == "__main__":
    main()
