"""Each call of the service API has a command, or stands here with the reason why not. What a command really asks for
is seen by a server that only listens."""
import http.server
import json
import re
import subprocess
import threading
import unittest

from cloud.local_azure import BINARY, LocalAzure
from support.proves import main

DEVICE, MODULE = ["--id", "d"], ["--id", "d", "--module", "m"]
SINGLE, GROUP = ["--kind", "individual"], ["--kind", "group"]
COMMANDS = {
    "GET /devices": [["registry", "list"]],
    "POST /devices": [["registry", "bulk", "--body", "[]"]],
    "GET /devices/{}": [["registry", "show", *DEVICE]],
    "PUT /devices/{}": [["registry", "create", *DEVICE], ["registry", "update", *DEVICE, "--body", "{}"]],
    "DELETE /devices/{}": [["registry", "delete", *DEVICE]],
    "GET /devices/{}/modules": [["registry", "list", *DEVICE]],
    "GET /devices/{}/modules/{}": [["registry", "show", *MODULE]],
    "PUT /devices/{}/modules/{}": [["registry", "create", *MODULE]],
    "DELETE /devices/{}/modules/{}": [["registry", "delete", *MODULE]],
    "DELETE /devices/{}/commands": [["purge", *DEVICE]],
    "GET /twins/{}": [["twin", "get", *DEVICE]],
    "PATCH /twins/{}": [["twin", "patch", *DEVICE, "--body", "{}"]],
    "PUT /twins/{}": [["twin", "replace", *DEVICE, "--body", "{}"]],
    "GET /twins/{}/modules/{}": [["twin", "get", *MODULE]],
    "PATCH /twins/{}/modules/{}": [["twin", "patch", *MODULE, "--body", "{}"]],
    "PUT /twins/{}/modules/{}": [["twin", "replace", *MODULE, "--body", "{}"]],
    "POST /twins/{}/methods": [["method", *DEVICE, "--name", "x"]],
    "POST /twins/{}/modules/{}/methods": [["method", *MODULE, "--name", "x"]],
    "POST /devices/query": [["query", "SELECT * FROM devices"]],
    "GET /statistics/devices": [["statistics"]],
    "GET /statistics/service": [["statistics"]],
    "PUT /jobs/v2/{}": [["job", "twin", "--id", "j", "--condition", "*", "--body", "{}"],
                        ["job", "method", "--id", "j", "--condition", "*", "--name", "x"]],
    "GET /jobs/v2/{}": [["job", "get", "--id", "j"]],
    "POST /jobs/v2/{}/cancel": [["job", "cancel", "--id", "j"]],
    "GET /jobs/v2/query": [["job", "list"]],
    "GET /registrations/{}": [["registration", "get", "--id", "r"]],
    "DELETE /registrations/{}": [["registration", "delete", "--id", "r"]],
    "POST /registrations/{}/query": [["registration", "list", "--group", "g"]],
}
for root, kind in (("/enrollments", SINGLE), ("/enrollmentGroups", GROUP)):
    COMMANDS |= {
        f"POST {root}": [["enrolment", "bulk", *kind, "--body", "{}"]],
        f"POST {root}/query": [["enrolment", "list", *kind]],
        f"GET {root}/{{}}": [["enrolment", "get", "--name", "e", *kind]],
        f"PUT {root}/{{}}": [["enrolment", "create", "--name", "e", *kind],
                             ["enrolment", "update", "--name", "e", "--body", "{}", *kind]],
        f"DELETE {root}/{{}}": [["enrolment", "delete", "--name", "e", *kind]],
        f"POST {root}/{{}}/attestationmechanism": [["enrolment", "attestation", "--name", "e", *kind]],
    }
# Pattern of routes: why they have no command of their own.
EXCEPTIONS = {
    r".*/messages/(events|devicebound).*": "what devices do, and the AMQP clients of a service",
    r"(PUT|POST|GET) /\{\}/registrations/\{\}.*": "what devices do",
    r"GET /\$(iothub|servicebus)/websocket": "MQTT or AMQP",
    r"GET /update-files/.*": "what devices download",
    r"(PATCH|PUT) /twins/\{\}(/modules/\{\})?/(tags|properties/desired)": "a part of twin patch and twin replace",
    r"[A-Z]+ /deviceUpdate/.*": "mitral-cloud update, and call",
}


def shape(line):
    """A request as the pattern of its route, ids that this test gave taken out."""
    method, path = line
    path = path.removeprefix("/service").split("?")[0]
    return method + " " + re.sub(r"/[a-z](?=/|$)", "/{}", path)


class Listener(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        size = int(self.headers.get("Content-Length", 0))
        self.rfile.read(size)
        self.server.seen.append((self.command, self.path))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"{}")

    do_PUT = do_POST = do_PATCH = do_DELETE = do_GET

    def log_message(self, *_):
        pass


class CommandCoverage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure().__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        # What is answered with 501 belongs to nobody.
        table = re.findall(r"^\| `([A-Z]+ /[^`]*)`", cls.documentation(), re.M)
        unserved = {re.sub(r"\{[^}]*\}", "{}", call) for call in table}
        calls = [json.loads(line) for line in cls.azure.admin("/calls").splitlines()]
        cls.routes = {f"{call['method']} " + re.sub(r"\{[^}]*\}", "{}", call["path"]) for call in calls} - unserved
        assert len(cls.routes) > 40, cls.routes
        cls.azure.stop()

    @staticmethod
    def documentation():
        import os
        import pathlib
        text = (pathlib.Path(os.environ["MITRAL_SOURCE_DIR"]) / "docs/local-azure.md").read_text()
        return text.split("## What it does not do yet")[1].split("\n## ")[0]

    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
        self.server.seen = []
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(self.server.shutdown)
        ports = {**self.azure.ports, "admin": self.server.server_port}
        (self.azure.state / "ports.json").write_text(json.dumps(ports))

    def asked(self, *arguments):
        self.server.seen.clear()
        done = subprocess.run([str(BINARY), *arguments, "--state", str(self.azure.state)], capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, (arguments, done.stderr))
        return {shape(line) for line in self.server.seen}

    def test_every_call_has_a_command_or_a_reason(self):
        excused = {route for route in self.routes if any(re.fullmatch(pattern, route) for pattern in EXCEPTIONS)}
        self.assertEqual(self.routes - excused - set(COMMANDS), set())
        self.assertEqual(set(COMMANDS) - self.routes, set())
        for pattern in EXCEPTIONS:
            self.assertTrue(any(re.fullmatch(pattern, route) for route in self.routes), pattern)

    def test_the_commands_make_these_calls(self):
        for route, commands in COMMANDS.items():
            for command in commands:
                with self.subTest(command=command):
                    self.assertIn(route, self.asked(*command))

    def test_anything_else_can_be_called(self):
        self.assertEqual(self.asked("call", "GET", "/deviceUpdate/default/updates"), {"GET /deviceUpdate/default/updates"})


if __name__ == "__main__":
    main()
