"""Microsoft's device client meets every fault on demand that lasts: it comes back by itself, or an application that
opens anew brings it back, and nothing that it was told was sent is missing."""
import json
import unittest

import npm_packages
from cloud.local_azure import LocalAzure, derive, wait_until
from support.proves import main, proves
from test_node_device import Sdk, message

BATCH = 5
# The SDK's own retries take up to 4 minutes; these faults end long before.
TIGHT = 60  # connections in a few seconds: a client that does not wait makes hundreds


class Recovery(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if npm_packages.missing_tools():
            raise unittest.SkipTest("node and npm are not installed")
        npm_packages.install()
        cls.azure = LocalAzure().__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        cls.group = cls.azure.group()

    def setUp(self):
        self.device = "r-" + self.id().rsplit("_", 1)[-1]
        self.connection = self.azure.device(self.device)["connection_string"]
        self.sent = []

    def tearDown(self):
        self.fault("", "DELETE")

    def fault(self, text, method="POST"):
        return json.loads(self.azure.admin(f"/faults{text}", method))

    def fired(self, name):
        return next(row for row in self.fault("", "GET")["faults"] if row["name"] == name)["fired"]

    def metric(self, name):
        lines = self.azure.admin("/metrics").splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith(f"mitral_cloud_{name} ")))

    def open(self, sdk, **more):
        result = sdk("open", connection=self.connection, **more)
        self.assertTrue(result["ok"], result)

    def batch(self):
        made = [message(len(self.sent) + i) for i in range(BATCH)]
        self.sent += made
        return made

    def arrived(self):
        rows = [row["mid"] for row in self.azure.messages() if row["device"] == self.device]
        self.assertEqual(set(rows), {each["messageId"] for each in self.sent})
        return rows

    def send(self, sdk, command="sendSurely"):
        result = sdk(command, messages=self.batch())
        self.assertTrue(result["ok"], result)
        self.arrived()
        return result

    def survive(self, sdk, fault, drop=False, command="send"):
        """A batch before, one that the fault strikes, one after it."""
        name = fault.split("?")[0]
        self.send(sdk, "send")
        before = self.fired(name)
        self.fault(f"/{fault}")
        if drop:
            self.fault(f"/drop?device={self.device}")
        result = self.send(sdk, command)
        self.assertGreater(self.fired(name), before)
        self.send(sdk, "send")
        return result

    # -- what the SDK does by itself ------------------------------------------------------------------
    @proves("T-DATA-01")
    def test_drop(self):
        with Sdk(self.azure) as sdk:
            self.open(sdk)
            self.survive(sdk, f"drop?device={self.device}")

    @proves("T-DATA-01")
    def test_halfopen(self):
        with Sdk(self.azure) as sdk:
            self.open(sdk, options={"keepalive": 2})
            self.survive(sdk, f"half-open?device={self.device}")
            self.assertTrue(self.fault("", "GET"))

    @proves("T-DOS-03")
    def test_throttled(self):
        with Sdk(self.azure) as sdk:
            self.open(sdk)
            self.survive(sdk, "throttle-connects?count=2", drop=True)

    def test_slow(self):
        with Sdk(self.azure) as sdk:
            self.open(sdk)
            self.survive(sdk, "slow-puback?delay_ms=400&count=3")
        rows = self.arrived()
        self.assertEqual(len(rows), len(set(rows)))  # it waited, and sent nothing twice

    @proves("T-DOS-03")
    def test_quota(self):
        """CONNECT succeeds, each PUBLISH costs the connection: the client must not spin, and go on when it may."""
        with Sdk(self.azure) as sdk:
            self.open(sdk)
            self.send(sdk, "send")
            before, connects = self.fired("daily-quota"), self.metric("connects_total")
            self.fault("/daily-quota?seconds=4")
            self.send(sdk)
            struck = self.fired("daily-quota") - before
            self.assertGreaterEqual(struck, 1)
            self.assertLess(self.metric("connects_total") - connects, TIGHT)
            self.send(sdk, "send")

    @proves("T-DATA-01")
    def test_malformed(self):
        with Sdk(self.azure) as sdk:
            self.open(sdk)
            self.survive(sdk, "malformed?kind=truncated&count=1", command="sendSurely")
            self.survive(sdk, "malformed?kind=connack&count=1", drop=True, command="sendSurely")

    # -- what needs an application --------------------------------------------------------------------
    @proves("T-TOK-05")
    def test_expired(self):
        with Sdk(self.azure) as sdk:
            self.open(sdk)
            self.survive(sdk, f"expired-tokens?device={self.device}&count=1", command="sendSurely")

    @proves("T-TIME-01")
    def test_clock(self):
        """The hub's clock is ahead of every token; then it is right again."""
        with Sdk(self.azure) as sdk:
            self.open(sdk)
            self.send(sdk, "send")
            self.fault("/clock-off?offset_s=7200")
            refused = self.metric("connects_refused_total")
            self.fault(f"/drop?device={self.device}")
            sdk.start("sendSurely", messages=self.batch())
            wait_until(lambda: self.metric("connects_refused_total") > refused)
            self.fault("/clock-off", "DELETE")
            self.assertTrue(sdk.finish()["ok"])
            self.arrived()
            self.send(sdk, "send")

    @proves("T-MITM-01", "CR 1.8")
    def test_rollover(self):
        first, second = self.azure.state / "tls/ca.pem", self.azure.state / "tls/rollover/ca.pem"
        both = self.azure.state / "both-roots.pem"
        both.write_text(first.read_text() + second.read_text())
        with Sdk(self.azure, ca=both) as sdk:
            self.open(sdk)
            self.survive(sdk, "certificate-rollover?seconds=60")
            with Sdk(self.azure) as pinned:  # the control: the first root alone does not do
                self.assertFalse(pinned("open", connection=self.azure.device("r-pinned")["connection_string"])["ok"])
                self.fault("/certificate-rollover", "DELETE")
                self.assertTrue(pinned("open", connection=self.azure.device("r-pinned")["connection_string"])["ok"])
            self.send(sdk, "send")

    @proves("T-ID-02")
    def test_failover(self):
        """The first hub is gone; registering again tells where the device lives now."""
        self.device = "r-moves"
        key = derive(self.group["primary_key"], self.device)
        other = f"127.0.0.1:{self.azure.ports['mqtt']}"
        with Sdk(self.azure) as sdk:
            def provision():
                result = sdk("provision", host=f"localhost:{self.azure.ports['mqtt']}", scope=self.group["id_scope"],
                             registration=self.device, key=key)
                self.assertTrue(result["ok"], result)
                self.connection = f"HostName={result['hub']};DeviceId={self.device};SharedAccessKey={key}"
                return result["hub"]
            self.assertEqual(provision(), self.azure.hub)
            self.open(sdk)
            self.send(sdk, "send")
            self.fault(f"/hub-failover?hub={other}")
            refused = sdk("open", connection=self.connection)
            self.assertEqual((refused["ok"], refused["error"]), (False, "UnauthorizedError"), refused)
            self.assertEqual(provision(), other)
            self.open(sdk)
            self.send(sdk, "send")
            self.fault("/hub-failover", "DELETE")
            self.assertEqual(provision(), self.azure.hub)
            self.open(sdk)
            self.send(sdk, "send")


if __name__ == "__main__":
    main()
