"""The wire habits of other people's clients, one table each: Microsoft's C, Java and Python SDKs as they write packets,
and the real mosquitto and Eclipse Paho clients. Every row has to work; the controls at the end have not."""
import base64
import hashlib
import hmac
import json
import re
import subprocess
import threading
import time
import unittest
import urllib.parse

import eclipse
from cloud.local_azure import LocalAzure, sas, wait_until
from cloud.mqtt_client import Mqtt, packet, publish_packet, text
from support.proves import main, proves

C = "DeviceClientType=iothubclient%2f1.15.0%20(native%3b%20Linux%3b%20x86_64)"
JAVA = "DeviceClientType=com.microsoft.azure.sdk.iot.iot-device-client%2F2.5.0"
PYTHON = "DeviceClientType=azure-iot-device-iothub-py%2F2.14.0%28%3BLinux%3Bx86_64%29"
NODE = "DeviceClientType=azure-iot-device%2F1.18.4%20(node%20v20.20.2%3B%20Linux)"


def lower_escapes(quoted):
    return re.sub("%..", lambda escape: escape.group().lower(), quoted)


def token(key, resource, order=("sr", "sig", "se"), life=3600, **more):
    """`resource` stands in the token as it is given; `order` of its fields is free."""
    expiry = str(int(time.time()) + life)
    mac = hmac.new(base64.b64decode(key), f"{resource}\n{expiry}".encode(), hashlib.sha256).digest()
    fields = {"sr": resource, "sig": urllib.parse.quote(base64.b64encode(mac), safe=""), "se": expiry, **more}
    return "SharedAccessSignature " + "&".join(f"{name}={fields[name]}" for name in order)


class ClientCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--name", "ward-hub.azure-devices.net", "--assigned-hub",
                               "ward-hub.azure-devices.net").__enter__()
        cls.addClassCleanup(cls.azure.__exit__, None, None, None)
        cls.hub = "ward-hub.azure-devices.net"
        cls.key = cls.azure.device("dev-01")["primary_key"]
        cls.group = cls.azure.group()

    def user(self, parameters="?api-version=2021-04-12", device="dev-01", host=None):
        return f"{host or self.hub}/{device}/{parameters}"

    def own(self):
        return urllib.parse.quote(f"{self.hub}/devices/dev-01", safe="")

    def connect(self, user=None, password=None, client="dev-01", **options):
        mqtt = Mqtt(self.azure.ports["mqtt"], self.azure.ca)
        password = token(self.key, self.own()) if password is None else password
        return mqtt, mqtt.connect(client, user or self.user(), password, **options)[1]

    def connected(self, *arguments, **options):
        mqtt, code = self.connect(*arguments, **options)
        self.assertEqual(code, 0)
        return mqtt

    def code(self, *arguments, **options):
        mqtt, code = self.connect(*arguments, **options)
        mqtt.close()
        return code

    def service(self, method, path, body=None):
        policy = sas(self.azure.policy("iothubowner")["primary_key"], self.hub, policy="iothubowner")
        return self.azure.https(method, f"{path}?api-version=2020-09-30", policy, body)


class Habits(ClientCase):
    def test_user_names_and_keep_alives(self):
        table = {
            "documentation": ("?api-version=2021-04-12", 60),
            "Node": (f"?api-version=2021-04-12&model-id=dtmi:azure:iot:deviceUpdateContractModel;2&{NODE}", 180),
            "C": (f"?api-version=2020-09-30&{C}", 240),
            "C with a model": (f"?api-version=2020-09-30&{C}&model-id=dtmi%3acom%3aexample%3aThermostat%3b1", 240),
            "embedded C": ("?api-version=2020-09-30&DeviceClientType=azsdk-c%2F1.5.0", 240),
            "Java": (f"?api-version=2020-09-30&{JAVA}", 230),
            "Python": (f"?api-version=2019-10-01&{PYTHON}", 60),
            "Python with a model": (f"?model-id=dtmi%3Aa%3Bb%3B1&api-version=2020-09-30&{PYTHON}", 60),
            ".NET": ("?api-version=2021-04-12&DeviceClientType=.NET%2F1.41.0%20%28.NET%208%3B%20X64%29", 300),
            "without a question mark": ("api-version=2016-11-14", 0),
            "any order": (f"?{C}&api-version=2021-04-12", 1767),
            "no parameters of use": ("?api-version=2018-06-30&unknown=1", 65535),
        }
        for name, (parameters, keep_alive) in table.items():
            for clean in (True, False):
                with self.subTest(name, clean=clean):
                    self.assertEqual(self.code(self.user(parameters), keep_alive=keep_alive, clean=clean), 0)
        self.assertEqual(self.code(self.user(host="WARD-HUB.azure-devices.net")), 0)
        for name, user in {"another hub": self.user(host="other.azure-devices.net"),
                           "another device": self.user(device="dev-02"), "nothing": "x",
                           "a slash too few": f"{self.hub}"}.items():
            with self.subTest(name):
                self.assertEqual(self.code(user), 5)

    @proves("T-TOK-02", "CR 1.14")
    def test_tokens(self):
        """V1 to V8 of the vectors are the shapes; the dates here are of today."""
        own = f"{self.hub}/devices/dev-01"
        quoted = urllib.parse.quote(own, safe="")
        device = self.azure.policy("device")["primary_key"]
        table = {
            "Node": token(self.key, quoted),
            "C: lower-case escapes, se before skn": token(self.key, lower_escapes(quoted), ("sr", "sig", "se", "skn"),
                                                          skn=""),
            "Python: not quoted": token(self.key, own),
            "identity service: all in lower case": token(self.key, quoted.lower()),
            "any order": token(self.key, quoted, ("se", "sig", "sr")),
            "policy, whole hub": token(device, urllib.parse.quote(self.hub, safe=""), ("sr", "sig", "skn", "se"),
                                       skn="device"),
            "policy, this device": token(device, quoted, ("sr", "sig", "se", "skn"), skn="device"),
            "documentation's old suffix": token(self.key, quoted + "%2Fapi-version%3D2016-11-14"),
        }
        for name, password in table.items():
            with self.subTest(name):
                self.assertEqual(self.code(password=password), 0, password)
        good = token(self.key, quoted)
        wrong = {
            "past": token(self.key, quoted, life=-3600),
            "sibling": token(self.key, quoted[:-1]),
            "a word before": good.removeprefix("SharedAccessSignature "),
            "policy without the right": token(self.azure.policy("service")["primary_key"], quoted,
                                              ("sr", "sig", "se", "skn"), skn="service"),
        }
        for at in range(len("SharedAccessSignature sr="), len(good), 17):
            flipped = chr(ord(good[at]) ^ 1)
            wrong[f"bit at {at}"] = good[:at] + flipped + good[at + 1:]
        for name, password in wrong.items():
            with self.subTest(name):
                self.assertEqual(self.code(password=password), 5, password)

    @proves("T-DATA-02")
    def test_bags_of_telemetry(self):
        table = {
            "Node": ("%24.mid=m%201&%24.ct=application%2Fjson&%24.ce=utf-8&alert%20level=hi%26lo%3D1%2F%C3%A9",
                     {"$.mid": "m 1", "$.ct": "application/json", "$.ce": "utf-8"}, {"alert level": "hi&lo=1/é"}),
            "Node, with an output": ("%24.on=out&a=b/", {"$.on": "out"}, {"a": "b"}),
            "C: raw slashes": ("%24.mid=m1&%24.ct=application/json&%24.ce=utf-8&a=x/y/z",
                               {"$.mid": "m1", "$.ct": "application/json", "$.ce": "utf-8"}, {"a": "x/y/z"}),
            "C: lower-case escapes": ("%24.cid=a%2fb%3ac&k%20e=%c3%a9", {"$.cid": "a/b:c"}, {"k e": "é"}),
            "Java": ("%24.mid=6f1d&%24.cid=c&%24.uid=u&%24.to=t&app=1",
                     {"$.mid": "6f1d", "$.cid": "c", "$.uid": "u", "$.to": "t"}, {"app": "1"}),
            "Python": ("%24.mid=1&%24.uid=2&%24.exp=2026-01-01T00%3A00%3A00Z&%24.ifid=urn%3Aazureiot%3ASecurity&p=v",
                       {"$.mid": "1", "$.uid": "2", "$.exp": "2026-01-01T00:00:00Z",
                        "$.ifid": "urn:azureiot:Security"}, {"p": "v"}),
            "plain dollar": ("$.mid=7&a=1", {"$.mid": "7"}, {"a": "1"}),
            "null and empty": ("nothing&empty=", {}, {"nothing": None, "empty": ""}),
            "none": ("", {}, {}),
        }
        with self.connected() as client:
            for number, (name, (bag, system, properties)) in enumerate(table.items(), 1):
                with self.subTest(name):
                    client.send(publish_packet("devices/dev-01/messages/events/" + bag, name, number))
                    self.assertEqual(client.receive(), (0x40, bytes([0, number])))
                    row = self.azure.messages()[-1]
                    self.assertEqual((row["body"].decode(), row["properties"]), (name, properties))
                    self.assertEqual({key: value for key, value in row["system"].items() if key.startswith("$.")},
                                     system)

    def test_twins(self):
        """C reads `?$rid=` where it begins; requests come with small numbers, UUIDs, a body of nothing or of a blank."""
        with self.connected() as client:
            client.send(packet(0x82, b"\0\1" + text("$iothub/twin/res/#") + b"\0"))
            client.receive()
            for rid, body in (("1", ""), ("af", " "), ("6e1f5e8c-2a64-4b36-9d2f-0c1f63a1d0f4", " "), ("0", "")):
                with self.subTest(rid):
                    client.send(publish_packet(f"$iothub/twin/GET/?$rid={rid}", body, qos=0))
                    _, answer = client.receive()
                    self.assertTrue(answer[2:].startswith(f"$iothub/twin/res/200/?$rid={rid}{{".encode()), answer)
            client.send(publish_packet("$iothub/twin/PATCH/properties/reported/?$rid=9", '{"a":{"b":[1]}}', qos=0))
            self.assertRegex(client.receive()[1][2:].decode(), r"^\$iothub/twin/res/204/\?\$rid=9&\$version=\d+$")

    def test_messages_to_the_device_name_system_properties_percent_encoded(self):
        with self.connected() as client:
            client.send(packet(0x82, b"\0\1" + text("devices/dev-01/messages/devicebound/#") + b"\1"))
            client.receive()
            self.azure.admin("/devices/dev-01/messages?mid=m1&ct=a%2Fb&p.k=v", "POST", b"x")
            first, body = client.receive()
            topic = body[2:2 + int.from_bytes(body[:2], "big")].decode()
            self.assertEqual(first & 0xF6, 0x32)
            self.assertIn("%24.mid=m1", topic)
            self.assertIn("%24.to=%2Fdevices%2Fdev-01%2Fmessages%2Fdevicebound", topic)
            self.assertNotIn("$.", topic)
            client.send(packet(0x40, body[2 + len(topic):4 + len(topic)]))

    def test_modules_subscribe_as_node_and_as_c(self):
        made = self.service("PUT", "/devices/dev-01/modules/edge", {"moduleId": "edge"})[2]
        key = made["authentication"]["symmetricKey"]["primaryKey"]
        resource = urllib.parse.quote(f"{self.hub}/devices/dev-01/modules/edge", safe="")
        user = self.user(f"edge/?api-version=2020-09-30&{C}")
        with self.connected(user, token(key, resource), "dev-01/edge") as client:
            for number, (filter_text, granted) in enumerate((
                    ("devices/dev-01/modules/edge/inputs/#", 1), ("devices/dev-01/modules/edge/#", 1),
                    ("$iothub/methods/POST/#", 0), ("$iothub/twin/res/#", 0),
                    ("$iothub/twin/PATCH/properties/desired/#", 0)), 1):
                client.send(packet(0x82, bytes([0, number]) + text(filter_text) + bytes([granted])))
                self.assertEqual(client.receive(), (0x90, bytes([0, number, granted])))
            client.send(publish_packet("devices/dev-01/modules/edge/messages/events/%24.on=out/", "x", 9))
            self.assertEqual(client.receive(), (0x40, b"\0\x09"))
        self.assertEqual(self.azure.messages()[-1]["module"], "edge")

    def test_dps_user_names(self):
        scope = self.azure.ports["id_scope"]
        derived = base64.b64encode(hmac.new(base64.b64decode(self.group["primary_key"]), b"dps-01",
                                            hashlib.sha256).digest()).decode()
        for resource in (f"{scope}/registrations/dps-01", urllib.parse.quote(f"{scope}/registrations/dps-01", safe=""),
                         f"{scope}%2fregistrations%2fdps-01"):
            password = token(derived, resource, ("sr", "sig", "se", "skn"), skn="registration")
            for parameters in ("api-version=2019-03-31&ClientVersion=azure-iot-provisioning-device%2F1.9.1",
                               "api-version=2021-06-01&ClientVersion=1.15.0",
                               "api-version=2019-03-31&ClientVersion=azure-iot-device-provisioning-py%2F2.14.0"):
                with self.subTest(resource, parameters=parameters):
                    user = f"{scope}/registrations/dps-01/{parameters}"
                    with self.connected(user, password, "dps-01") as client:
                        client.send(packet(0x82, b"\0\1" + text("$dps/registrations/res/#") + b"\0"))
                        client.receive()
                        client.send(publish_packet("$dps/registrations/PUT/iotdps-register/?$rid=1",
                                                   '{"registrationId":"dps-01"}', qos=0))
                        self.assertIn(b"$dps/registrations/res/202/?$rid=1&retry-after=", client.receive()[1])


class Paho(ClientCase):
    """Eclipse Paho: reconnects by itself, subscribes again in on_connect, as Microsoft's Python SDK built on it does."""

    def setUp(self):
        self.client = eclipse.client("dev-01", clean_session=False, protocol=eclipse.V311)
        self.client.tls_set(self.azure.ca)
        self.client.tls_insecure_set(False)
        self.client.username_pw_set(self.user(f"?api-version=2019-10-01&{PYTHON}"), token(self.key, self.own()))
        self.client.reconnect_delay_set(1, 1)
        self.inbox, self.connects, self.acknowledged = [], 0, set()

        def on_connect(client, _data, _flags, code):
            self.connects += code == 0
            client.subscribe([("$iothub/twin/res/#", 1), ("$iothub/methods/POST/#", 1),
                              ("devices/dev-01/messages/devicebound/#", 1)])
        self.subscribed = 0

        def on_subscribe(*_):
            self.subscribed += 1
        self.client.on_connect, self.client.on_subscribe = on_connect, on_subscribe
        self.client.on_message = lambda _client, _data, message: self.inbox.append(message)
        self.client.on_publish = lambda _client, _data, number: self.acknowledged.add(number)
        self.client.connect("localhost", self.azure.ports["mqtt"], 60)
        self.client.loop_start()
        self.addCleanup(self.client.loop_stop)
        self.addCleanup(self.client.disconnect)
        wait_until(lambda: self.subscribed == 1)

    def test_all_it_does(self):
        sent = [self.client.publish(f"devices/dev-01/messages/events/%24.mid=p{i}", b"x" * i, qos=1) for i in range(20)]
        for each in sent:
            each.wait_for_publish(30)
            self.assertTrue(each.is_published())
        ids = [row["mid"] for row in self.azure.messages() if str(row["mid"]).startswith("p")]
        self.assertEqual(ids, [f"p{i}" for i in range(20)])
        self.client.publish("$iothub/twin/GET/?$rid=5", b"")
        wait_until(lambda: self.inbox)
        self.assertEqual(self.inbox.pop().topic, "$iothub/twin/res/200/?$rid=5")
        self.azure.admin("/devices/dev-01/messages?mid=down", "POST", b"hello")
        wait_until(lambda: self.inbox)
        self.assertEqual(self.inbox.pop().payload, b"hello")
        answers = []
        call = threading.Thread(target=lambda: answers.append(self.service(
            "POST", "/twins/dev-01/methods", {"methodName": "ask", "payload": 1, "responseTimeoutInSeconds": 30})))
        call.start()
        wait_until(lambda: self.inbox)
        topic = self.inbox.pop().topic
        self.assertTrue(topic.startswith("$iothub/methods/POST/ask/?$rid="), topic)
        self.client.publish("$iothub/methods/res/201/?$rid=" + topic.split("$rid=")[1], json.dumps({"got": 1}))
        call.join(30)
        self.assertEqual(answers[0][2], {"status": 201, "payload": {"got": 1}})

    @proves("T-DATA-01")
    def test_nothing_is_lost_when_the_connection_drops(self):
        connects = self.connects
        sent = []
        for i in range(40):
            sent.append(self.client.publish(f"devices/dev-01/messages/events/%24.mid=d{i}", b"x", qos=1))
            if i == 20:
                self.azure.admin("/faults/drop?device=dev-01", "POST")
        wait_until(lambda: self.acknowledged >= {each.mid for each in sent}, 60)
        ids = {row["mid"] for row in self.azure.messages()}
        self.assertLessEqual({f"d{i}" for i in range(40)}, ids)
        wait_until(lambda: self.connects > connects)


class Mosquitto(ClientCase):
    def command(self, program, *more):
        return [program, "-h", "localhost", "-p", str(self.azure.ports["mqtt"]), "--cafile", self.azure.ca,
                "-V", "mqttv311", "-i", "dev-01", "-u", self.user(f"?api-version=2020-09-30&{C}"),
                "-P", token(self.key, self.own()), *more]

    def test_publish_will_retain_and_messages_from_the_cloud(self):
        topic = "devices/dev-01/messages/events/%24.ct=application/json"
        done = subprocess.run(self.command("mosquitto_pub", "-q", "1", "-r", "-t", topic, "-m", "kept"), timeout=60,
                              check=False)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(self.azure.messages()[-1]["properties"], {"mqtt-retain": "true"})
        listen = self.command("mosquitto_sub", "-q", "1", "-t", "devices/dev-01/messages/devicebound/#", "-d",
                              "--will-topic", topic, "--will-payload", "gone")
        with subprocess.Popen(["stdbuf", "-oL", *listen], stdout=subprocess.PIPE, text=True) as listener:
            for line in listener.stdout:
                if "SUBACK" in line:
                    break
            self.azure.admin("/devices/dev-01/messages?mid=m1", "POST", b"to-mosquitto")
            for line in listener.stdout:
                if "to-mosquitto" in line:
                    break
            listener.kill()  # without a word: its will is sent
        wait_until(lambda: self.azure.messages()[-1]["body"] == b"gone")
        self.assertEqual(self.azure.messages()[-1]["properties"], {"iothub-MessageType": "Will"})

    @proves("CR 2.1")
    def test_quality_two_costs_the_connection_and_stores_nothing(self):
        count = len(self.azure.messages())
        done = subprocess.run(self.command("mosquitto_pub", "-q", "2", "-t", "devices/dev-01/messages/events/",
                                           "-m", "two"), timeout=60, capture_output=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(len(self.azure.messages()), count)


if __name__ == "__main__":
    main()
