"""The status page in headless Chromium: it shows what happens, and runs nothing that a device sends."""
import contextlib
import http.client
import json
import os
import pathlib
import sys
import unittest

from cloud import chromium
from cloud.local_azure import LocalAzure, sas
from cloud.mqtt_client import Mqtt, publish_packet
from cloud.update_agent import UpdateAgent, name_of
from cloud.update_client import BASE, UpdateClient
from support.proves import main, proves

HOSTILE = ("<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
           "</td></table><svg onload=\"document.title='taken'\">{{7*7}}${7*7}")
HOSTILE_DEVICE = "d-'!(),=@$*?%_.:"  # what an id may hold at worst
POLICY = {"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "connect-src": "'self'",
          "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'"}


def connect(azure, device):
    name = device["deviceId"]
    client = Mqtt(azure.ports["mqtt"], azure.ca)
    token = sas(device["primary_key"], f"{azure.hub}/devices/{name}")
    assert client.connect(name, f"{azure.hub}/{name}/?api-version=2021-04-12", token)[1] == 0
    return client


def send(client, name, body, properties=""):
    client.send(publish_packet(f"devices/{name}/messages/events/{properties}", body, 1))
    assert client.receive()[0] == 0x40


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--files-port", "0")
        cls.azure.start()
        cls.url = f"http://127.0.0.1:{cls.azure.ports['admin']}"

    @classmethod
    def tearDownClass(cls):
        assert cls.azure.stop() == 0
        cls.azure.__exit__()

    def ask(self, path, method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.azure.ports["admin"], timeout=20)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def test_it_shows_messages_devices_and_faults_as_they_come(self):
        device = self.azure.device("bench-1")
        with chromium.Chromium() as browser, connect(self.azure, device) as client:
            browser.open(self.url)
            browser.wait_for("document.getElementById('link')?.textContent === 'live'")
            send(client, "bench-1", '{"hello":1}', "ward=west&%24.mid=m1")
            browser.wait_for("[...document.querySelectorAll('#messages td')].some("
                             "cell => cell.textContent === '{\"hello\":1}')")
            self.assertTrue(browser.value("document.body.innerText.includes('ward=west')"))
            browser.wait_for("[...document.querySelectorAll('#devices li.on')].some("
                             "row => row.textContent === 'bench-1: connected')")
            self.azure.command("fault", "--name", "slow-puback", "--with", "delay_ms=1")
            browser.wait_for("[...document.querySelectorAll('#faults li.on')].some("
                             "row => row.textContent.startsWith('slow-puback: on'))")
            self.azure.command("clear-fault", "--name", "slow-puback")
            browser.wait_for("document.querySelectorAll('#faults li.on').length === 0")
            if picture := os.environ.get("MITRAL_SCREENSHOT"):
                browser.screenshot(pathlib.Path(picture))
            self.assertEqual(browser.complaints(), [])

    def test_it_shows_how_deployments_go(self):
        updates = UpdateClient(self.azure)
        updates.import_update("2.0.1")
        roots = json.loads(self.azure.admin(f"{BASE}/keys/roots"))
        row = "[...document.querySelectorAll('#deployments li')].find(row => row.textContent.includes(%s))"
        with chromium.Chromium() as browser, contextlib.ExitStack() as held:
            browser.open(self.url)
            browser.wait_for("document.getElementById('no-deployments')?.hidden === false")
            agents = []
            for name, group in (("up-1", "ward-a"), ("up-2", "ward-a"), ("up-3", "ward-b")):
                self.azure.device(name)
                service = sas(self.azure.policy("service")["primary_key"], self.azure.hub, policy="service")
                status = self.azure.https("PATCH", f"/twins/{name}?api-version=2021-04-12", service,
                                          {"tags": {"ADUGroup": group}})[0]
                self.assertEqual(status, 200)
                agents.append(UpdateAgent(self.azure, name, roots))
                held.callback(agents[-1].close)
            for group in ("ward-a", "ward-b"):
                status, answer = updates.call("PUT", f"/management/groups/{group}/deployments/first",
                                              {"update": {"updateId": name_of("2.0.1")}})
                self.assertEqual(status, 200, answer)
            for agent in agents[:2]:
                agent.accept(agent.wait_for_service())
            agents[0].succeed()
            agents[1].fail("80200001")
            for group, said in (("ward-a", "Active: 0 in progress, 1 succeeded, 1 failed, 0 cancelled"),
                                ("ward-b", "Active: 1 in progress, 0 succeeded, 0 failed, 0 cancelled")):
                text = json.dumps(f"{group} / first: acme/vitals-gw/2.0.1, {said}")
                browser.wait_for(f"{row % text} !== undefined")
            self.assertEqual(browser.value(f"{row % json.dumps('ward-a')}.className"), "failed")
            self.assertEqual(browser.value(f"{row % json.dumps('ward-b')}.className"), "on")
            self.assertEqual(browser.complaints(), [])

    @proves("T-LOG-01")
    def test_it_runs_and_loads_nothing_that_a_device_sends(self):
        device = self.azure.device(HOSTILE_DEVICE)
        with chromium.Chromium() as browser, connect(self.azure, device) as client:
            browser.open(self.url)
            browser.wait_for("document.getElementById('link')?.textContent === 'live'")
            encoded = "".join(f"%{byte:02X}" for byte in HOSTILE.encode())
            send(client, HOSTILE_DEVICE, HOSTILE, f"{encoded}={encoded}")
            send(client, HOSTILE_DEVICE, bytes(range(256)))
            send(client, HOSTILE_DEVICE, "the last")
            browser.wait_for("[...document.querySelectorAll('#messages td')].some(c => c.textContent === 'the last')")
            shown = browser.value("[...document.querySelectorAll('#messages td')].map(cell => cell.textContent)")
            self.assertIn(HOSTILE, shown)
            self.assertIn(HOSTILE_DEVICE, shown)
            browser.wait_for(f"document.querySelector('#devices').textContent.includes({json.dumps(HOSTILE_DEVICE)})")
            self.assertEqual(browser.value("document.title"), "Local Azure")
            self.assertEqual(browser.value("document.querySelectorAll('main img, main svg, main script').length"), 0)
            foreign = [url for url in browser.requested() if not url.startswith((self.url + "/", "about:"))]
            self.assertEqual(foreign, [])
            self.assertEqual(browser.complaints(), [])

    @proves("T-LOG-01")
    def test_control_the_same_text_as_markup_would_run(self):
        markup = f"document.body.innerHTML = {json.dumps(HOSTILE)}"
        with chromium.Chromium() as browser:
            browser.open("about:blank")
            browser.value(markup)
            browser.wait_for("document.title === 'taken'")
            # In the page itself the policy holds even that back.
            browser.open(self.url)
            browser.wait_for("document.getElementById('link')?.textContent === 'live'")
            browser.value(markup)
            browser.value("new Promise(done => setTimeout(done, 500))")
            self.assertEqual(browser.value("document.title"), "Local Azure")
            self.assertNotEqual(browser.complaints(), [])

    def test_its_files_say_what_may_run(self):
        for path in ("/", "/status.css", "/status.js"):
            answer = self.ask(path)
            self.assertEqual(answer.status, 200)
            said = dict(part.split() for part in answer.headers["Content-Security-Policy"].split(";"))
            self.assertEqual(said, POLICY)
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")

    def test_other_sites_cannot_use_the_port_through_a_browser(self):
        port = self.azure.ports["admin"]
        for headers in ({}, {"Host": "localhost"}, {"Host": f"localhost:{port}"}, {"Host": f"[::1]:{port}"},
                        {"Host": "127.0.0.1:1", "Origin": "http://127.0.0.1:1"}):
            with self.subTest(headers=headers):
                self.assertEqual(self.ask("/ready", **headers).status, 200)
        for headers in ({"Host": "rebound.example"}, {"Host": f"rebound.example:{port}"}, {"Host": "127.0.0.1.example"},
                        {"Host": f"localhost.example:{port}"}, {"Origin": "https://site.example"}, {"Origin": "null"},
                        {"Host": f"127.0.0.1:{port}", "Origin": f"http://localhost:{port}"}):
            with self.subTest(headers=headers):
                for method, path in (("GET", "/log"), ("POST", "/faults/drop?all=1")):
                    self.assertEqual(self.ask(path, method, **headers).status, 403)


if __name__ == "__main__":
    if chromium.program() is None:
        print("skipped: chromium is not installed")
        sys.exit(77)
    main()
