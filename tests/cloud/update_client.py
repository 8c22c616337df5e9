"""Calls of Device Update over REST, as a service client makes them."""
import base64
import hashlib
import json

from cloud.local_azure import LocalAzure, sas, wait_until

VERSION = "api-version=2022-10-01"
BASE = "/deviceUpdate/default"
COMPATIBLE = [{"manufacturer": "acme", "model": "vg1"}]


def sha256(content):
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def described(name, content):
    return {"filename": name, "sizeInBytes": len(content), "hashes": {"sha256": sha256(content)}}


def import_manifest(version, files, **more):
    return {"updateId": {"provider": "acme", "name": "vitals-gw", "version": version}, "compatibility": COMPATIBLE,
            "instructions": {"steps": [{"handler": "microsoft/swupdate:2", "files": list(files),
                                        "handlerProperties": {"installedCriteria": version}}]},
            "files": [described(name, content) for name, content in files.items()],
            "manifestVersion": "5.0", "createdDateTime": "2026-01-01T00:00:00.0000000Z", **more}


class UpdateClient:
    def __init__(self, azure: LocalAzure):
        self.azure = azure
        self.token = sas(azure.policy("deviceUpdate")["primary_key"], azure.hub, policy="deviceUpdate")

    def answer(self, method, path, body=None, headers=None):
        joint = "&" if "?" in path else "?"
        return self.azure.https(method, f"{BASE}{path}{joint}{VERSION}", self.token, body, headers)

    def call(self, *arguments):
        status, _, body = self.answer(*arguments)
        return status, body

    def upload(self, name, content, piece=700_000):
        for offset in range(0, max(len(content), 1), piece):
            self.azure.admin(f"{BASE}/incoming/{name}?offset={offset}", "PUT", content[offset:offset + piece])

    def start_import(self, manifest, files, friendly=None):
        """The answer to the request; `manifest` is a dict or the text of one."""
        text = (manifest if isinstance(manifest, str) else json.dumps(manifest)).encode()
        self.upload("manifest.json", text)
        for name, content in files.items():
            self.upload(name, content)
        place = f"https://localhost{BASE}/incoming/"
        item = {"importManifest": {"url": place + "manifest.json?sig=x", "sizeInBytes": len(text),
                                   "hashes": {"sha256": sha256(text)}},
                "files": [{"filename": name, "url": place + name} for name in files]}
        if friendly:
            item["friendlyName"] = friendly
        return self.answer("POST", "/updates:import", [item])

    def finished(self, headers):
        """The operation that an Operation-Location names, once it is over."""
        where = headers["Operation-Location"]

        def look():
            _, _, operation = self.azure.https("GET", where, self.token)
            return operation if operation["status"] in ("Succeeded", "Failed") else None
        return wait_until(look)

    def import_update(self, version, files=None, **more):
        files = files or {"vg1.swu": b"demo-image\n", "ab.sh": b"exit 0\n\n"}
        status, headers, body = self.start_import(import_manifest(version, files, **more), files)
        assert status == 202, (status, body)
        operation = self.finished(headers)
        assert operation["status"] == "Succeeded", operation
        return operation
