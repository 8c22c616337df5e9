"""DPS with certificates: groups of an authority, single certificates, over MQTT and HTTPS."""
import json

from cryptography.hazmat.primitives import hashes

from cloud.local_azure import derive, sas
from cloud.mqtt_client import packet, publish_packet, text
from cloud.x509_case import X509Case
from support.proves import main, proves


class DpsX509(X509Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.scope = cls.azure.ports["id_scope"]
        signing = {"signingCertificates": {"primary": {"certificate": cls.middle.pem}}}
        cls.enrol("enrollmentGroups/intermediate", {"type": "x509", "x509": signing})
        cls.enrol("enrollmentGroups/root", {"type": "x509", "x509": {"caReferences": {"primary": "ward"}}})
        cls.azure.group("keys")
        cls.single = cls.make.device("dps-one")
        cls.enrol("enrollments/dps-one", {"type": "x509", "x509": {
            "clientCertificates": {"primary": {"certificate": cls.single.pem}}}}, deviceId="Named-1")

    @classmethod
    def enrol(cls, path, attestation, expected=200, headers=None, **more):
        token = sas(cls.azure.policy("provisioningserviceowner")["primary_key"], cls.azure.hub,
                    policy="provisioningserviceowner")
        status, _, body = cls.azure.https("PUT", f"/{path}?api-version=2021-10-01", token,
                                          {"attestation": attestation, **more}, headers or {"If-Match": "*"})
        assert status == expected, (status, body)
        return body

    def register(self, registration, certificate=None, token=None):
        """The flow over HTTPS; the last status and body."""
        path, file = f"/{self.scope}/registrations/{registration}", certificate and certificate.file
        status, _, body = self.azure.https("PUT", f"{path}/register?api-version=2021-06-01", token, {},
                                           certificate=file)
        if status != 202:
            return status, body
        return self.azure.https("GET", f"{path}/operations/{body['operationId']}?api-version=2021-06-01", token,
                                certificate=file)[::2]

    def mqtt_register(self, registration, certificate=None, token=None):
        """CONNACK's code, and the body of the answer to a registration."""
        user = f"{self.scope}/registrations/{registration}/api-version=2019-03-31"
        mqtt, code = self.connect(registration, certificate, token, user)
        with mqtt:
            if code:
                return code, None
            mqtt.send(packet(0x82, b"\0\1" + text("$dps/registrations/res/#") + b"\1"))
            mqtt.receive()
            mqtt.send(publish_packet("$dps/registrations/PUT/iotdps-register/?$rid=1", "{}", 2))
            answers = [mqtt.receive(), mqtt.receive()]
        published = next(body for first, body in answers if first >> 4 == 3)
        return code, json.loads(published[2 + int.from_bytes(published[:2], "big"):])

    @proves("CR 1.2", "CR 1.8", "CR 1.9", "T-ID-02")
    def test_every_certificate_at_dps(self):
        make = self.make
        leaf = make.device("dps-leaf", self.root)
        table = {
            "under the root": ("dps-a", make.device("dps-a", self.root), True),
            "under the intermediate": ("dps-b", make.device("dps-b", self.middle), True),
            "any case": ("DPS-c", make.device("dps-C", self.root), True),
            "enrolled by itself": ("dps-one", self.single, True),
            "none": ("dps-a", None, False),
            "of another device": ("dps-a", make.device("dps-b", self.root), False),
            "expired": ("dps-a", make.device("dps-a", self.root, days=(-9, -1)), False),
            "other authority": ("dps-a", make.device("dps-a", self.other_root), False),
            "self-signed, same name": ("dps-a", make.device("dps-a"), False),
            "signed by a device": ("dps-a", make.device("dps-a", leaf, beside=[leaf]), False),
            "other than the enrolled one": ("dps-one", make.device("dps-one"), False),
            "under the root, but another is enrolled": ("dps-one", make.device("dps-one", self.root), False),
        }
        for name, (registration, certificate, good) in table.items():
            with self.subTest(certificate=name):
                code, body = self.mqtt_register(registration, certificate)
                self.assertEqual((code, body and body["status"]), (0, "assigning") if good else (5, None))
                status, body = self.register(registration, certificate)
                self.assertEqual(status, 200 if good else 401, body)
                if good:
                    state = body["registrationState"]
                    self.assertEqual((state["status"], state["x509"]), ("assigned", {}))
                    self.assertEqual(self.code(state["deviceId"], certificate), 0)
                    self.assertEqual(self.code(state["deviceId"], leaf), 5)

    def test_the_assigned_device_takes_what_was_shown(self):
        first = self.make.device("dps-roll", self.root)
        second = self.make.device("dps-roll", self.root)
        for certificate, other in ((first, second), (second, first)):
            self.assertEqual(self.register("dps-roll", certificate)[0], 200)
            authentication = self.call("GET", "/devices/dps-roll")[2]["authentication"]
            self.assertEqual(authentication["type"], "selfSigned")
            self.assertEqual(authentication["x509Thumbprint"]["primaryThumbprint"],
                             certificate.thumbprint(hashes.SHA256).upper())
            self.assertEqual((self.code("dps-roll", certificate), self.code("dps-roll", other)), (0, 5))

    @proves("CR 1.14", "T-TOK-02")
    def test_tokens_and_certificates_do_not_stand_for_each_other(self):
        group = self.azure.group("keys")
        token = sas(derive(group["primary_key"], "dps-one"), f"{self.scope}/registrations/dps-one",
                    policy="registration")
        self.assertEqual(self.register("dps-one", token=token)[0], 401)
        self.assertEqual(self.mqtt_register("dps-one", token=token)[1]["errorCode"], 401002)
        self.enrol("enrollments/dps-key", {"type": "symmetricKey"})
        self.assertEqual(self.register("dps-key", self.make.device("dps-key", self.root))[0], 401)

    def test_a_disabled_entry_beats_its_group(self):
        certificate = self.make.device("dps-off", self.root)
        self.assertEqual(self.register("dps-off", certificate)[0], 200)
        self.enrol("enrollments/dps-off", {"type": "x509", "x509": {
            "clientCertificates": {"primary": {"certificate": certificate.pem}}}}, provisioningStatus="disabled")
        status, body = self.register("dps-off", certificate)
        self.assertEqual((status, body["status"]), (200, "disabled"))

    @proves("CR 1.9")
    def test_the_group_of_the_nearest_authority_counts(self):
        line = self.make.authority("Line 7", self.middle)
        signing = {"signingCertificates": {"primary": {"certificate": line.pem}}}
        devices = [(name, self.make.device(name, line, beside=[line])) for name in ("dps-line-1", "dps-line-2")]
        self.assertEqual(self.register(*devices[0])[1]["status"], "assigned")  # through the group above
        for group in ("a-line", "z-line"):
            self.enrol(f"enrollmentGroups/{group}", {"type": "x509", "x509": signing}, provisioningStatus="disabled")
            for name, certificate in devices:
                self.assertEqual(self.register(name, certificate)[1]["status"], "disabled")
            self.enrol(f"enrollmentGroups/{group}", {"type": "symmetricKey"})
            self.assertEqual(self.register(*devices[0])[1]["status"], "assigned")

    def test_enrolments_show_facts_and_keep_certificates(self):
        signing = {"signingCertificates": {"primary": {"certificate": self.root.pem}}}
        first = self.enrol("enrollmentGroups/kept", {"type": "x509", "x509": signing})
        facts = first["attestation"]["x509"]["signingCertificates"]["primary"]
        self.assertEqual(facts["info"]["subjectName"], "CN=Ward root")
        self.assertEqual(facts["info"]["sha256Thumbprint"], self.root.thumbprint(hashes.SHA256).upper())
        self.assertNotIn("certificate", facts)
        again = self.enrol("enrollmentGroups/kept", first["attestation"], headers={"If-Match": first["etag"]})
        self.assertEqual(again["attestation"], first["attestation"])

    def test_bad_enrolments_are_refused(self):
        leaf = {"primary": {"certificate": self.single.pem}}
        for path, attestation in (
                ("enrollmentGroups/bad", {"type": "x509"}),
                ("enrollmentGroups/bad", {"type": "x509", "x509": {"signingCertificates": leaf}}),
                ("enrollmentGroups/bad", {"type": "x509", "x509": {
                    "signingCertificates": {"primary": {"certificate": "nonsense"}}}}),
                ("enrollments/bad", {"type": "x509", "x509": {"caReferences": {"primary": "ward"}}})):
            self.enrol(path, attestation, expected=400)
        self.enrol("enrollments/bad", {"type": "tpm", "tpm": {"endorsementKey": "eA=="}}, expected=501)


if __name__ == "__main__":
    main()
