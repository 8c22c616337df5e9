"""Starts a local Azure for a test, and signs tokens without any code of ours (hmac, base64, urllib)."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

BINARY = pathlib.Path(os.environ["MITRAL_BINARY_DIR"]) / "bin" / "mitral-cloud"


def sas(key, resource, lifetime=3600, policy=None, encode=True):
    """A shared access signature as Azure's documentation describes it; `key` is base64."""
    sr = urllib.parse.quote(resource, safe="") if encode else resource
    expiry = str(int(time.time()) + lifetime)
    mac = hmac.new(base64.b64decode(key), f"{sr}\n{expiry}".encode(), hashlib.sha256).digest()
    token = f"SharedAccessSignature sr={sr}&sig={urllib.parse.quote(base64.b64encode(mac), safe='')}&se={expiry}"
    return token + (f"&skn={policy}" if policy else "")


def derive(group_key, registration_id):
    mac = hmac.new(base64.b64decode(group_key), registration_id.encode(), hashlib.sha256).digest()
    return base64.b64encode(mac).decode()


def wait_until(condition, seconds=30):
    """Returns what `condition` returned, once that is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("waited too long")
        time.sleep(0.02)
    return value


class LocalAzure:
    """Use as a context manager, or call start() and stop()."""

    def __init__(self, *options, state=None):
        self.options = list(options)
        self._directory = None if state else tempfile.TemporaryDirectory(prefix="mitral-cloud-")
        self.state = pathlib.Path(state or self._directory.name)
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        if self._directory:
            self._directory.cleanup()

    def start(self, **fixed_ports):
        ports = {"mqtt": 0, "https": 0, "admin": 0, **fixed_ports}
        told = self.state / "ports.json"
        told.unlink(missing_ok=True)
        self.errors = open(self.state / "stderr.log", "ab")
        command = [str(BINARY), "serve", "--state", str(self.state), "--name", "localhost"]
        for name, port in ports.items():
            command += [f"--{name}-port", str(port)]
        # The sandbox keeps LeakSanitizer from /proc; the unit tests look for leaks.
        environment = {"ASAN_OPTIONS": "detect_leaks=0", **os.environ}
        self.process = subprocess.Popen(command + self.options, stderr=self.errors, env=environment)
        deadline = time.monotonic() + 30
        while not told.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("mitral-cloud did not start:\n" + self.log())
            time.sleep(0.01)
        self.ports = json.loads(told.read_text())
        self.hub = self.ports["hub"]
        self.ca = str(self.state / "tls" / "ca.pem")

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)
        if self.process:
            self.errors.close()
        code = self.process.returncode if self.process else None
        self.process = None
        return code

    def log(self):
        return (self.state / "stderr.log").read_text(errors="replace")

    def command(self, *arguments):
        done = subprocess.run([str(BINARY), *arguments, "--state", str(self.state)],
                              check=True, capture_output=True, text=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def group(self, name="fleet"):
        return self.command("enroll-group", "--name", name)[0]

    def device(self, name):
        return self.command("device", "--id", name)[0]

    def policy(self, name):
        return next(row for row in self.command("policies") if row["policy"] == name)

    def admin(self, path, method="GET", body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports['admin']}{path}", method=method, data=body)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read().decode()

    def messages(self, start=0):
        rows = [json.loads(line) for line in self.admin(f"/log?from={start}").splitlines()]
        for row in rows:
            row["body"] = base64.b64decode(row["body"])
        return rows

    def https(self, method, path, token=None, body=None, headers=None, certificate=None):
        """Status, headers, parsed body (or None). `certificate`: a file with what the client shows, and its key."""
        context = ssl.create_default_context(cafile=self.ca)
        if certificate:
            context.load_cert_chain(certificate)
        connection = http.client.HTTPSConnection("localhost", self.ports["https"], context=context, timeout=20)
        sent = {"Content-Type": "application/json", **(headers or {})}
        if token:
            sent["Authorization"] = token
        connection.request(method, path, body=json.dumps(body) if body is not None else None, headers=sent)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, answer.headers, json.loads(text) if text else None

    def register(self, group_key, registration_id, scope=None):
        """The DPS flow over HTTPS; returns the assigned registration state."""
        scope = scope or self.ports["id_scope"]
        token = sas(derive(group_key, registration_id), f"{scope}/registrations/{registration_id}",
                    policy="registration")
        path = f"/{scope}/registrations/{registration_id}"
        status, headers, body = self.https("PUT", f"{path}/register?api-version=2021-06-01", token,
                                           {"registrationId": registration_id})
        assert status == 202 and body["status"] == "assigning" and int(headers["retry-after"]) >= 1, (status, body)
        status, _, body = self.https("GET", f"{path}/operations/{body['operationId']}?api-version=2021-06-01", token)
        assert status == 200 and body["status"] == "assigned", (status, body)
        return body["registrationState"]
