"""Identities with certificates: who is let in at the hub with which certificate, over MQTT and HTTPS."""
import json
import subprocess

from cryptography.hazmat.primitives import hashes

from cloud import authorisation_matrix as matrix
from cloud.local_azure import BINARY, sas
from cloud.mqtt_client import publish_packet
from cloud.x509_case import API, X509Case
from support.proves import main, proves

THUMBPRINT, SECOND, UNDER_CA, WITH_KEY, DISABLED, STRANGER = "x-thumb", "x-second", "x-ca", "x-key", "x-off", "x-other"


class HubX509(X509Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make = cls.make
        cls.own = {name: make.device(name) for name in (THUMBPRINT, SECOND, DISABLED)}
        cls.put(THUMBPRINT, {"x509Thumbprint": {"primaryThumbprint": cls.own[THUMBPRINT].thumbprint(hashes.SHA1)}})
        cls.put(SECOND, {"type": "selfSigned", "x509Thumbprint": {
            "primaryThumbprint": "0" * 64, "secondaryThumbprint": cls.own[SECOND].thumbprint(hashes.SHA256)}})
        cls.put(DISABLED, {"type": "selfSigned", "x509Thumbprint": {
            "primaryThumbprint": cls.own[DISABLED].thumbprint(hashes.SHA256)}}, status="disabled")
        for name in (UNDER_CA, STRANGER):
            cls.put(name, {"type": "certificateAuthority"})
        cls.key = cls.put(WITH_KEY, {"type": "sas"})["authentication"]["symmetricKey"]["primaryKey"]

    def shown(self):
        """Name: (certificate, the devices that it opens)."""
        make = self.make
        intermediate = make.device(UNDER_CA, self.middle, beside=[self.middle])
        leaf = make.device(STRANGER, self.root)
        table = {
            "none": (None, set()),
            "under the authority": (make.device(UNDER_CA, self.root), {UNDER_CA}),
            "under an intermediate": (intermediate, {UNDER_CA}),
            "intermediate not sent": (make.device(UNDER_CA, self.middle), set()),
            "of another device": (leaf, {STRANGER}),
            "of a sibling": (make.device(UNDER_CA + "0", self.root), set()),
            "another case": (make.device(UNDER_CA.upper(), self.root), set()),
            "expired": (make.device(UNDER_CA, self.root, days=(-9, -1)), set()),
            "not valid yet": (make.device(UNDER_CA, self.root, days=(1, 9)), set()),
            "other authority of that name": (make.device(UNDER_CA, self.other_root), set()),
            "other authority, registered one beside": (
                make.device(UNDER_CA, self.other_root, beside=[self.root]), set()),
            "signed by a device": (make.device(UNDER_CA, leaf, beside=[leaf]), set()),
            "self-signed, same name": (make.device(UNDER_CA), set()),
            "self-signed, name of a thumbprint": (make.device(THUMBPRINT), set()),
            "for a device with a key": (make.device(WITH_KEY, self.root), set()),
            "for a device with a thumbprint": (make.device(THUMBPRINT, self.root), set()),
        }
        for name in (THUMBPRINT, SECOND):
            table[f"thumbprint of {name}"] = (self.own[name], {name})
        table["thumbprint of a disabled device"] = (self.own[DISABLED], set())
        return table

    @proves("CR 1.2", "CR 1.8", "CR 1.9", "CR 2.1", "T-ID-02")
    def test_every_certificate_at_every_device(self):
        opened = set()
        for name, (certificate, opens) in self.shown().items():
            for device in (THUMBPRINT, SECOND, UNDER_CA, WITH_KEY, DISABLED, STRANGER):
                with self.subTest(certificate=name, device=device):
                    self.assertEqual(self.code(device, certificate), 0 if device in opens else 5)
                    status, _, body = self.azure.https(
                        "POST", f"/devices/{device}/messages/events?{API}", None, {},
                        certificate=certificate and certificate.file)
                    self.assertEqual(status, 204 if device in opens else 401, body)
                    opened |= {device} & opens
        self.assertEqual(opened, {THUMBPRINT, SECOND, UNDER_CA, STRANGER})

    @proves("CR 1.2", "CR 1.14", "T-TOK-02")
    def test_tokens_are_for_devices_with_keys(self):
        good = self.make.device(UNDER_CA, self.root)
        for device in (UNDER_CA, THUMBPRINT):
            for token in (sas(self.key, f"{self.azure.hub}/devices/{device}"), self.owner(), self.owner("device")):
                self.assertEqual(self.code(device, token=token), 5)
        token = sas(self.key, f"{self.azure.hub}/devices/{WITH_KEY}")
        self.assertEqual(self.code(WITH_KEY, token=token), 0)
        self.assertEqual(self.code(WITH_KEY, good, token=token), 0)  # a certificate beside a token counts for nothing
        self.assertEqual(self.code(UNDER_CA, good, token=token), 5)

    @proves("CR 2.1", "CR 1.2", "T-ID-02")
    def test_the_matrix_with_certificates(self):
        module = f"{matrix.DEVICE}/{matrix.MODULE}"
        self.put(matrix.DEVICE, {"type": "certificateAuthority"})
        self.call("PUT", f"/devices/{module.replace('/', '/modules/')}",
                  {"moduleId": matrix.MODULE, "authentication": {"type": "certificateAuthority"}})
        shown = {
            "none": (None, set()),
            "device": (self.make.device(matrix.DEVICE, self.root), {matrix.AS_DEVICE}),
            "module": (self.make.device(module, self.root), {matrix.AS_MODULE}),
            "sibling": (self.make.device(matrix.SIBLING, self.root), set()),
            "other module": (self.make.device(f"{matrix.DEVICE}/m2", self.root), set()),
            "policy's name": (self.make.device("iothubowner", self.root), set()),
            "expired": (self.make.device(matrix.DEVICE, self.root, days=(-9, -1)), set()),
        }
        opened = set()
        for operation, (method, path, body, needs) in matrix.HTTP_OPERATIONS.items():
            for name, (certificate, grants) in shown.items():
                with self.subTest(operation=operation, certificate=name):
                    status, _, answer = self.azure.https(
                        method, f"{path}{'&' if '?' in path else '?'}{API}", None, body,
                        certificate=certificate and certificate.file)
                    self.assertEqual(status != 401, needs in grants, (status, answer))
                    if status != 401:
                        opened.add(needs)
        self.assertEqual(opened, {matrix.AS_DEVICE, matrix.AS_MODULE})  # the control

    @proves("CR 2.8")
    def test_telemetry_says_how_its_device_came(self):
        certificate = self.make.device(UNDER_CA, self.root)
        start = len(self.azure.messages())
        mqtt, code = self.connect(UNDER_CA, certificate)
        self.assertEqual(code, 0)
        with mqtt:
            mqtt.send(publish_packet(f"devices/{UNDER_CA}/messages/events/", "{}", 7))
            self.assertEqual(mqtt.receive(), (0x40, b"\0\7"))
        row = self.azure.messages(start)[0]
        self.assertEqual(json.loads(row["system"]["iothub-connection-auth-method"]),
                         {"scope": "device", "type": "x509", "issuer": "iothub", "acceptingIpFilterRule": None})

    def test_modules(self):
        for module, authentication in (("m-ca", {"type": "certificateAuthority"}), ("m-thumb", {
                "type": "selfSigned", "x509Thumbprint": {
                    "primaryThumbprint": self.own[THUMBPRINT].thumbprint(hashes.SHA256)}})):
            status, _, body = self.call("PUT", f"/devices/{WITH_KEY}/modules/{module}",
                                        {"moduleId": module, "authentication": authentication})
            self.assertEqual((status, body["authentication"]["type"]), (200, authentication["type"]))
        own = self.make.device(f"{WITH_KEY}/m-ca", self.root)
        self.assertEqual(self.code(f"{WITH_KEY}/m-ca", own), 0)
        self.assertEqual(self.code(f"{WITH_KEY}/m-ca", self.make.device("m-ca", self.root)), 5)
        self.assertEqual(self.code(WITH_KEY, own), 5)
        self.assertEqual(self.code(f"{WITH_KEY}/m-thumb", self.own[THUMBPRINT]), 0)
        self.assertEqual(self.code(f"{WITH_KEY}/m-thumb", own), 5)

    def test_the_registry_shows_and_changes_types(self):
        print_of = self.own[THUMBPRINT].thumbprint(hashes.SHA1).upper()
        device = self.call("GET", f"/devices/{THUMBPRINT}")[2]
        self.assertEqual(device["authentication"], {
            "type": "selfSigned", "symmetricKey": {"primaryKey": None, "secondaryKey": None},
            "x509Thumbprint": {"primaryThumbprint": print_of, "secondaryThumbprint": None}})
        twin = self.call("GET", f"/twins/{THUMBPRINT}")[2]
        self.assertEqual((twin["authenticationType"], twin["x509Thumbprint"]["primaryThumbprint"]),
                         ("selfSigned", print_of))
        star = {"If-Match": '"*"'}
        changed = self.put("x-change", {"type": "sas"})
        for authentication, status in (({"type": "selfSigned"}, 400), ({"type": "none"}, 501), ({"type": "tpm"}, 400),
                                       ({"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": "ab"}}, 400),
                                       ({"type": "certificateAuthority"}, 200), ({"type": "sas"}, 200)):
            answer = self.call("PUT", "/devices/x-change",
                               {"deviceId": "x-change", "authentication": authentication}, star)
            self.assertEqual(answer[0], status, answer[2])
        keys = answer[2]["authentication"]["symmetricKey"]
        self.assertTrue(keys["primaryKey"])
        self.assertNotEqual(keys["primaryKey"], changed["authentication"]["symmetricKey"]["primaryKey"])

    def test_authorities_come_and_go(self):
        authority = self.make.authority("Passing")
        device = self.make.device(UNDER_CA, authority)
        self.assertEqual(self.code(UNDER_CA, device), 5)
        told = json.loads(self.azure.admin("/ca-certificates/passing", "PUT", authority.pem.encode()))
        self.assertEqual((told["subject"], told["sha256Thumbprint"]),
                         ("CN=Passing", authority.thumbprint(hashes.SHA256).upper()))
        self.assertEqual([row["name"] for row in self.azure.command("ca-certificate", "list")], ["passing", "ward"])
        self.assertEqual(self.code(UNDER_CA, device), 0)
        self.azure.command("ca-certificate", "remove", "--name", "passing")
        self.assertEqual(self.code(UNDER_CA, device), 5)
        no_authority = self.make.directory / "leaf.pem"
        no_authority.write_text(device.pem)
        refused = subprocess.run([str(BINARY), "ca-certificate", "add", "--state", str(self.azure.state), "--name",
                                  "leaf", "--file", str(no_authority)], capture_output=True, text=True)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("basic constraints", refused.stderr)


if __name__ == "__main__":
    main()
