"""A simulated update agent: reports, verifies and downloads as the documentation of Microsoft's agent says, over a bare
MQTT client. What it shall do with an update a test says."""
import http.client
import json
import ssl
import urllib.parse

from cloud.local_azure import sas
from cloud.mqtt_client import Mqtt, packet, publish_packet, text
from cloud.update_verifier import Verifier, check_file

DESIRED = "$iothub/twin/PATCH/properties/desired/"
CONTRACT = "dtmi:azure:iot:deviceUpdateContractModel;3"
IDLE, IN_PROGRESS, FAILED = 0, 6, 255
DEPLOY, CANCEL = 3, 255


def name_of(version):
    return {"provider": "acme", "name": "vitals-gw", "version": version}


class UpdateAgent:
    def __init__(self, azure, device, roots, key=None, module=None, installed="1.0", model="vg1"):
        self.azure, self.device, self.module, self.model = azure, device, module, model
        self.key = key or azure.device(device)["primary_key"]
        self.verifier = Verifier(roots)
        self.installed, self.workflow, self.inbox = installed, None, []
        self.connect()
        self.report(IDLE)

    def connect(self):
        self.mqtt = Mqtt(self.azure.ports["mqtt"], self.azure.ca)
        client = self.device + (f"/{self.module}" if self.module else "")
        resource = f"{self.azure.hub}/devices/{self.device}" + (f"/modules/{self.module}" if self.module else "")
        user = f"{self.azure.hub}/{client}/?api-version=2021-04-12&model-id=dtmi:azure:iot:deviceUpdateModel;3"
        _, code = self.mqtt.connect(client, user, sas(self.key, resource))
        assert code == 0, code
        filters = text("$iothub/twin/res/#") + b"\0" + text(DESIRED + "#") + b"\0"
        self.mqtt.send(packet(0x82, b"\0\1" + filters))
        assert self.mqtt.receive()[0] == 0x90

    def close(self):
        self.mqtt.close()

    def _receive(self):
        first, body = self.mqtt.receive()
        assert first == 0x30, first
        length = int.from_bytes(body[:2], "big")
        payload = body[2 + length:]
        return body[2:2 + length].decode(), json.loads(payload) if payload else None

    def ask(self, topic, body):
        """The answer; desired properties that come before it are kept."""
        self.mqtt.send(publish_packet(topic, body, qos=0))
        while True:
            where, payload = self._receive()
            if where.startswith("$iothub/twin/res/"):
                return where, payload
            self.inbox.append(payload)

    def send_report(self, patch):
        where, payload = self.ask("$iothub/twin/PATCH/properties/reported/?$rid=1", json.dumps(patch))
        assert where.startswith("$iothub/twin/res/204/"), (where, payload)

    def report(self, state, code=None, extended="00000000", details="", workflow=None):
        agent = {"deviceProperties": {"manufacturer": "acme", "model": self.model, "interfaceId": None,
                                      "contractModelId": CONTRACT, "aduVer": "DU;agent/1.1.0"},
                 "compatPropertyNames": "manufacturer,model", "state": state,
                 "installedUpdateId": json.dumps(name_of(self.installed))}
        if workflow or self.workflow:
            agent["workflow"] = workflow or self.workflow
        if code is not None:
            result = {"resultCode": code, "extendedResultCodes": extended, "resultDetails": details}
            agent["lastInstallResult"] = {**result, "stepResults": {"step_0": result}}
        self.send_report({"deviceUpdate": {"__t": "c", "agent": agent}})

    def wait_for_service(self):
        """The next desired "deviceUpdate" that is pushed."""
        while True:
            desired = self.inbox.pop(0) if self.inbox else self._receive()[1]
            if "deviceUpdate" in desired:
                return desired["deviceUpdate"]["service"]

    def twin(self):
        return self.ask("$iothub/twin/GET/?$rid=2", " ")[1]

    def nothing_new(self):
        """Whether nothing was pushed before the answer to a question of now."""
        self.twin()
        return not self.inbox

    def download(self, url, **headers):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=self.azure.ca)
            connection = http.client.HTTPSConnection(parts.hostname, parts.port, context=context, timeout=20)
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
        connection.request("GET", parts.path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status in (200, 206), answer.status
        return body

    def accept(self, service):
        """Verifies a deployment, fetches its files in two halves, and says that it is at work. Returns them by name."""
        self.verifier.take_package(self.download(service["rootKeyPackageUrl"]))
        manifest = self.verifier.manifest(service)
        self.workflow = {key: value for key, value in service["workflow"].items() if value is not None}
        self.report(IN_PROGRESS)
        if "detachedManifestFileId" in manifest:
            whole = manifest["files"][manifest["detachedManifestFileId"]]
            content = self.download(service["fileUrls"][manifest["detachedManifestFileId"]])
            check_file(whole, content)
            manifest = json.loads(content)
        files = {}
        for name, described in manifest["files"].items():
            half = described["sizeInBytes"] // 2
            url = service["fileUrls"][name]
            content = b"" if not half else self.download(url, Range=f"bytes=0-{half - 1}")
            content += self.download(url, Range=f"bytes={half}-")
            check_file(described, content)
            files[described["fileName"]] = content
        self.manifest = manifest
        return files

    def succeed(self):
        self.installed = self.manifest["updateId"]["version"]
        self.report(IDLE, 700)

    def fail(self, extended="80200001"):
        self.report(FAILED, 0, extended, "no room")
