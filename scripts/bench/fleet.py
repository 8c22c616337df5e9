"""Devices by the thousand, and the hubs they connect to: the local Azure, and a mosquitto that takes anybody."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import ssl
import subprocess
import time
import urllib.parse

import processes

BATCH = 100  # devices that one call of the registry takes
API = "api-version=2021-04-12"


def signature(key, resource, policy=None):
    """A token for a day, as Azure's documentation describes it; `key` is base64."""
    subject = urllib.parse.quote(resource, safe="")
    expiry = int(time.time()) + 24 * 3600
    mac = hmac.new(base64.b64decode(key), f"{subject}\n{expiry}".encode(), hashlib.sha256).digest()
    token = f"SharedAccessSignature sr={subject}&sig={urllib.parse.quote(base64.b64encode(mac), safe='')}&se={expiry}"
    return token + (f"&skn={policy}" if policy else "")


def identities(count):
    """Device ids, each with a key of its own."""
    return {f"bench-{number}": base64.b64encode(os.urandom(32)).decode() for number in range(count)}


class LocalAzure:
    """mitral-cloud as it is started by hand: every message is written before its PUBACK."""
    name = "mitral-cloud"

    def __init__(self, shop, name):
        self._program = shop.programs / "mitral-cloud"
        self.state = shop.scratch / name
        self.state.mkdir()
        self._process = processes.Process(
            name, [self._program, "serve", "--state", self.state, "--name", "localhost", "--mqtt-port", 0,
                   "--https-port", 0, "--admin-port", 0], shop.scratch, shop.reaper)
        self.authority = self.state / "tls/ca.pem"

    def start(self):
        told = self.state / "ports.json"
        self._process.start().wait_until(told.exists, "its start")
        ports = json.loads(told.read_text(encoding="utf-8"))
        self.port, self._https, self._admin, self._host = ports["mqtt"], ports["https"], ports["admin"], ports["hub"]
        return self

    @property
    def pid(self):
        return self._process.pid

    def stop(self):
        self._process.stop()

    def credentials(self, devices):
        """Registers them; their tokens."""
        done = subprocess.run([self._program, "policies", "--state", self.state], capture_output=True, text=True,
                              check=True)
        owner = next(row for row in map(json.loads, done.stdout.splitlines()) if row["policy"] == "iothubowner")
        token = signature(owner["primary_key"], self._host, "iothubowner")
        connection = http.client.HTTPSConnection("localhost", self._https, timeout=60,
                                                 context=ssl.create_default_context(cafile=self.authority))
        entries = [{"id": device, "importMode": "create", "authentication": {
            "type": "sas", "symmetricKey": {"primaryKey": key, "secondaryKey": key}}} for device, key in devices.items()]
        for first in range(0, len(entries), BATCH):
            connection.request("POST", f"/devices?{API}", json.dumps(entries[first:first + BATCH]),
                               {"Authorization": token, "Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status != 200:
                raise processes.StartFailed(f"the registry answers {answer.status}: {text}")
        connection.close()
        return {device: signature(key, f"{self._host}/devices/{device}") for device, key in devices.items()}

    def stored(self):
        """Messages in its log."""
        connection = http.client.HTTPConnection("127.0.0.1", self._admin, timeout=60)
        connection.request("GET", "/metrics")
        for line in connection.getresponse().read().decode().splitlines():
            if line.startswith("mitral_cloud_log_end_offset "):
                return int(float(line.split()[1]))
        raise processes.StartFailed("no count of messages in /metrics")


class Mosquitto:
    """The broker of all figures: nobody is asked who he is, nothing is kept."""
    name = "mosquitto"

    def __init__(self, shop):
        self.port, self.authority = shop.hub.tls_port, shop.hub.certificate
        self.pid = shop.hub.pid

    @staticmethod
    def credentials(devices):
        return dict.fromkeys(devices, "-")


class Fleet:
    """Use as a context: bench_hub_fleet with these devices at this hub."""

    def __init__(self, shop, hub, tokens, payload=b"", window=1):
        listed, body = shop.scratch / "devices", shop.scratch / "payload"
        listed.touch(mode=0o600)
        listed.write_text("".join(f"{device} {token}\n" for device, token in tokens.items()), encoding="ascii")
        body.write_bytes(payload)
        self._process = subprocess.Popen(
            [shop.clients / "bench_hub_fleet", "--port", str(hub.port), "--authority", hub.authority,
             "--devices", listed, "--payload", body, "--window", str(window)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def order(self, text):
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise processes.StartFailed(f"bench_hub_fleet ended with status {self._process.wait()}")
        return json.loads(line)
