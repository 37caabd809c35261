"""sekisho-dnsd on loopback, asked by dnspython and dig: RFC 5782's points, transports, what listd publishes,
changed files under load, and messages that are none."""
import gzip
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.reversename
import pytest

from conftest import program, tool

HEAD = "$SOA 1h ns1.files.example hostmaster.files.example 7 10m 5m 1w 5m\n$NS 1h ns1.files.example\n$TTL 600\n"


class Server:
    """A configuration with two lists of a site and one zone of files, and how to ask it."""

    def __init__(self, workdir, port, more="", files="ip4set:{dir}/ip4"):
        self.dir, self.port = workdir, port
        self.publish = os.path.join(workdir, "state", "publish")
        os.makedirs(self.publish, exist_ok=True)
        os.makedirs(os.path.join(workdir, "run"), exist_ok=True)
        self.data = os.path.join(workdir, "ip4")
        self.write_data([":127.0.0.2:Listed $", "192.0.2.1"])
        self.conf = f"""
state-dir = "{workdir}/state"
run-dir = "{workdir}/run"
list "bad" {{
	zone = "bl.site.example"
	title = "Bad hosts"
	code = "127.0.0.4"
	text = "$ is bad"
	ttl = "5m"
	negative-ttl = "1m"
}}
list "dom" {{
	zone = "dbl.site.example"
	kind = "domain"
	title = "Bad domains"
	code = "127.0.1.2"
	text = "$ is bad"
}}
listd {{
	user = ""
	snapshot-interval = "1s"
}}
dnsd {{
	user = ""
	listen = {{"127.0.0.1:{port}"}}
	workers = 2
	nameservers = {{"ns1.site.example", "ns2.site.example"}}
	hostmaster = "hostmaster.site.example"
	check-interval = "1s"
	zone "files.example" {{ data = {{"{files.format(dir=workdir)}"}} }}
	{more}
}}
"""

    def write_data(self, lines, head=HEAD):
        replace(self.data, (head + "\n".join(lines) + "\n").encode())

    def ask(self, name, rdtype="A", tcp=False, timeout=5, **more):
        q = dns.message.make_query(name, rdtype, **more)
        q.flags &= ~dns.flags.RD
        send = dns.query.tcp if tcp else dns.query.udp
        return send(q, "127.0.0.1", timeout, self.port)

    def raw(self, packet, timeout=2):
        """The reply to these bytes over UDP; None when there is none."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(timeout)
            s.connect(("127.0.0.1", self.port))
            s.send(packet)
            try:
                return s.recv(65535)
            except socket.timeout:
                return None


def replace(path, content):
    with open(path + ".new", "wb") as f:
        f.write(content)
    os.rename(path + ".new", path)


def records(reply, section="answer"):
    """[(type, ttl, text)] in the order received."""
    return [(dns.rdatatype.to_text(rrset.rdtype), rrset.ttl, rdata.to_text())
        for rrset in getattr(reply, section) for rdata in rrset]


def texts(reply):
    return [text for _, _, text in records(reply)]


def until(what, within_s=30):
    """Whether it comes true: the time is for the slowest of machines, and asserts nothing."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.005)
    return False


def mapped(last):
    return ".".join(reversed(f"00000000000000000000ffff7f00000{last}"))


@pytest.fixture
def server(workdir, free_port):
    return Server(workdir, free_port())


@pytest.fixture
def dnsd(server, start):
    return start("sekisho-dnsd", server.conf)


# ---- what RFC 5782 wants, before anything was published ----

@pytest.mark.parametrize("tcp", [False, True])
def test_rfc5782_points(server, dnsd, tcp):
    for name in ("2.0.0.127", "4.0.0.127", mapped(2)):
        reply = server.ask(name + ".bl.site.example", tcp=tcp)
        assert records(reply) == [("A", 300, "127.0.0.4")], name
        assert reply.flags & dns.flags.AA
        assert texts(server.ask(name + ".bl.site.example", "TXT", tcp=tcp)) == [
            '"127.0.0.%s is bad"' % ("4" if name[0] == "4" else "2")]
    for name in ("1.0.0.127", mapped(1), "1.2.0.192"):
        for rdtype in ("A", "TXT"):
            reply = server.ask(name + ".bl.site.example", rdtype, tcp=tcp)
            assert reply.rcode() == dns.rcode.NXDOMAIN and not reply.answer
            [(rdtype_got, ttl, soa)] = records(reply, "authority")
            assert rdtype_got == "SOA" and ttl == 60 and soa.startswith("ns1.site.example. hostmaster.site.example. ")
    assert texts(server.ask("TEST.dbl.site.example", tcp=tcp)) == ["127.0.1.2"]
    assert texts(server.ask("test.dbl.site.example", "TXT", tcp=tcp)) == ['"test is bad"']
    assert server.ask("INVALID.dbl.site.example", tcp=tcp).rcode() == dns.rcode.NXDOMAIN
    # files say what they say: no test entries of ours
    assert server.ask("2.0.0.127.files.example", tcp=tcp).rcode() == dns.rcode.NXDOMAIN


def test_types_and_zones(server, dnsd):
    listed = "2.0.0.127.bl.site.example"
    for rdtype in ("AAAA", "MX", "NS", "CNAME"):
        reply = server.ask(listed, rdtype)
        assert reply.rcode() == dns.rcode.NOERROR and not reply.answer and reply.authority, rdtype
    assert records(server.ask(listed, "ANY")) == [("A", 300, "127.0.0.4")]
    assert server.ask("0.0.127.bl.site.example", "NS").rcode() == dns.rcode.NOERROR
    assert texts(server.ask("bl.site.example", "NS")) == ["ns1.site.example.", "ns2.site.example."]
    assert len(texts(server.ask("bl.site.example", "SOA"))) == 1
    for name in ("site.example", "example.com", "."):
        reply = server.ask(name)
        assert reply.rcode() == dns.rcode.REFUSED and not reply.flags & dns.flags.AA
    assert server.ask("bl.site.example", "AXFR", tcp=True).rcode() == dns.rcode.REFUSED
    assert records(server.ask("1.2.0.192.files.example", "ANY")) == [
        ("A", 600, "127.0.0.2"), ("TXT", 600, '"Listed 192.0.2.1"')]


def test_dig_agrees(server, dnsd):
    def dig(*args):
        return subprocess.run([tool("dig"), "@127.0.0.1", "-p", str(server.port), "+norec", "+time=5", *args],
            capture_output=True, text=True, timeout=30).stdout

    assert dig("+short", "2.0.0.127.bl.site.example").split() == ["127.0.0.4"]
    assert dig("+short", "+tcp", "TXT", "2.0.0.127.bl.site.example") == '"127.0.0.2 is bad"\n'
    out = dig("1.0.0.127.bl.site.example")
    assert "status: NXDOMAIN" in out and "EDNS: version: 0" in out and "WARNING" not in out
    assert "status: BADVERS" in dig("+edns=1", "+noednsneg", "2.0.0.127.bl.site.example")
    assert "status: NOTIMP" in dig("+opcode=5", "bl.site.example")
    assert "status: REFUSED" in dig("-c", "CH", "-t", "TXT", "version.bind")


# ---- sizes and transports ----

def many_values(server):
    server.write_data([f"10.0.0.1 :127.0.0.{i}:{i} {'x' * 200}" for i in range(2, 18)])


def test_truncation_and_tcp(server, start):
    many_values(server)
    start("sekisho-dnsd", server.conf)
    name = "1.0.0.10.files.example"
    for more, limit in (({}, 512), ({"use_edns": 0, "payload": 1232}, 1232), ({"use_edns": 0, "payload": 4096}, 1232),
            ({"use_edns": 0, "payload": 100}, 512)):
        q = dns.message.make_query(name, "TXT", **more)
        reply = server.raw(q.to_wire())
        assert limit / 3 < len(reply) <= limit
        parsed = dns.message.from_wire(reply)
        assert parsed.flags & dns.flags.TC
        assert (parsed.edns == 0) == ("use_edns" in more)
    assert len(texts(server.ask(name, "TXT", tcp=True))) == 16
    reply, by_tcp = dns.query.udp_with_fallback(dns.message.make_query(name, "TXT"), "127.0.0.1", 5, server.port)
    assert by_tcp and len(texts(reply)) == 16
    assert texts(server.ask(name, "A")) == [f"127.0.0.{i}" for i in range(2, 18)]


def test_edns_flags(server, dnsd):
    reply = server.ask("2.0.0.127.bl.site.example", use_edns=0, payload=1232, want_dnssec=True)
    assert reply.edns == 0 and reply.payload == 1232 and reply.ednsflags & dns.flags.DO
    assert server.ask("2.0.0.127.bl.site.example").edns == -1


def tcp_connection(server):
    s = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    return s


def read_exactly(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_reply(s):
    return dns.message.from_wire(read_exactly(s, struct.unpack("!H", read_exactly(s, 2))[0]))


def framed(name, rdtype="A", id=None):
    q = dns.message.make_query(name, rdtype)
    if id is not None:
        q.id = id
    wire = q.to_wire()
    return struct.pack("!H", len(wire)) + wire


def test_tcp_pipelining_and_pieces(server, start):
    many_values(server)
    start("sekisho-dnsd", server.conf)
    with tcp_connection(server) as s:
        # 2000 questions without reading: 8 MB of answers; the server must stop reading, not give up
        wire = b"".join(framed("1.0.0.10.files.example", "TXT", id=i) for i in range(2000))
        sender = threading.Thread(target=s.sendall, args=(wire,))
        sender.start()
        time.sleep(0.3)
        for i in range(2000):
            reply = read_reply(s)
            assert reply.id == i and len(texts(reply)) == 16
        sender.join()
        for byte in framed("1.0.0.10.files.example", id=77):
            s.sendall(bytes([byte]))
        assert read_reply(s).id == 77
        s.sendall(framed("1.0.0.10.files.example", id=78))
        s.shutdown(socket.SHUT_WR)
        assert read_reply(s).id == 78
        assert s.recv(1) == b""


def test_tcp_limits(workdir, free_port, start):
    server = Server(workdir, free_port(), more='tcp-sessions = 3\n\ttcp-idle = "1s"')
    start("sekisho-dnsd", server.conf)
    with tcp_connection(server) as s:
        began = time.monotonic()
        s.sendall(b"\0")  # half a length is no question
        assert s.recv(1) == b""
        assert 0.5 < time.monotonic() - began < 5
    first = [tcp_connection(server) for _ in range(3)]
    for s in first:
        s.sendall(framed("2.0.0.127.bl.site.example"))
        read_reply(s)
    with tcp_connection(server) as s:  # the fourth is served, the one that spoke first goes
        s.sendall(framed("2.0.0.127.bl.site.example"))
        assert texts(read_reply(s)) == ["127.0.0.4"]
    assert first[0].recv(1) == b""
    first[2].sendall(framed("2.0.0.127.bl.site.example"))
    assert texts(read_reply(first[2])) == ["127.0.0.4"]
    for s in first:
        s.close()


def test_more_sessions_than_files(server, start, workdir):
    """Where the system gives fewer open files than sessions are configured, the newest are served."""
    conf = os.path.join(workdir, "few.conf")
    with open(conf, "w") as f:
        f.write(server.conf)
    dnsd = start("/bin/sh", args=["-c", f"ulimit -n 100; exec {program('sekisho-dnsd')} --config {conf}"])
    sessions = []
    for _ in range(200):
        s = tcp_connection(server)
        s.sendall(framed("2.0.0.127.bl.site.example"))
        assert texts(read_reply(s)) == ["127.0.0.4"]
        sessions.append(s)
    assert "dnsd.limit" in dnsd.log()
    for s in sessions:
        s.close()


# ---- messages that are none ----

ID = b"\x12\x34"
NAME = b"\x02bl\x04site\x07example\x00"
ONE = b"\0\1\0\0\0\0\0\0"
SOA_IN = b"\0\6\0\1"


@pytest.mark.parametrize("label, packet, rcode", [
    ("empty", b"", None),
    ("eleven bytes", ID + b"\1\0" + ONE[:7], None),
    ("a reply", ID + b"\x80\0" + ONE + NAME + SOA_IN, None),
    ("header alone", ID + b"\1\0" + ONE, 1),
    ("no question", ID + b"\1\0" + b"\0" * 8, 1),
    ("two questions", ID + b"\1\0\0\2\0\0\0\0\0\0" + (NAME + SOA_IN) * 2, 1),
    ("pointer to itself", ID + b"\1\0" + ONE + b"\xc0\x0c" + SOA_IN, 1),
    ("label too long", ID + b"\1\0" + ONE + b"\x40" + b"a" * 64 + b"\0" + SOA_IN, 1),
    ("name too long", ID + b"\1\0" + ONE + b"\x3f" + b"a" * 63 + (b"\x3f" + b"a" * 63) * 3 + b"\0" + SOA_IN, 1),
    ("cut in the name", ID + b"\1\0" + ONE + NAME[:5], 1),
    ("cut in the type", ID + b"\1\0" + ONE + NAME + b"\0", 1),
    ("garbage behind", ID + b"\1\0" + ONE + NAME + SOA_IN + b"garbage", 1),
    ("two OPT", ID + b"\1\0\0\1\0\0\0\0\0\2" + NAME + SOA_IN + b"\0\0\x29\x10\0\0\0\0\0\0\0" * 2, 1),
    ("longer than a frame", ID + b"\1\0" + ONE + NAME + SOA_IN + b"x" * 3000, 1),
    ("update", ID + b"\x28\0" + ONE + NAME + SOA_IN, 4),
    ("good", ID + b"\1\0" + ONE + NAME + SOA_IN, 0),
])
def test_malformed(server, dnsd, label, packet, rcode):
    reply = server.raw(packet, timeout=0.5 if rcode is None else 5)
    if rcode is None:
        assert reply is None
    else:
        assert reply[:2] == ID and reply[2] & 0x80 and reply[3] & 15 == rcode
    assert texts(server.ask("2.0.0.127.bl.site.example")) == ["127.0.0.4"]


def test_random_bytes(server, dnsd):
    rng = random.Random(5782)
    good = dns.message.make_query("2.0.0.127.bl.site.example", "TXT", use_edns=0).to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", server.port))
        for _ in range(3000):
            packet = bytearray(good)
            for _ in range(rng.randrange(1, 8)):
                packet[rng.randrange(len(packet))] = rng.randrange(256)
            s.send(bytes(packet[:rng.randrange(len(packet) + 1)]))
    with tcp_connection(server) as s:
        s.sendall(struct.pack("!H", 40) + bytes(rng.randrange(256) for _ in range(40)))
    assert texts(server.ask("2.0.0.127.bl.site.example")) == ["127.0.0.4"]
    assert dnsd.running()


def test_case_is_echoed(server, dnsd):
    name = "2.0.0.127.bL.SiTe.eXaMpLe"
    reply = server.raw(dns.message.make_query(name, "A").to_wire())
    assert b"\x02bL\x04SiTe\x07eXaMpLe\x00" in reply


# ---- files that change ----

@pytest.mark.parametrize("told", [False, True], ids=["by itself", "on SIGHUP"])
def test_file_changes_are_seen(server, start, told):
    dnsd = start("sekisho-dnsd", server.conf.replace('check-interval = "1s"', 'check-interval = "1h"' if told else 'check-interval = "1s"'))
    assert texts(server.ask("1.2.0.192.files.example")) == ["127.0.0.2"]
    server.write_data([":127.0.0.9:", "192.0.2.1"])
    if told:
        os.kill(dnsd.pid, signal.SIGHUP)
    assert until(lambda: texts(server.ask("1.2.0.192.files.example")) == ["127.0.0.9"])


def test_bad_file_keeps_the_old(workdir, free_port, start):
    server = Server(workdir, free_port(), files="combined:{dir}/ip4")
    server.write_data(["$DATASET ip4set @", "192.0.2.1"])
    dnsd = start("sekisho-dnsd", server.conf)
    for bad in ("192.0.2.9\n", "$DATASET nonsense @\n192.0.2.9\n", None):
        if bad is None:
            os.unlink(server.data)
        else:
            replace(server.data, bad.encode())
        before = dnsd.log().count("kept=old")
        os.kill(dnsd.pid, signal.SIGHUP)
        assert until(lambda: dnsd.log().count("kept=old") > before)
        assert texts(server.ask("1.2.0.192.files.example")) == ["127.0.0.2"]
    assert f"{server.data}:1: " in dnsd.log()
    server.write_data(["$DATASET ip4set @", "192.0.2.9"])
    assert until(lambda: texts(server.ask("9.2.0.192.files.example")) == ["127.0.0.2"])
    assert server.ask("1.2.0.192.files.example").rcode() == dns.rcode.NXDOMAIN


def test_gzip_and_links(workdir, free_port, start):
    """rbldnsd reads gzip'd files; a symbolic link may lead to another folder."""
    server = Server(workdir, free_port())
    os.makedirs(os.path.join(workdir, "elsewhere"))
    target = os.path.join(workdir, "elsewhere", "data")
    packed = gzip.compress(b":127.0.0.5:packed $\n") + gzip.compress(b"192.0.2.1\n")  # two members
    replace(target, packed)
    os.unlink(server.data)
    os.symlink(target, server.data)
    dnsd = start("sekisho-dnsd", server.conf)
    assert texts(server.ask("1.2.0.192.files.example", "TXT")) == ['"packed 192.0.2.1"']
    for bad in (packed[:-3], packed[:30] + b"x" + packed[31:], b"\x1f\x8b"):
        before = dnsd.log().count("kept=old")
        replace(target, bad)
        os.kill(dnsd.pid, signal.SIGHUP)
        assert until(lambda: dnsd.log().count("kept=old") > before)
    assert texts(server.ask("1.2.0.192.files.example", "TXT")) == ['"packed 192.0.2.1"']


def test_unreadable_file_breaks_only_its_zone(workdir, free_port, start):
    server = Server(workdir, free_port(), more=f'zone "none.example" {{ data = {{"ip4set:{workdir}/none"}} }}')
    start("sekisho-dnsd", server.conf)
    assert server.ask("1.2.3.4.none.example").rcode() == dns.rcode.SERVFAIL
    assert texts(server.ask("1.2.0.192.files.example")) == ["127.0.0.2"]
    replace(os.path.join(workdir, "none"), b"4.3.2.1\n")
    assert until(lambda: texts(server.ask("1.2.3.4.none.example")) == ["127.0.0.2"])


def test_no_question_is_lost_during_reloads(server, start):
    """Data of 200,000 entries changes again and again under load: every question gets its answer, and
    none another answer than the old data or the new."""
    def write(generation):
        lines = [f":127.0.0.{generation}:"]
        lines += ["10.%d.%d.%d" % (i >> 16, i >> 8 & 255, i & 255) for i in range(200000)]
        server.write_data(lines)

    write(2)
    dnsd = start("sekisho-dnsd", server.conf)
    stop = threading.Event()
    problems, counts = [], []

    def load(seed):
        rng, count = random.Random(seed), 0
        names = ["7.6.%d.10.files.example" % (i % 3) for i in range(64)]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.connect(("127.0.0.1", server.port))
            while not stop.is_set():
                wanted = {}
                for name in rng.sample(names, 16):
                    q = dns.message.make_query(name, "A")
                    q.id = rng.randrange(65536)
                    wanted[q.id] = name
                    s.send(q.to_wire())
                for _ in range(len(wanted)):
                    try:
                        reply = s.recv(4096)
                    except socket.timeout:
                        problems.append(f"lost one of {wanted}")
                        return
                    wanted.pop(struct.unpack("!H", reply[:2])[0], None)
                    if reply[3] & 15 or reply[-4:-1] != b"\x7f\0\0":
                        problems.append(reply)
                    count += 1
        counts.append(count)

    threads = [threading.Thread(target=load, args=(seed,)) for seed in range(2)]
    for t in threads:
        t.start()
    for generation in range(3, 13):
        write(generation)
        os.kill(dnsd.pid, signal.SIGHUP)
        assert until(lambda: texts(server.ask("7.6.1.10.files.example")) == [f"127.0.0.{generation}"])
    stop.set()
    for t in threads:
        t.join()
    assert not problems, problems[:3]
    assert sum(counts) > 500
    os.kill(dnsd.pid, signal.SIGUSR1)
    assert until(lambda: "dnsd.stats" in dnsd.log())
    assert dnsd.stop() == 0


# ---- what listd publishes ----

@pytest.fixture
def site(server, start, sekisho):
    """Both daemons on one configuration; list(...) is `sekisho list ...`."""
    conf = os.path.join(server.dir, "sekisho.conf")
    with open(conf, "w") as f:
        f.write(server.conf)
    dnsd = start("sekisho-dnsd", conf)
    listd = start("sekisho-listd", conf)

    def run(*args):
        done = sekisho("list", *args, "--config", conf)
        assert done.returncode == 0, done.stderr
        return done

    server.list, server.dnsd, server.listd = run, dnsd, listd
    return server


def test_listing_and_removal_show_at_once(site):
    def ask(name="9.100.9.45.bl.site.example"):
        return texts(site.ask(name))

    site.list("add", "45.9.100.9", "2a00:db8:1::/64", "--list", "bad", "--reason", "test", "--expires", "1d")
    assert until(lambda: ask() == ["127.0.0.4"])
    assert texts(site.ask("9.100.9.45.bl.site.example", "TXT")) == ['"45.9.100.9 is bad"']
    inside = ".".join(reversed("2a000db8000100000000000000000077"))
    assert until(lambda: texts(site.ask(inside + ".bl.site.example", "TXT")) == ['"2a00:db8:1::77 is bad"'])
    serial = int(texts(site.ask("bl.site.example", "SOA"))[0].split()[2])
    site.list("add", "spam.example", "--list", "dom", "--reason", "test")
    assert until(lambda: ask("www.spam.example.dbl.site.example") == ["127.0.1.2"])
    site.list("remove", "45.9.100.9", "--list", "bad", "--reason", "test")
    assert until(lambda: site.ask("9.100.9.45.bl.site.example").rcode() == dns.rcode.NXDOMAIN)
    assert int(texts(site.ask("bl.site.example", "SOA"))[0].split()[2]) > serial


def test_expiry_needs_nobody(site):
    site.list("add", "45.9.100.7", "--list", "bad", "--reason", "test", "--expires", "8s")
    assert until(lambda: texts(site.ask("7.100.9.45.bl.site.example")) == ["127.0.0.4"])
    site.listd.kill()
    reply = site.ask("7.100.9.45.bl.site.example")
    assert reply.answer[0].ttl <= 9, "no cache keeps it longer than it lasts"
    assert until(lambda: site.ask("7.100.9.45.bl.site.example").rcode() == dns.rcode.NXDOMAIN)


def test_bad_snapshot_is_refused(site):
    def listed():
        return texts(site.ask("9.100.9.45.bl.site.example")) == ["127.0.0.4"]

    path = os.path.join(site.publish, "snapshot")
    site.list("add", "45.9.100.9", "--list", "bad", "--reason", "test")
    assert until(listed)
    # a snapshot that holds it, then only dnsd goes on
    assert until(lambda: not any(os.path.getsize(os.path.join(site.publish, f)) for f in os.listdir(site.publish)
        if f.startswith("changes-")) and len(os.listdir(site.publish)) == 2)
    site.listd.stop()
    assert listed()
    with open(path, "rb") as f:
        good = f.read()
    refused = site.dnsd.log().count("kept=old")
    bad = [good[:len(good) // 2], good[:-1], b"", b"x" * 4096, good + b"\0"]
    rng = random.Random(1)
    for _ in range(12):
        flipped = bytearray(good)
        flipped[rng.randrange(len(good))] ^= 1 << rng.randrange(8)
        bad.append(bytes(flipped))
    for content in bad:
        replace(path, content)
        refused += 1
        assert until(lambda: site.dnsd.log().count("kept=old") == refused), len(content)
        assert listed()
    taken = site.dnsd.log().count("entries=")
    replace(path, good)
    assert until(lambda: site.dnsd.log().count("entries=") > taken)
    assert listed()


def test_torn_and_damaged_log(site):
    site.list("add", "45.9.100.9", "--list", "bad", "--reason", "test")
    assert until(lambda: texts(site.ask("9.100.9.45.bl.site.example")) == ["127.0.0.4"])
    site.listd.kill()
    [log] = [f for f in os.listdir(site.publish) if f.startswith("changes-")][-1:]
    log = os.path.join(site.publish, log)
    with open(log, "ab") as f:
        f.write(b"\0\0\0\x20half")
    time.sleep(0.3)
    assert "dnsd.changes" not in site.dnsd.log(), "the rest may still come"
    with open(log, "ab") as f:
        f.write(b"\xff" * 64)
    assert until(lambda: "dnsd.changes" in site.dnsd.log())
    assert texts(site.ask("9.100.9.45.bl.site.example")) == ["127.0.0.4"]


def test_publish_folder_comes_later(server, start):
    shutil.rmtree(os.path.join(server.dir, "state"))
    os.makedirs(os.path.join(server.dir, "state"))
    conf = os.path.join(server.dir, "late.conf")
    with open(conf, "w") as f:
        f.write(server.conf)
    dnsd = start("sekisho-dnsd", conf)
    assert texts(server.ask("2.0.0.127.bl.site.example")) == ["127.0.0.4"]
    start("sekisho-listd", conf)
    assert until(lambda: "dnsd.snapshot" in dnsd.log())


# ---- the program ----

def test_command_line(workdir, start):
    def run(*args):
        daemon = start("sekisho-dnsd", args=list(args), ready=False)
        return daemon.process.wait(10), daemon.log()

    assert run("--version")[0] == 0
    status, out = run("--help")
    assert status == 0 and "--config" in out
    assert run("--nonsense")[0] == 2
    assert run("surplus")[0] == 2
    status, out = run("--config", os.path.join(workdir, "missing.conf"))
    assert status != 0 and "missing.conf" in out


def test_stops_on_sigterm_with_sessions_open(server, start):
    dnsd = start("sekisho-dnsd", server.conf)
    with tcp_connection(server):
        time.sleep(0.1)
        assert dnsd.stop() == 0
    assert "dnsd.stats" in dnsd.log()
