"""The HTTPS and admin ports: registry, enrolments, DPS, and requests that mean harm."""
import concurrent.futures
import itertools
import json
import os
import socket
import ssl
import subprocess
import time
import unittest

from cloud.local_azure import LocalAzure, derive, sas
from support.proves import main, proves

VERSION = "api-version=2021-04-12"


class Http(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure().__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        cls.owner = sas(cls.azure.policy("iothubowner")["primary_key"], cls.azure.hub, policy="iothubowner",
                        encode=False)
        cls.dps_owner = sas(cls.azure.policy("provisioningserviceowner")["primary_key"], "localhost",
                            policy="provisioningserviceowner")

    def call(self, method, path, body=None, token=None, **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        status, _, answer = self.azure.https(method, f"{path}?{VERSION}", token or self.owner, body, names)
        return status, answer

    def test_registry(self):
        status, made = self.call("PUT", "/devices/reg-1", {"deviceId": "reg-1", "status": "enabled"})
        self.assertEqual(status, 200)
        self.assertEqual(made["authentication"]["type"], "sas")
        self.assertEqual(self.call("PUT", "/devices/reg-1", {"deviceId": "reg-1"})[0], 409)
        self.assertEqual(self.call("PUT", "/devices/reg-1", {"deviceId": "reg-1"}, If_Match='"wrong"')[0], 412)
        status, updated = self.call("PUT", "/devices/reg-1", {"deviceId": "reg-1", "status": "disabled"}, If_Match='"*"')
        self.assertEqual((status, updated["status"]), (200, "disabled"))
        self.assertEqual(updated["authentication"], made["authentication"])
        self.assertEqual(self.call("GET", "/devices/reg-1")[1]["etag"], updated["etag"])
        self.assertIn("reg-1", [row["deviceId"] for row in self.call("GET", "/devices/")[1]])
        self.assertEqual(self.call("DELETE", "/devices/reg-1", If_Match='"*"')[0], 204)
        status, body = self.call("GET", "/devices/reg-1")
        self.assertEqual(status, 404)
        self.assertTrue(body["Message"].startswith("ErrorCode:DeviceNotFound"))

    @proves("CR 2.1", "CR 1.2", "T-TOK-02")
    def test_registry_needs_the_right(self):
        key = {name: self.azure.policy(name)["primary_key"] for name in
               ("device", "service", "registryRead", "provisioningserviceowner")}
        device = self.azure.device("plain")
        hub = self.azure.hub
        self.assertEqual(self.call("GET", "/devices/plain", token=sas(key["registryRead"], hub, policy="registryRead"))[0], 200)
        for token in (None, "nonsense", sas(key["device"], hub, policy="device"), sas(key["service"], hub, policy="service"),
                      sas(key["registryRead"], hub, policy="iothubowner"),
                      sas(key["provisioningserviceowner"], hub, policy="provisioningserviceowner"),
                      sas(device["primary_key"], f"{hub}/devices/plain"),
                      sas(key["registryRead"], "other.test", policy="registryRead"),
                      sas(key["registryRead"], hub, policy="registryRead", lifetime=-1000)):
            status, _, _ = self.azure.https("GET", f"/devices/plain?{VERSION}", token)
            self.assertEqual(status, 401, token)
        read_only = sas(key["registryRead"], hub, policy="registryRead")
        self.assertEqual(self.call("DELETE", "/devices/plain", token=read_only)[0], 401)

    @proves("T-SW-03", "CR 3.5")
    def test_registry_refuses_bad_bodies(self):
        for body in ([], "text", {"deviceId": "other"}, {"status": "maybe"}, {"statusReason": "x" * 200},
                     {"authentication": {"type": "selfSigned"}},
                     {"authentication": {"symmetricKey": {"primaryKey": "short"}}}):
            self.assertEqual(self.call("PUT", "/devices/bad", body)[0], 400, body)
        self.assertEqual(self.call("PUT", "/devices/a%2Bb", {})[0], 400)
        self.assertEqual(self.call("GET", "/no/such")[0], 404)
        status, body = self.call("POST", "/jobs/create", {})
        self.assertEqual((status, body["Message"]), (501, "ErrorCode:NotImplemented;Create import or export job is not supported"))
        self.assertEqual(self.call("PATCH", "/devices/x")[0], 405)

    @proves("T-DOS-04", "CR 7.1")
    def test_a_body_of_many_members_delays_nobody(self):
        alphabet = "0123456789abcdefghijklmnopqrs"
        names = ("".join(name) for name in itertools.product(alphabet, repeat=4))
        body = {name: 1 for name in itertools.islice(names, 95_000)}
        status, answer = self.call("PUT", "/devices/many", body)
        self.assertEqual((status, answer["deviceId"]), (200, "many"))

    def test_enrolment_groups(self):
        body = {"enrollmentGroupId": "ward", "attestation": {"type": "symmetricKey", "symmetricKey": {}}}
        status, made = self.call("PUT", "/enrollmentGroups/ward", body, token=self.dps_owner)
        self.assertEqual(status, 200, made)
        status, read = self.call("GET", "/enrollmentgroups/ward", token=self.dps_owner)
        self.assertEqual(read, made)
        status, again = self.call("PUT", "/enrollmentGroups/ward", body, token=self.dps_owner)
        self.assertEqual((status, again["errorCode"]), (409, 409201))  # without If-Match it creates
        self.assertEqual(self.call("GET", "/enrollmentgroups/ward", token=self.dps_owner)[1], made)
        for etag in (made["etag"], "*"):
            self.assertEqual(self.call("PUT", "/enrollmentGroups/ward", body, token=self.dps_owner, If_Match=etag)[0],
                             200)
        body["etag"] = "x"
        self.assertEqual(self.call("PUT", "/enrollmentGroups/ward", body, token=self.dps_owner, If_Match="x")[0], 412)
        made = self.call("GET", "/enrollmentgroups/ward", token=self.dps_owner)[1]
        state = self.azure.register(made["attestation"]["symmetricKey"]["primaryKey"], "ward-1")
        self.assertEqual(state["deviceId"], "ward-1")
        self.assertEqual(self.call("GET", "/enrollmentGroups/ward", token=self.owner)[0], 401)
        self.assertEqual(self.call("DELETE", "/enrollmentGroups/ward", token=self.dps_owner)[0], 204)
        self.assertEqual(self.call("GET", "/enrollmentGroups/ward", token=self.dps_owner)[0], 404)

    @proves("T-TOK-02", "CR 1.2")
    def test_dps_refuses_with_401(self):
        group = self.azure.group()["primary_key"]
        scope = self.azure.ports["id_scope"]
        path = f"/{scope}/registrations/dev-1/register?api-version=2021-06-01"
        for token in (None, "x", sas(group, f"{scope}/registrations/dev-1", policy="registration"),
                      sas(derive(group, "dev-2"), f"{scope}/registrations/dev-1", policy="registration"),
                      sas(derive(group, "dev-1"), f"{scope}/registrations/dev-1")):
            status, _, body = self.azure.https("PUT", path, token, {"registrationId": "dev-1"})
            self.assertEqual((status, body["errorCode"], body["message"]), (401, 401002, "Unauthorized"), token)

    def raw(self, data, port="https", wait=5):
        stream = socket.create_connection(("127.0.0.1", self.azure.ports[port]), timeout=wait)
        if port == "https":
            stream = ssl.create_default_context(cafile=self.azure.ca).wrap_socket(stream, server_hostname="localhost")
        with stream:
            answer = b""
            try:
                stream.sendall(data)
            except OSError:
                pass  # refused before it was all sent
            try:
                while piece := stream.recv(65536):
                    answer += piece
            except OSError:
                pass
            return answer

    @proves("T-SW-03", "T-DOS-04", "CR 3.5", "CR 7.1")
    def test_hostile_requests(self):
        for data in (b"\0\1\2\3\r\n\r\n", b"GET / HTTP/1.1\r\nbroken\r\n\r\n", b"PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                     b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\n\r\n"):
            answer = self.raw(data)
            self.assertTrue(answer.startswith(b"HTTP/1.1 4"), (data[:40], answer[:60]))
        deep = b"[" * 100_000
        head = f"PUT /devices/deep HTTP/1.1\r\nHost: h\r\nAuthorization: {self.owner}\r\nConnection: close\r\n" \
               f"Content-Length: {len(deep)}\r\n\r\n".encode()
        self.assertIn(b" 400 ", self.raw(head + deep)[:20])
        self.raw(os.urandom(3000), wait=1)
        self.raw(os.urandom(3000), port="admin", wait=1)
        self.assertEqual(self.azure.admin("/ready"), '{"ready":true}')

    @proves("T-DOS-04", "CR 7.1")
    def test_slow_clients_do_not_delay_others(self):
        slow = [socket.create_connection(("127.0.0.1", self.azure.ports["https"])) for _ in range(100)]
        try:
            for stream in slow:
                stream.sendall(b"\x16\x03")
            before = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                for status, _ in pool.map(lambda _: self.call("GET", "/devices/"), range(8)):
                    self.assertEqual(status, 200)
            self.assertLess(time.monotonic() - before, 10)
        finally:
            for stream in slow:
                stream.close()

    @proves("T-MITM-03")
    def test_old_tls_is_refused(self):
        context = ssl.create_default_context(cafile=self.azure.ca)
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, OSError)):
            raw = socket.create_connection(("127.0.0.1", self.azure.ports["mqtt"]), timeout=5)
            context.wrap_socket(raw, server_hostname="localhost")
        context = ssl.create_default_context(cafile=self.azure.ca)
        raw = socket.create_connection(("127.0.0.1", self.azure.ports["mqtt"]), timeout=5)
        with context.wrap_socket(raw, server_hostname="localhost") as good:  # the control
            self.assertEqual(good.version(), "TLSv1.3")

    def test_messages_to_a_device(self):
        device = self.azure.device("bound")
        token = sas(device["primary_key"], f"{self.azure.hub}/devices/bound")
        path = f"/devices/bound/messages/devicebound?{VERSION}"
        self.assertEqual(self.call("GET", "/devices/bound/messages/devicebound", token=token)[0], 204)
        for number in range(3):
            sent = self.azure.command("send", "--id", "bound", "--body", "text", "--message-id", f"m{number}",
                                      "--ack", "full", "--property", "kind=a=b", "--ttl", "60")
            self.assertIn("sequence", sent[0])

        def raw(method, target):
            request = f"{method} {target} HTTP/1.1\r\nHost: h\r\nAuthorization: {token}\r\nConnection: close\r\n\r\n"
            head, _, body = self.raw(request.encode()).decode().partition("\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
            return int(head.split()[1]), fields, body

        status, fields, body = raw("GET", path)
        self.assertEqual((status, body, fields["iothub-messageid"]), (200, "text", "m0"))
        self.assertEqual((fields["iothub-app-kind"], fields["iothub-deliverycount"]), ("a=b", "0"))
        lock = fields["ETag"].strip('"')
        settle = f"/devices/bound/messages/devicebound/{lock}"
        self.assertEqual(raw("POST", f"{settle}/abandon?{VERSION}")[0], 204)
        self.assertEqual(raw("DELETE", f"{settle}?{VERSION}")[0], 412)  # the lock is gone
        _, fields, _ = raw("GET", path)
        self.assertEqual((fields["iothub-messageid"], fields["iothub-deliverycount"]), ("m0", "1"))
        lock = fields["ETag"].strip('"')
        self.assertEqual(raw("DELETE", f"/devices/bound/messages/devicebound/{lock}?{VERSION}&reject")[0], 204)
        status, purged = self.call("DELETE", "/devices/bound/commands")
        self.assertEqual((status, purged["totalMessagesPurged"]), (200, 2))
        told = [json.loads(line) for line in self.azure.admin("/feedback").splitlines()]
        self.assertEqual([(row["originalMessageId"], row["statusCode"]) for row in told if row["deviceId"] == "bound"],
                         [("m0", "Rejected"), ("m1", "Purged"), ("m2", "Purged")])
        for wrong in (["--id", "nobody"], ["--id", "bound", "--ack", "x"], ["--id", "bound", "--property", "=x"]):
            with self.assertRaises(subprocess.CalledProcessError):
                self.azure.command("send", "--body", "x", *wrong)

    def test_admin_port(self):
        self.assertIn("# TYPE mitral_cloud_messages_total counter", self.azure.admin("/metrics"))
        self.azure.device("listed")
        self.assertIn('"deviceId":"listed"', self.azure.admin("/devices"))
        for path in ("/log?from=-1", "/log?from=x"):
            with self.assertRaises(Exception):
                self.azure.admin(path)
        with self.assertRaises(Exception):
            self.azure.admin("/faults/hub-away?seconds=never", "POST")


if __name__ == "__main__":
    main()
