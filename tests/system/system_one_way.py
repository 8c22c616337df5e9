"""One way, on the running stack: the hub sees publishes only; the sensor side has no network."""
import socket
import time

import stack  # first: it sets the path to the demo's modules
import peek
import probe
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

    def counted(self, name):
        counters = {key: value for key, value in self.stack.hub.metrics().items() if name in key}
        self.assertEqual(1, len(counters), f"the hub's counter of {name}: {counters}")
        return sum(counters.values())

    @proves("T-WAY-01", "CR 2.1")
    def test_the_hub_saw_publishes_and_no_subscription(self):
        self.assertGreater(self.counted("publishes"), 0)
        self.assertEqual(0, self.counted("subscribes"))
        # Negative control: a device that does subscribe is counted.
        place = self.stack.layout
        key = probe.make_device(self.stack.programs / "mitral-cloud", place.cloud, "probe")
        self.assertEqual(b"\x90", probe.subscribe(place.ports.mqtt, place.root_file, "probe", key))
        self.assertEqual(1, self.counted("subscribes"))

    @proves("T-WAY-02", "CR 5.1")
    def test_the_intake_lives_in_an_empty_network_namespace(self):
        pid = self.stack.daemons()["mitral-intake-lines"].pid
        self.assertNotEqual(peek.network_namespace("self"), peek.network_namespace(pid))
        self.assertEqual([], [name for name in peek.interfaces(pid) if name.startswith(("eth", "en", "wl"))])
        self.assertEqual([], peek.sockets_in_namespace(pid))

    @proves("T-WAY-02")
    def test_nobody_holds_a_socket_he_has_no_use_for(self):
        ports, daemons = self.stack.layout.ports, self.stack.daemons()
        self.assertEqual([], peek.internet_peers(daemons["mitral-intake-lines"].pid))
        # The simulated TPM is reached over TCP, so this vault has a network; with a real TPM, a device
        # file, it lives like the intake (tests/vault, tests/sandbox).
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
