"""Which fault is tried at which point, and why the others are not."""
import disturbances as faults
import fail_points
from fail_points import ENROL, UPLINK, VAULT

SLOT_WRITES = ("group.write-slot", "recover.write-slot", "repair.write-slot", "bury.write-mark", "bury.write-drop")

# (reason, does it leave this pair out?). The first that holds counts.
LEFT_OUT = (
    ("no system call on the disk follows this point",
     lambda point, fault: fault in faults.CALLS and not point.call),
    ("the call that follows writes no bytes",
     lambda point, fault: fault in faults.WRITES and point.call != "write"),
    ("a slot is 64 bytes of one page and one sector: whoever is killed has written it whole or not at all",
     lambda point, fault: fault is faults.TORN and point.name in SLOT_WRITES),
    ("only the registration speaks to DPS",
     lambda point, fault: fault in faults.DPS and point.program != ENROL),
    ("the registration has spoken to DPS already",
     lambda point, fault: (fault in faults.DPS or fault in faults.REASSIGNED) and point.program == ENROL
     and point.name not in ("enrol.token-minted", "enrol.ask")),
    ("only the uplink and the registration follow an assignment",
     lambda point, fault: fault in faults.REASSIGNED and point.program not in (UPLINK, ENROL)),
    ("the hub is not part of a registration",
     lambda point, fault: (fault in faults.HUB or fault in faults.RENEWAL) and point.program == ENROL),
    ("a renewal needs a link that is up and none under way",
     lambda point, fault: fault in faults.RENEWAL and (not point.linked or point.way == "renew")),
    ("it is the vault itself that stands there",
     lambda point, fault: fault in faults.TRUST_ZONE and point.program == VAULT),
    ("the next link begins only after this point is passed: nothing to take over or to drop",
     lambda point, fault: fault in faults.HUB and point.name == "uplink.stop" and point.program == UPLINK),
)


def reason(point, fault):
    """Why the pair is left out; None when it is played."""
    return next((why for why, holds in LEFT_OUT if holds(point, fault)), None)


def pairs():
    return [(point, fault) for point in fail_points.ALL for fault in faults.ALL if reason(point, fault) is None]


def left_out():
    """reason -> how many pairs."""
    count = {}
    for point in fail_points.ALL:
        for fault in faults.ALL:
            if why := reason(point, fault):
                count[why] = count.get(why, 0) + 1
    return count
