"""Scheduled jobs with Microsoft's JobClient (azure-iothub), unmodified and pinned; devices over MQTT with its device
client. It knows port 443 only, so the test has a network of its own."""
import datetime
import signal
import unittest

import own_network
import test_node_device as node
from cloud.local_azure import LocalAzure, wait_until
from support.proves import proves
from test_node_service import HOST, Service


def in_the_future(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat()


class NodeJobs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--name", HOST)
        cls.azure.start(https=443)
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        for name in ("job-1", "job-2", "job-3", "else-1"):
            cls.azure.device(name)

    def job(self, service, call, *parameters, **more):
        answer = service("job", call=call, **{"with": parameters, **more})
        self.assertTrue(answer["ok"], answer)
        return answer["result"]

    def over(self, service, name):
        def look():
            job = self.job(service, "getJob", name)
            return job if job["status"] in ("completed", "failed", "cancelled") else None
        return wait_until(look)

    def test_a_change_of_twins(self):
        patch = {"etag": "*", "tags": {"ward": "a"}, "properties": {"desired": {"interval": 5}}}
        with Service(self.azure) as service:
            made = self.job(service, "scheduleTwinUpdate", "twins", "STARTSWITH(deviceId, 'job-')", patch)
            self.assertEqual((made["jobId"], made["type"]), ("twins", "scheduleUpdateTwin"), made)
            self.assertEqual(made["maxExecutionTimeInSeconds"], 3600)
            done = self.over(service, "twins")
            self.assertEqual(done["status"], "completed", done)
            self.assertEqual(done["deviceJobStatistics"], {"deviceCount": 3, "failedCount": 0, "succeededCount": 3,
                                                           "runningCount": 0, "pendingCount": 0})
            rows = service("query", query="SELECT deviceId FROM devices WHERE tags.ward = 'a'")["pages"][0]
            self.assertEqual(rows, [{"deviceId": f"job-{n}"} for n in (1, 2, 3)])
            again = service("job", call="scheduleTwinUpdate", **{"with": ["twins", "*", patch]})
            self.assertFalse(again["ok"])
            self.assertIn("JobAlreadyExists", str(again))
            self.assertIn("JobNotFound", str(service("job", call="getJob", **{"with": ["nothing"]})))

    def test_a_method(self):
        with node.Sdk(self.azure) as device, Service(self.azure) as service:
            self.assertTrue(device("open", connection=self.azure.device("job-1")["connection_string"])["ok"])
            self.assertTrue(device("method", name="reboot", status=200)["ok"])
            answer = service.invoke("job-1", "reboot", connectTimeoutInSeconds=20)
            self.assertTrue(answer["ok"], answer)  # it listens now
            self.job(service, "scheduleDeviceMethod", "methods", "deviceId IN ['job-1', 'job-2']",
                     {"methodName": "reboot", "payload": {"in": 5}, "responseTimeoutInSeconds": 20})
            done = self.over(service, "methods")
            self.assertEqual(done["status"], "completed", done)
            counts = done["deviceJobStatistics"]
            self.assertEqual((counts["succeededCount"], counts["failedCount"]), (1, 1), done)
            self.assertEqual(done["cloudToDeviceMethod"]["payload"], {"in": 5})

    @proves("T-DATA-01")
    def test_it_waits_for_its_time_through_a_kill(self):
        patch = {"tags": {"late": True}}
        with Service(self.azure) as service:
            made = self.job(service, "scheduleTwinUpdate", "soon", "deviceId = 'job-2'", patch, start=in_the_future(3))
            self.assertEqual(made["status"], "scheduled", made)
            far = self.job(service, "scheduleTwinUpdate", "far", "*", patch, start=in_the_future(3600))
            self.assertEqual(far["status"], "scheduled")
        self.azure.stop(signal.SIGKILL)
        self.azure.start(https=443)
        with Service(self.azure) as service:
            self.assertEqual(self.over(service, "soon")["deviceJobStatistics"]["succeededCount"], 1)
            self.assertEqual(self.job(service, "getJob", "far")["status"], "scheduled")
            self.assertEqual(self.job(service, "cancelJob", "far")["status"], "cancelled")
            self.assertFalse(service("job", call="cancelJob", **{"with": ["far"]})["ok"])

    def test_pages_of_jobs(self):
        with Service(self.azure) as service:
            for number in range(5):
                self.job(service, "scheduleTwinUpdate", f"page-{number}", "deviceId = 'else-1'", {"tags": {"n": number}})
                self.over(service, f"page-{number}")
            pages = service("jobPages", type="scheduleUpdateTwin", status="completed", size=2)["pages"]
            found = [row["jobId"] for page in pages for row in page if row["jobId"].startswith("page-")]
            self.assertEqual(found, [f"page-{number}" for number in range(5)])
            self.assertTrue(all(len(page) <= 2 for page in pages))
            none = service("jobPages", type="scheduleDeviceMethod", status="scheduled", size=2)["pages"]
            self.assertEqual(none, [[]])

    @proves("CR 2.1")
    def test_rights(self):
        with Service(self.azure, "registryRead") as service:
            answer = service("job", call="scheduleTwinUpdate", **{"with": ["denied", "*", {"tags": {}}]})
            self.assertEqual((answer["ok"], answer["error"]), (False, "UnauthorizedError"), answer)
            self.assertIn("JobNotFound", str(service("job", call="getJob", **{"with": ["denied"]})))
        with Service(self.azure, "service") as service:
            answer = service("job", call="getJob", **{"with": ["denied"]})
            self.assertEqual((answer["ok"], answer["error"]), (False, "UnauthorizedError"), answer)


if __name__ == "__main__":
    own_network.run(__file__)
