"""Faults of hub and DPS, and of the way there."""
import errno
import socket
import time

import layout
from conductor import NotFired
from fail_points import ENROL, UPLINK
from fault import HELD_S, SEEN_S, Fault


class Link(Fault):
    """A mode of the proxy between the gateway and hub or DPS."""

    def __init__(self, name, link, mode, held_s=HELD_S, **parameters):
        self.name, self._link, self._mode, self._held_s, self._parameters = name, link, mode, held_s, parameters

    def strike(self, unit, standing):
        proxy = unit.links[self._link]
        before = self._seen(proxy)
        proxy.set(self._mode, **self._parameters)
        standing.say("go")
        deadline = time.monotonic() + SEEN_S
        while not self._seen(proxy) > before and not self._refuses(proxy):
            if time.monotonic() > deadline:
                raise NotFired(f"no connection met {self._mode}")
            time.sleep(0.01)
        time.sleep(self._held_s)
        return f"{self._mode}: {self._seen(proxy) - before} met it" + (", refused" if self._refuses(proxy) else "")

    def _seen(self, proxy):
        modes = proxy.counters()["modes"].get(self._mode, {})
        if self._mode == "slow":
            return modes.get("bytes_up", 0) + modes.get("bytes_down", 0)
        return sum(modes.get(kind, 0) for kind in ("resets", "refusals", "stalls"))

    def _refuses(self, proxy):
        if self._mode != "down":
            return False
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", proxy.port)) == errno.ECONNREFUSED

    def lift(self, unit):
        unit.links[self._link].set("forward")


class Cloud(Fault):
    """One of mitral-cloud's own faults; counted there."""

    def __init__(self, name, fault, drop=False, **parameters):
        self.name, self._fault, self._drop, self._parameters = name, fault, drop, parameters

    def strike(self, unit, standing):
        before = unit.cloud_fault(self._fault)["fired"]
        parameters = "&".join(f"{key}={value}" for key, value in self._parameters.items())
        unit.ask_cloud("POST", f"/faults/{self._fault}?{parameters}")
        if self._drop:
            unit.hub.drop(layout.REGISTRATION_ID)
        standing.say("go")
        if not unit.wait_for(lambda: unit.cloud_fault(self._fault)["fired"] > before, SEEN_S):
            raise NotFired(f"{self._fault} did not strike")
        time.sleep(HELD_S)
        return f"{self._fault} struck {unit.cloud_fault(self._fault)['fired'] - before} times"

    def lift(self, unit):
        unit.ask_cloud("DELETE", f"/faults/{self._fault}")


class Duplicate(Fault):
    """Another client connects under the unit's identity: the hub ends the older link."""

    name = "duplicate-identity"

    def strike(self, unit, standing):
        before = unit.hub.metrics()["mitral_cloud_takeovers_total"]
        twin = unit.twin()
        try:
            standing.say("go")
            seen = unit.hub.metrics()["mitral_cloud_takeovers_total"] - before
            # The unit takes its identity back at its next attempt.
            if not unit.wait_for(
                    lambda: unit.hub.metrics()["mitral_cloud_takeovers_total"] > before, SEEN_S):
                raise NotFired("no link was taken over")
            return f"a twin connected, {seen:.0f} links taken over by it"
        finally:
            twin.close()


class Reassigned(Fault):
    """DPS gives the unit another hub, and the first one does not know it any more."""

    name = "dps-reassigns"

    def strike(self, unit, standing):
        before = unit.cloud_fault("dps-reassigning")["fired"]
        unit.ask_cloud("POST", f"/faults/dps-reassigning?hub={unit.layout.other_hub_name}")
        if standing.program == ENROL:
            standing.say("go")
            unit.settle()
        else:
            unit.enrol()
            standing.say("go")
        if unit.cloud_fault("dps-reassigning")["fired"] == before:
            raise NotFired("DPS assigned nothing")
        self._follow(unit, unit.layout.other_hub_name)
        return f"assigned to and connected with {unit.layout.other_hub_name}"

    def lift(self, unit):
        unit.ask_cloud("DELETE", "/faults/dps-reassigning")
        unit.settle()
        unit.enrol()
        self._follow(unit, unit.layout.hub_name)

    @staticmethod
    def _follow(unit, hub):
        before = unit.log_count(UPLINK, f"connected hub={hub}")
        unit.hub.drop(layout.REGISTRATION_ID)
        if not unit.wait_for(lambda: unit.log_count(UPLINK, f"connected hub={hub}") > before, 2 * SEEN_S):
            raise NotFired(f"the uplink did not follow to {hub}")
