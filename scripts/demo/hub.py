"""The local Azure's admin port: its message log, its counters and its faults."""
import http.client
import json
import threading


class Hub:
    def __init__(self, port):
        self.port = port

    @property
    def log_url(self):
        return f"http://127.0.0.1:{self.port}/log"

    def _ask(self, method, path, timeout=10):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            link.request(method, path)
            answer = link.getresponse()
            body = answer.read()
            if answer.status // 100 != 2:
                raise OSError(f"{method} {path}: {answer.status} {body[:200]!r}")
            return body
        except http.client.HTTPException as error:
            raise OSError(f"{method} {path}: {error}") from error
        finally:
            link.close()

    def ready(self):
        try:
            self._ask("GET", "/ready", timeout=2)
            return True
        except OSError:
            return False

    def metrics(self):
        """Counters by name: JSON, or `name value` lines as Prometheus has them."""
        text = self._ask("GET", "/metrics").decode()
        if text.lstrip().startswith("{"):
            return json.loads(text)
        counters = {}
        for line in text.splitlines():
            name, _, value = line.rpartition(" ")
            if name and not line.startswith("#"):
                counters[name] = float(value)
        return counters

    def devices(self):
        return json.loads(self._ask("GET", "/devices"))

    def away(self, seconds):
        self._ask("POST", f"/faults/hub-away?seconds={seconds}")

    def drop(self, device):
        self._ask("POST", f"/faults/drop?device={device}")

    def log(self):
        for line in self._ask("GET", "/log", timeout=120).splitlines():
            if line.strip():
                yield json.loads(line)


class LogTail(threading.Thread):
    """Follows the message log and hands each line to `take`; resumes where it stopped."""

    def __init__(self, hub, take):
        super().__init__(name="log-tail", daemon=True)
        self._hub, self._take = hub, take
        self._ending = threading.Event()
        self._next = 0
        self.errors = 0

    def run(self):
        while not self._ending.is_set():
            try:
                self._follow()
            except (OSError, http.client.HTTPException, ValueError):
                self.errors += 1
                self._ending.wait(0.2)

    def _follow(self):
        link = http.client.HTTPConnection("127.0.0.1", self._hub.port, timeout=5)
        try:
            link.request("GET", f"/log?from={self._next}&follow=1")
            answer = link.getresponse()
            while not self._ending.is_set():
                line = answer.readline()
                if not line:
                    return
                if line.strip():
                    entry = json.loads(line)
                    self._take(entry)
                    self._next = entry["offset"] + 1
        finally:
            link.close()

    def end(self):
        self._ending.set()
