"""A bare MQTT 3.1.1 client that says exactly what a test tells it to, right or wrong."""
import socket
import ssl
import struct


def text(value):
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(raw)) + raw


def packet(first, body=b""):
    length, digits = len(body), b""
    while True:
        length, digit = length >> 7, length & 0x7F
        digits += bytes([digit | 0x80 if length else digit])
        if not length:
            return bytes([first]) + digits + body


def connect_packet(client, user, password, clean=True, keep_alive=60, level=4, will=None, name="MQTT"):
    flags = (0x80 if password is None else 0xC0) | (2 if clean else 0)
    body = b""
    if will:
        flags |= 0x04 | 0x08
        body = text(will[0]) + text(will[1])
    return packet(0x10, text(name) + bytes([level, flags]) + struct.pack(">H", keep_alive) + text(client) +
                  body + text(user) + (b"" if password is None else text(password)))


def publish_packet(topic, body, packet_id=None, qos=1, dup=False, retain=False):
    first = 0x30 | qos << 1 | dup << 3 | int(retain)
    return packet(first, text(topic) + (struct.pack(">H", packet_id) if qos else b"") +
                  (body if isinstance(body, bytes) else body.encode()))


class Mqtt:
    def __init__(self, port, ca, timeout=15, certificate=None):
        context = ssl.create_default_context(cafile=ca)
        if certificate:
            context.load_cert_chain(certificate)
        raw = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket = context.wrap_socket(raw, server_hostname="localhost")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def receive(self):
        """(first byte, body) of the next packet; None when the server closed."""
        try:
            first = self._exactly(1)[0]
            length = shift = 0
            while True:
                digit = self._exactly(1)[0]
                length |= (digit & 0x7F) << shift
                shift += 7
                if not digit & 0x80:
                    return first, self._exactly(length)
        except (EOFError, ConnectionError, ssl.SSLError):
            return None

    def connect(self, *arguments, **options):
        """(session present, code)"""
        self.send(connect_packet(*arguments, **options))
        first, body = self.receive()
        assert first == 0x20, first
        return body[0], body[1]

    def closed(self):
        """True when the server closes without another word."""
        return self.receive() is None
