"""The service API of DPS: enrolments in bulk and in pages, registrations, etags, errors."""
import unittest

from cloud.local_azure import LocalAzure, derive, sas
from support.proves import main, proves

API = "api-version=2021-10-01"


class Enrolments(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure().__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        cls.token = sas(cls.azure.policy("provisioningserviceowner")["primary_key"], cls.azure.hub,
                        policy="provisioningserviceowner")

    def call(self, method, path, body=None, headers=None):
        return self.azure.https(method, f"/{path}?{API}", self.token, body, headers)

    def bulk(self, mode, *entries):
        status, _, body = self.call("POST", "enrollments/", {"mode": mode, "enrollments": list(entries)})
        self.assertEqual(status, 200, body)
        return body

    @staticmethod
    def entry(name, **more):
        return {"registrationId": name, "attestation": {"type": "symmetricKey"}, **more}

    def register(self, name, key):
        token = sas(derive(key, name), f"{self.azure.ports['id_scope']}/registrations/{name}", policy="registration")
        path = f"/{self.azure.ports['id_scope']}/registrations/{name}"
        operation = self.azure.https("PUT", f"{path}/register?{API}", token, {})[2]["operationId"]
        return self.azure.https("GET", f"{path}/operations/{operation}?{API}", token)[2]["registrationState"]

    def pages(self, path, size):
        rows, headers, lengths = [], {"x-ms-max-item-count": str(size)}, []
        while True:
            status, answer, body = self.call("POST", path, {"query": "*"}, headers)
            self.assertEqual(status, 200, body)
            rows += body
            lengths.append(len(body))
            if "x-ms-continuation" not in answer:
                return rows, lengths, answer["x-ms-item-type"]
            headers["x-ms-continuation"] = answer["x-ms-continuation"]

    def test_bulk(self):
        names = [f"bulk-{i}" for i in range(10)]
        self.assertEqual(self.bulk("create", *map(self.entry, names)), {"isSuccessful": True, "errors": []})
        again = self.bulk("create", self.entry("bulk-0"), self.entry("bulk-new"))
        self.assertEqual((again["isSuccessful"], [(row["registrationId"], row["errorCode"])
                                                  for row in again["errors"]]), (False, [("bulk-0", 409201)]))
        off = {"provisioningStatus": "disabled"}
        self.assertTrue(self.bulk("update", self.entry("bulk-0", **off))["isSuccessful"])
        first = self.call("GET", "enrollments/bulk-0")[2]
        self.assertEqual(first["provisioningStatus"], "disabled")
        for etag, good in (("old", False), (None, False), (first["etag"], True)):
            more = {"etag": etag} if etag else {}
            self.assertEqual(self.bulk("updateIfMatchETag", self.entry("bulk-0", **more))["isSuccessful"], good)
        self.assertEqual(self.bulk("update", self.entry("bulk-none"))["errors"][0]["errorCode"], 404201)
        gone = self.bulk("delete", *({"registrationId": name} for name in names))
        self.assertEqual(gone, {"isSuccessful": True, "errors": []})
        self.assertEqual(self.call("GET", "enrollments/bulk-0")[0], 404)
        self.assertEqual(self.call("GET", "enrollments/bulk-new")[0], 200)
        for bad in ({}, {"mode": "create"}, {"mode": "x", "enrollments": [self.entry("a")]},
                    {"mode": "create", "enrollments": [self.entry(f"n{i}") for i in range(11)]}):
            self.assertEqual(self.call("POST", "enrollments", bad)[0], 400, bad)

    def test_pages(self):
        names = sorted(f"page-{i}" for i in range(5))
        self.bulk("create", *map(self.entry, names))
        rows, lengths, kind = self.pages("enrollments/query", 2)
        found = [row["registrationId"] for row in rows if row["registrationId"].startswith("page-")]
        self.assertEqual((found, kind), (names, "enrollment"))
        self.assertEqual(set(lengths[:-1]), {2})
        for group in ("page-a", "page-b"):
            self.azure.group(group)
        rows, _, kind = self.pages("enrollmentGroups/query", 1)
        self.assertLessEqual({"page-a", "page-b"}, {row["enrollmentGroupId"] for row in rows})
        self.assertEqual(kind, "enrollmentGroup")
        for path, body, headers in (("enrollments/query", {"query": "SELECT * FROM x WHERE y = 1"}, {}),
                                    ("enrollments/query", {}, {}),
                                    ("enrollments/query", {"query": "*"}, {"x-ms-max-item-count": "0"}),
                                    ("enrollments/query", {"query": "*"}, {"x-ms-continuation": "x"})):
            self.assertEqual(self.call("POST", path, body, headers)[0], 400, (body, headers))

    def test_registrations(self):
        key = self.azure.group("seen")["primary_key"]
        for name in ("seen-1", "seen-2", "seen-3"):
            self.assertEqual(self.register(name, key)["substatus"], "initialAssignment")
        rows, lengths, kind = self.pages("registrations/seen/query", 2)
        self.assertEqual(([row["registrationId"] for row in rows], lengths, kind),
                         (["seen-1", "seen-2", "seen-3"], [2, 1], "deviceRegistration"))
        state = self.call("GET", "registrations/SEEN-1")[2]
        self.assertEqual((state["status"], state["assignedHub"], state["deviceId"], state["substatus"]),
                         ("assigned", self.azure.hub, "seen-1", "initialAssignment"))
        self.assertEqual(self.register("seen-1", key)["substatus"], "deviceDataMigrated")
        self.assertEqual(self.call("DELETE", "registrations/seen-1", headers={"If-Match": state["etag"]})[0], 412)
        state = self.call("GET", "registrations/seen-1")[2]
        self.assertEqual(self.call("DELETE", "registrations/seen-1", headers={"If-Match": state["etag"]})[0], 204)
        self.assertEqual(self.call("GET", "registrations/seen-1")[0], 404)
        self.assertEqual(self.register("seen-1", key)["substatus"], "reprovisionedToInitialAssignment")

    def test_what_an_enrolment_says_is_kept(self):
        said = {"allocationPolicy": "static", "iotHubs": ["a.mitral.test"], "capabilities": {"iotEdge": True},
                "reprovisionPolicy": {"updateHubAssignment": True, "migrateDeviceData": False},
                "initialTwin": {"tags": {"ward": "3"}, "properties": {"desired": {"rate": 250}}}}
        stored = self.call("PUT", "enrollments/said", self.entry("said", **said))[2]
        read = self.call("GET", "enrollments/said")[2]
        self.assertEqual(read, stored)
        self.assertEqual({name: read[name] for name in said}, said)
        shown = self.call("POST", "enrollments/said/attestationmechanism")[2]
        self.assertEqual(shown, read["attestation"])
        self.assertEqual(self.call("POST", "enrollmentgroups/said/attestationmechanism")[0], 404)
        for etag, status in (("old", 412), (read["etag"], 204)):
            self.assertEqual(self.call("DELETE", "enrollments/said", headers={"If-Match": etag})[0], status)

    @proves("CR 3.5")
    def test_errors(self):
        for method, path, body, status, code in (
                ("GET", "enrollments/none", None, 404, 404201), ("DELETE", "enrollmentGroups/none", None, 404, 404201),
                ("GET", "registrations/none", None, 404, 404201),
                ("PUT", "enrollments/bad", {"attestation": {"type": "tpm"}}, 501, 501000),
                ("PUT", "enrollments/bad", self.entry("bad", allocationPolicy="custom"), 501, 501000),
                ("PUT", "enrollments/bad", self.entry("bad", allocationPolicy="any"), 400, 400004),
                ("PUT", "enrollments/bad", self.entry("bad", iotHubs="x"), 400, 400004),
                ("PUT", "enrollments/bad", self.entry("bad", iotHubs=[1]), 400, 400004)):
            answer = self.call(method, path, body)
            self.assertEqual((answer[0], answer[2]["errorCode"]), (status, code), (path, answer[2]))
            self.assertEqual(set(answer[2]), {"errorCode", "message", "trackingId", "timestampUtc"})


if __name__ == "__main__":
    main()
