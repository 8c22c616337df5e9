"""Microsoft's Event Hubs client (@azure/event-hubs) and service client over AMQP (azure-iothub), unmodified, pinned."""
import base64
import signal
import sys
import time
import unittest

import npm_packages
import test_node_device as node
from cloud.local_azure import LocalAzure, sas
from support.proves import main, proves


class Events(node.Sdk):
    program = "events.js"


class Messages(node.Sdk):
    program = "messages.js"


class NodeAmqp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--consumer-group", "analytics")
        cls.azure.start(amqp=0)
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)

    def post(self, device, count, first=0):
        key = self.azure.device(device)["primary_key"]
        token = sas(key, f"{self.azure.hub}/devices/{device}")
        for number in range(first, first + count):
            headers = {"iothub-messageid": f"{device}-{number}", "iothub-app-ward": "icu"}
            status = self.azure.https("POST", f"/devices/{device}/messages/events?api-version=2020-03-13", token,
                                      {"n": number}, headers)[0]
            self.assertEqual(status, 204)

    def connect(self, sdk, policy="service", key=None, **more):
        key = key or self.azure.policy(policy)["primary_key"]
        endpoint = f"sb://localhost:{self.azure.ports['amqp']}/"
        result = sdk("connect", connection=f"Endpoint={endpoint};SharedAccessKeyName={policy};SharedAccessKey={key};"
                                           "EntityPath=messages/events", **more)
        self.assertTrue(result["ok"], result)

    def collect(self, sdk, device, count):
        """Events of this device, until there are so many."""
        events = []
        while len(events) < count:
            events += [e for e in sdk("received", count=1)["events"]
                       if e["system"]["iothub-connection-device-id"] == device]
        return events

    @proves("T-DATA-02")
    def test_events_of_all_partitions(self):
        devices = ("amqp-a", "amqp-b", "amqp-c")
        for device in devices:
            self.post(device, 4)
        with Events(self.azure) as sdk:
            self.connect(sdk)
            self.assertEqual(sdk("partitions")["ids"], ["0", "1", "2", "3"])
            self.assertEqual(sdk("hub")["hub"]["partitionIds"], ["0", "1", "2", "3"])
            sdk("subscribe", **{"from": {"earliest": True}})
            events = []
            while len(events) < 12:
                events += [e for e in sdk("received", count=1)["events"]
                           if e["system"]["iothub-connection-device-id"] in devices]
            for device in devices:
                mine = [e for e in events if e["system"]["iothub-connection-device-id"] == device]
                self.assertEqual([e["messageId"] for e in mine], [f"{device}-{n}" for n in range(4)])
                self.assertEqual(base64.b64decode(mine[0]["body"]), b'{"n": 0}')
                self.assertEqual(mine[0]["properties"], {"ward": "icu"})
            rows = {row["mid"]: row["offset"] for row in self.azure.messages()}
            self.assertEqual([e["sequence"] for e in events], [rows[e["messageId"]] for e in events])
            self.assertEqual(sdk("errors")["errors"], [])
            sdk("stop")
            sdk("close")

    @proves("T-DATA-01", "T-DATA-02")
    def test_a_consumer_goes_on_where_it_was(self):
        self.post("amqp-again", 6)
        with Events(self.azure) as sdk:
            self.connect(sdk)
            sdk("subscribe", **{"from": {"earliest": True}})
            events = self.collect(sdk, "amqp-again", 6)
            sdk("stop")
            sdk("close")
        partition, third = events[0]["partition"], events[2]
        ports = {name: self.azure.ports[name] for name in ("mqtt", "https", "admin", "amqp")}
        self.azure.stop(signal.SIGKILL)
        self.azure.start(**ports)
        for position, first in (({"offset": third["offset"]}, 3), ({"offset": third["offset"], "inclusive": True}, 2),
                                ({"sequence": third["sequence"]}, 3), ({"enqueued": third["enqueued"] - 1}, 0)):
            with self.subTest(position), Events(self.azure) as sdk:
                self.connect(sdk, group="analytics")
                sdk("subscribe", partition=partition, **{"from": position})
                event = self.collect(sdk, "amqp-again", 1)[0]
                if "enqueued" in position:
                    self.assertGreaterEqual(event["enqueued"], third["enqueued"])
                else:
                    self.assertEqual(event["messageId"], f"amqp-again-{first}")
                sdk("stop")
                sdk("close")

    def test_the_highest_owner_level_takes_a_partition(self):
        self.post("amqp-owned", 2)
        with Events(self.azure) as sdk:
            self.connect(sdk)
            self.connect(sdk, **{"as": "other"})
            sdk("subscribe", ownerLevel=1, **{"from": {"earliest": True}})
            event = self.collect(sdk, "amqp-owned", 2)[1]
            partition = event["partition"]
            state = sdk("partition", id=partition)["partition"]
            self.assertEqual((state["isEmpty"], state["partitionId"]), (False, partition))
            self.assertGreaterEqual(state["lastEnqueuedSequenceNumber"], event["sequence"])
            sdk("subscribe", partition=partition, ownerLevel=2, **{"as": "other", "from": {"latest": True}})
            error = sdk("errors", count=1)["errors"][0]
            self.assertEqual((error["as"], error["code"]), ("main", "ReceiverDisconnectedError"), error)

    @proves("CR 2.1", "T-TOK-01")
    def test_who_may_not_read(self):
        wrong = self.azure.policy("device")["primary_key"]
        for policy, key in (("registryRead", None), ("service", wrong), ("device", None)):
            with self.subTest(policy=policy), Events(self.azure) as sdk:
                self.connect(sdk, policy, key)
                result = sdk("partitions")
                self.assertFalse(result["ok"], result)
                self.assertEqual(result["code"], "UnauthorizedError", result)

    @proves("T-DATA-02")
    def test_messages_to_devices_and_feedback(self):
        self.azure.device("amqp-told")
        key = self.azure.policy("service")["primary_key"]
        connection = f"HostName=localhost:{self.azure.ports['amqp']};SharedAccessKeyName=service;SharedAccessKey={key}"
        with Messages(self.azure) as sdk:
            self.assertEqual(sdk("connect", connection=connection), {"ok": True})
            body = base64.b64encode(bytes(range(256))).decode()
            for number in range(3):
                self.assertEqual(sdk("send", device="amqp-told", body=body, id=f"m{number}", ack="full",
                                     properties={"kind": "order"}), {"ok": True})
            refused = sdk("send", device="amqp-nobody", body=body, id="x")
            self.assertEqual((refused["ok"], refused["name"]), (False, "DeviceNotFoundError"), refused)
            self.assertEqual(sdk("listen"), {"ok": True})
            status = self.azure.https("DELETE", "/devices/amqp-told/commands?api-version=2021-04-12",
                                      sas(key, "localhost", policy="service"))[0]
            self.assertEqual(status, 200)
            outcomes = {}
            while len(outcomes) < 3:
                batch = sdk("settle", how="complete")
                self.assertTrue(batch["ok"], batch)
                outcomes |= {row["originalMessageId"]: row["statusCode"] for row in batch["records"]}
            self.assertEqual(outcomes, {f"m{n}": "Purged" for n in range(3)})

    @proves("T-DATA-02")
    def test_feedback_of_what_expires(self):
        self.azure.device("amqp-late")
        key = self.azure.policy("service")["primary_key"]
        connection = f"HostName=localhost:{self.azure.ports['amqp']};SharedAccessKeyName=service;SharedAccessKey={key}"
        self.addCleanup(self.azure.admin, "/faults/clock-off", "DELETE")
        with Messages(self.azure) as sdk:
            self.assertTrue(sdk("connect", connection=connection)["ok"])
            self.assertTrue(sdk("listen")["ok"])
            minute = int(time.time() + 60) * 1000
            for name, ack in (("late", "negative"), ("unasked", "positive")):
                self.assertTrue(sdk("send", device="amqp-late", body="", id=name, ack=ack, expires=minute)["ok"])
            past = sdk("send", device="amqp-late", body="", id="past", ack="full", expires=1000)
            self.assertFalse(past["ok"], past)
            self.azure.admin("/faults/clock-off?offset_s=120", "POST")
            batch = sdk("settle", how="complete")
            self.assertEqual([(row["originalMessageId"], row["statusCode"]) for row in batch["records"]],
                             [("late", "Expired")], batch)
            self.assertTrue(sdk("send", device="amqp-late", body="", id="next", ack="full")["ok"])
            status = self.azure.https("DELETE", "/devices/amqp-late/commands?api-version=2021-04-12",
                                      sas(key, "localhost", policy="service"))[0]
            self.assertEqual(status, 200)
            # This SDK accepts what arrives before it is told what to do with it: that is the end of it.
            batch = sdk("settle", how="abandon")
            self.assertEqual([row["originalMessageId"] for row in batch["records"]], ["next"])

    def test_file_notifications_are_refused(self):
        key = self.azure.policy("service")["primary_key"]
        host = f"localhost:{self.azure.ports['amqp']}"
        with Messages(self.azure) as sdk:
            sdk("connect", connection=f"HostName={host};SharedAccessKeyName=service;SharedAccessKey={key}")
            self.assertEqual(sdk("files")["message"], "disconnected")
            self.azure.device("amqp-filed")
            self.assertEqual(sdk("send", device="amqp-filed", body="", id="x"), {"ok": True})

    @proves("CR 2.1")
    def test_who_may_not_send(self):
        key = self.azure.policy("registryRead")["primary_key"]
        host = f"localhost:{self.azure.ports['amqp']}"
        with Messages(self.azure) as sdk:
            sdk("connect", connection=f"HostName={host};SharedAccessKeyName=registryRead;SharedAccessKey={key}")
            result = sdk("send", device="amqp-told", body="", id="x")
            self.assertEqual((result["ok"], result["name"]), (False, "UnauthorizedError"), result)


if __name__ == "__main__":
    if missing := npm_packages.missing_tools():
        print(f"skipped: {', '.join(missing)} not installed")
        sys.exit(77)
    npm_packages.install()
    main()
