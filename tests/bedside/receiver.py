"""A small receiver of HL7 v2 over MLLP for tests: keeps what arrives and answers as it is told. Independent of both
the simulator and the gateway."""
import hashlib
import socket
import threading

START, END = b"\x0b", b"\x1c"


def accept_all(_message, _count):
    """An answer policy: the code for a message that arrived for the `_count`th time; None: no answer."""
    return "accept"


class Message:
    def __init__(self, text):
        self.text = text
        segments = [segment for segment in text.split(b"\r") if segment]
        self.header = segments[0].split(b"|")
        self.rows = [segment.split(b"|") for segment in segments if segment.startswith(b"OBX|")]
        self.segments = segments

    def field(self, number):
        """MSH-`number`, of 2 and above."""
        return self.header[number - 1] if number - 1 < len(self.header) else b""

    @property
    def control_id(self):
        return self.field(10)

    @property
    def identity(self):
        parts = b"\0".join((self.field(3), self.control_id, self.field(7)))
        return hashlib.sha256(parts).hexdigest()[:32]

    def answer(self, verdict):
        """In the mode that MSH-15 and MSH-16 ask for."""
        commit = self.field(15) == b"AL"
        letter = {"accept": b"A", "later": b"E", "never": b"R"}[verdict]
        code = (b"C" if commit else b"A") + letter
        return b"\r".join((b"MSH|^~\\&|GATE|||" + self.field(3) + b"|20260101000000||ACK|1|P|2.6",
                           b"MSA|" + code + b"|" + self.control_id + b"|because", b""))


class Receiver:
    """Listens on a free port of loopback; or, with `dial`, connects to a monitor and sends the query first."""

    def __init__(self, policy=accept_all, tls=None, dial=None, query=b""):
        self.policy, self.tls = policy, tls
        self.frames, self.messages, self.peers = [], [], []
        self.seen = {}
        self.connections = 0
        self._changed = threading.Condition()
        self._links = []
        self._closed = False
        if dial is None:
            self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
            self.port = self._listener.getsockname()[1]
            threading.Thread(target=self._accept, daemon=True).start()
        else:
            self._listener = None
            link = socket.create_connection(dial, timeout=10)
            link.sendall(START + query + END + b"\r")
            self._take(link, dial)

    def _accept(self):
        while True:
            try:
                link, peer = self._listener.accept()
            except OSError:
                return
            self._take(link, peer)

    def _take(self, link, peer):
        with self._changed:
            self.connections += 1
            self.peers.append(peer)
            self._links.append(link)
        threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link):
        try:
            if self.tls is not None:
                link = self.tls.wrap_socket(link, server_side=True)
            link.settimeout(60)
            data = b""
            while True:
                piece = link.recv(65536)
                if not piece:
                    return
                data = self._frames(link, data + piece)
        except OSError:
            return
        finally:
            link.close()

    def _frames(self, link, data):
        while True:
            begin = data.find(START)
            end = data.find(END, begin + 1)
            if begin < 0 or end < 0:
                return data
            self._frame(link, data[begin + 1:end])
            data = data[end + 1:]

    def _frame(self, link, frame):
        texts = split_batch(frame)
        with self._changed:
            self.frames.append(frame)
        for text in texts:
            message = Message(text)
            with self._changed:
                count = self.seen[message.control_id] = self.seen.get(message.control_id, 0) + 1
                self.messages.append(message)
                self._changed.notify_all()
            verdict = self.policy(message, count)
            if verdict == "close":
                raise OSError("closed on purpose")
            if verdict is not None:
                link.sendall(START + message.answer(verdict) + END + b"\r")

    def wait(self, holds, seconds=30):
        """Until `holds(self)`, looked at whenever a message arrives."""
        with self._changed:
            return self._changed.wait_for(lambda: holds(self), seconds)

    def close(self):
        if self._listener is not None:
            self._listener.close()
        for link in self._links:
            link.close()


def split_batch(frame):
    """The messages of a frame: from each MSH to the next, without what envelops a batch."""
    messages = []
    for segment in frame.replace(b"\n", b"\r").split(b"\r"):
        if segment.startswith(b"MSH|"):
            messages.append([])
        if messages and segment and segment[:3] not in (b"FHS", b"BHS", b"BTS", b"FTS"):
            messages[-1].append(segment)
    return [b"\r".join(segments) + b"\r" for segments in messages]
