"""What Prometheus gets: read by Prometheus' own Python parser, not by ours."""
import re
import unittest

from prometheus_client.parser import text_string_to_metric_families

from cloud.local_azure import LocalAzure, sas, wait_until
from cloud.mqtt_client import Mqtt, packet, publish_packet, text
from cloud.websocket_client import WebsocketMqtt
from support.proves import main

LABELS = {"transport": {"mqtt", "websocket", "https", "amqp", "amqp-websocket", "admin"}, "fault": None, "api": None,
          "status": None, "kind": None, "reason": None, "outcome": None, "state": None, "limit": None,
          "of": {"device", "module"}}
DEVICE = "metrics-device-0815"
EXPECTED = """messages_total message_bytes_total received_total received_bytes_total sent_total sent_bytes_total
    log_first_offset log_end_offset log_bytes log_missing_messages strangers displaced_total
    amqp_messages_total amqp_refused_total connections connected_clients connects_total connects_refused_total
    connects_refused_by_reason_total api_calls_total methods_total methods_in_flight devicebound_total
    devicebound_ended_total devicebound_waiting dps_answers_total time_answers_total time_refused_total devices twins
    enrolments registrations update_deployments update_devices faults_fired_total""".split()
PROCESS = {"process_resident_memory_bytes", "process_cpu_seconds_total", "process_start_time_seconds"}


def families(text_of_page):
    """Name as it stands in the page: family; the parser takes _total off counters."""
    found = {}
    for family in text_string_to_metric_families(text_of_page):
        name = family.name + ("_total" if family.type == "counter" else "")
        assert name not in found, f"{name} twice"
        found[name] = family
    return found


def samples(found):
    return {(sample.name, *sorted(sample.labels.items())): sample.value
            for family in found.values() for sample in family.samples}


def problems(page):
    """What breaks the rules, as text; the negative control feeds pages that break them."""
    found, wrong = families(page), []
    for name, family in found.items():
        if not family.documentation:
            wrong.append(f"{name}: no HELP")
        if family.type not in ("counter", "gauge"):
            wrong.append(f"{name}: type {family.type}")
        if family.type == "gauge" and name.endswith("_total"):
            wrong.append(f"{name}: a gauge called _total")
        if len(family.samples) > 60:
            wrong.append(f"{name}: {len(family.samples)} samples")
        for sample in family.samples:
            if sample.name != name:
                wrong.append(f"{name}: sample {sample.name}")
            for label, value in sample.labels.items():
                if label not in LABELS or (LABELS[label] and value not in LABELS[label]) or len(value) > 32:
                    wrong.append(f"{name}: label {label}={value}")
    for name in re.findall(r"^# TYPE (\S+) counter$", page, re.M):
        if not name.endswith("_total"):
            wrong.append(f"{name}: a counter without _total")
    typed = set(re.findall(r"^# TYPE (\S+) ", page, re.M))
    helped = set(re.findall(r"^# HELP (\S+) ", page, re.M))
    shown = {line.split("{")[0].split(" ")[0] for line in page.splitlines() if not line.startswith("#")}
    wrong += [f"{name}: without HELP or TYPE" for name in sorted((shown - typed) | (shown - helped) | (typed ^ helped))]
    return wrong


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--time-port", "0").__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)

    def page(self):
        return self.azure.admin("/metrics")

    def read(self):
        return samples(families(self.page()))

    def use_the_hub(self):
        """Something of everything; device ids that must not come back as labels."""
        azure, host = self.azure, self.azure.hub
        key = azure.device(DEVICE)["primary_key"]
        owner = sas(azure.policy("iothubowner")["primary_key"], host, policy="iothubowner")
        user, token = f"{host}/{DEVICE}/?api-version=2021-04-12", sas(key, f"{host}/devices/{DEVICE}")
        with Mqtt(azure.ports["mqtt"], azure.ca) as client:
            client.connect(DEVICE, user, token)
            for number, name in enumerate(["$iothub/twin/res/#", f"devices/{DEVICE}/messages/devicebound/#"], 1):
                client.send(packet(0x82, bytes((0, number)) + text(name) + b"\1"))
                client.receive()
            client.send(publish_packet(f"devices/{DEVICE}/messages/events/", "{}", 7))
            client.receive()
            client.send(publish_packet("$iothub/twin/GET/?$rid=1", " ", qos=0))
            client.receive()
            client.send(publish_packet("$iothub/twin/PATCH/properties/reported/?$rid=2", '{"a":1}', qos=0))
            client.receive()
            azure.command("send", "--id", DEVICE, "--body", "hello")
            client.receive()
            self.assertEqual(self.read()[("mitral_cloud_connections", ("transport", "mqtt"))], 1)
        with WebsocketMqtt(azure.ports["https"], azure.ca) as client:
            client.connect(DEVICE, user, token)
            client.send(publish_packet(f"devices/{DEVICE}/messages/events/", "{}", 7))
            client.receive()
            self.assertEqual(self.read()[("mitral_cloud_connections", ("transport", "websocket"))], 1)
        with Mqtt(azure.ports["mqtt"], azure.ca) as client:
            client.connect(DEVICE, user, "nonsense")
        for method, path, body in (("GET", f"/devices/{DEVICE}", None), ("GET", "/devices/nobody", None),
                                   ("POST", f"/twins/{DEVICE}/methods", {"methodName": "x"}),
                                   ("GET", f"/{DEVICE}/nothing", None)):
            azure.https(method, f"{path}?api-version=2021-04-12", owner, body)
        azure.register(azure.group()["primary_key"], "metrics-registered")
        return owner

    def test_every_family_is_described_and_named_well(self):
        self.assertEqual(problems(self.page()), [])
        self.use_the_hub()
        page = self.page()
        self.assertEqual(problems(page), [])
        self.assertEqual(({f"mitral_cloud_{name}" for name in EXPECTED} | PROCESS) - set(families(page)), set())
        for secret in (DEVICE, "metrics-registered", "nobody"):
            self.assertNotIn(secret, page)

    def test_the_rules_notice_a_breach(self):
        head = "# HELP x_total X.\n# TYPE x_total counter\n"
        self.assertEqual(problems(head + 'x_total{reason="a"} 1\n'), [])
        for page in (head + 'x_total{device="a"} 1\n', "x 1\n", "# HELP x X.\n# TYPE x counter\nx 1\n",
                     "# HELP x_total X.\n# TYPE x_total gauge\nx_total 1\n", "# TYPE x gauge\nx 1\n",
                     head + "".join(f'x_total{{reason="{n}"}} 1\n' for n in range(61))):
            self.assertNotEqual(problems(page), [], page)

    def test_counters_count_and_never_fall(self):
        before = self.read()
        self.use_the_hub()
        after = self.read()
        for key, value in before.items():
            if key[0].endswith("_total"):
                self.assertGreaterEqual(after.get(key, -1), value, key)

        def grew(name, **labels):
            key = (f"mitral_cloud_{name}", *sorted(labels.items()))
            self.assertIn(key, after)
            return after[key] - before.get(key, 0)
        self.assertEqual(grew("messages_total"), 2)
        for transport in ("mqtt", "websocket"):
            self.assertEqual(grew("received_total", transport=transport, kind="telemetry"), 1)
        self.assertEqual(grew("received_bytes_total", transport="mqtt", kind="twin-report"), len('{"a":1}'))
        self.assertEqual(grew("received_total", transport="mqtt", kind="twin-get"), 1)
        self.assertEqual(grew("sent_total", transport="mqtt", kind="twin-answer"), 2)
        self.assertEqual(grew("sent_total", transport="mqtt", kind="devicebound"), 1)
        self.assertEqual(grew("devicebound_total"), 1)
        self.assertEqual(grew("connects_total"), 2)
        self.assertEqual(grew("connects_refused_by_reason_total", reason="not-authorised"), 1)
        self.assertEqual(grew("connects_refused_by_reason_total", reason="unavailable"), 0)
        self.assertEqual(grew("api_calls_total", api="registry", status="200"), 1)
        self.assertEqual(grew("api_calls_total", api="registry", status="404"), 1)
        self.assertEqual(grew("api_calls_total", api="methods", status="404"), 1)
        self.assertEqual(grew("api_calls_total", api="other", status="404"), 1)
        self.assertEqual(grew("methods_total", outcome="not-online"), 1)
        self.assertEqual(grew("dps_answers_total", state="assigning"), 1)
        self.assertEqual(grew("dps_answers_total", state="assigned"), 1)
        for transport in ("mqtt", "websocket"):
            wait_until(lambda: self.read()[("mitral_cloud_connections", ("transport", transport))] == 0)
        self.assertGreater(after[("process_resident_memory_bytes",)], 1_000_000)
        self.assertGreater(after[("process_start_time_seconds",)], 1_600_000_000)


if __name__ == "__main__":
    main()
