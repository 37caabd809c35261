"""sekisho-dnsd answering past the network stack (AF_XDP): two network namespaces of the test's own, a veth pair
between them, the server on one side and questions from the other."""
import contextlib
import ctypes
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import dns.message
import pytest

from conftest import program, tool

ADDRESSES = ["10.53.0.1", "fd53::1"]
UNHEARD = "10.53.0.3"  # an address of the server that it does not listen on
DATA = """$SOA 1h ns1.files.example hostmaster.files.example 7 10m 5m 1w 5m
$NS 1h ns1.files.example
$TTL 600
:127.0.0.2:Listed $
192.0.2.0/28
"""
CLONE_NEWNET = 0x40000000
AF_XDP = 44
ETH_P_ALL, SOL_PACKET, PACKET_AUXDATA = 3, 263, 8


@contextlib.contextmanager
def inside(namespace):
    """What this thread opens in the block is opened in that network namespace, and stays there."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open("/run/netns/" + namespace, os.O_RDONLY)
    try:
        assert libc.setns(there, CLONE_NEWNET) == 0
        yield
    finally:
        assert libc.setns(home, CLONE_NEWNET) == 0
        os.close(home)
        os.close(there)


class Wire:
    """Server and client namespaces and the veth pair between them."""

    def __init__(self):
        self.ip = tool("ip")
        self.server, self.client = f"sekisho{os.getpid()}s", f"sekisho{os.getpid()}c"

    def run(self, *args):
        return subprocess.run([self.ip, *args], capture_output=True, text=True, check=False)

    def lay(self):
        for command in [
            f"netns add {self.server}", f"netns add {self.client}",
            f"-n {self.server} link add vs type veth peer name vc netns {self.client}",
            f"-n {self.server} addr add {ADDRESSES[0]}/24 dev vs", f"-n {self.server} addr add {UNHEARD}/24 dev vs",
            f"-n {self.server} addr add {ADDRESSES[1]}/64 dev vs nodad",
            f"-n {self.client} addr add 10.53.0.2/24 dev vc", f"-n {self.client} addr add fd53::2/64 dev vc nodad",
            f"-n {self.server} link set lo up", f"-n {self.server} link set vs up", f"-n {self.client} link set vc up",
        ]:
            done = self.run(*command.split())
            if done.returncode != 0:
                pytest.skip(f"no network namespaces or veth pairs here: ip {command}: {done.stderr.strip()}")

    def tear(self):
        for namespace in (self.server, self.client):
            self.run("netns", "del", namespace)

    def filtered(self):
        return "prog/xdp" in self.run("-n", self.server, "link", "show", "vs").stdout

    def socket(self, namespace, address, kind=socket.SOCK_DGRAM):
        with inside(namespace):
            s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
        s.settimeout(5)
        return s

    def raw(self, namespace, address, packet):
        """The reply to these bytes, asked from that namespace: the server's own goes over loopback, so to the
        sockets, the other over the wire."""
        with self.socket(namespace, address) as s:
            s.connect((address, 53))
            s.send(packet)
            return s.recv(65535)


@pytest.fixture
def wire():
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    try:
        socket.socket(AF_XDP, socket.SOCK_RAW).close()
    except OSError as e:
        pytest.skip(f"this kernel gives no AF_XDP socket: {e}")
    w = Wire()
    try:
        w.lay()
        yield w
    finally:
        w.tear()


@pytest.fixture
def serve(wire, workdir, start):
    for folder in ("state", "run"):
        os.makedirs(os.path.join(workdir, folder))
    with open(os.path.join(workdir, "ip4"), "w", encoding="utf-8") as f:
        f.write(DATA)
    path = os.path.join(workdir, "xdp.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"""
state-dir = "{workdir}/state"
run-dir = "{workdir}/run"
dnsd {{
	user = ""
	listen = {{"{ADDRESSES[0]}:53", "[{ADDRESSES[1]}]:53"}}
	workers = 1
	xdp = {{"vs"}}
	zone "files.example" {{ data = {{"ip4set:{workdir}/ip4"}} }}
}}
""")

    def run(ready=True):
        args = ["netns", "exec", wire.server, program("sekisho-dnsd"), "--config", path]
        daemon = start(wire.ip, args=args, ready=False)
        for _ in range(1000):
            if "dnsd.ready" in daemon.log() or not daemon.running():
                break
            time.sleep(0.01)
        refused = re.search(r"xdp: vs: (.*(refuses|attach|AF_XDP).*not permitted.*)", daemon.log())
        if refused:
            pytest.skip("the kernel refuses: " + refused.group(1))
        assert daemon.running() == ready, daemon.log()
        return daemon

    return run


def counted(daemon):
    """{transport: queries} as SIGUSR1 has them logged."""
    before = daemon.log().count("transport=xdp")
    os.kill(daemon.pid, signal.SIGUSR1)
    for _ in range(1000):
        if daemon.log().count("transport=xdp") > before:
            return {t: int(n) for t, n in re.findall(r"transport=(\w+) queries=(\d+)", daemon.log())}
        time.sleep(0.01)
    pytest.fail("no counters in the log\n" + daemon.log())


def packets():
    """Questions of many kinds, and messages that are none but get an answer."""
    made = []
    for name in ("1.2.0.192.files.example", "16.2.0.192.files.example", "FILES.example", "x.files.example", "other.example"):
        for rdtype in ("A", "TXT", "SOA", "NS", "ANY", "AAAA"):
            made.append(dns.message.make_query(name, rdtype, id=len(made)))
            made.append(dns.message.make_query(name, rdtype, id=len(made), use_edns=0, payload=4096))
    wires = [q.to_wire() for q in made]
    bad = bytearray(wires[0])
    bad[5] = 2  # two questions
    update = bytearray(wires[0])
    update[2] |= 5 << 3
    return wires + [bytes(bad), bytes(update), wires[0][:20]]


@pytest.mark.parametrize("address", ADDRESSES)
def test_answers_are_those_of_the_sockets(wire, serve, address):
    daemon = serve()
    assert "interface=vs" in daemon.log() and wire.filtered()
    asked = packets()
    for packet in asked:
        assert wire.raw(wire.client, address, packet) == wire.raw(wire.server, address, packet), packet
    counts = counted(daemon)
    assert counts["xdp"] == len(asked) and counts["udp"] == len(asked)
    reply = dns.message.from_wire(wire.raw(wire.client, address, asked[2]))
    assert reply.answer[0].to_text() == '1.2.0.192.files.example. 600 IN TXT "Listed 192.0.2.1"'


def test_the_stack_gets_the_rest(wire, serve):
    """TCP, IP options, other ports and addresses that are not listened on."""
    daemon = serve()
    packet = dns.message.make_query("1.2.0.192.files.example", "A").to_wire()
    with wire.socket(wire.client, ADDRESSES[0]) as s:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"\x01\x01\x01\x01")
        s.sendto(packet, (ADDRESSES[0], 53))
        assert s.recv(4096)[:2] == packet[:2]
    with wire.socket(wire.client, ADDRESSES[1]) as s:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, b"\x00\x00\x01\x04\x00\x00\x00\x00")
        s.sendto(packet, (ADDRESSES[1], 53))
        assert s.recv(4096)[:2] == packet[:2]
    with wire.socket(wire.client, ADDRESSES[0], socket.SOCK_STREAM) as s:
        s.connect((ADDRESSES[0], 53))
        s.sendall(len(packet).to_bytes(2, "big") + packet)
        assert s.recv(4096)[2:4] == packet[:2]
    for address, port in ((UNHEARD, 53), (ADDRESSES[0], 54)):
        with wire.socket(wire.client, address) as s:
            s.connect((address, port))
            s.send(packet)
            with pytest.raises(ConnectionRefusedError):
                s.recv(4096)
    assert counted(daemon) == {"udp": 2, "tcp": 1, "xdp": 0}


def test_nothing_stays_behind(wire, serve):
    """The filter goes with the process, also when it is killed, and a new one starts."""
    packet = packets()[0]
    for end in ("kill", "stop", "kill"):
        daemon = serve()
        assert wire.filtered()
        assert wire.raw(wire.client, ADDRESSES[0], packet)[:2] == packet[:2]
        assert counted(daemon)["xdp"] == 1
        getattr(daemon, end)()
        for _ in range(200):
            if not wire.filtered():
                break
            time.sleep(0.01)
        assert not wire.filtered()


def test_two_on_one_interface(wire, serve):
    first = serve()
    second = serve(ready=False)
    assert "dnsd: xdp: vs: " in second.log() and "another XDP program" in second.log()
    assert first.running() and wire.filtered()


def test_every_question_of_a_crowd(wire, serve):
    """Several clients at once, more questions than a batch and than the rings hold."""
    daemon = serve()
    rounds, burst = 60, 100

    def ask(address, wrong):
        with wire.socket(wire.client, address) as s:
            s.connect((address, 53))
            for r in range(rounds):
                for i in range(burst):
                    q = dns.message.make_query(f"{i % 32}.2.0.192.files.example", "A", id=r * burst + i)
                    s.send(q.to_wire())
                got = {}
                for _ in range(burst):
                    reply = s.recv(4096)
                    got[int.from_bytes(reply[:2], "big")] = reply[3] & 15, reply[7]
                wrong += [i for i in range(burst) if got.get(r * burst + i) != ((0, 1) if i % 32 < 16 else (3, 0))]

    wrong = []
    threads = [threading.Thread(target=ask, args=(a, wrong)) for a in ADDRESSES * 2]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
    assert counted(daemon)["xdp"] == len(threads) * rounds * burst


def test_vlan(wire, serve):
    """A tag that is in the frame comes back in the answer."""
    daemon = serve()
    question = dns.message.make_query("1.2.0.192.files.example", "A").to_wire()
    with inside(wire.client):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    macs = [bytes.fromhex(re.search(r"link/ether ([0-9a-f:]+)", wire.run("-n", namespace, "link", "show", end).stdout)
        .group(1).replace(":", "")) for namespace, end in ((wire.server, "vs"), (wire.client, "vc"))]
    udp = struct.pack("!HHHH", 4053, 53, 8 + len(question), 0) + question
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 9, 17, 0, socket.inet_aton("10.53.0.2"),
        socket.inet_aton(ADDRESSES[0])) + udp
    with s:
        s.bind(("vc", 0))
        s.settimeout(5)
        s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        s.send(b"".join(macs) + struct.pack("!HHH", 0x8100, 0x6007, 0x0800) + ip)
        while True:
            frame, about, _, _ = s.recvmsg(2048, 256)
            if frame[34:38] == struct.pack("!HH", 53, 4053):
                break
    tag = struct.unpack("IIIHHHH", about[0][2][:20])[5]
    assert tag == 0x6007
    assert dns.message.from_wire(frame[42:]).answer[0].to_text() == "1.2.0.192.files.example. 600 IN A 127.0.0.2"
    assert counted(daemon)["xdp"] == 1
