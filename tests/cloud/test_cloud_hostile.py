"""Clients that mean harm: whatever they send is refused in words, costs no memory for long, and delays nobody else."""
import base64
import contextlib
import http.client
import json
import pathlib
import resource
import socket
import ssl
import unittest

from cloud import authorisation_matrix as matrix
from cloud.local_azure import LocalAzure, sas, wait_until
from support.proves import main, proves

VERSION = "api-version=2021-04-12"
DEEP = 10_000
GROWTH = 160 * 1024 * 1024  # bytes; what one test may cost the server for good, the heap's slack included

BODIES = {
    "arrays in arrays": b"[" * DEEP + b"]" * DEEP,
    "objects in objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep tags": b'{"tags":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
    "null": b"null",
    "number": b"1e999",
    "huge number": b"-" + b"9" * 500,
    "text": b'"text"',
    "list of anything": b'[null,1,"x",[],{}]',
    "broken UTF-8": b'{"deviceId":"\xff\xfe","query":"\xc0\x80","enrollmentGroupId":"\xed\xa0\x80"}',
    "NUL": b'{"deviceId":"\\u0000","query":"\\u0000","methodName":"\\u0000"}',
    "wrong types": json.dumps({name: {"x": [None, -1, 2**64, "y"]} for name in (
        "deviceId", "status", "authentication", "capabilities", "query", "methodName", "payload", "tags", "properties",
        "attestation", "enrollmentGroupId", "registrationId", "mode", "enrollments", "enrollmentGroups", "update",
        "deviceList", "initialTwin", "iotHubs", "reprovisionPolicy", "importManifest", "rollback")}).encode(),
    "other wrong types": json.dumps({name: 2**63 for name in (
        "deviceId", "status", "authentication", "capabilities", "query", "methodName", "payload", "tags", "properties",
        "attestation", "enrollmentGroupId", "registrationId", "mode", "enrollments", "enrollmentGroups", "update",
        "deviceList", "initialTwin", "iotHubs", "reprovisionPolicy", "importManifest", "rollback")}).encode(),
    "no JSON": b"{" * 100,
    "nothing": b"",
}


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
        cls.azure = LocalAzure("--files-port", "0").__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        cls.owner = cls.policy("iothubowner", cls.azure.hub)

    @classmethod
    def policy(cls, name, host):
        return sas(cls.azure.policy(name)["primary_key"], host, policy=name)

    def setUp(self):
        self.before = self.memory()

    def tearDown(self):
        self.assertEqual(self.azure.admin("/ready"), '{"ready":true}')
        self.assertLess(self.memory() - self.before, GROWTH)

    def memory(self):
        lines = pathlib.Path(f"/proc/{self.azure.process.pid}/status").read_text().splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmRSS")))

    def call(self, method, path, body=None, token=None, **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        joint = "&" if "?" in path else "?"
        return self.azure.https(method, f"{path}{joint}{VERSION}", token or self.owner, body, names)

    def raw(self, port="https"):
        stream = socket.create_connection(("127.0.0.1", self.azure.ports[port]), timeout=30)
        if port in ("https", "mqtt"):
            stream = ssl.create_default_context(cafile=self.azure.ca).wrap_socket(stream, server_hostname="localhost")
        return stream

    @proves("T-SW-03", "T-DOS-04", "CR 3.5")
    def test_every_call_refuses_hostile_bodies(self):
        self.azure.group()
        with LocalAzure() as other:
            credentials = matrix.credentials(self.azure, other)
        calls = [tuple(json.loads(line).values()) for line in self.azure.admin("/calls").splitlines()]
        calls = [(method, path) for method, path in calls if method in ("PUT", "POST", "PATCH")]
        context = ssl.create_default_context(cafile=self.azure.ca)
        connection = http.client.HTTPSConnection("localhost", self.azure.ports["https"], context=context, timeout=30)
        self.addCleanup(connection.close)
        scope = self.azure.ports["id_scope"]
        reached = 0
        for method, pattern in calls:
            path = matrix.fill(pattern, scope) + f"?{VERSION}"
            tokens = [token for token, rights in credentials.values() if token and rights]
            connection.request(method, path)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 501:
                continue
            for token in tokens:  # the first that opens this call
                connection.request(method, path, body=b"[", headers={"Authorization": token})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 401:
                    break
            self.assertNotEqual(answer.status, 401, pattern)
            for name, body in BODIES.items():
                with self.subTest(call=f"{method} {pattern}", body=name):
                    connection.request(method, path, body=body, headers={
                        "Authorization": token, "Content-Type": "application/json", "If-Match": "*"})
                    answer = connection.getresponse()
                    self.assertLess(answer.status, 500, answer.read()[:300])
                    answer.read()
                    reached += 1
        self.assertGreater(reached, 20 * len(BODIES))

    @proves("T-SW-03", "CR 2.1")
    def test_paths_lead_nowhere_else(self):
        self.call("PUT", "/devices/auth", {"deviceId": "auth"})
        secret = (self.azure.state / "tls" / "ca.key").read_bytes()[30:60]
        for path in ("/update-files/..%2f..%2ftls/ca.key", "/update-files/..%2ftls%2fca.key/x",
                     "/update-files/../tls/ca.key", "/update-files/%2e%2e/%2e%2e/tls/ca.key", "/update-files//ca.key",
                     "/update-files/%00/x",
                     "/../tls/ca.key", "/status.css/../../tls/ca.key"):
            for port in ("https", "files", "admin"):
                with self.subTest(path=path, port=port), self.raw(port) as stream:
                    stream.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                    answer = b"".join(iter(lambda s=stream: s.recv(65536), b""))
                    self.assertRegex(answer[:13], rb"HTTP/1.1 4")
                    self.assertNotIn(secret, answer)
        for path in ("/devices/other/../auth", "/devices/auth%2f", "/devices/auth%00", "/devices/AUTH", "/devices/%zz",
                     "/devices/auth%252f", "/devices/auth/" + "x/" * 60):
            with self.subTest(path=path):
                self.assertIn(self.call("GET", path)[0], (400, 404, 405))
        self.assertEqual(self.call("GET", "//devices//auth/")[2]["deviceId"], "auth")  # what is allowed

    @proves("T-DOS-04", "CR 7.1")
    def test_a_page_of_a_query_is_bounded(self):
        count, size = 60, 25_000
        for number in range(count):
            self.call("PUT", f"/devices/big-{number:02}", {"deviceId": f"big-{number:02}"})
            # Strings have at most 4096 characters.
            parts = {f"part{i}": "x" * 4000 for i in range(size // 4000)}
            self.assertEqual(self.call("PATCH", f"/twins/big-{number:02}", {"properties": {"desired": parts}})[0], 200)
        query = {"query": "SELECT * FROM devices WHERE STARTSWITH(deviceId, 'big-')"}
        seen, pages, continuation = [], 0, {}
        while pages == 0 or continuation:
            status, headers, rows = self.call("POST", "/devices/query", query, x_ms_max_item_count="1000",
                                              **continuation)
            self.assertEqual(status, 200)
            seen += [row["deviceId"] for row in rows]
            pages += 1
            following = headers.get("x-ms-continuation")
            continuation = {"x_ms_continuation": following} if following else {}
        self.assertEqual(seen, [f"big-{number:02}" for number in range(count)])
        self.assertGreater(pages, 1)
        many = ",".join(f"properties.desired AS a{i}" for i in range(250))
        for text in (f"SELECT {many} FROM devices", "SELECT COUNT(), " + ",".join(["properties.desired"] * 200) +
                     " FROM devices GROUP BY " + ",".join(["properties.desired"] * 200)):
            status = self.call("POST", "/devices/query", {"query": text}, x_ms_max_item_count="1000")[0]
            self.assertIn(status, (400, 413))

    @proves("T-DATA-01")
    def test_a_batch_is_taken_whole_or_not_at_all(self):
        self.azure.device("batch")
        good = {"body": base64.b64encode(b"1").decode(), "properties": {"p": "1"}}
        many = {f"p{i}": "1" for i in range(300)}
        start = len(self.azure.messages())
        for bad in ({**good, "properties": many}, {**good, "properties": {"p": "%" * 40_000}}, {**good, "body": "?"}):
            status, _, _ = self.call("POST", "/devices/batch/messages/events", [good, bad],
                                     Content_Type="application/vnd.microsoft.iothub.json")
            self.assertIn(status, (400, 413))
        self.assertEqual(len(self.azure.messages()), start)
        status, _, _ = self.call("POST", "/devices/batch/messages/events", [good, good],
                                 Content_Type="application/vnd.microsoft.iothub.json")  # the control
        self.assertEqual((status, len(self.azure.messages())), (204, start + 2))

    @proves("T-DOS-04", "CR 7.1")
    def test_what_is_too_large_is_told(self):
        for head in (f"PUT /devices/large?{VERSION} HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n",
                     f"PUT /devices/large?{VERSION} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2dc6c0\r\n"):
            with self.subTest(head.split("\r\n")[2]), self.raw() as stream:
                with contextlib.suppress(OSError):
                    stream.sendall(head.encode() + b"x" * 3_000_000)
                self.assertRegex(stream.recv(100), rb"HTTP/1.1 413")
        # A client that sends all before it reads gets its answer too, not a reset.
        for _ in range(10):
            connection = http.client.HTTPConnection("127.0.0.1", self.azure.ports["admin"], timeout=30)
            self.addCleanup(connection.close)
            connection.request("PUT", "/x", body=b"x" * 8_000_000)
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.read()), (413, b"request above the limit\n"))

    @proves("T-DOS-04", "CR 7.1")
    def test_what_has_no_end_is_cut(self):
        with self.raw("admin") as stream:
            stream.sendall(b"PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 800000000\r\n\r\n")
            with self.assertRaises(OSError):
                for _ in range(800):
                    stream.sendall(b"x" * 1_000_000)

    @proves("T-DOS-04", "CR 7.1")
    def test_half_open_connections_delay_nobody_for_long(self):
        with contextlib.ExitStack() as held:
            for port in ("mqtt", "https"):
                for _ in range(400):  # more than 512 handshakes under way
                    stream = held.enter_context(socket.create_connection(("127.0.0.1", self.azure.ports[port])))
                    stream.sendall(b"\x16\x03\x01\x02\x00\x01")
            for port in ("admin", "files"):
                for _ in range(400):
                    stream = held.enter_context(socket.create_connection(("127.0.0.1", self.azure.ports[port])))
                    stream.sendall(b"GET / HTTP/1.1\r\nX: ")
            wait_until(lambda: "mitral_cloud_links 0" not in self.azure.admin("/metrics"))
            for _ in range(3):
                self.assertEqual(self.call("GET", "/devices")[0], 200)

    @proves("T-DOS-04", "CR 7.1")
    def test_a_flood_of_requests_that_nobody_reads_is_cut(self):
        request = f"GET /devices?{VERSION} HTTP/1.1\r\nHost: h\r\nAuthorization: {self.owner}\r\n\r\n".encode()
        with self.raw() as stream:
            stream.settimeout(1)
            with contextlib.suppress(OSError):
                for _ in range(200):
                    stream.sendall(request * 100)
            self.assertEqual(self.call("GET", "/devices")[0], 200)

    @proves("T-DOS-04", "CR 7.1")
    def test_a_flood_of_headers_is_refused(self):
        for lines in ("".join(f"X-{i}: 1\r\n" for i in range(5000)), "X: " + "y" * 20_000 + "\r\n"):
            with self.raw() as stream:
                with contextlib.suppress(OSError):  # refused before it was all sent
                    stream.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n" + lines.encode() + b"\r\n")
                self.assertRegex(stream.recv(100), rb"HTTP/1.1 4")


if __name__ == "__main__":
    main()
