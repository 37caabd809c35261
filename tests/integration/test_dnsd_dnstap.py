"""The query log of sekisho-dnsd: read by a reader of this test's own, and by fstrm_capture where it is installed."""
import os
import socket
import struct
import subprocess
import threading
import time

import dns.message
import dns.query
import pytest

from conftest import tool

CONTENT = b"protobuf:dnstap.Dnstap"
ACCEPT, START, STOP, READY, FINISH = 1, 2, 3, 4, 5
DATA = """$SOA 1h ns1.files.example hostmaster.files.example 7 10m 5m 1w 5m
$NS 1h ns1.files.example
:127.0.0.2:Listed $
192.0.2.0/28
"""


def control(kind, content=False):
    body = struct.pack("!I", kind) + (struct.pack("!II", 1, len(CONTENT)) + CONTENT if content else b"")
    return struct.pack("!II", 0, len(body)) + body


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """{field: value} of a protobuf message."""
    at, found = 0, {}
    while at < len(data):
        tag, at = varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 5:
            value, at = struct.unpack_from("<I", data, at)[0], at + 4
        else:
            assert kind == 2
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
            assert len(value) == length
        found[tag >> 3] = value
    return found


class Reader:
    """Takes one connection after another, and keeps the events. `asleep`: it accepts, and never reads on."""

    def __init__(self, path, asleep=False):
        self.path, self.asleep, self.events, self.finished = path, asleep, [], 0
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(1)
        self.connections = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                c = self.listener.accept()[0]
            except OSError:
                return
            self.connections.append(c)
            try:
                self.session(c.makefile("rb"), c)
            except (OSError, EOFError):
                pass

    def session(self, f, c):
        assert self.frame(f) == (READY, True)
        c.sendall(control(ACCEPT, True))
        assert self.frame(f) == (START, True)
        while not self.asleep:
            frame = self.frame(f)
            if frame == (STOP, False):
                c.sendall(control(FINISH))
                self.finished += 1
                return
            assert isinstance(frame, bytes), frame
            self.events.append(frame)

    def frame(self, f):
        def read(n):
            got = f.read(n)
            if len(got) < n:
                raise EOFError
            return got
        length = struct.unpack("!I", read(4))[0]
        if length:
            return read(length)
        body = read(struct.unpack("!I", read(4))[0])
        return struct.unpack("!I", body[:4])[0], body[12:] == CONTENT

    def close(self):
        self.listener.close()
        for c in self.connections:
            try:
                c.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            c.close()
        os.unlink(self.path)


def until(what, within_s=20):
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def serve(workdir, start, free_port):
    for folder in ("state", "run"):
        os.makedirs(os.path.join(workdir, folder))
    with open(os.path.join(workdir, "ip4"), "w", encoding="utf-8") as f:
        f.write(DATA)
    port = free_port()

    def run(sample=1):
        daemon = start("sekisho-dnsd", f"""
state-dir = "{workdir}/state"
run-dir = "{workdir}/run"
dnsd {{
	user = ""
	listen = {{"127.0.0.1:{port}"}}
	workers = 1
	nsid = "ns1"
	dnstap = "{workdir}/tap"
	dnstap-sample = {sample}
	zone "files.example" {{ data = {{"ip4set:{workdir}/ip4"}} }}
}}
""")
        daemon.port, daemon.tap = port, f"{workdir}/tap"
        return daemon

    return run


def connected(daemon, times=1):
    return until(lambda: daemon.log().count("state=connected") >= times)


def test_events(serve, workdir):
    reader = Reader(f"{workdir}/tap")
    daemon = serve()
    assert connected(daemon)
    q = dns.message.make_query("1.2.0.192.files.example", "TXT")
    started = time.time()
    udp = dns.query.udp(q, "127.0.0.1", 5, daemon.port, source_port=0)
    tcp = dns.query.tcp(q, "127.0.0.1", 5, daemon.port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", daemon.port))
        s.send(b"no DNS")
        port = s.getsockname()[1]
        assert until(lambda: len(reader.events) == 3)
    events = [fields(e) for e in reader.events]
    for e in events:
        assert e[1] == b"ns1" and e[2].startswith(b"sekisho ") and e[15] == 1
    of = {(m[3], m[1]): m for m in (fields(e[14]) for e in events)}
    for protocol, reply in ((1, udp), (2, tcp)):
        m = of[protocol, 2]
        assert m[2] == 1 and m[4] == socket.inet_aton("127.0.0.1") and m[6] > 0
        assert m[14] == q.to_wire() and dns.message.from_wire(m[18]) == reply
        assert started - 1 < m[12] < started + 30 and m[13] < 10 ** 9
        assert (m[12], m[13]) == (m[16], m[17])
    nothing = of[1, 1]
    assert nothing[14] == b"no DNS" and nothing[6] == port and 18 not in nothing
    assert daemon.stop() == 0 and reader.finished == 1
    reader.close()


def test_reader_comes_and_goes(serve, workdir):
    daemon = serve()
    assert until(lambda: "state=waiting" in daemon.log())
    q = dns.message.make_query("1.2.0.192.files.example", "A")
    for times in (1, 2):
        reader = Reader(f"{workdir}/tap")
        assert connected(daemon, times)
        dns.query.udp(q, "127.0.0.1", 5, daemon.port)
        assert until(lambda r=reader: len(r.events) > 0)
        reader.close()

        def lost():
            dns.query.udp(q, "127.0.0.1", 5, daemon.port)
            return daemon.log().count("state=lost") == times  # pylint: disable=cell-var-from-loop
        assert until(lost)
    assert daemon.stop() == 0


def test_a_reader_that_does_not_read(serve, workdir):
    """Answers go on, and so does the end."""
    reader = Reader(f"{workdir}/tap", asleep=True)
    daemon = serve()
    assert connected(daemon)
    q = dns.message.make_query("1.2.0.192.files.example", "TXT", use_edns=0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", daemon.port))
        s.settimeout(5)
        for i in range(12000):
            s.send(struct.pack("!H", i) + q.to_wire()[2:])
            assert s.recv(4096)[:2] == struct.pack("!H", i)
    assert daemon.stop() == 0
    reader.close()


def test_one_in_so_many(serve, workdir):
    reader = Reader(f"{workdir}/tap")
    daemon = serve(sample=20)
    assert connected(daemon)
    q = dns.message.make_query("1.2.0.192.files.example", "A").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", daemon.port))
        s.settimeout(5)
        for _ in range(4000):
            s.send(q)
            s.recv(4096)
    assert daemon.stop() == 0 and reader.finished == 1
    assert 120 < len(reader.events) < 300  # 200 expected; eight standard deviations and more
    reader.close()


def test_fstrm_capture(serve, workdir):
    path = os.path.join(workdir, "events")
    capture = subprocess.Popen([tool("fstrm_capture"), "-t", CONTENT.decode(), "-u", f"{workdir}/tap", "-w", path],
        stderr=subprocess.DEVNULL)
    try:
        assert until(lambda: os.path.exists(f"{workdir}/tap"))
        daemon = serve()
        assert connected(daemon)
        q = dns.message.make_query("1.2.0.192.files.example", "A")
        for _ in range(10):
            dns.query.udp(q, "127.0.0.1", 5, daemon.port)
        assert daemon.stop() == 0
    finally:
        capture.terminate()
        capture.wait()
    with open(path, "rb") as f:
        kept = f.read()
    assert kept.count(q.to_wire()) == 10
