"""MQTT over WebSocket: all that holds at the MQTT port holds here, and what only a WebSocket can do wrong."""
import unittest

import cloud.test_cloud_mqtt as tls
from cloud.mqtt_client import connect_packet, packet, publish_packet
from cloud.websocket_client import BINARY, CLOSE, PING, Refused, WebsocketMqtt, frame
from support.proves import main, proves

EVENTS = "devices/dev-01/messages/events/"
PING_PACKET, PONG_PACKET = packet(0xC0), (0xD0, b"")


class HubOverWebsocket(tls.Hub):
    """The tests of the MQTT port, their clients over WebSocket."""

    def client(self):
        return WebsocketMqtt(self.azure.ports["https"], self.azure.ca)

    def test_the_port_of_this_class_is_the_other_one(self):
        with self.connected() as client:
            self.assertEqual(client.socket.getpeername()[1], self.azure.ports["https"])


class Websocket(tls.HubCase):
    def client(self, **options):
        return WebsocketMqtt(self.azure.ports["https"], self.azure.ca, **options)

    def over_tls(self, device="dev-01"):
        client = super().client()
        self.assertEqual(client.connect(device, self.user(device), self.token(device)), (0, 0))
        return client

    def alive(self, client):
        client.send(PING_PACKET)
        self.assertEqual(client.receive(), PONG_PACKET)

    def refused(self, **options):
        with self.assertRaises(Refused) as caught:
            self.client(**options)
        return caught.exception

    def test_paths_and_subprotocols(self):
        for path in ("/$iothub/websocket", "/$iothub/websocket?iothub-no-client-cert=true", "/$iothub/websocket/?a=b"):
            for protocol in ("mqtt", "MQTT"):
                with self.client(path=path, protocol=protocol) as client:
                    self.assertEqual(client.connect("dev-01", self.user("dev-01"), self.token("dev-01")), (0, 0))
        self.assertEqual(self.refused(path="/$iothub/other").status, 404)

    @proves("CR 3.5")
    def test_openings_that_are_none(self):
        for name, value in (("Upgrade", None), ("Upgrade", "h2c"), ("Connection", "close"), ("Sec-WebSocket-Key", None),
                            ("Sec-WebSocket-Key", "short"), ("Sec-WebSocket-Protocol", None),
                            ("Sec-WebSocket-Protocol", "chat")):
            self.assertEqual(self.refused(changes={name: value}).status, 400, (name, value))
        version = self.refused(changes={"Sec-WebSocket-Version": "8"})
        self.assertEqual((version.status, version.headers["sec-websocket-version"]), (426, "13"))
        self.assertEqual(self.refused(path="/$servicebus/websocket").status, 400)  # no place for MQTT

    def test_packets_cut_by_frames_and_frames_full_of_packets(self):
        body = bytes(range(256)) * 300
        message = publish_packet(EVENTS, body, 7)
        with self.connected() as client:
            client.raw_send(frame(0x02, message[:1]))  # first fragment of a message
            client.raw_send(frame(PING, b"in between"))
            client.raw_send(frame(0x00, message[1:50_000]))
            client.raw_send(frame(0x80, message[50_000:70_000]))
            client.raw_send(frame(BINARY, message[70_000:] + publish_packet(EVENTS, "two", 8) + PING_PACKET))
            answers = [client.receive() for _ in range(3)]
            self.assertEqual(answers, [(0x40, b"\0\7"), (0x40, b"\0\x08"), PONG_PACKET])
            self.assertEqual(client.pongs, [b"in between"])
        self.assertEqual([row["body"] for row in self.azure.messages()[-2:]], [body, b"two"])

    def test_bytes_one_by_one(self):
        opening = connect_packet("dev-01", self.user("dev-01"), self.token("dev-01"))
        with self.client() as client:
            for byte in b"".join(frame(BINARY, opening[i:i + 1]) for i in range(len(opening))):
                client.raw_send(bytes([byte]))
            self.assertEqual(client.receive(), (0x20, b"\0\0"))

    @proves("T-SW-02", "CR 3.5")
    def test_violations_get_their_close_code(self):
        sound = frame(BINARY, PING_PACKET)
        with self.connected() as client:  # the control
            client.raw_send(sound)
            self.assertEqual(client.receive(), PONG_PACKET)
        for name, bad, code in (
                ("no mask", frame(BINARY, PING_PACKET, masked=False), 1002),
                ("reserved bit", bytes([sound[0] | 0x40]) + sound[1:], 1002),
                ("reserved opcode", frame(0x83, b"x"), 1002),
                ("ping in fragments", frame(0x09, b"x"), 1002),
                ("ping of 126 bytes", frame(PING, bytes(126)), 1002),
                ("continuation of nothing", frame(0x80, b"x"), 1002),
                ("message within a message", frame(0x02, b"\xc0") + frame(BINARY, b"\0"), 1002),
                ("length of 2^63", b"\x82\xff\x80" + bytes(7) + bytes(4), 1002),
                ("text", frame(0x81, b"hello"), 1003),
                ("1 MiB and a byte", b"\x82\xff" + (1024 * 1024 + 1).to_bytes(8, "big") + bytes(4), 1009),
                ("half a close code", frame(CLOSE, b"\x03"), 1002),
                ("a code that is not sent", frame(CLOSE, b"\x03\xed"), 1002)):
            with self.subTest(name), self.connected() as client:
                client.raw_send(bad)
                self.assertTrue(client.closed())
                self.assertEqual(client.close_code, code)

    @proves("T-DOS-04")
    def test_a_flood_behind_a_violation_still_hears_why(self):
        with self.connected() as client:
            client.raw_send(b"\x82\xff" + (2**40).to_bytes(8, "big") + bytes(4) + bytes(1024 * 1024))
            self.assertTrue(client.closed())
            self.assertEqual(client.close_code, 1009)

    def test_closing_handshake(self):
        with self.connected() as client:  # begun by the client
            client.raw_send(frame(CLOSE, b"\x03\xe9bye"))
            self.assertTrue(client.closed())
            self.assertEqual(client.close_code, 1001)
            self.assertTrue(client.ended())
        with self.connected() as client:  # begun by the server, after DISCONNECT
            client.send(packet(0xE0))
            self.assertTrue(client.closed())
            self.assertEqual(client.close_code, 1000)
            self.assertTrue(client.ended())

    @proves("T-DOS-04")
    def test_a_client_that_never_answers_close_is_cut_off(self):
        with self.connected() as client:
            client.send(packet(0xE0))
            self.assertEqual(client.raw_receive(4), b"\x88\x02\x03\xe8")
            self.assertTrue(client.ended())  # the socket's timeout of 15 s would be an error

    def test_close_without_disconnect_sends_the_will(self):
        count = len(self.azure.messages())
        with self.connected(will=(EVENTS, "gone")) as client:
            client.raw_send(frame(CLOSE))
            self.assertTrue(client.closed())
            self.assertEqual(client.close_code, 0)
        self.wait(lambda: len(self.azure.messages()) > count)
        self.assertEqual(self.azure.messages()[-1]["body"], b"gone")

    @proves("T-ID-02")
    def test_the_other_transport_takes_over(self):
        with self.over_tls() as first, self.connected() as second:
            self.assertTrue(first.closed())
            self.alive(second)
            with self.over_tls() as third:
                self.assertTrue(second.closed())
                self.assertEqual(second.close_code, 1000)
                self.alive(third)
        with self.over_tls() as first, self.connected("dev-02") as other:  # the control: another device
            self.alive(first)
            self.alive(other)

    def test_a_session_is_kept_across_transports(self):
        subscribe = packet(0x82, b"\0\1" + tls.text("$iothub/twin/res/#") + b"\0")
        with self.connected("dev-02", clean=False) as client:
            client.send(subscribe)
            self.assertEqual(client.receive(), (0x90, b"\0\1\0"))
        with super().client() as client:
            token = self.token("dev-02")
            self.assertEqual(client.connect("dev-02", self.user("dev-02"), token, clean=False), (1, 0))

    @proves("T-DOS-03")
    def test_hub_away_refuses_the_opening(self):
        self.azure.admin("/faults/hub-away?seconds=60", "POST")
        self.assertEqual(self.refused().status, 503)
        self.azure.admin("/faults/hub-away", "DELETE")
        self.connected().close()

    def test_https_goes_on_beside(self):
        with self.connected():
            self.assertEqual(self.azure.https("GET", "/$iothub/websocket")[0], 400)
            self.assertEqual(self.azure.https("GET", "/devices/dev-01?api-version=2021-04-12")[0], 401)


if __name__ == "__main__":
    main()
