"""An AMQP 1.0 client of one connection: Qpid Proton's engine for Python over a TLS socket that the test holds."""
import socket
import ssl
import struct
import time

from proton import Collector, Connection, Delivery, Described, Endpoint, Message, Transport, symbol

HEADER = b"AMQP\x00\x01\x00\x00"
SASL_HEADER = b"AMQP\x03\x01\x00\x00"
SELECTOR = symbol("apache.org:selector-filter:string")


def open_tls(port, ca, timeout=20):
    context = ssl.create_default_context(cafile=ca)
    plain = socket.create_connection(("localhost", port), timeout=timeout)
    return context.wrap_socket(plain, server_hostname="localhost")


def frame(body, kind=0, channel=0):
    """A frame with a valid length (AMQP 1.0 part 2, § 2.3)."""
    return struct.pack(">IBBH", len(body) + 8, 2, kind, channel) + body


def sasl_init(mechanism, response=b""):
    name = mechanism.encode()
    fields = b"\xa3" + bytes([len(name)]) + name + b"\xa0" + bytes([len(response)]) + response
    return frame(b"\x00\x53\x41\xc0" + bytes([len(fields) + 1, 2]) + fields, kind=1)


def read_to_end(sock):
    """What the server still sends before it closes; fails when it does not within the socket's timeout."""
    answer = b""
    while True:
        try:
            piece = sock.recv(65536)
        except (ConnectionError, ssl.SSLError):
            return answer
        if not piece:
            return answer
        answer += piece


class Refused(Exception):
    """The condition of a link or connection that the server ended."""


class Amqp:
    def __init__(self, port, ca, sasl=True, over=open_tls):
        self.socket = over(port, ca)
        self.transport = Transport(Transport.CLIENT)
        if sasl:
            self.transport.sasl().allowed_mechs("ANONYMOUS")
        self.connection = Connection()
        self.collector = Collector()
        self.connection.collect(self.collector)
        self.connection.container = "test"
        self.connection.hostname = "localhost"
        self.transport.bind(self.connection)
        self.connection.open()
        self.session = self.connection.session()
        self.session.open()
        self.ended = False
        self.links = 0
        self.requests = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def write(self):
        while (size := self.transport.pending()) > 0:
            self.socket.sendall(self.transport.peek(size))
            self.transport.pop(size)

    def step(self):
        """Sends what waits and takes what comes."""
        self.write()
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.ended = True
            return
        while data:
            room = self.transport.capacity()
            if room <= 0:
                raise Refused("the connection has ended")
            self.transport.push(data[:room])
            data = data[room:]
        while self.collector.peek():
            self.collector.pop()

    def until(self, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            if self.ended or self.connection.state & Endpoint.REMOTE_CLOSED:
                condition_told = self.connection.remote_condition
                raise Refused(condition_told.name if condition_told else "closed")
            self.socket.settimeout(max(0.1, deadline - time.monotonic()))
            self.step()
        return found

    def receiver(self, address, selector=None, credit=100, epoch=None):
        self.links += 1
        link = self.session.receiver(f"receiver-{self.links}")
        link.source.address = address
        link.target.address = f"reply-{self.links}"
        if selector:
            link.source.filter.put_dict({SELECTOR: Described(SELECTOR, selector)})
        if epoch is not None:
            link.properties = {symbol("com.microsoft:epoch"): epoch}
        link.open()
        link.flow(credit)
        return self.attached(link, lambda: link.remote_source.address)

    def sender(self, address):
        self.links += 1
        link = self.session.sender(f"sender-{self.links}")
        link.target.address = address
        link.source.address = "here"
        link.open()
        return self.attached(link, lambda: link.remote_target.address)

    def attached(self, link, address):
        self.until(lambda: link.state & Endpoint.REMOTE_CLOSED or
                   (link.state & Endpoint.REMOTE_ACTIVE and address()))
        if link.state & Endpoint.REMOTE_CLOSED:
            raise Refused(link.remote_condition.name)
        return link

    def condition_of(self, link):
        """Why the server ended this link; waits for it."""
        self.until(lambda: link.state & Endpoint.REMOTE_CLOSED)
        return link.remote_condition.name

    def send(self, link, message):
        """Returns accepted, or the condition of the refusal."""
        self.until(lambda: link.credit > 0)
        delivery = link.delivery(f"tag-{time.monotonic_ns()}")
        link.send(message.encode())
        link.advance()
        self.until(lambda: delivery.updated and delivery.remote_state)
        refused = delivery.remote_state == Delivery.REJECTED
        outcome = delivery.remote.condition.name if refused else "accepted"
        delivery.settle()
        return outcome

    def take(self, link, outcome=Delivery.ACCEPTED):
        """The message that has come, or None. Without an outcome it stays unsettled."""
        delivery = link.current
        if delivery is None or not delivery.readable or delivery.partial:
            return None
        message = Message()
        message.decode(link.recv(delivery.pending))
        link.advance()
        if outcome:
            delivery.update(outcome)
            delivery.settle()
        return message

    def receive(self, link, count, **more):
        messages = []
        while len(messages) < count:
            self.until(lambda: link.current and link.current.readable and not link.current.partial)
            messages.append(self.take(link, **more))
            link.flow(1)
        return messages

    def ask(self, node, message):
        if node not in self.requests:
            self.requests[node] = self.receiver(node), self.sender(node)
        answers, requests = self.requests[node]
        message.reply_to = answers.target.address
        message.id = f"request-{time.monotonic_ns()}"
        assert self.send(requests, message) == "accepted"
        answer = self.receive(answers, 1)[0]
        assert answer.correlation_id == message.id
        return answer

    def put_token(self, token, audience="localhost", kind="servicebus.windows.net:sastoken"):
        """The status code of the answer."""
        properties = {"operation": "put-token", "type": kind, "name": audience}
        return self.ask("$cbs", Message(body=token, properties=properties)).properties["status-code"]
