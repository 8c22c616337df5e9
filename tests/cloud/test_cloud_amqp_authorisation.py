"""The authorisation matrix over AMQP: nodes times credentials."""
import unittest

from cloud import authorisation_matrix as matrix
from cloud.amqp_case import amqp
from cloud.local_azure import LocalAzure
from support.proves import main, proves


class Authorisation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure()
        cls.azure.start(amqp=0)
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        with LocalAzure() as other:
            cls.credentials = matrix.credentials(cls.azure, other)

    def attached(self, client, sends, address):
        try:
            (client.sender if sends else client.receiver)(address)
        except amqp.Refused as refusal:
            self.assertEqual(str(refusal), "amqp:unauthorized-access")
            return False
        return True

    @proves("CR 2.1", "CR 1.2", "T-TOK-02", "T-TOK-05")
    def test_nodes(self):
        allowed = set()
        for credential, (token, grants) in self.credentials.items():
            with amqp.Amqp(self.azure.ports["amqp"], self.azure.ca) as client:
                status = client.put_token(token) if token else None
                for node, (sends, address, needs) in matrix.AMQP_NODES.items():
                    with self.subTest(node=node, credential=credential):
                        self.assertEqual(self.attached(client, sends, address), needs in grants)
                        if needs in grants:
                            self.assertEqual(status, 200)
                            allowed.add(node)
        self.assertEqual(allowed, set(matrix.AMQP_NODES))  # the control: each is open to somebody

    def test_what_nobody_gets_says_so(self):
        token = self.credentials["policy service"][0]
        with amqp.Amqp(self.azure.ports["amqp"], self.azure.ca) as client:
            self.assertEqual(client.put_token(token), 200)
            for address in ("messages/serviceBound/filenotifications", f"devices/{matrix.DEVICE}/messages/devicebound"):
                with self.subTest(address), self.assertRaisesRegex(amqp.Refused, "amqp:not-implemented"):
                    client.receiver(address)


if __name__ == "__main__":
    main()
