"""Who may do what: every operation and every kind of credential. A test makes the product of both tables; a new
operation is one more row."""
from cloud.local_azure import sas

DEVICE, SIBLING, MODULE = "auth-1", "auth-10", "m"

# What a credential may do, and what an operation needs: one of these.
REGISTRY_READ, REGISTRY_WRITE, SERVICE, ENROLMENT = "registry read", "registry write", "service", "enrolment"
UPDATES = "updates"
AS_DEVICE, AS_MODULE = "as the device", "as the module"
POLICIES = {
    "iothubowner": {REGISTRY_READ, REGISTRY_WRITE, SERVICE, AS_DEVICE, AS_MODULE},
    "service": {SERVICE},
    "device": {AS_DEVICE, AS_MODULE},
    "registryRead": {REGISTRY_READ},
    "registryReadWrite": {REGISTRY_READ, REGISTRY_WRITE},
    "provisioningserviceowner": {ENROLMENT},
    "deviceUpdate": {UPDATES},
}

# Name: method, path, body, what it needs. None of them changes what another one finds.
HTTP_OPERATIONS = {
    "get device": ("GET", f"/devices/{DEVICE}", None, REGISTRY_READ),
    "list devices": ("GET", "/devices", None, REGISTRY_READ),
    "update device": ("PUT", f"/devices/{DEVICE}", {"deviceId": DEVICE}, REGISTRY_WRITE),
    "delete device": ("DELETE", "/devices/auth-none", None, REGISTRY_WRITE),
    "bulk": ("POST", "/devices", [{"id": "auth-none", "importMode": "delete"}], REGISTRY_WRITE),
    "get module": ("GET", f"/devices/{DEVICE}/modules/{MODULE}", None, REGISTRY_READ),
    "list modules": ("GET", f"/devices/{DEVICE}/modules", None, REGISTRY_READ),
    "update module": ("PUT", f"/devices/{DEVICE}/modules/{MODULE}", {"moduleId": MODULE}, REGISTRY_WRITE),
    "delete module": ("DELETE", f"/devices/{DEVICE}/modules/none", None, REGISTRY_WRITE),
    "device method": ("POST", f"/twins/{DEVICE}/methods", {"methodName": "x"}, SERVICE),
    "module method": ("POST", f"/twins/{DEVICE}/modules/{MODULE}/methods", {"methodName": "x"}, SERVICE),
    "get twin": ("GET", f"/twins/{DEVICE}", None, SERVICE),
    "update twin": ("PATCH", f"/twins/{DEVICE}", {}, SERVICE),
    "replace tags": ("PUT", f"/twins/{DEVICE}/tags", {}, SERVICE),
    "replace desired": ("PUT", f"/twins/{DEVICE}/properties/desired", {}, SERVICE),
    "get module twin": ("GET", f"/twins/{DEVICE}/modules/{MODULE}", None, SERVICE),
    "update module twin": ("PATCH", f"/twins/{DEVICE}/modules/{MODULE}", {}, SERVICE),
    "query": ("POST", "/devices/query", {"query": "SELECT * FROM devices"}, SERVICE),
    "device statistics": ("GET", "/statistics/devices", None, REGISTRY_READ),
    "service statistics": ("GET", "/statistics/service", None, SERVICE),
    "purge": ("DELETE", f"/devices/{DEVICE}/commands", None, SERVICE),
    "device event": ("POST", f"/devices/{DEVICE}/messages/events", {}, AS_DEVICE),
    "module event": ("POST", f"/devices/{DEVICE}/modules/{MODULE}/messages/events", {}, AS_MODULE),
    "receive": ("GET", f"/devices/{DEVICE}/messages/devicebound", None, AS_DEVICE),
    "complete": ("DELETE", f"/devices/{DEVICE}/messages/devicebound/lock", None, AS_DEVICE),
    "reject": ("DELETE", f"/devices/{DEVICE}/messages/devicebound/lock?reject", None, AS_DEVICE),
    "abandon": ("POST", f"/devices/{DEVICE}/messages/devicebound/lock/abandon", None, AS_DEVICE),
    "create job": ("PUT", "/jobs/v2/not_an_id", {}, REGISTRY_WRITE),
    "get job": ("GET", "/jobs/v2/none", None, REGISTRY_READ),
    "cancel job": ("POST", "/jobs/v2/none/cancel", None, REGISTRY_WRITE),
    "query jobs": ("GET", "/jobs/v2/query", None, REGISTRY_READ),
    "list updates": ("GET", "/deviceUpdate/default/updates", None, UPDATES),
    "get update": ("GET", "/deviceUpdate/default/updates/providers/a/names/b/versions/1.0", None, UPDATES),
    "delete update": ("DELETE", "/deviceUpdate/default/updates/providers/a/names/b/versions/1.0", None, UPDATES),
    "bring a file for import": ("PUT", "/deviceUpdate/default/incoming/x?offset=9", {}, UPDATES),
    "import updates": ("POST", "/deviceUpdate/default/updates:import", [], UPDATES),
    "list update devices": ("GET", "/deviceUpdate/default/management/devices", None, UPDATES),
    "list update groups": ("GET", "/deviceUpdate/default/management/groups", None, UPDATES),
    "deploy": ("PUT", "/deviceUpdate/default/management/groups/none/deployments/d",
               {"update": {"updateId": {"provider": "a", "name": "b", "version": "1.0"}}}, UPDATES),
    "delete deployment": ("DELETE", "/deviceUpdate/default/management/groups/none/deployments/d", None, UPDATES),
    "cancel deployment": ("POST", "/deviceUpdate/default/management/groups/none/deviceClassSubgroups/c/deployments/"
                          "d:cancel", None, UPDATES),
    "collect logs": ("PUT", "/deviceUpdate/default/management/deviceDiagnostics/logCollections/l",
                     {"deviceList": [{"deviceId": "none"}]}, UPDATES),
    "get enrolment": ("GET", "/enrollmentGroups/fleet", None, ENROLMENT),
    "delete enrolment": ("DELETE", "/enrollments/auth-none", None, ENROLMENT),
    "attestation": ("POST", "/enrollmentGroups/fleet/attestationmechanism", None, ENROLMENT),
    "bulk enrolments": ("POST", "/enrollments", {"mode": "delete", "enrollments": [{"registrationId": "auth-none"}]},
                        ENROLMENT),
    "bulk groups": ("POST", "/enrollmentGroups",
                    {"mode": "delete", "enrollmentGroups": [{"enrollmentGroupId": "auth-none"}]}, ENROLMENT),
    "list enrolments": ("POST", "/enrollments/query", {"query": "*"}, ENROLMENT),
    "list groups": ("POST", "/enrollmentGroups/query", {"query": "*"}, ENROLMENT),
    "list registrations": ("POST", "/registrations/fleet/query", {"query": "*"}, ENROLMENT),
    "get registration": ("GET", "/registrations/auth-none", None, ENROLMENT),
    "delete registration": ("DELETE", "/registrations/auth-none", None, ENROLMENT),
}

# Topic or filter: the identities that may publish or subscribe.
MQTT_PUBLISHES = {
    f"devices/{DEVICE}/messages/events/": {AS_DEVICE},
    f"devices/{SIBLING}/messages/events/": set(),
    f"devices/{DEVICE}/modules/{MODULE}/messages/events/": {AS_MODULE},
    f"devices/{DEVICE}/modules/m2/messages/events/": set(),
    f"devices/{DEVICE}/messages/devicebound/": set(),
    "$iothub/methods/res/200/?$rid=1": {AS_DEVICE, AS_MODULE},
    "$iothub/methods/POST/x/?$rid=1": set(),
    "$iothub/twin/GET/?$rid=1": {AS_DEVICE, AS_MODULE},
    "$iothub/twin/PATCH/properties/reported/?$rid=1": {AS_DEVICE, AS_MODULE},
    "$iothub/twin/PATCH/properties/desired/?$rid=1": set(),
}
MQTT_FILTERS = {
    f"devices/{DEVICE}/messages/devicebound/#": {AS_DEVICE},
    f"devices/{SIBLING}/messages/devicebound/#": set(),
    f"devices/{DEVICE}/modules/{MODULE}/#": {AS_MODULE},
    f"devices/{DEVICE}/modules/m2/#": set(),
    "$iothub/methods/POST/#": {AS_DEVICE, AS_MODULE},
    "$iothub/twin/res/#": {AS_DEVICE, AS_MODULE},
    "$iothub/twin/PATCH/properties/desired/#": {AS_DEVICE, AS_MODULE},
    "$iothub/#": set(),
    "#": set(),
}
# Node: does one send there, its address, what it needs.
_PARTITION = "ConsumerGroups/$Default/Partitions/0"
AMQP_NODES = {
    "events": (False, f"messages/events/{_PARTITION}", SERVICE),
    "events, by the hub's name": (False, f"localhost/{_PARTITION}", SERVICE),
    "answers of $management": (False, "messages/events/$management", SERVICE),
    "questions to $management": (True, "$management", SERVICE),
    "messages to devices": (True, "messages/devicebound", SERVICE),
    "feedback": (False, "messages/serviceBound/feedback", SERVICE),
}


def credentials(azure, other):
    """Name: (token, what it may do). `other` is another hub of the same name, with other keys."""
    hub = azure.hub
    key = {name: azure.policy(name)["primary_key"] for name in POLICIES}
    owner = sas(key["iothubowner"], hub, policy="iothubowner")
    device, sibling = azure.device(DEVICE), azure.device(SIBLING)
    modules = {}
    for name in (MODULE, "m2"):
        path = f"/devices/{DEVICE}/modules/{name}?api-version=2021-04-12"
        modules[name] = azure.https("PUT", path, owner, {})[2]["authentication"]["symmetricKey"]
    own, of_module = f"{hub}/devices/{DEVICE}", f"{hub}/devices/{DEVICE}/modules/{MODULE}"
    table = {
        "none": (None, set()),
        "nonsense": ("SharedAccessSignature sr=x", set()),
        "device": (sas(device["primary_key"], own), {AS_DEVICE}),
        "device, secondary key": (sas(device["secondary_key"], own), {AS_DEVICE}),
        "device, expired": (sas(device["primary_key"], own, lifetime=-1000), set()),
        "device, other hub": (sas(device["primary_key"], f"other.test/devices/{DEVICE}"), set()),
        "device's key for its prefix": (sas(device["primary_key"], f"{hub}/devices/auth-"), set()),
        "device's key for its module": (sas(device["primary_key"], of_module), set()),
        "device's key as a policy": (sas(device["primary_key"], hub, policy="iothubowner"), set()),
        "sibling": (sas(sibling["primary_key"], f"{hub}/devices/{SIBLING}"), set()),
        "sibling's key for the device": (sas(sibling["primary_key"], own), set()),
        "module": (sas(modules[MODULE]["primaryKey"], of_module), {AS_MODULE}),
        "module, secondary key": (sas(modules[MODULE]["secondaryKey"], of_module), {AS_MODULE}),
        # A resource covers what lies below it; the key still says whose token it is.
        "module's key for its device": (sas(modules[MODULE]["primaryKey"], own), {AS_MODULE}),
        "other module": (sas(modules["m2"]["primaryKey"], f"{own}/modules/m2"), set()),
        "other module's key": (sas(modules["m2"]["primaryKey"], of_module), set()),
    }
    for name, rights in POLICIES.items():
        table[f"policy {name}"] = (sas(key[name], hub, policy=name), rights)
        table[f"policy {name}, expired"] = (sas(key[name], hub, policy=name, lifetime=-1000), set())
        table[f"policy {name}, other host"] = (sas(key[name], "other.test", policy=name), set())
        table[f"policy {name}, other keys"] = (sas(other.policy(name)["primary_key"], hub, policy=name), set())
        table[f"policy {name}'s key as iothubowner"] = (
            sas(key[name], hub, policy="iothubowner"), rights if name == "iothubowner" else set())
    return table
