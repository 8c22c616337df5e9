"""Who may do what over AMQP 1.0, and what hostile peers get; the peers are Qpid Proton, and raw bytes."""
import json
import ssl
import struct
import time

from cloud.amqp_case import AmqpCase, amqp, place
from cloud.local_azure import LocalAzure, sas
from proton import Message
from support.proves import main, proves


class Claims(AmqpCase):
    @proves("CR 2.1")
    def test_a_policy_with_service_connect_opens_events(self):
        for policy in ("service", "iothubowner"):
            for sasl in (True, False):  # Microsoft's service client begins without SASL
                with self.subTest(policy=policy, sasl=sasl):
                    self.connect(policy, sasl=sasl).receiver(place(0))

    @proves("CR 2.1", "T-TOK-01")
    def test_what_opens_nothing(self):
        device = self.azure.device("claims")
        other_key = self.azure.policy("registryRead")["primary_key"]
        tokens = {"expired": (401, self.token(lifetime=-3600)),
                  "wrong key": (401, self.token(key=other_key)),
                  "another hub": (401, self.token(resource="other.azure-devices.net")),
                  "unknown policy": (401, sas(other_key, "localhost", policy="nobody")),
                  "no token": (401, "SharedAccessSignature"),
                  "only another address": (200, self.token(resource="localhost/messages/devicebound")),
                  "without ServiceConnect": (200, self.token("registryReadWrite")),
                  "device's policy": (200, self.token("device")),
                  "a device": (200, sas(device["primary_key"], "localhost/devices/claims"))}
        for name, (status, token) in tokens.items():
            with self.subTest(name):
                client = self.connect()
                self.assertEqual(client.put_token(token), status)
                for address in (place(0), "messages/serviceBound/feedback", "messages/events/$management"):
                    with self.assertRaisesRegex(amqp.Refused, "amqp:unauthorized-access"):
                        client.receiver(address)
                if name != "only another address":
                    with self.assertRaisesRegex(amqp.Refused, "amqp:unauthorized-access"):
                        client.sender("messages/devicebound")

    @proves("CR 2.1", "T-TOK-01")
    def test_no_claim_opens_nothing(self):
        for sasl in (True, False):
            client = self.connect(sasl=sasl)
            for attach, address in ((client.receiver, place(0)), (client.receiver, "messages/events/$management"),
                                    (client.receiver, "messages/serviceBound/feedback"),
                                    (client.sender, "messages/devicebound")):
                with self.subTest(address=address, sasl=sasl), \
                        self.assertRaisesRegex(amqp.Refused, "amqp:unauthorized-access"):
                    attach(address)
            self.assertEqual(client.put_token(self.token()), 200)  # the connection stays, and may still prove itself
            client.receiver(place(0))

    def test_a_token_of_one_place_opens_no_other(self):
        client = self.connect()
        self.assertEqual(client.put_token(self.token(resource=f"localhost/{place(1)}")), 200)
        client.receiver(place(1))
        for address in (place(0), place(1, "analytics")):
            with self.assertRaisesRegex(amqp.Refused, "amqp:unauthorized-access"):
                client.receiver(address)

    def test_only_put_token_with_a_shared_access_signature(self):
        client = self.connect()
        self.assertEqual(client.put_token(self.token(), kind="jwt"), 401)
        with self.assertRaisesRegex(amqp.Refused, "amqp:unauthorized-access"):
            client.receiver(place(0))

    @proves("T-TOK-01")
    def test_sasl_plain(self):
        key = self.azure.policy("service")["primary_key"]
        for user, password, outcome in (("service@sas.root.localhost", key, 0), ("service", self.token(), 0),
                                        ("service", key[:-4] + "AAA=", 1), ("nobody", key, 1), ("registryRead", key, 1),
                                        ("service", self.token("registryRead"), 1), ("", "", 1)):
            with self.subTest(user=user, outcome=outcome), \
                    amqp.open_tls(self.azure.ports["amqp"], self.azure.ca) as sock:
                response = b"\0" + user.encode() + b"\0" + password.encode()
                sock.sendall(amqp.SASL_HEADER + amqp.sasl_init("PLAIN", response))
                answer = b""
                while b"\x00\x53\x44" not in answer:  # SASL outcome; its code is the frame's last byte but none
                    piece = sock.recv(4096)
                    self.assertTrue(piece, answer)
                    answer += piece
                code = answer[answer.index(b"\x00\x53\x44") + 3:]
                self.assertEqual(code[-1], outcome, code)

    @proves("T-TOK-01", "CR 2.6")
    def test_links_end_with_their_token(self):
        with LocalAzure() as azure:  # of its own, since its clock is set
            azure.stop()
            azure.start(amqp=0)
            keys = {name: azure.policy(name)["primary_key"] for name in ("service", "registryRead")}
            short, long = (sas(keys["service"], "localhost", life, "service") for life in (3600, 36000))
            other = sas(keys["registryRead"], "localhost/messages", 36000, "registryRead")
            ended, mixed, renewed = (amqp.Amqp(azure.ports["amqp"], azure.ca) for _ in range(3))
            with ended, mixed, renewed:
                for client, tokens in ((ended, [short]), (mixed, [short, other]), (renewed, [short])):
                    for token in tokens:
                        self.assertEqual(client.put_token(token), 200)
                links = {client: client.receiver(place(0)) for client in (ended, mixed, renewed)}
                self.assertEqual(renewed.put_token(long), 200)

                azure.admin("/faults/clock-off?offset_s=3800", "POST")  # past the end, within the grace
                for client in (ended, mixed, renewed):
                    self.assertEqual(client.put_token(other), 200)  # it hears and answers
                    self.assertTrue(links[client].state & amqp.Endpoint.REMOTE_ACTIVE)

                azure.admin("/faults/clock-off?offset_s=4000", "POST")
                # A token that lives on keeps the connection, not the links of the other one.
                links[mixed].flow(1)
                self.assertEqual(mixed.condition_of(links[mixed]), "amqp:unauthorized-access")
                with self.assertRaisesRegex(amqp.Refused, "amqp:unauthorized-access"):
                    mixed.receiver(place(0))
                self.assertEqual(renewed.put_token(other), 200)
                self.assertTrue(links[renewed].state & amqp.Endpoint.REMOTE_ACTIVE)

                azure.admin("/faults/clock-off?offset_s=41000", "POST")  # past the end of all
                for client in (ended, mixed, renewed):
                    client.session.receiver("stir").open()
                    with self.assertRaisesRegex(amqp.Refused, "amqp:unauthorized-access|closed"):
                        client.until(lambda: False)


class Attaches(AmqpCase):
    def test_addresses_that_are_whole(self):
        client = self.connect("service")
        port = self.azure.ports["amqp"]
        for head in ("amqps://localhost/", f"amqps://localhost:{port}/", "sb://LOCALHOST/"):
            with self.subTest(head):
                client.receiver(head + place(0))
                client.sender(head + "messages/devicebound")
        for address in ("amqps://elsewhere/" + place(0), "amqps://", "amqps://localhost"):
            with self.subTest(address), self.assertRaisesRegex(amqp.Refused, "amqp:not-found"):
                client.receiver(address)

    def test_only_the_end_that_takes_messages_bounds_them(self):
        client = self.connect("service")
        self.assertFalse(client.receiver(place(0)).remote_max_message_size)
        self.assertEqual(client.sender("messages/devicebound").remote_max_message_size, 80 * 1024)

    def test_a_refused_link_has_no_ends(self):
        client = self.connect("service")
        for link in (client.session.receiver("r"), client.session.sender("s")):
            link.source.address = link.target.address = "nowhere"
            link.open()
            self.assertEqual(client.condition_of(link), "amqp:not-found")
            self.assertEqual((link.remote_source.type, link.remote_target.type), (0, 0))

    def test_credit_can_be_drained(self):
        client = self.connect("service")
        for address in ("$cbs", "messages/events/$management", "messages/serviceBound/feedback", place(0)):
            with self.subTest(address):
                link = client.receiver(address, credit=0)
                link.drain(5)
                client.until(lambda link=link: not link.draining() or link.credit == 0)

    @proves("T-DOS-02")
    def test_tokens_without_end(self):
        client = self.connect()
        with self.assertRaises((amqp.Refused, ConnectionError, ssl.SSLError)):
            for _ in range(15):
                self.assertEqual(client.put_token("SharedAccessSignature"), 401)
        self.alive()


class Faults(AmqpCase):
    def setUp(self):
        self.addCleanup(self.azure.admin, "/faults", "DELETE")

    def fault(self, what):
        return json.loads(self.azure.admin(f"/faults/{what}", "POST"))

    def assert_ended(self, client):
        with self.assertRaises((amqp.Refused, OSError)):
            client.until(lambda: False)

    def test_what_strikes_devices_spares_back_ends(self):
        client = self.connect("service")
        self.azure.device("one")
        for fault in ("expired-tokens?device=one", "half-open?device=one", "silent-hub", "throttle-connects",
                      "latency?down_ms=60000&port=mqtt", "malformed", "drop?device=one"):
            self.fault(fault)
        self.assertEqual(client.put_token(self.token()), 200)
        self.connect("service").receiver(place(0))

    def test_what_strikes_the_hub_strikes_them(self):
        for fault in ("hub-away?seconds=600", "expired-tokens", "drop?all=1", "hub-failover?hub=other.mitral.test",
                      "certificate-rollover"):
            with self.subTest(fault=fault):
                client = self.connect("service")
                self.assertGreaterEqual(self.fault(fault).get("dropped", 1), 1)
                self.assert_ended(client)
                self.azure.admin("/faults", "DELETE")
                self.connect("service").receiver(place(0))  # the control: it was the fault

    def test_while_the_hub_is_away_nobody_gets_in(self):
        self.fault("hub-away?seconds=600")
        with self.assertRaises((amqp.Refused, OSError)):
            self.connect("service")
        self.azure.admin("/faults/hub-away", "DELETE")
        self.connect("service")

    def test_half_open(self):
        client = self.connect("service")
        self.fault("half-open")
        self.connect("service").receiver(place(0))  # new ones are served
        self.azure.admin("/faults/half-open", "DELETE")
        self.assert_ended(client)

    def test_latency(self):
        client = self.connect("service")
        self.fault("latency?up_ms=300&port=amqp")
        other = self.connect()  # whatever its port, each new connection looks for its own
        began = time.monotonic()
        self.assertEqual(other.put_token(self.token()), 200)
        self.assertGreaterEqual(time.monotonic() - began, 0.3)
        self.assertEqual(client.put_token(self.token()), 200)

    def test_a_new_connection_meets_the_other_certificate(self):
        self.addCleanup(self.azure.admin, "/faults", "DELETE")
        self.azure.admin("/faults/certificate-rollover", "POST")
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.connect()
        other = self.azure.state / "tls" / "rollover" / "ca.pem"
        amqp.Amqp(self.azure.ports["amqp"], str(other)).__exit__()


class Hostile(AmqpCase):
    def rejected(self, sent, half_close=False):
        with amqp.open_tls(self.azure.ports["amqp"], self.azure.ca) as sock:
            try:
                sock.sendall(sent)
                if half_close:
                    sock.unwrap()
                    return b""
            except (ConnectionError, OSError):
                return b""
            return amqp.read_to_end(sock)

    @proves("T-DOS-01")
    def test_bytes_that_are_no_amqp(self):
        huge = struct.pack(">IBBH", 0x7fffffff, 2, 0, 0)
        begun = amqp.SASL_HEADER + amqp.sasl_init("ANONYMOUS") + amqp.HEADER
        for name, sent in {"HTTP": b"GET / HTTP/1.1\r\n\r\n", "zeros": bytes(4096), "ones": b"\xff" * 4096,
                           "another version": b"AMQP\x00\x00\x09\x01",
                           "huge frame": amqp.HEADER + huge + bytes(100_000),
                           "huge SASL frame": amqp.SASL_HEADER + huge[:5] + b"\x01\0\0" + bytes(1000),
                           "short frame": amqp.HEADER + struct.pack(">IBBH", 4, 2, 0, 0),
                           "data offset": amqp.HEADER + struct.pack(">IBBH", 16, 200, 0, 0) + bytes(8),
                           "unknown mechanism": amqp.SASL_HEADER + amqp.sasl_init("CRAM-MD5", b"x"),
                           "no mechanism": amqp.SASL_HEADER + amqp.frame(b"\x00\x53\x41\xc0\x02\x01\x40", kind=1),
                           "PLAIN without parts": amqp.SASL_HEADER + amqp.sasl_init("PLAIN", b"x"),
                           "garbage performative": begun + amqp.frame(b"\x00\x53\x10\xd0" + b"\xff" * 8),
                           "unknown performative": begun + amqp.frame(b"\x00\x53\x7f\x45"),
                           "attach without session": begun + amqp.frame(b"\x00\x53\x12\x45", channel=9),
                           "deep nesting": begun + amqp.frame(b"\x00\x53\x10" + b"\x00\x53\x70" * 21_000),
                           "nested lists": begun + amqp.frame(b"\x00\x53\x10\xd0\x00\x00\xf0\x00\x00\x00\x00\x0a\xa1\x00" +
                                                              b"\x40" * 8 + b"\xc1\xff\x02\xa3\x01x" +
                                                              b"\xc0\x01\x01" * 20_000 + b"\x40"),
                           "only descriptors": begun + amqp.frame(bytes(65_000))}.items():
            with self.subTest(name):
                self.rejected(sent)  # returns once the server has closed
                self.alive()

    @proves("T-DOS-01")
    def test_who_stops_in_the_middle(self):
        whole = amqp.SASL_HEADER + amqp.sasl_init("PLAIN", b"\0service\0key") + amqp.HEADER
        for size in range(0, len(whole), 3):
            with self.subTest(size=size):
                self.rejected(whole[:size], half_close=True)
        self.alive()
        self.connect("service").receiver(place(0))

    @proves("T-DOS-02")
    def test_links_and_sessions_before_a_token(self):
        client = self.connect()
        with self.assertRaisesRegex(amqp.Refused, "amqp:resource-limit-exceeded"):
            for _ in range(40):
                client.receiver("$cbs")
        sessions = self.connect()
        for _ in range(20):
            sessions.connection.session().open()
        with self.assertRaisesRegex(amqp.Refused, "amqp:resource-limit-exceeded"):
            sessions.until(lambda: False)
        self.connect("service").receiver(place(0))  # control: below the limits

    @proves("T-DOS-01")
    def test_messages_that_are_none(self):
        client = self.connect()  # without a token
        client.receiver("$cbs")
        # As deep as a message can be: what the library would take for thousands of bodies, and for one.
        nested = b"\xc0\x01\x01" * 26_900 + b"\x40"
        for sent in (b"", b"\x00", b"\xff" * 9, b"\x00\x53\x75\xa0\xff", b"\x00" * 60_000, b"\x00\x53\x77" + nested,
                     b"\x00\x53\x77\xd0" + struct.pack(">II", len(nested) + 4, 1) + nested):
            with self.subTest(sent[:9]):
                sender = client.sender("$cbs")
                client.until(lambda link=sender: link.credit > 0)
                delivery = sender.delivery("none")
                if sent:
                    sender.send(sent)
                sender.advance()
                client.until(lambda what=delivery: what.remote_state)
                sender.close()
                client.until(lambda link=sender: link.state & amqp.Endpoint.REMOTE_CLOSED)
                self.alive()
        self.assertEqual(client.put_token(self.token()), 200)

    @proves("T-DOS-01")
    def test_names_that_are_too_long(self):
        client = self.connect()
        with self.assertRaisesRegex(amqp.Refused, "amqp:invalid-field"):
            client.receiver("a/" * 600)
        client.receiver("$cbs")
        sender = client.sender("$cbs")
        self.assertEqual(client.send(sender, Message(id="m" * 5_000, body="token")), "amqp:invalid-field")
        self.assertEqual(client.put_token(self.token()), 200)  # control
        client.receiver("$cbs")
        for policy in (None, "service"):  # what is far too long costs the connection
            with self.subTest(policy), self.assertRaises((amqp.Refused, ConnectionError, ssl.SSLError)):
                self.connect(policy).receiver("a/" * 3_000)

    @proves("T-DOS-01")
    def test_another_protocol_inside(self):
        """The library would speak TLS with the first two, unseen."""
        for begun in (b"\x16\x03\x01\x00\x05hello", b"AMQP\x02\x01\x00\x00", b"GET / HTTP/1.1\r\n\r\n"):
            with self.subTest(begun):
                self.assertEqual(self.rejected(begun), amqp.HEADER)

    def test_a_token_of_the_year_9999(self):
        client = self.connect()
        self.assertEqual(client.put_token(self.token(lifetime=253402300799 - int(time.time()))), 200)
        client.receiver(place(0))

    @proves("T-DOS-02")
    def test_a_message_that_is_too_large(self):
        client = self.connect("service")
        self.azure.device("large")
        sender = client.sender("messages/devicebound")
        client.until(lambda: sender.credit > 0)
        sender.delivery("large")
        sender.send(Message(address="/devices/large/messages/devicebound", body=bytes(300_000), inferred=True).encode())
        sender.advance()
        self.assertEqual(client.condition_of(sender), "amqp:link:message-size-exceeded")
        self.alive()


if __name__ == "__main__":
    main()
