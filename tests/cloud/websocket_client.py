"""A bare WebSocket client that carries the bare MQTT client, and says exactly what a test tells it to."""
import base64
import hashlib
import os
import struct

from cloud.mqtt_client import Mqtt

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BINARY, CLOSE, PING, PONG = 0x82, 0x88, 0x89, 0x8A


def frame(first, payload=b"", masked=True):
    size = len(payload)
    bit = 0x80 if masked else 0
    if size < 126:
        head = struct.pack(">BB", first, bit | size)
    elif size < 0x10000:
        head = struct.pack(">BBH", first, bit | 126, size)
    else:
        head = struct.pack(">BBQ", first, bit | 127, size)
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


class Refused(ConnectionError):
    """The server answered the opening handshake with another status than 101."""

    def __init__(self, status, headers, body):
        super().__init__(f"{status} {body!r}")
        self.status, self.headers, self.body = status, headers, body


class AmqpStream:
    """The bytes of AMQP over a WebSocket, as a socket has them."""

    def __init__(self, port, ca, path="/$servicebus/websocket"):
        self.websocket = WebsocketMqtt(port, ca, path, "AMQPWSB10")
        self.sendall = self.websocket.send
        self.close = self.websocket.close
        self.settimeout = self.websocket.socket.settimeout

    def recv(self, most):
        try:
            while not self.websocket.stream:
                self.websocket.read_frame()
        except EOFError:
            return b""
        return self.websocket._exactly(min(most, len(self.websocket.stream)))


class WebsocketMqtt(Mqtt):
    def __init__(self, port, ca, path="/$iothub/websocket", protocol="mqtt", changes=None):
        super().__init__(port, ca)
        self.stream = b""
        self.pongs = []
        self.close_code = None
        try:
            self._open(path, protocol, changes or {})
        except BaseException:
            self.close()
            raise

    def _open(self, path, protocol, changes):
        key = base64.b64encode(os.urandom(16)).decode()
        headers = {"Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key,
                   "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": protocol, **changes}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value is not None)
        self.raw_send(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.raw_receive(1)
        status, *fields = head.decode().rstrip().split("\r\n")
        self.headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
        code = int(status.split()[1])
        if code != 101:
            raise Refused(code, self.headers, self.raw_receive(int(self.headers.get("content-length", 0))))
        wanted = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
        assert self.headers["sec-websocket-accept"] == wanted
        assert self.headers["sec-websocket-protocol"] == protocol
        assert "sec-websocket-extensions" not in self.headers

    def raw_receive(self, count):
        return super()._exactly(count)

    def raw_send(self, data):
        self.socket.sendall(data)

    def send(self, data):
        self.raw_send(frame(BINARY, data))

    def _exactly(self, count):
        while len(self.stream) < count:
            self.read_frame()
        data, self.stream = self.stream[:count], self.stream[count:]
        return data

    def read_frame(self):
        """Takes one frame of the server; EOFError once it said Close, which is answered."""
        first, size = self.raw_receive(2)
        assert first in (BINARY, CLOSE, PING, PONG) and size < 0x80, (first, size)  # whole messages, never masked
        if size >= 126:
            size = int.from_bytes(self.raw_receive(2 if size == 126 else 8), "big")
        payload = self.raw_receive(size)
        if first == BINARY:
            self.stream += payload
        elif first == PONG:
            self.pongs.append(payload)
        elif first == CLOSE:
            self.close_code = int.from_bytes(payload[:2], "big") if payload else 0
            self.raw_send(frame(CLOSE, payload))
            raise EOFError

    def ended(self):
        """True when the server closes the connection below, after Close."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True
