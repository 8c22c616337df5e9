"""A device that does what the gateway never does: it subscribes. Negative control for the one-way test."""
import base64
import hashlib
import hmac
import json
import socket
import ssl
import subprocess
import time
import urllib.parse


def make_device(program, state, name):
    """Registers a device with the local Azure and returns its key."""
    told = subprocess.run([program, "device", "--state", state, "--id", name], capture_output=True, text=True,
                          check=True, timeout=20).stdout
    return base64.b64decode(json.loads(told)["primary_key"])


def token(key, resource):
    expiry = int(time.time()) + 300
    encoded = urllib.parse.quote(resource, safe="")
    signature = base64.b64encode(hmac.new(key, f"{encoded}\n{expiry}".encode(), hashlib.sha256).digest())
    return f"SharedAccessSignature sr={encoded}&sig={urllib.parse.quote(signature, safe='')}&se={expiry}"


def _text(value):
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def _packet(first, body):
    length, size = b"", len(body)
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (0x80 if size else 0)])
        if not size:
            return bytes([first]) + length + body


def subscribe(port, root_file, device, key):
    """Connects as `device` and subscribes to its cloud-to-device topic; returns the first byte of the answer."""
    context = ssl.create_default_context(cafile=str(root_file))
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as link:
            user = f"localhost/{device}/?api-version=2021-04-12"
            password = token(key, f"localhost/devices/{device}")
            link.sendall(_packet(0x10, _text("MQTT") + b"\x04\xc2\x00\x3c" + _text(device) + _text(user)
                                 + _text(password)))
            if link.recv(4) != b"\x20\x02\x00\x00":
                raise AssertionError("the hub refused the probe")
            link.sendall(_packet(0x82, b"\x00\x01" + _text(f"devices/{device}/messages/devicebound/#") + b"\x00"))
            return link.recv(16)[:1]
