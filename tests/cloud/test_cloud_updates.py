"""Device Update: import, list, delete, keys and files, as a service client and a device see them."""
import http.client
import json
import os
import pathlib
import stat
import subprocess
import unittest

from cloud.local_azure import LocalAzure, sas
from cloud.update_client import BASE, UpdateClient, import_manifest
from cloud.update_verifier import Refused, Verifier, check_file
from support.proves import main, proves

VECTORS = pathlib.Path(__file__).parent / "vectors"
UPDATE = "/updates/providers/acme/names/vitals-gw/versions/"


class Updates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--files-port", "0").__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        cls.client = UpdateClient(cls.azure)

    def get(self, path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.azure.ports["files"], timeout=20)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.headers, body

    def test_import_list_and_delete(self):
        files = {"big.bin": os.urandom(5_000_000), "ab.sh": b"exit 0\n"}
        self.client.import_update("3.0", files, description="the third")
        self.client.import_update("3.0.10", files)
        self.client.import_update("3.0.9", files)
        status, update = self.client.call("GET", UPDATE + "3.0")
        self.assertEqual((status, update["description"], update["isDeployable"]), (200, "the third", True))
        self.assertEqual(update["instructions"]["steps"][0]["files"], ["big.bin", "ab.sh"])
        self.assertEqual(self.client.call("GET", "/updates/providers")[1], {"value": ["acme"]})
        self.assertEqual(self.client.call("GET", "/updates/providers/acme/names")[1], {"value": ["vitals-gw"]})
        versions = self.client.call("GET", "/updates/providers/acme/names/vitals-gw/versions")[1]["value"]
        self.assertEqual([v for v in versions if v.startswith("3.")], ["3.0", "3.0.9", "3.0.10"])
        listed = self.client.call("GET", "/updates")[1]["value"]
        self.assertIn(update, listed)
        for path in ("/updates/providers/none/names", UPDATE + "9.9", "/updates/operations/none"):
            self.assertEqual(self.client.call("GET", path)[0], 404, path)
        ids = self.client.call("GET", UPDATE + "3.0/files")[1]["value"]
        by_name = {}
        for name in ids:
            file = self.client.call("GET", f"{UPDATE}3.0/files/{name}")[1]
            by_name[file["fileName"]] = file
        for name, content in files.items():
            check_file(by_name[name], self.get(f"/update-files/{by_name[name]['fileId']}/{name}")[2])
        status, headers, _ = self.client.answer("DELETE", UPDATE + "3.0")
        self.assertEqual((status, self.client.finished(headers)["status"]), (202, "Succeeded"))
        self.assertEqual(self.client.call("GET", UPDATE + "3.0")[0], 404)
        self.assertEqual(self.client.call("DELETE", UPDATE + "3.0")[0], 404)
        self.assertEqual(self.get(f"/update-files/{ids[0]}/big.bin")[0], 404)

    @proves("CR 3.4", "CR 3.5")
    def test_bad_imports_store_nothing(self):
        good = {"a": b"one", "b": b"two"}

        def outcome(manifest, files):
            status, headers, body = self.client.start_import(manifest, files)
            return self.client.finished(headers)["error"]["message"] if status == 202 else body
        self.assertIn("sha256 of a differs", outcome(import_manifest("4.0", good), {**good, "a": b"eno"}))
        self.assertIn("instead of", outcome(import_manifest("4.0", good), {**good, "a": b"longer"}))
        self.assertIn("has no url", outcome(import_manifest("4.0", good), {"a": b"one"}))
        self.assertIn("createdDateTime", outcome(import_manifest("4.0", good, createdDateTime="now"), good))
        self.assertIn("unknown member", outcome(import_manifest("4.0", good, extra=1), good))
        self.assertIn("version", outcome(import_manifest("4", good), good))
        self.assertIn("refers to", outcome(import_manifest("4.0", good, instructions={"steps": [
            {"type": "reference", "updateId": {"provider": "x", "name": "y", "version": "1.0"}}]}), good))
        self.assertIn("JSON", outcome("{", good))
        self.assertEqual(self.client.call("GET", UPDATE + "4.0")[0], 404)
        url = {"url": "https://elsewhere.test/a", "sizeInBytes": 1, "hashes": {"sha256": "x"}}
        for body in ({}, [{}], [{"importManifest": url}], [{"importManifest": 1}], []):
            self.assertEqual(self.client.call("POST", "/updates:import", body)[0], 400, body)
        self.client.import_update("4.0", good)
        self.assertIn("4.0", outcome(import_manifest("4.0", good), good))
        self.assertEqual(self.client.call("GET", UPDATE + "4.0")[0], 200)

    def test_an_update_inside_another(self):
        self.client.import_update("5.0", {"child.bin": b"child"}, isDeployable=False)
        steps = [{"type": "reference", "updateId": {"provider": "acme", "name": "vitals-gw", "version": "5.0"}},
                 {"handler": "microsoft/script:1", "files": ["p.sh"]}]
        self.client.import_update("5.1", {"p.sh": b"exit 0"}, instructions={"steps": steps})
        self.assertEqual(self.client.call("GET", UPDATE + "5.1")[1]["instructions"]["steps"][0], steps[0])
        self.assertEqual(self.client.call("GET", UPDATE + "5.0")[1]["referencedBy"],
                         [{"provider": "acme", "name": "vitals-gw", "version": "5.1"}])
        self.assertEqual(self.client.call("DELETE", UPDATE + "5.0")[0], 409)
        deployable = self.client.call("GET", "/updates?filter=isDeployable%20eq%20false")[1]["value"]
        self.assertEqual([row["updateId"]["version"] for row in deployable], ["5.0"])

    @proves("CR 3.5")
    def test_files_in_ranges(self):
        content = os.urandom(300_000)
        self.client.import_update("6.0", {"r.bin": content})
        name = self.client.call("GET", UPDATE + "6.0/files")[1]["value"][0]
        path = f"/update-files/{name}/r.bin"
        status, headers, body = self.get(path)
        self.assertEqual((status, headers["Content-Length"], body), (200, "300000", content))
        for asked, part in (("0-9", content[:10]), ("299990-", content[-10:]), ("-7", content[-7:]),
                            ("1000-250000", content[1000:250001]), ("5-999999", content[5:])):
            status, answered, body = self.get(path, Range="bytes=" + asked)
            self.assertEqual((status, body), (206, part), asked)
            first = content.index(part) if len(part) < 1000 else int(asked.split("-")[0])
            self.assertEqual(answered["Content-Range"], f"bytes {first}-{first + len(part) - 1}/300000")
        for asked in ("bytes=300000-", "bytes=-0"):
            self.assertEqual(self.get(path, Range=asked)[0], 416)
        for asked in ("bytes=9-1", "lines=1-2", "bytes=a-b", "bytes=0-1,3-4"):
            self.assertEqual(self.get(path, Range=asked)[::2], (200, content), asked)
        self.assertEqual(self.get(path, **{"Range": "bytes=0-9", "If-Range": headers["ETag"]})[0], 206)
        self.assertEqual(self.get(path, **{"Range": "bytes=0-9", "If-Range": '"other"'})[0], 200)

    @proves("CR 3.5", "CR 4.1")
    def test_nothing_but_known_files(self):
        (self.azure.state / "updates" / "files" / "f1").write_text("stray")
        for path in ("/update-files/f1/f1", "/update-files/..%2Fkeys%2FMITRAL.1.R.key/x", "/update-files/../keys/x",
                     "/update-files/%2e%2e/keys", "/update-files/.", "/update-files/", "/devices",
                     f"{BASE}/updates", "/log"):
            self.assertEqual(self.get(path)[0], 404, path)
        self.assertNotIn(b"PRIVATE", self.get("/update-files/rootkeys.json")[2])

    def roots(self, azure=None):
        return json.loads((azure or self.azure).admin(f"{BASE}/keys/roots"))

    @proves("CR 1.9", "CR 1.14")
    def test_private_keys_are_private(self):
        roots = self.roots()
        self.assertEqual([len(root["n"]) for root in roots.values()], [512])  # 3072 bits
        keys = list((self.azure.state / "updates" / "keys").iterdir())
        self.assertGreaterEqual(len(keys), 2)
        for key in keys:
            self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600, key)
            text = subprocess.run(["openssl", "rsa", "-in", str(key), "-check", "-noout"], capture_output=True)
            self.assertEqual(text.returncode, 0, text)

    @proves("CR 1.9", "CR 1.14")
    def test_the_verifier_on_other_peoples_vectors(self):
        """The judge of our signatures judges a deployment that we did not sign, and refuses what is wrong."""
        service = json.loads((VECTORS / "adu_desired.json").read_text())["deviceUpdate"]["service"]
        roots = json.loads((VECTORS / "adu_root_pub.json").read_text())
        self.assertEqual(Verifier(roots).manifest(service)["updateId"]["version"], "2.0.1")
        with self.assertRaises(Refused):
            Verifier(roots).manifest({**service, "updateManifest": service["updateManifest"].replace("2.0.1", "2.0.2")})
        with self.assertRaises(Refused):
            Verifier(self.roots()).manifest(service)

    @proves("CR 1.9", "CR 1.14")
    def test_the_root_key_package(self):
        with LocalAzure("--files-port", "0") as azure:
            device = Verifier(self.roots(azure))

            def package():
                url = f"http://127.0.0.1:{azure.ports['files']}/update-files/rootkeys.json"
                return subprocess.run(["curl", "-sf", url], check=True, capture_output=True, text=True).stdout
            first = package()
            device.take_package(first)
            with self.assertRaises(Refused):
                device.take_package(first.replace('"disabledRootKeys":[]', '"disabledRootKeys":["x"]'))
            with self.assertRaises(Refused):
                Verifier(self.roots()).take_package(first)
            azure.admin(f"{BASE}/keys/roots:rotate", "POST", b"")
            azure.admin(f"{BASE}/keys/signing:rotate", "POST", b"")
            azure.admin(f"{BASE}/keys/roots/MITRAL.1.R/disable", "POST", b"")
            azure.stop()
            azure.start()
            device.take_package(package())
            self.assertEqual(device.disabled_roots, {"MITRAL.1.R"})
            self.assertEqual((len(device.disabled_keys), set(device.roots)), (1, {"MITRAL.1.R", "MITRAL.2.R"}))
            with self.assertRaises(Refused):
                device.take_package(first)

    @proves("CR 2.1", "CR 1.2")
    def test_only_its_policy_opens_it(self):
        hub, azure = self.azure.hub, self.azure
        key = azure.policy("deviceUpdate")["primary_key"]
        owner = azure.policy("iothubowner")["primary_key"]
        path = f"{BASE}/updates?api-version=2022-10-01"
        good = sas(key, hub, policy="deviceUpdate")
        self.assertEqual(azure.https("GET", path, good)[0], 200)
        self.assertEqual(azure.https("GET", path, "Bearer " + good)[0], 200)
        for token in (None, "Bearer x", sas(owner, hub, policy="iothubowner"), sas(owner, hub, policy="deviceUpdate"),
                      sas(key, "other.test", policy="deviceUpdate"),
                      sas(key, hub, policy="deviceUpdate", lifetime=-999)):
            self.assertEqual(azure.https("GET", path, token)[0], 401, token)
            self.assertEqual(azure.https("POST", f"{BASE}/updates:import?x=1", token, [])[0], 401)
            self.assertEqual(azure.https("PUT", f"{BASE}/incoming/x", token, [])[0], 401)
        self.assertEqual(azure.https("GET", "/devices?api-version=2021-04-12", good)[0], 401)
        self.assertEqual(azure.https("GET", "/deviceUpdate/other/updates", good)[0], 404)
        self.assertEqual(azure.https("POST", f"{BASE}/keys/roots:rotate", good)[0], 404)


if __name__ == "__main__":
    main()
