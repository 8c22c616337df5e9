"""What has to hold of Device Update and an agent, as Azure's documentation has it: with a deployment that others signed,
under bad lines, and across a power cut."""
import base64
import json
import pathlib
import unittest

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives import hashes

from cloud.local_azure import LocalAzure
from cloud.test_cloud_deployments import Deployments as Base
from cloud.test_cloud_deployments import roots_of
from cloud.update_agent import FAILED, UpdateAgent
from cloud.update_client import UpdateClient
from cloud.update_verifier import Refused, Verifier, check_file, key_hash, open_jws, public_key, unpadded
from support.proves import main, proves

VECTORS = pathlib.Path(__file__).parent / "vectors"


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def signed_by_a_stranger(service):
    """The same deployment, signed as it should be but under a root of nobody; its kid is the real one."""
    root, signer = (rsa.generate_private_key(65537, 2048) for _ in range(2))

    def jws(key, header, payload):
        text = ".".join(base64url(json.dumps(part).encode()) for part in (header, payload))
        return f"{text}.{base64url(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"
    header, payload, _, _ = open_jws(service["updateManifestSignature"])
    kid = open_jws(header["sjwk"])[0]["kid"]
    modulus = signer.public_key().public_numbers().n
    jwk = {"kty": "RSA", "n": base64url(modulus.to_bytes(256, "big")), "e": "AQAB", "alg": "RS256", "kid": "x"}
    inner = jws(root, {"alg": "RS256", "kid": kid}, jwk)
    return {**service, "updateManifestSignature": jws(signer, {"alg": "RS256", "sjwk": inner}, payload)}


class Vectors(unittest.TestCase):
    """A deployment that is none of ours, and each way to spoil it: all are refused before a file is installed."""

    def setUp(self):
        self.service = json.loads((VECTORS / "adu_desired.json").read_text())["deviceUpdate"]["service"]
        self.roots = json.loads((VECTORS / "adu_root_pub.json").read_text())

    @proves("CR 1.9", "CR 3.4")
    def test_accepted_and_each_fault_refused(self):
        good = Verifier(self.roots)
        manifest = good.manifest(self.service)
        self.assertEqual(manifest["updateId"]["version"], "2.0.1")
        files = {"vg1.swu": b"demo-image\n", "ab.sh": b"exit 0\n\n"}
        for described in manifest["files"].values():
            content = files[described["fileName"]]
            check_file(described, content)
            for bad in (content[:-1] + b"x", content + b"x", b""):
                with self.assertRaises(Refused):
                    check_file(described, bad)
        text = self.service["updateManifest"]
        for at in range(0, len(text), 40):
            changed = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1:]
            with self.assertRaises(Refused):
                good.manifest({**self.service, "updateManifest": changed})
        with self.assertRaises(Refused):
            good.manifest(signed_by_a_stranger(self.service))
        renamed = {f"OTHER.{kid}": root for kid, root in self.roots.items()}
        with self.assertRaisesRegex(Refused, "root"):
            Verifier(renamed).manifest(self.service)
        without_root = Verifier(self.roots)
        without_root.disabled_roots = set(self.roots)
        with self.assertRaisesRegex(Refused, "root"):
            without_root.manifest(self.service)
        header, _, _, _ = open_jws(self.service["updateManifestSignature"])
        jwk = open_jws(header["sjwk"])[1]
        without_key = Verifier(self.roots)
        without_key.disabled_keys = {key_hash(public_key(jwk["n"], int.from_bytes(unpadded(jwk["e"]), "big")))}
        with self.assertRaisesRegex(Refused, "signing key"):
            without_key.manifest(self.service)


class Workflow(unittest.TestCase):
    tag, agent, ok, deploy, class_of, counts, states = (
        Base.tag, Base.agent, Base.ok, Base.deploy, Base.class_of, Base.counts, Base.states)

    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--files-port", "0").__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        cls.client = UpdateClient(cls.azure)
        cls.roots = roots_of(cls.azure)
        cls.client.import_update("2.0.1")

    @proves("CR 3.4")
    def test_the_same_deployment_three_times_is_one_installation(self):
        """After each renewal of a token the same desired twin is read again; its workflow id says that it is known."""
        agent = self.agent("again-1", "again")
        self.deploy("again", "d1", "2.0.1")
        services = [agent.wait_for_service()]
        installed, seen = 0, set()
        for _ in range(3):
            agent.close()
            agent.connect()
            services.append(agent.twin()["desired"]["deviceUpdate"]["service"])
        for service in services:
            if service["workflow"]["id"] not in seen:
                seen.add(service["workflow"]["id"])
                agent.accept(service)
                agent.succeed()
                installed += 1
        self.assertEqual((len(services), installed), (4, 1))
        self.assertEqual(self.counts("again", "d1"), ((0, 1, 0, 0), "Active"))
        self.assertTrue(agent.nothing_new())

    @proves("CR 3.4")
    def test_a_power_cut_before_the_update_is_applied_ends_as_failed(self):
        agent = self.agent("cut-1", "cut")
        self.deploy("cut", "d1", "2.0.1")
        agent.accept(agent.wait_for_service())
        self.assertEqual(self.counts("cut", "d1"), ((1, 0, 0, 0), "Active"))
        workflow = agent.workflow
        agent.mqtt.socket.close()  # no word
        booted = UpdateAgent(self.azure, "cut-1", self.roots, installed="1.0")  # the old slot
        self.addCleanup(booted.close)
        self.assertEqual(self.counts("cut", "d1"), ((1, 0, 0, 0), "Active"))  # idle with the old version: no success
        self.assertEqual(booted.twin()["desired"]["deviceUpdate"]["service"]["workflow"]["id"], workflow["id"])
        booted.workflow = workflow
        booted.report(FAILED, 0, "80500001", "fell back")
        self.assertEqual(self.counts("cut", "d1"), ((0, 0, 1, 0), "Active"))
        device = self.ok("GET", "/management/devices/cut-1")
        self.assertEqual((device["deploymentStatus"], device["installedUpdate"]["updateId"]["version"]),
                         ("Failed", "1.0"))


def load_tests(loader, _tests, _pattern):
    suite = unittest.TestSuite()
    for case in (Vectors, Workflow):
        suite.addTests(loader.loadTestsFromTestCase(case))
    return suite


if __name__ == "__main__":
    main()
