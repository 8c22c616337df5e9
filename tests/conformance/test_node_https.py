"""Microsoft's Node provisioning client over HTTPS, which knows one port only: 443. So the test has a network and an
/etc/hosts of its own, and root for both."""
import base64
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import npm_packages
import test_node_device as node
from cloud.local_azure import LocalAzure, derive
from support.proves import main, proves

HOST = "dps.mitral.test"
INSIDE = "MITRAL_OWN_NETWORK"


def enter_own_network(program=__file__):
    """Starts this program again in fresh network and mount namespaces; both end with it."""
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, program])


def settle_in():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.NamedTemporaryFile("w") as hosts:
        hosts.write(f"127.0.0.1 localhost {HOST}\n")
        hosts.flush()
        os.chmod(hosts.name, 0o644)
        subprocess.run(["mount", "--bind", hosts.name, "/etc/hosts"], check=True)


class NodeOverHttps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--name", HOST)
        cls.azure.start(https=443)
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        cls.group = cls.azure.group()

    def provision(self, registration, key):
        with node.Sdk(self.azure) as sdk:
            return sdk("provision", over="https", host=HOST, scope=self.group["id_scope"], registration=registration,
                       key=key)

    @proves("CR 1.2")
    def test_provision(self):
        result = self.provision("node-https", derive(self.group["primary_key"], "node-https"))
        self.assertEqual(result, {"ok": True, "hub": self.azure.hub, "device": "node-https", "status": "assigned"})

    @proves("CR 1.2", "CR 1.14", "T-TOK-02")
    def test_a_wrong_key_is_unauthorized(self):
        result = self.provision("node-https", base64.b64encode(bytes(32)).decode())
        self.assertEqual((result["ok"], result["error"]), (False, "UnauthorizedError"), result)


def reason_to_skip():
    if os.geteuid() != 0:
        return "needs root, for a network of its own"
    missing = [tool for tool in ("node", "npm", "unshare", "ip") if shutil.which(tool) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


if __name__ == "__main__":
    if reason := reason_to_skip():
        print(f"skipped: {reason}")
        sys.exit(77)
    if INSIDE not in os.environ:
        npm_packages.install()
        enter_own_network()
    settle_in()
    main()
