"""Who may do what: every operation and every kind of credential. A test makes the product of both tables, and asks the
server which calls it knows: one that stands in no table here fails it."""
import re

from cloud.local_azure import derive, sas

DEVICE, SIBLING, MODULE = "auth-1", "auth-10", "m"

# What a credential may do, and what an operation needs: one of these.
REGISTRY_READ, REGISTRY_WRITE, SERVICE, ENROLMENT = "registry read", "registry write", "service", "enrolment"
UPDATES = "updates"
AS_DEVICE, AS_MODULE = "as the device", "as the module"
REGISTRATION, AS_REGISTRATION = "auth-reg", "as the registration"
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

def below(place, needs, *calls):
    return {call.replace(" ", f" {place}", 1): needs for call in calls}


GROUP, SUBGROUP = "/groups/{group}", "/groups/{group}/deviceClassSubgroups/{class}"
ONE_UPDATE, LOGS = "/providers/{provider}/names/{name}/versions/{version}", "/deviceDiagnostics/logCollections"
# Calls that need no body and no care: what they need. {…} is filled in by fill().
PLAIN_CALLS = {
    **below("/{scope}/registrations/{id}", AS_REGISTRATION, "PUT /register", "GET /operations/{operation}", "POST "),
    **below("/enrollmentGroups/{id}", ENROLMENT, "PUT ", "DELETE "),
    **below("/enrollments/{id}", ENROLMENT, "PUT ", "GET ", "POST /attestationmechanism"),
    **below("/twins/{device}", SERVICE, "PUT ", "PATCH /tags", "PATCH /properties/desired", "PUT /modules/{module}"),
    **below("/twins/{device}/modules/{module}", SERVICE, "PATCH /tags", "PUT /tags", "PATCH /properties/desired",
            "PUT /properties/desired"),
    **below("/deviceUpdate/{instance}/updates", UPDATES, "GET /operations", "GET /operations/{operation}",
            "GET /providers", "GET /providers/{provider}/names", "GET /providers/{provider}/names/{name}/versions",
            f"GET {ONE_UPDATE}/files", f"GET {ONE_UPDATE}/files/{{file}}"),
    **below("/deviceUpdate/{instance}/management", UPDATES, "GET /deviceClasses", "GET /deviceClasses/{class}",
            "PATCH /deviceClasses/{class}", "GET /deviceClasses/{class}/installableUpdates", "GET /devices/{device}",
            "GET /devices/{device}/modules/{module}", "GET /updateCompliance", f"GET {GROUP}",
            f"GET {GROUP}/updateCompliance", f"GET {GROUP}/bestUpdates", f"GET {GROUP}/deviceClassSubgroups",
            f"GET {SUBGROUP}", f"GET {SUBGROUP}/updateCompliance", f"GET {SUBGROUP}/bestUpdates",
            f"GET {LOGS}", f"GET {LOGS}/{{operation}}", f"GET {LOGS}/{{operation}}/detailedStatus"),
    **below(f"/deviceUpdate/{{instance}}/management{GROUP}/deployments", UPDATES, "GET ", "GET /{deployment}",
            "GET /{deployment}/status"),
    **below(f"/deviceUpdate/{{instance}}/management{SUBGROUP}/deployments", UPDATES, "GET ", "GET /{deployment}",
            "GET /{deployment}/status", "GET /{deployment}/devicestates"),
}
# Calls for everybody, and why that is right.
OPEN_CALLS = {
    "GET /$iothub/websocket": "MQTT's CONNECT or AMQP's token inside says who it is",
    "GET /$servicebus/websocket": "AMQP's token inside says who it is",
    "GET /update-files/rootkeys.json": "public keys",
    "GET /update-files/{file}/{name}": "signed content; the address is unguessable, as a storage account's is",
}


def matches(pattern, path):
    literal = re.sub(r"\\{[^/]*?\\}", "[^/]+", re.escape(pattern))
    return re.fullmatch(literal, path.split("?")[0], re.IGNORECASE) is not None


def fill(pattern, scope):
    values = {"device": DEVICE, "module": MODULE, "instance": "default", "scope": scope}
    if "{scope}" in pattern:
        values["id"] = REGISTRATION
    return re.sub(r"\{(.*?)\}", lambda found: values.get(found[1], "auth-none"), pattern)


def operations(calls, scope):
    """Name: method, path, body, what it needs, for all `calls` of a server ([(method, pattern)]) but open ones. Fails
    on a call that nobody has judged."""
    covered = set()
    for method, path, _, _ in HTTP_OPERATIONS.values():
        covered.add(next((call for call in calls if call[0] == method and matches(call[1], path)), None))
    result = dict(HTTP_OPERATIONS)
    unjudged = []
    for method, pattern in calls:
        name = f"{method} {pattern}"
        if (method, pattern) in covered or name in OPEN_CALLS:
            continue
        if name in PLAIN_CALLS:
            body = None if method in ("GET", "DELETE") else {}
            result[name] = (method, fill(pattern, scope), body, PLAIN_CALLS[name])
        else:
            unjudged.append(name)
    assert not unjudged, "calls that the matrix does not know:\n" + "\n".join(unjudged)
    return result


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
    scope, group = azure.ports["id_scope"], azure.group()["primary_key"]
    registration = f"{scope}/registrations/{REGISTRATION}"
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
    for name, token, rights in (
            ("registration", sas(derive(group, REGISTRATION), registration, policy="registration"), {AS_REGISTRATION}),
            ("registration, expired",
             sas(derive(group, REGISTRATION), registration, policy="registration", lifetime=-1000), set()),
            ("registration, other scope",
             sas(derive(group, REGISTRATION), f"0ne0/registrations/{REGISTRATION}", policy="registration"), set()),
            ("group's key as a registration", sas(group, registration, policy="registration"), set()),
            ("sibling registration", sas(derive(group, f"{REGISTRATION}0"), f"{registration}0", policy="registration"),
             set()),
            ("sibling registration's key", sas(derive(group, f"{REGISTRATION}0"), registration, policy="registration"),
             set()),
            ("registration's key for its prefix",
             sas(derive(group, "auth-re"), f"{scope}/registrations/auth-re", policy="registration"), set()),
            ("registration's key as the device", sas(derive(group, DEVICE), own), set())):
        table[name] = (token, rights)
    for name, rights in POLICIES.items():
        table[f"policy {name}"] = (sas(key[name], hub, policy=name), rights)
        table[f"policy {name}, expired"] = (sas(key[name], hub, policy=name, lifetime=-1000), set())
        table[f"policy {name}, other host"] = (sas(key[name], "other.test", policy=name), set())
        table[f"policy {name}, other keys"] = (sas(other.policy(name)["primary_key"], hub, policy=name), set())
        table[f"policy {name}'s key as iothubowner"] = (
            sas(key[name], hub, policy="iothubowner"), rights if name == "iothubowner" else set())
    return table
