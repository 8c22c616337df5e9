"""Microsoft's Node service client for DPS (azure-iot-provisioning-service), with their provisioning client."""
import unittest

import own_network
import test_node_device as node
from cloud.local_azure import LocalAzure, derive
from support.proves import proves

HOST, POLICY = own_network.DPS, "provisioningserviceowner"


class ProvisioningService(node.Sdk):
    program = "provisioning.js"

    def __init__(self, azure, key=None):
        super().__init__(azure)
        key = key or azure.policy(POLICY)["primary_key"]
        assert self("connect", connection=f"HostName={HOST};SharedAccessKeyName={POLICY};SharedAccessKey={key}")["ok"]

    def call(self, name, *parameters):
        return self("call", name=name, **{"with": list(parameters)})

    def good(self, name, *parameters):
        answer = self.call(name, *parameters)
        assert answer["ok"], answer
        return answer.get("result")

    def pages(self, name, *parameters):
        answer = self("pages", name=name, **{"with": list(parameters)})
        assert answer["ok"], answer
        return answer["pages"]


def entry(name, **more):
    return {"registrationId": name, "attestation": {"type": "symmetricKey"}, **more}


class NodeProvisioning(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--name", HOST)
        cls.azure.start(https=443)
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)

    def test_enrolments(self):
        with ProvisioningService(self.azure) as service:
            made = service.good("createOrUpdateIndividualEnrollment", entry("one", deviceId="One"))
            self.assertEqual(service.good("getIndividualEnrollment", "one"), made)
            self.assertEqual(service.good("getIndividualEnrollmentAttestationMechanism", "one"), made["attestation"])
            changed = service.good("createOrUpdateIndividualEnrollment", {**made, "provisioningStatus": "disabled"})
            self.assertEqual(changed["provisioningStatus"], "disabled")
            stale = service.call("createOrUpdateIndividualEnrollment", made)
            self.assertEqual((stale["ok"], stale["error"]), (False, "InvalidEtagError"), stale)
            self.assertFalse(service.call("deleteIndividualEnrollment", made)["ok"])
            service.good("deleteIndividualEnrollment", changed)
            self.assertFalse(service.call("getIndividualEnrollment", "one")["ok"])

    def test_bulk_and_pages(self):
        names = [f"many-{i}" for i in range(5)]
        with ProvisioningService(self.azure) as service:
            result = service.good("runBulkEnrollmentOperation",
                                  {"mode": "create", "enrollments": [entry(name) for name in names]})
            self.assertTrue(result["isSuccessful"])
            pages = service.pages("createIndividualEnrollmentQuery", {"query": "*"}, 2)
            self.assertEqual([len(page) for page in pages], [2, 2, 1])
            self.assertEqual([row["registrationId"] for page in pages for row in page], names)
            gone = service.good("runBulkEnrollmentOperation",
                                {"mode": "delete", "enrollments": [entry(name) for name in names]})
            self.assertTrue(gone["isSuccessful"])
            self.assertEqual(service.pages("createIndividualEnrollmentQuery", {"query": "*"}, 2), [[]])

    def test_groups_and_registrations(self):
        policy = {"updateHubAssignment": True, "migrateDeviceData": False}
        with ProvisioningService(self.azure) as service, node.Sdk(self.azure) as device:
            group = service.good("createOrUpdateEnrollmentGroup", {
                "enrollmentGroupId": "fleet", "attestation": {"type": "symmetricKey"}, "reprovisionPolicy": policy,
                "initialTwin": {"tags": {"ward": "3"}}})
            self.assertEqual(group["reprovisionPolicy"], policy)
            keys = service.good("getEnrollmentGroupAttestationMechanism", "fleet")["symmetricKey"]
            for substatus in ("initialAssignment", "deviceDataReset"):
                done = device("provision", host=HOST, over="https", scope=self.azure.ports["id_scope"],
                              registration="unit-1", key=derive(keys["primaryKey"], "unit-1"))
                self.assertEqual((done["ok"], done.get("status")), (True, "assigned"), done)
                state = service.good("getDeviceRegistrationState", "unit-1")
                self.assertEqual((state["status"], state["substatus"]), ("assigned", substatus))
            found = service.pages("createEnrollmentGroupDeviceRegistrationStateQuery", {"query": "*"}, "fleet", 10)
            self.assertEqual([row["registrationId"] for row in found[0]], ["unit-1"])
            service.good("deleteDeviceRegistrationState", state)
            self.assertFalse(service.call("getDeviceRegistrationState", "unit-1")["ok"])
            self.assertEqual(len(service.pages("createEnrollmentGroupQuery", {"query": "*"}, 1)), 1)
            service.good("deleteEnrollmentGroup", "fleet")
            self.assertEqual(service.pages("createEnrollmentGroupQuery", {"query": "*"}, 1), [[]])

    @proves("CR 2.1", "CR 1.14")
    def test_a_wrong_key_is_unauthorized(self):
        with ProvisioningService(self.azure, key="AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=") as service:
            answer = service.call("getEnrollmentGroup", "fleet")
            self.assertEqual((answer["ok"], answer["error"]), (False, "UnauthorizedError"), answer)


if __name__ == "__main__":
    own_network.run(__file__)
