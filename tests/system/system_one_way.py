"""One way, on the running stack: the hub sees publishes only; the sensor side has no network."""
import socket
import time

import stack  # first: it sets the path to the demo's modules
import peek
from support.proves import main, proves


class OneWay(stack.StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ward.start()
        cls._until(lambda: cls.ward.delivered > 200)
        cls.stack.renew_token()  # a new link, with all it says at its beginning
        cls._until(lambda: cls.stack.renewals() > 0 and cls.ward.delivered > 600)

    @classmethod
    def _until(cls, holds, seconds=30):
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                cls.failed = True
                raise AssertionError(f"the stack does not deliver: {cls.stack.uplink_status()}")
            time.sleep(0.1)

    @classmethod
    def _take_down(cls):
        if cls.ward:
            cls.ward.stop(5)
            cls.ward.end()
        super()._take_down()

    @proves("T-WAY-01", "CR 2.1")
    def test_the_hub_saw_publishes_and_no_subscription(self):
        counters = self.stack.hub.metrics()
        subscribes = [value for name, value in counters.items() if "subscribe" in name]
        publishes = [value for name, value in counters.items() if "publish" in name]
        self.assertTrue(subscribes, f"the hub does not count subscriptions: {sorted(counters)}")
        self.assertEqual(0, sum(subscribes), counters)
        self.assertGreater(sum(publishes), 0, counters)

    @proves("T-WAY-02", "CR 5.1")
    def test_intake_and_vault_live_in_empty_network_namespaces(self):
        daemons = self.stack.daemons()
        outside = peek.network_namespace("self")
        for name in ("mitral-intake-lines", "mitral-vault"):
            pid = daemons[name].pid
            self.assertNotEqual(outside, peek.network_namespace(pid), name)
            self.assertLessEqual(peek.interfaces(pid), {"lo", "sit0", "ip6tnl0", "tunl0"}, name)
            self.assertEqual([], peek.sockets_in_namespace(pid), name)
        self.assertNotEqual(*(peek.network_namespace(daemons[name].pid)
                              for name in ("mitral-intake-lines", "mitral-vault")))

    @proves("T-WAY-02")
    def test_nobody_holds_a_socket_he_has_no_use_for(self):
        ports, daemons = self.stack.layout.ports, self.stack.daemons()
        self.assertEqual([], peek.internet_peers(daemons["mitral-intake-lines"].pid))
        # The simulated TPM is reached over TCP; a real one is a device file.
        for _table, port in peek.internet_peers(daemons["mitral-vault"].pid):
            self.assertIn(port, (ports.tpm, ports.tpm + 1))
        # The uplink speaks to the hub alone and listens nowhere: a listening socket has peer port 0.
        peers = peek.internet_peers(daemons["mitral-uplink"].pid)
        self.assertEqual({ports.mqtt}, {port for _table, port in peers})

    def test_the_search_sees_sockets(self):
        """Negative control: this process has a link to the hub, and the search finds it."""
        with socket.create_connection(("127.0.0.1", self.stack.layout.ports.admin)):
            self.assertIn(("tcp", self.stack.layout.ports.admin), peek.internet_peers("self"))
        self.assertTrue(peek.sockets_in_namespace("self"))


if __name__ == "__main__":
    main()
