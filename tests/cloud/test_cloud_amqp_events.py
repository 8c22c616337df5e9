"""The Event Hubs-compatible endpoint, messages to devices and feedback over AMQP 1.0, against Qpid Proton."""
import hashlib
import signal
import struct

from cloud.amqp_case import PARTITIONS, AmqpCase, amqp, partition_of, place
from cloud.local_azure import LocalAzure, sas
from cloud.websocket_client import AmqpStream, Refused
from proton import Delivery, Message
from support.proves import main, proves

OFFSET = "amqp.annotation.x-opt-offset"
SEQUENCE = "amqp.annotation.x-opt-sequence-number"
ENQUEUED = "amqp.annotation.x-opt-enqueued-time"


def offset(event):
    return int(event.annotations["x-opt-offset"])


class Events(AmqpCase):
    @proves("T-DATA-02")
    def test_an_event_is_what_the_device_sent(self):
        body = bytes(range(256))
        partition = self.publish("whole", [body], "%24.mid=m%201&%24.ct=application%2Fjson&%24.cid=c&ward=icu%2F3")
        row = next(row for row in self.azure.messages() if row["device"] == "whole")
        event = self.all_events(partition, "whole")[0]
        self.assertEqual((event.body, event.id, event.correlation_id, event.content_type),
                         (body, "m 1", "c", "application/json"))
        self.assertEqual(event.properties, {"ward": "icu/3"})
        self.assertEqual(event.annotations["x-opt-sequence-number"], row["offset"])
        self.assertEqual(offset(event), row["offset"])
        self.assertEqual(event.annotations["iothub-connection-device-id"], "whole")
        self.assertEqual(event.annotations["x-opt-enqueued-time"], event.annotations["iothub-enqueuedtime"])

    def metric(self, name):
        page = self.azure.admin("/metrics").splitlines()
        return int(next(line.split()[-1] for line in page if line.startswith(f"mitral_cloud_{name} ")))

    def test_metrics_count_what_passes(self):
        delivered, refused = 'amqp_messages_total{kind="event-delivered"}', "amqp_refused_total"
        before = self.metric(delivered), self.metric(refused)
        partition = self.publish("counted", [b"1", b"2", b"3"])
        client = self.connect("service")
        self.all_events(partition, "counted", count=3, client=client)
        self.assertGreaterEqual(self.metric('connections{transport="amqp"}'), 1)
        self.assertGreaterEqual(self.metric(delivered), before[0] + 3)
        self.assertEqual(self.metric(refused), before[1])
        self.assertEqual(client.put_token(self.token(key="AAAA")), 401)
        with self.assertRaisesRegex(amqp.Refused, "amqp:not-found"):
            client.receiver("nowhere")
        self.assertEqual(self.metric(refused), before[1] + 2)

    def all_events(self, partition, device, selector=None, group="$Default", count=1, client=None):
        client = client or self.connect("service")
        link = client.receiver(place(partition, group), selector)
        events = []
        while len(events) < count:
            event = client.receive(link, 1)[0]
            if event.annotations["iothub-connection-device-id"] == device:
                events.append(event)
        link.close()
        client.write()
        return events

    @proves("T-DATA-02")
    def test_from_where_a_consumer_asks(self):
        partition = self.publish("positions", [bytes([n]) for n in range(8)])
        events = self.all_events(partition, "positions", count=8)
        self.assertEqual([event.body for event in events], [bytes([n]) for n in range(8)])
        at = [offset(event) for event in events]
        self.assertEqual(at, sorted(set(at)))
        enqueued = [int(event.annotations["x-opt-enqueued-time"]) for event in events]
        for selector, first in ((f"{OFFSET} > '-1'", 0), (f"{OFFSET} > '{at[2]}'", 3), (f"{OFFSET} >= '{at[2]}'", 2),
                                (f"{SEQUENCE} > '{at[4]}'", 5), (f"{SEQUENCE} >= '{at[4]}'", 4),
                                (f"{ENQUEUED} > '{enqueued[0] - 1}'", 0),
                                (f"{ENQUEUED} >= '{enqueued[5]}'", enqueued.index(enqueued[5]))):
            with self.subTest(selector):
                self.assertEqual(self.all_events(partition, "positions", selector)[0].body, bytes([first]))
        for selector in ("nonsense", f"{OFFSET} > 'x'", f"{OFFSET} < '3'", f"{OFFSET} > '{'9' * 30}'"):
            with self.subTest(selector), self.assertRaisesRegex(amqp.Refused, "amqp:invalid-field"):
                self.connect("service").receiver(place(partition), selector)

    def test_from_now_on(self):
        partition = self.publish("latest", [b"old"])
        client = self.connect("service")
        link = client.receiver(place(partition), f"{OFFSET} > '@latest'")
        self.publish("latest", [b"new"])
        self.assertEqual(client.receive(link, 1)[0].body, b"new")

    def test_places_that_are_not_there(self):
        client = self.connect("service")
        for address in (place(PARTITIONS), place("-1"), place(0, "nobody"), "messages/nothing"):
            with self.subTest(address), self.assertRaisesRegex(amqp.Refused, "amqp:not-found"):
                client.receiver(address)
        with self.assertRaisesRegex(amqp.Refused, "amqp:not-allowed"):
            client.sender(place(0))

    @proves("T-DATA-02")
    def test_every_consumer_and_group_gets_everything(self):
        bodies = [b"%d" % n for n in range(20)]
        partition = self.publish("groups", bodies)
        clients = [(self.connect("service"), group) for group in ("$Default", "$Default", "analytics", "ANALYTICS")]
        links = [client.receiver(place(partition, group)) for client, group in clients]
        self.publish("groups", [b"live"])
        for (client, group), link in zip(clients, links):
            got = []
            while b"live" not in got:
                event = client.receive(link, 1)[0]
                if event.annotations["iothub-connection-device-id"] == "groups":
                    got.append(event.body)
            self.assertEqual(got, [*bodies, b"live"], group)

    def test_five_consumers_of_a_group_at_a_partition(self):
        client = self.connect("service")
        for _ in range(5):
            client.receiver(place(3, "analytics"))
        with self.assertRaisesRegex(amqp.Refused, "amqp:resource-limit-exceeded"):
            client.receiver(place(3, "analytics"))

    def test_the_highest_epoch_reads_alone(self):
        first, second, third = (self.connect("service") for _ in range(3))
        plain = first.receiver(place(2, "analytics"))
        low = second.receiver(place(2, "analytics"), epoch=1)
        self.assertEqual(first.condition_of(plain), "amqp:link:stolen")
        high = third.receiver(place(2, "analytics"), epoch=2)
        self.assertEqual(second.condition_of(low), "amqp:link:stolen")
        for epoch in (1, None):
            with self.assertRaisesRegex(amqp.Refused, "amqp:link:stolen"):
                first.receiver(place(2, "analytics"), epoch=epoch)
        first.receiver(place(2), epoch=1)  # another group is another place
        self.assertTrue(high.state & amqp.Endpoint.REMOTE_ACTIVE)

    def test_credit_bounds_what_is_sent(self):
        partition = self.publish("credit", [b"%d" % n for n in range(6)])
        client = self.connect("service")
        link = client.receiver(place(partition), credit=2)
        for _ in range(2):
            self.assertIsNotNone(client.until(lambda: client.take(link)))
        # An answer to a question that was asked later: nothing else came before it.
        request = {"operation": "READ", "type": "com.microsoft:partition", "name": "messages/events",
                   "partition": str(partition)}
        answer = client.ask("messages/events/$management", Message(properties=request))
        self.assertEqual(answer.properties["status-code"], 200)
        self.assertIsNone(client.take(link))
        link.flow(1)
        self.assertIsNotNone(client.until(lambda: client.take(link)))

    @proves("T-DATA-01")
    def test_offsets_stay_after_kill_9(self):
        bodies = [b"%d" % n for n in range(12)]
        with LocalAzure() as azure:
            azure.stop()
            azure.start(amqp=0)
            ports = {name: azure.ports[name] for name in ("mqtt", "https", "admin", "amqp")}
            self.azure, whole = azure, self.azure
            try:
                partition = self.publish("kept", bodies)
                before = self.all_events(partition, "kept", count=12)
                self.assertEqual(azure.stop(signal.SIGKILL), -signal.SIGKILL)
                azure.start(**ports)
                self.publish("kept", [b"after"])
                again = self.all_events(partition, "kept", count=13)
                self.assertEqual([(offset(e), e.body) for e in again[:12]], [(offset(e), e.body) for e in before])
                resumed = self.all_events(partition, "kept", f"{OFFSET} > '{offset(before[-1])}'")
                self.assertEqual(resumed[0].body, b"after")
            finally:
                self.azure = whole

    @proves("T-DOS-02")
    def test_who_does_not_read_blocks_nobody(self):
        body = bytes(48 * 1024)
        count = 160  # 7.5 MiB: more than socket buffers and queues hold
        partition = self.publish("slow", [struct.pack(">I", n) + body for n in range(count)])
        slow, quick = self.connect("service"), self.connect("service")
        stuck = slow.receiver(place(partition), credit=10_000)
        slow.write()
        numbers = [event.body[:4] for event in self.all_events(partition, "slow", count=count, client=quick)]
        self.assertEqual(numbers, [struct.pack(">I", n) for n in range(count)])
        self.publish("slow", [b"live"])
        self.alive()
        digest, got = hashlib.sha256(), 0
        while got < count:  # and the slow one loses nothing when it does read
            event = slow.receive(stuck, 1)[0]
            if event.annotations["iothub-connection-device-id"] == "slow":
                digest.update(event.body[:4])
                got += 1
        self.assertEqual(digest.digest(), hashlib.sha256(b"".join(numbers)).digest())

    def test_management(self):
        partition = self.publish("managed", [b"x"])
        client = self.connect("service")

        def read(**properties):
            answer = client.ask("messages/events/$management", Message(properties={"operation": "READ", **properties}))
            return answer.properties["status-code"], answer.body
        status, hub = read(type="com.microsoft:eventhub", name="messages/events")
        self.assertEqual((status, hub["partition_count"], list(hub["partition_ids"])),
                         (200, PARTITIONS, [str(n) for n in range(PARTITIONS)]))
        status, state = read(type="com.microsoft:partition", name="messages/events", partition=str(partition))
        self.assertEqual(status, 200)
        last = [row["offset"] for row in self.azure.messages() if partition_of(row["device"]) == partition][-1]
        self.assertEqual((state["last_enqueued_sequence_number"], state["last_enqueued_offset"]), (last, str(last)))
        self.assertEqual(read(type="com.microsoft:partition", name="messages/events", partition="9")[0], 404)
        self.assertEqual(read(type="com.microsoft:eventhub", name="other")[0], 404)
        self.assertEqual(read(type="what", name="messages/events")[0], 501)


class Devicebound(AmqpCase):
    def message(self, device, **more):
        return Message(address=f"/devices/{device}/messages/devicebound", **more)

    @proves("T-DATA-02")
    def test_send_and_feedback(self):
        self.azure.device("told")
        client = self.connect("service")
        sender = client.sender("/messages/devicebound")
        feedback = client.receiver("/messages/serviceBound/feedback", credit=1)
        order = self.message("told", id="m-1", body=b"do", inferred=True,
                             properties={"iothub-ack": "full", "kind": "order"})
        self.assertEqual(client.send(sender, order), "accepted")
        key = self.azure.policy("service")["primary_key"]
        status = self.azure.https("DELETE", "/devices/told/commands?api-version=2021-04-12",
                                  sas(key, "localhost", policy="service"))[0]
        self.assertEqual(status, 200)
        for outcome in (Delivery.RELEASED, Delivery.MODIFIED, Delivery.REJECTED):  # abandoned: it comes again
            batch = client.receive(feedback, 1, outcome=outcome)[0]
            self.assertIn(b'"originalMessageId":"m-1"', bytes(batch.body))
            self.assertIn(b"Purged", bytes(batch.body))
        self.assertEqual(client.send(sender, self.message("told", id="m-2", properties={"iothub-ack": "full"})),
                         "accepted")
        self.azure.https("DELETE", "/devices/told/commands?api-version=2021-04-12",
                         sas(key, "localhost", policy="service"))
        batch = bytes(client.receive(feedback, 1)[0].body)
        self.assertIn(b"m-2", batch)
        self.assertNotIn(b"m-1", batch)  # rejected, as completed, is over

    def test_whom_nothing_can_be_sent(self):
        self.azure.device("sent")
        client = self.connect("service")
        sender = client.sender("messages/devicebound")
        self.assertEqual(client.send(sender, self.message("nobody", body=b"x")), "amqp:not-found")
        self.assertEqual(client.send(sender, Message(address="/devices/sent", body=b"x")), "amqp:not-found")
        bad = self.message("sent", body=b"x", properties={"iothub-ack": "loud"})
        self.assertEqual(client.send(sender, bad), "amqp:not-allowed")
        self.assertEqual(client.send(sender, self.message("sent", body=b"x")), "accepted")


class OverWebsocket(AmqpCase):
    """The same endpoint on the HTTPS port."""

    def over(self, path="/$servicebus/websocket"):
        return lambda port, ca: AmqpStream(port, ca, path)

    @proves("T-DATA-02")
    def test_events_and_a_message(self):
        bodies = [bytes([n]) * 200_000 for n in range(3)]  # one is many frames of either protocol
        partition = self.publish("ws", bodies)
        for path in ("/$servicebus/websocket", "/$iothub/websocket", "/$iothub/websocket?iothub-no-client-cert=true"):
            with self.subTest(path):
                client = self.connect("service", "https", over=self.over(path))
                link = client.receiver(place(partition))
                self.assertEqual([event.body for event in client.receive(link, 3)], bodies)
                sender = client.sender("messages/devicebound")
                message = Message(address="/devices/ws/messages/devicebound", body=b"hello", inferred=True)
                self.assertEqual(client.send(sender, message), "accepted")

    @proves("CR 2.1", "T-TOK-01")
    def test_without_a_good_token_it_opens_nothing(self):
        client = self.connect(port="https", over=self.over())
        self.assertEqual(client.put_token(self.token(key=self.azure.policy("registryRead")["primary_key"])), 401)
        with self.assertRaisesRegex(amqp.Refused, "amqp:unauthorized-access"):
            client.receiver(place(0))
        self.assertEqual(client.put_token(self.token()), 200)  # control
        client.receiver(place(0))

    def test_while_the_hub_is_away(self):
        self.addCleanup(self.azure.admin, "/faults", "DELETE")
        self.azure.admin("/faults/hub-away?seconds=600", "POST")
        with self.assertRaises(Refused) as caught:
            self.connect(port="https", over=self.over())
        self.assertEqual(caught.exception.status, 503)

    @proves("T-DOS-01")
    def test_bytes_that_are_no_amqp(self):
        stream = AmqpStream(self.azure.ports["https"], self.azure.ca)
        self.addCleanup(stream.close)
        stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
        while stream.recv(65536):
            pass
        self.assertEqual(stream.websocket.close_code, 1000)
        self.alive()


if __name__ == "__main__":
    main()
