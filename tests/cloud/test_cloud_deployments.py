"""Deployments of Device Update: simulated agents go through success, failure, retry, cancel and replacement."""
import base64
import datetime
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from cloud.local_azure import LocalAzure, sas
from cloud.update_agent import CANCEL, DEPLOY, FAILED, IDLE, IN_PROGRESS, UpdateAgent, name_of
from cloud.update_client import BASE, UpdateClient, import_manifest
from cloud.update_verifier import Refused, Verifier, check_file
from support.proves import main, proves

UPDATE = "/updates/providers/acme/names/vitals-gw/versions/"


def roots_of(azure):
    return json.loads(azure.admin(f"{BASE}/keys/roots"))


class Deployments(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--files-port", "0").__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        cls.client = UpdateClient(cls.azure)
        cls.roots = roots_of(cls.azure)
        for version in ("2.0.0", "2.0.1", "2.1.0"):
            cls.client.import_update(version)

    def tag(self, device, group, azure=None, module=None):
        azure = azure or self.azure
        token = sas(azure.policy("service")["primary_key"], azure.hub, policy="service")
        path = f"/twins/{device}" + (f"/modules/{module}" if module else "")
        status, _, body = azure.https("PATCH", f"{path}?api-version=2021-04-12", token, {"tags": {"ADUGroup": group}})
        assert status == 200, body

    def agent(self, device, group, **more):
        """An agent of a group of its own."""
        self.azure.device(device)
        self.tag(device, group)
        agent = UpdateAgent(self.azure, device, self.roots, **more)
        self.addCleanup(agent.close)
        return agent

    def ok(self, method, path, body=None):
        status, answer = self.client.call(method, path, body)
        self.assertIn(status, (200, 204), answer)
        return answer

    def deploy(self, group, deployment, version, **more):
        return self.ok("PUT", f"/management/groups/{group}/deployments/{deployment}",
                       {"deploymentId": deployment, "groupId": group, "update": {"updateId": name_of(version)}, **more})

    def class_of(self, group):
        return self.ok("GET", f"/management/groups/{group}/deviceClassSubgroups")["value"][0]["deviceClassId"]

    def act(self, group, deployment, verb):
        path = f"/management/groups/{group}/deviceClassSubgroups/{self.class_of(group)}/deployments/{deployment}:{verb}"
        return self.ok("POST", path)

    def counts(self, group, deployment):
        """(in progress, succeeded, failed, cancelled) of a deployment's only subgroup, and its state."""
        status = self.ok("GET", f"/management/groups/{group}/deployments/{deployment}/status")
        row = status["subgroupStatus"][0]
        return ((row["devicesInProgressCount"], row["devicesCompletedSucceededCount"],
                 row["devicesCompletedFailedCount"], row["devicesCanceledCount"]), status["deploymentState"])

    def states(self, group, deployment):
        path = f"/management/groups/{group}/deviceClassSubgroups/{self.class_of(group)}/deployments/{deployment}"
        return {row["deviceId"]: row for row in self.ok("GET", path + "/devicestates")["value"]}

    @proves("CR 1.9", "CR 3.4")
    def test_success(self):
        agent = self.agent("ok-1", "ok")
        device = self.ok("GET", "/management/devices/ok-1")
        self.assertEqual((device["groupId"], device["onLatestUpdate"]), ("ok", False))
        self.assertEqual(device["installedUpdate"]["updateId"], name_of("1.0"))
        self.assertNotIn("deploymentStatus", device)
        shown = self.ok("GET", f"/management/deviceClasses/{device['deviceClassId']}")
        self.assertEqual(shown["deviceClassProperties"]["compatProperties"], {"manufacturer": "acme", "model": "vg1"})
        self.assertEqual(shown["bestCompatibleUpdate"]["updateId"]["version"], "2.1.0")
        made = self.deploy("ok", "d1", "2.1.0")
        self.assertEqual((made["deviceClassSubgroups"], made["isCanceled"]), ([device["deviceClassId"]], False))
        service = agent.wait_for_service()
        self.assertEqual((service["workflow"]["action"], service["workflow"].get("retryTimestamp")), (DEPLOY, None))
        self.assertTrue(all(url.startswith("http://localhost:") for url in service["fileUrls"].values()))
        self.assertEqual(self.counts("ok", "d1"), ((1, 0, 0, 0), "Active"))
        self.assertEqual(agent.accept(service), {"vg1.swu": b"demo-image\n", "ab.sh": b"exit 0\n\n"})
        self.assertEqual(agent.manifest["instructions"]["steps"][0]["handler"], "microsoft/swupdate:2")
        self.assertEqual(self.counts("ok", "d1"), ((1, 0, 0, 0), "Active"))
        agent.succeed()
        self.assertEqual(self.counts("ok", "d1"), ((0, 1, 0, 0), "Active"))
        device = self.ok("GET", "/management/devices/ok-1")
        self.assertEqual((device["deploymentStatus"], device["lastDeploymentId"], device["onLatestUpdate"]),
                         ("Succeeded", "d1", True))
        self.assertEqual(device["lastInstallResult"]["resultCode"], 700)
        agent.report(IN_PROGRESS)  # older agents say so after each renewal of their token
        self.assertEqual(self.counts("ok", "d1")[0], (0, 1, 0, 0))
        self.assertTrue(agent.nothing_new())
        self.assertEqual(self.deploy("ok", "d1", "2.1.0")["deploymentId"], "d1")  # the same again is the same
        self.assertTrue(agent.nothing_new())
        self.assertEqual(self.client.call("DELETE", UPDATE + "2.1.0")[0], 409)

    @proves("CR 3.4")
    def test_failure_and_retry(self):
        agent = self.agent("bad-1", "bad")
        self.deploy("bad", "d1", "2.0.1")
        agent.accept(agent.wait_for_service())
        agent.fail("80200001,00000002")
        self.assertEqual(self.counts("bad", "d1"), ((0, 0, 1, 0), "Active"))
        result = self.ok("GET", "/management/devices/bad-1")["lastInstallResult"]
        self.assertEqual((result["resultCode"], result["extendedResultCode"], result["resultDetails"]),
                         (0, 0x80200001 - (1 << 32), "no room"))
        self.assertEqual(len(result["stepResults"]), 1)
        stale = dict(agent.workflow)
        self.assertTrue(self.act("bad", "d1", "retry")["isRetried"])
        service = agent.wait_for_service()
        self.assertEqual((service["workflow"]["id"], service["workflow"]["action"]), (stale["id"], DEPLOY))
        self.assertTrue(service["workflow"]["retryTimestamp"])
        self.assertEqual(self.counts("bad", "d1")[0], (1, 0, 0, 0))
        agent.send_report({"deviceInformation": {"__t": "c", "manufacturer": "acme"}})
        self.assertEqual(self.counts("bad", "d1")[0], (1, 0, 0, 0))  # what was reported before the retry is old
        agent.accept(service)
        agent.report(FAILED, 0, workflow={**agent.workflow, "retryTimestamp": "2020-01-01T00:00:00Z"})
        self.assertEqual(self.counts("bad", "d1")[0], (1, 0, 0, 0))  # so is this
        agent.succeed()
        self.assertEqual(self.counts("bad", "d1")[0], (0, 1, 0, 0))
        self.assertEqual(self.states("bad", "d1")["bad-1"]["retryCount"], 1)

    def test_cancel(self):
        agent = self.agent("stop-1", "stop")
        late = self.agent("stop-2", "stop")
        self.deploy("stop", "d1", "2.0.1")
        service = agent.wait_for_service()
        agent.accept(service)
        late.accept(late.wait_for_service())
        self.assertTrue(self.act("stop", "d1", "cancel")["isCanceled"])
        order = agent.wait_for_service()["workflow"]
        self.assertEqual((order["action"], order["id"]), (CANCEL, service["workflow"]["id"]))
        agent.workflow = {"action": CANCEL, "id": order["id"]}
        agent.report(IDLE, -1)
        late.succeed()  # it was done before it heard
        self.assertEqual(self.counts("stop", "d1"), ((0, 1, 0, 1), "Canceled"))
        newcomer = self.agent("stop-3", "stop")
        self.assertTrue(newcomer.nothing_new())
        path = f"/management/groups/stop/deviceClassSubgroups/{self.class_of('stop')}/deployments/d1:retry"
        self.assertEqual(self.client.call("POST", path)[0], 400)
        self.ok("DELETE", "/management/groups/stop/deployments/d1")
        self.assertEqual(self.client.call("GET", "/management/groups/stop/deployments/d1")[0], 404)

    def test_replacement(self):
        agent = self.agent("swap-1", "swap")
        self.deploy("swap", "old", "2.0.0")
        first = agent.wait_for_service()
        agent.accept(first)
        self.deploy("swap", "new", "2.0.1")
        second = agent.wait_for_service()
        self.assertNotEqual(first["workflow"]["id"], second["workflow"]["id"])
        self.assertEqual({name for name, url in second["fileUrls"].items() if url is None}, set(first["fileUrls"]))
        agent.report(IN_PROGRESS)
        agent.accept(second)
        agent.succeed()
        self.assertEqual(self.counts("swap", "old"), ((1, 0, 0, 0), "Inactive"))
        self.assertTrue(self.states("swap", "old")["swap-1"]["movedOnToNewDeployment"])
        self.assertEqual(self.counts("swap", "new"), ((0, 1, 0, 0), "Active"))
        self.assertEqual(len(agent.twin()["desired"]["deviceUpdate"]["service"]["fileUrls"]), 2)
        group = self.ok("GET", "/management/groups/swap")
        self.assertEqual((group["deployments"], group["deviceCount"]), (["new"], 1))
        listed = self.ok("GET", "/management/groups/swap/deployments")["value"]
        self.assertEqual([row["deploymentId"] for row in listed], ["new", "old"])

    @proves("CR 2.1")
    def test_only_the_group_and_what_fits_it(self):
        inside, outside = self.agent("here-1", "here"), self.agent("there-1", "there")
        other = self.agent("here-2", "here", model="other")
        self.deploy("here", "d1", "2.0.1")
        inside.accept(inside.wait_for_service())
        self.assertTrue(outside.nothing_new())
        self.assertTrue(other.nothing_new())
        self.assertEqual(set(self.states_of_all("here", "d1")), {"here-1"})
        self.tag("there-1", "here")  # it moves into the group
        outside.accept(outside.wait_for_service())
        self.assertEqual(set(self.states_of_all("here", "d1")), {"here-1", "there-1"})

    def states_of_all(self, group, deployment):
        found = {}
        for row in self.ok("GET", f"/management/groups/{group}/deviceClassSubgroups")["value"]:
            path = f"/management/groups/{group}/deviceClassSubgroups/{row['deviceClassId']}/deployments/{deployment}"
            found.update({state["deviceId"]: state for state in self.ok("GET", path + "/devicestates")["value"]})
        return found

    @proves("CR 1.9", "CR 1.14", "CR 3.4")
    def test_what_is_wrong_is_refused(self):
        """The judge is the agent's verifier; each case differs from what it takes in one thing."""
        agent = self.agent("judge-1", "judge")
        self.deploy("judge", "d1", "2.0.1")
        service = agent.wait_for_service()
        agent.verifier.manifest(service)
        header, payload, signature = service["updateManifestSignature"].split(".")
        other = base64.urlsafe_b64encode(b'{"sha256":"x"}').decode().rstrip("=")
        for wrong in ({"updateManifest": service["updateManifest"].replace("2.0.1", "2.0.2")},
                      {"updateManifest": service["updateManifest"] + " "},
                      {"updateManifestSignature": f"{header}.{other}.{signature}"},
                      {"updateManifestSignature": f"{header}.{payload}.{signature[:-8]}AAAAAAAA"}):
            with self.assertRaises(Refused):
                agent.verifier.manifest({**service, **wrong})
        with LocalAzure() as stranger:
            with self.assertRaises(Refused):
                Verifier(roots_of(stranger)).manifest(service)
        name = next(iter(service["fileUrls"]))
        described = json.loads(service["updateManifest"])["files"][name]
        with self.assertRaises(Refused):
            check_file(described, agent.download(service["fileUrls"][name])[:-1] + b"?")

    @proves("CR 1.9", "CR 1.14")
    def test_a_disabled_key_signs_nothing_any_more(self):
        with LocalAzure("--files-port", "0") as azure:
            client = UpdateClient(azure)
            client.import_update("2.0.1")
            azure.device("dev")
            agent = UpdateAgent(azure, "dev", roots_of(azure))
            path = "/management/groups/%24default/deployments/"
            order = {"update": {"updateId": name_of("2.0.1")}}
            self.assertEqual(client.call("PUT", path + "d1", order)[0], 200)
            old = agent.wait_for_service()
            agent.accept(old)
            azure.admin(f"{BASE}/keys/signing:rotate", "POST", b"")
            self.assertEqual(client.call("PUT", path + "d2", order)[0], 200)
            new = agent.wait_for_service()
            agent.verifier.manifest(new)  # not told yet: both are good
            agent.verifier.manifest(old)
            agent.accept(new)
            with self.assertRaises(Refused):
                agent.verifier.manifest(old)
            azure.admin(f"{BASE}/keys/roots:rotate", "POST", b"")
            azure.admin(f"{BASE}/keys/roots/MITRAL.1.R/disable", "POST", b"")
            self.assertEqual(client.call("PUT", path + "d3", order)[0], 200)
            newest = agent.wait_for_service()
            with self.assertRaises(Refused):
                agent.verifier.manifest(newest)  # its root is not known before the package is
            agent.accept(newest)
            with self.assertRaises(Refused):
                agent.verifier.manifest(new)
            agent.close()

    def test_a_module_that_was_away_while_the_server_died(self):
        with LocalAzure() as azure:
            client = UpdateClient(azure)
            client.import_update("2.0.1", {"a.bin": os.urandom(2_000_000)})
            azure.device("host")
            owner = sas(azure.policy("registryReadWrite")["primary_key"], azure.hub, policy="registryReadWrite")
            path = "/devices/host/modules/DeviceUpdate?api-version=2021-04-12"
            made = azure.https("PUT", path, owner, {"moduleId": "DeviceUpdate"})[2]
            key = made["authentication"]["symmetricKey"]["primaryKey"]
            agent = UpdateAgent(azure, "host", roots_of(azure), key=key, module="DeviceUpdate")
            agent.close()
            order = {"update": {"updateId": name_of("2.0.1")}}
            path = "/management/groups/%24default/deployments/d1"
            self.assertEqual(client.call("PUT", path, order)[0], 200)
            azure.stop(signal.SIGKILL)
            azure.start(https=azure.ports["https"], mqtt=int(azure.hub.split(":")[1]))
            agent.connect()
            service = agent.twin()["desired"]["deviceUpdate"]["service"]
            self.assertTrue(all(url.startswith("https://localhost:") for url in service["fileUrls"].values()))
            agent.accept(service)
            agent.succeed()
            device = client.call("GET", "/management/devices/host/modules/DeviceUpdate")[1]
            self.assertEqual((device["moduleId"], device["deploymentStatus"]), ("DeviceUpdate", "Succeeded"))
            agent.close()
            azure.https("DELETE", "/devices/host?api-version=2021-04-12", owner, None, {"If-Match": "*"})
            self.assertEqual(client.call("GET", "/management/devices")[1], {"value": []})

    def test_a_manifest_too_large_for_a_twin(self):
        files = {f"file-{number}-{'x' * 220}.bin": os.urandom(10) for number in range(10)}
        self.client.import_update("7.0", files, compatibility=[{"manufacturer": "acme", "model": "large"}],
                                  instructions={"steps": [{"handler": "microsoft/script:1", "files": [name]}
                                                          for name in files]})
        agent = self.agent("large-1", "large", model="large")
        self.deploy("large", "d1", "7.0")
        service = agent.wait_for_service()
        self.assertIn("detachedManifestFileId", service["updateManifest"])
        self.assertEqual(agent.accept(service), files)

    def test_a_start_in_the_future(self):
        agent = self.agent("soon-1", "soon")
        start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
        self.deploy("soon", "d1", "2.0.1", startDateTime=start.isoformat())
        self.assertEqual(self.counts("soon", "d1"), ((0, 0, 0, 0), "Active"))
        self.assertEqual(agent.wait_for_service()["workflow"]["action"], DEPLOY)
        self.assertGreaterEqual(datetime.datetime.now(datetime.timezone.utc), start)

    @proves("CR 3.5")
    def test_bad_deployments(self):
        self.agent("no-1", "no")
        good = {"update": {"updateId": name_of("2.0.1")}}
        for group, deployment, body, status in (
                ("none", "d", good, 404), ("no", "UPPER", good, 400), ("no", "x" * 74, good, 400),
                ("no", "d", {}, 400), ("no", "d", {"update": {"updateId": {"provider": "acme"}}}, 400),
                ("no", "d", {"update": {"updateId": name_of("9.9")}}, 404), ("no", "d", {**good, "groupId": "x"}, 400),
                ("no", "d", {**good, "startDateTime": "soon"}, 400), ("no", "d", {**good, "rollbackPolicy": {}}, 501)):
            path = f"/management/groups/{group}/deployments/{deployment}"
            self.assertEqual(self.client.call("PUT", path, body)[0], status, (group, deployment, body))
        self.deploy("no", "d", "2.0.1")
        other = {"update": {"updateId": name_of("2.0.0")}}
        self.assertEqual(self.client.call("PUT", "/management/groups/no/deployments/d", other)[0], 409)
        for path in ("/management/groups/none", "/management/devices/none", "/management/deviceClasses/none",
                     "/management/groups/no/deployments/x", "/management/groups/no/deployments/x/status"):
            self.assertEqual(self.client.call("GET", path)[0], 404, path)
        self.assertEqual(self.client.call("GET", "/management/devices?filter=nonsense")[0], 400)

    @proves("CR 3.5")
    def test_hostile_reports(self):
        agent = self.agent("odd-1", "odd")
        self.deploy("odd", "d1", "2.0.1")
        service = agent.wait_for_service()
        agent.accept(service)
        odd = (None, 1, [], "x", {"state": "6"}, {"state": -1}, {"installedUpdateId": "{"}, {"installedUpdateId": 7},
               {"workflow": 1}, {"workflow": {"id": 7}}, {"workflow": {"id": "x"}}, {"lastInstallResult": []},
               {"lastInstallResult": {"resultCode": "x", "extendedResultCodes": "zz", "stepResults": []}},
               {"compatPropertyNames": ",,,"}, {"deviceProperties": 1}, {"deviceProperties": {"contractModelId": 1}})
        for value in odd:
            agent.send_report({"deviceUpdate": {"agent": value}})
        self.assertEqual(self.counts("odd", "d1")[0], (1, 0, 0, 0))
        agent.report(IN_PROGRESS)
        agent.succeed()
        self.assertEqual(self.counts("odd", "d1")[0], (0, 1, 0, 0))

    def test_the_command_line(self):
        agent = self.agent("cli-1", "cli", model="cli")
        with tempfile.TemporaryDirectory() as place:
            files = {"a.bin": os.urandom(1_500_000), "b.sh": b"exit 0\n"}
            manifest = import_manifest("8.0", files, compatibility=[{"manufacturer": "acme", "model": "cli"}])
            for name, content in {**files, "m.json": json.dumps(manifest).encode()}.items():
                pathlib.Path(place, name).write_bytes(content)
            done = self.azure.command("update", "import", "--manifest", f"{place}/m.json", "--friendly-name", "eight")
            self.assertEqual(done[0]["status"], "Succeeded")
            with self.assertRaises(subprocess.CalledProcessError) as again:
                self.azure.command("update", "import", "--manifest", f"{place}/m.json")
            self.assertIn("acme/vitals-gw/8.0", again.exception.stderr)
        listed = {row["updateId"]["version"]: row for row in self.azure.command("update", "list")}
        self.assertEqual(listed["8.0"]["friendlyName"], "eight")
        self.assertIn("cli-1", [row["deviceId"] for row in self.azure.command("update", "devices")])
        self.assertEqual(set(self.azure.command("update", "roots")[0]), set(self.roots))
        of = ("--group", "cli", "--id", "d1")
        self.azure.command("update", "deploy", "--update", "acme/vitals-gw/8.0", *of)
        self.assertEqual(agent.accept(agent.wait_for_service()), files)
        agent.fail()
        status = self.azure.command("update", "status", *of)[0]
        self.assertEqual(status["subgroupStatus"][0]["devicesCompletedFailedCount"], 1)
        self.azure.command("update", "retry", *of)
        agent.accept(agent.wait_for_service())
        self.assertEqual(self.azure.command("update", "cancel", *of)[0]["deploymentState"], "Canceled")
        self.assertEqual(agent.wait_for_service()["workflow"]["action"], CANCEL)
        with self.assertRaises(subprocess.CalledProcessError):
            self.azure.command("update", "status", "--group", "cli", "--id", "none")
        self.azure.command("update", "delete", "--update", "acme/vitals-gw/8.0")
        self.assertNotIn("8.0", str(self.azure.command("update", "list")))

    def test_logs(self):
        agent = self.agent("log-1", "log")
        path = "/management/deviceDiagnostics/logCollections/"
        started = self.ok("PUT", path + "l1", {"deviceList": [{"deviceId": "log-1"}], "description": "why"})
        self.assertEqual((started["status"], started["deviceList"]), ("Running", [{"deviceId": "log-1"}]))
        desired = agent.twin()["desired"]["diagnosticInformation"]["service"]
        self.assertEqual(desired, {"operationId": "l1"})
        said = {"operationId": "l1", "resultCode": 200, "extendedResultCode": 0}
        agent.send_report({"diagnosticInformation": {"__t": "c", "agent": said}})
        status = self.ok("GET", path + "l1/detailedStatus")
        self.assertEqual((status["status"], status["deviceStatus"][0]["resultCode"]), ("Succeeded", "200"))
        self.assertEqual(self.client.call("PUT", path + "l1", {"deviceList": [{"deviceId": "log-1"}]})[0], 409)
        self.assertEqual(self.client.call("PUT", path + "l2", {"deviceList": [{"deviceId": "none"}]})[0], 404)
        self.assertEqual(self.client.call("PUT", path + "l2", {"deviceList": []})[0], 400)
        self.assertEqual([row["operationId"] for row in self.ok("GET", path[:-1])["value"]], ["l1"])

    def test_what_many_devices_look_like(self):
        with LocalAzure() as azure:
            client = UpdateClient(azure)
            roots = roots_of(azure)
            client.import_update("2.0.1")
            token = sas(azure.policy("registryReadWrite")["primary_key"], azure.hub, policy="registryReadWrite")
            for number in range(105):
                device = f"many-{number:03}"
                made = azure.https("PUT", f"/devices/{device}?api-version=2021-04-12", token, {"deviceId": device})[2]
                UpdateAgent(azure, device, roots, installed="2.0.1" if number % 2 else "1.0",
                            key=made["authentication"]["symmetricKey"]["primaryKey"]).close()
            first = client.call("GET", "/management/devices")[1]
            self.assertEqual(len(first["value"]), 100)
            rest = azure.https("GET", first["nextLink"], client.token)[2]
            self.assertEqual([row["deviceId"] for row in rest["value"]], [f"many-{n:03}" for n in range(100, 105)])
            self.assertNotIn("nextLink", rest)
            counts = client.call("GET", "/management/groups/%24default/updateCompliance")[1]
            self.assertEqual(counts, {"totalDeviceCount": 105, "onLatestUpdateDeviceCount": 52,
                                      "newUpdatesAvailableDeviceCount": 53, "updatesInProgressDeviceCount": 0})
            best = client.call("GET", "/management/groups/%24default/bestUpdates")[1]["value"]
            found = [(row["deviceCount"], row["update"]["updateId"]["version"]) for row in best]
            self.assertEqual(found, [(53, "2.0.1")])


if __name__ == "__main__":
    main()
