"""sekisho-dnsd while the world around it goes wrong: garbage in its files, a full disk, a clock that jumps,
SIGKILL, connections that stay, floods. Somebody asks all the time, and whatever he is told must be right."""
import os
import random
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import dns.edns
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from conftest import program, tool
from test_dnsd import Server, framed, read_reply, replace, server, site, texts, until  # noqa: F401 (fixtures)

LISTED, CLEAN = "9.100.9.45.bl.site.example", "10.100.9.45.bl.site.example"
FILED, UNFILED = "1.2.0.192.files.example", "2.2.0.192.files.example"
NOTHING = ()
RIGHT = {LISTED: [("127.0.0.4",)], CLEAN: [NOTHING], FILED: [("127.0.0.2",)], UNFILED: [NOTHING],
    "2.0.0.127.bl.site.example": [("127.0.0.4",)]}


class Questioner:
    """Asks these names in turn, over UDP and now and then over TCP, until told to stop. right: for each name
    the answers that are right, NXDOMAIN being (). away: the server may be gone for a while. tries: of five
    seconds each, or of `patience_s`, before a question counts as unanswered."""

    def __init__(self, port, right=None, away=False, tries=1, patience_s=5, tcp_every=50):
        self.port, self.right, self.away = port, dict(right or RIGHT), away
        self.tries, self.patience_s, self.tcp_every = tries, patience_s, tcp_every
        self.over, self.problems, self.answers = threading.Event(), [], 0
        self.thread = threading.Thread(target=self.work)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.over.set()
        self.thread.join()
        if kind is None:
            assert not self.problems, self.problems[:3]
            assert self.answers > 20

    def enough(self, more=200, within_s=30):
        """Waits for that many further answers."""
        wanted = self.answers + more
        assert until(lambda: self.answers >= wanted or self.problems, within_s)

    def work(self):
        number = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", self.port))
            s.settimeout(self.patience_s)
            while not self.over.is_set() and len(self.problems) < 10:
                for name, right in list(self.right.items()):
                    number += 1
                    try:
                        reply = self.by_tcp(name) if self.tcp_every and number % self.tcp_every == 0 else self.by_udp(s, name)
                    except OSError as e:
                        if self.away and not isinstance(e, socket.timeout):
                            time.sleep(0.002)
                        else:
                            self.problems.append(f"{name}: {type(e).__name__} {e}")
                        continue
                    got = tuple(sorted(texts(reply))) if reply.answer else NOTHING
                    if got not in right or reply.rcode() != (dns.rcode.NOERROR if got else dns.rcode.NXDOMAIN):
                        self.problems.append(f"{name}: {reply}")
                    self.answers += 1

    def by_udp(self, s, name):
        for left in reversed(range(self.tries)):
            q = dns.message.make_query(name, "A")
            s.send(q.to_wire())
            try:
                while True:
                    wire = s.recv(4096)
                    if wire[:2] == struct.pack("!H", q.id):
                        break
            except socket.timeout:
                if left:
                    continue
                raise
            return dns.message.from_wire(wire)
        raise AssertionError

    def by_tcp(self, name):
        with socket.create_connection(("127.0.0.1", self.port), timeout=5 * self.tries) as s:
            s.sendall(framed(name))
            try:
                return read_reply(s)
            except EOFError as e:
                raise ConnectionResetError("closed") from e


def publish_listed(site):
    """LISTED is in the published snapshot, nothing in its log, and listd gone."""
    site.list("add", "45.9.100.9", "--list", "bad", "--reason", "test")
    assert until(lambda: re.search(r"dnsd\.snapshot.* entries=1 changes=0", site.dnsd.log()))
    assert texts(site.ask(LISTED)) == ["127.0.0.4"]
    site.listd.stop()


def content(path):
    with open(path, "rb") as f:
        return f.read()


def overwrite(path, data):
    """In place: the same inode, as no program of ours would do it."""
    with open(path, "r+b") as f:
        f.truncate(len(data))
        f.write(data)


def bad_versions(good, rng):
    """Garbage, cuts at many places, bits that flipped."""
    yield from (b"", b"x" * 4096, bytes(len(good)), rng.randbytes(len(good)), good + b"\0")
    for cut in sorted(rng.sample(range(len(good)), 20)) + [len(good) - 1]:
        yield good[:cut]
    for _ in range(10):
        flipped = bytearray(good)
        flipped[rng.randrange(len(good))] ^= 1 << rng.randrange(8)
        yield bytes(flipped)


# ---- files ----

@pytest.mark.parametrize("put", [replace, overwrite], ids=["renamed", "in place"])
def test_published_snapshot_goes_bad(site, put):
    publish_listed(site)
    path = os.path.join(site.publish, "snapshot")
    good = content(path)
    rng = random.Random(7)
    with Questioner(site.port) as asking:
        for bad in bad_versions(good, rng):
            refused = site.dnsd.log().count("kept=old")
            put(path, bad)
            assert until(lambda: site.dnsd.log().count("kept=old") > refused), len(bad)
            asking.enough(10)
        taken = site.dnsd.log().count("entries=")
        put(path, good)
        assert until(lambda: site.dnsd.log().count("entries=") > taken)
        asking.enough()
    assert site.dnsd.stop() == 0


def test_a_snapshot_cut_while_it_is_served(site):
    """Nothing of it may be read from the file any more: pages of a mapped file that is cut are SIGBUS."""
    publish_listed(site)
    os.truncate(os.path.join(site.publish, "snapshot"), 0)
    with Questioner(site.port) as asking:
        asking.enough(500)
    with open(f"/proc/{site.dnsd.pid}/maps", encoding="ascii", errors="replace") as f:
        assert site.publish not in f.read()


@pytest.mark.parametrize("put", [replace, overwrite], ids=["renamed", "in place"])
@pytest.mark.parametrize("kind", ["ip4set", "combined", "snapshot"])
def test_data_file_goes_bad(workdir, free_port, start, sekisho, kind, put):
    server = Server(workdir, free_port(), files=kind + (":{dir}/compiled" if kind == "snapshot" else ":{dir}/ip4"))
    server.write_data(["$DATASET ip4set @"] * (kind != "ip4set") + [":127.0.0.2:x", "192.0.2.1"])
    path = server.data
    if kind == "snapshot":
        path = os.path.join(workdir, "compiled")
        made = sekisho("compile", f"combined:{server.data}", "--output", path)
        assert made.returncode == 0, made.stderr
        os.chmod(path, 0o644)
    dnsd = start("sekisho-dnsd", server.conf)
    good, rng = content(path), random.Random(8)
    bad = list(bad_versions(good, rng)) if kind == "snapshot" else [
        rng.randbytes(50000), bytes(5000), good + bytes(5000), b"\x1f\x8b" + rng.randbytes(500), b"x" * 3000000,
        b"<html>\n<p>Not found</p>\n" if kind == "ip4set" else b"$DATASET nonsense @\n192.0.2.1\n"]
    with Questioner(server.port, {FILED: [("127.0.0.2",)], UNFILED: [NOTHING]}) as asking:
        for wrong in bad:
            refused = dnsd.log().count("kept=old")
            put(path, wrong)
            os.kill(dnsd.pid, signal.SIGHUP)
            assert until(lambda: dnsd.log().count("kept=old") > refused), wrong[:60]
            asking.enough(5)
        if kind != "snapshot":
            assert re.search(re.escape(path) + r":\d+: ", dnsd.log()), "file and line"
        taken = dnsd.log().count("entries=")
        put(path, good)
        os.kill(dnsd.pid, signal.SIGHUP)
        assert until(lambda: dnsd.log().count("entries=") > taken)
        asking.enough(20)
    assert dnsd.stop() == 0


def test_log_torn_at_every_byte(server, start, sekisho):
    """What is whole in the change log shows, what is not waits for its rest."""
    conf = os.path.join(server.dir, "sekisho.conf")
    with open(conf, "w", encoding="utf-8") as f:
        f.write(server.conf.replace('snapshot-interval = "1s"', 'snapshot-interval = "1h"'))
    dnsd, listd = start("sekisho-dnsd", conf), start("sekisho-listd", conf)
    assert until(lambda: "dnsd.snapshot" in dnsd.log())
    addresses = [f"45.9.77.{i}" for i in (1, 2, 3)]
    names = [".".join(reversed(a.split("."))) + ".bl.site.example" for a in addresses]
    assert sekisho("list", "add", *addresses, "--list", "bad", "--reason", "test", "--config", conf).returncode == 0
    listd.stop()
    path = os.path.join(server.publish, "snapshot")
    [log] = [os.path.join(server.publish, f) for f in os.listdir(server.publish) if f.startswith("changes-")]
    snapshot, whole, ends = content(path), content(log), []
    while not ends or ends[-1] < len(whole):
        at = ends[-1] if ends else 0
        ends.append(at + 4 + struct.unpack("!I", whole[at:at + 4])[0])
    assert len(ends) == 3

    def again(log_bytes):
        taken = dnsd.log().count("entries=")
        replace(log, log_bytes)
        replace(path, snapshot)
        assert until(lambda: dnsd.log().count("entries=") > taken)

    def shown():
        return sum(server.ask(name).rcode() == dns.rcode.NOERROR for name in names)

    right = {name: answer for name, answer in RIGHT.items() if name != LISTED}
    with Questioner(server.port, right) as asking:
        for cut in range(len(whole) + 1):
            again(whole[:cut])
            assert shown() == sum(cut >= end for end in ends), cut
        again(b"")
        with open(log, "ab", buffering=0) as f:
            for i in range(len(whole)):
                f.write(whole[i:i + 1])
        assert until(lambda: shown() == 3)
        again(whole)
        os.truncate(log, 0)  # what was taken stays
        asking.enough(20)
        assert shown() == 3
    assert "dnsd.changes" not in dnsd.log()


def test_more_happens_than_inotify_tells(site):
    """Its queue overflows while dnsd stands still; the snapshot that came among all that is found."""
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as f:
        events = int(f.read())
    if events > 100000:
        pytest.skip("the queue of inotify is too long to fill")
    publish_listed(site)
    path = os.path.join(site.publish, "snapshot")
    good, taken = content(path), site.dnsd.log().count("entries=")
    os.kill(site.dnsd.pid, signal.SIGSTOP)
    try:
        for i in range(events // 2 + 1):  # made and closed: two events each
            with open(os.path.join(site.publish, f"other-{i % 2}"), "w", encoding="ascii"):
                pass
        replace(path, good)
    finally:
        os.kill(site.dnsd.pid, signal.SIGCONT)
    with Questioner(site.port) as asking:
        assert until(lambda: site.dnsd.log().count("entries=") > taken)
        asking.enough(20)


# ---- SIGKILL ----

def test_killed_while_swapping(site, start):
    """A new snapshot every tenth of a second, and dnsd killed at odd moments: it comes back with right answers."""
    publish_listed(site)
    path = os.path.join(site.publish, "snapshot")
    good, over, chance = content(path), threading.Event(), random.Random(9)

    def swap():
        while not over.wait(0.1):
            replace(path, good)

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        with Questioner(site.port, away=True, tries=200, patience_s=0.05) as asking:
            for _ in range(8):
                time.sleep(chance.uniform(0.05, 0.5))
                site.dnsd.kill()
                site.dnsd = start("sekisho-dnsd", os.path.join(site.dir, "sekisho.conf"))
                for name, right in RIGHT.items():
                    assert tuple(texts(site.ask(name))) in right, name
                asking.enough(20)
    finally:
        over.set()
        swapper.join()


def test_both_killed_while_lists_change(site, start, sekisho):
    """What `sekisho list add` was told is listed shows at once, whoever is killed in between."""
    conf, chance, listed = os.path.join(site.dir, "sekisho.conf"), random.Random(10), []
    over = threading.Event()

    def add():
        for i in range(1, 250):
            if over.is_set():
                return
            done = sekisho("list", "add", f"45.9.77.{i}", "--list", "bad", "--reason", "test", "--config", conf)
            if done.returncode == 0:
                listed.append(f"{i}.77.9.45.bl.site.example")

    publisher = threading.Thread(target=add)
    right = {name: answer for name, answer in RIGHT.items() if name != LISTED}
    with Questioner(site.port, right, away=True, tries=200, patience_s=0.05) as asking:
        publisher.start()
        try:
            for i in range(12):
                time.sleep(chance.uniform(0.1, 0.8))
                if i % 2:
                    site.dnsd.kill()
                    site.dnsd = start("sekisho-dnsd", conf)
                else:
                    site.listd.kill()
                    site.listd = start("sekisho-listd", conf)
                asking.enough(20)
        finally:
            over.set()
            publisher.join()
    assert len(listed) > 5
    assert until(lambda: all(texts(site.ask(name)) == ["127.0.0.4"] for name in listed))
    site.dnsd.kill()
    site.dnsd = start("sekisho-dnsd", conf)
    assert all(texts(site.ask(name)) == ["127.0.0.4"] for name in listed), "right after the start"


# ---- a full disk ----

@pytest.fixture
def small_disk(server):
    """The publish folder on a disk of 256 KiB; a function that fills it, and one that makes room again."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    mounted = subprocess.run([tool("mount"), "-t", "tmpfs", "-o", "size=256k,mode=755", "tmpfs", server.publish],
        capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount: {mounted.stderr}")
    filler = os.path.join(server.publish, "filler")

    def fill():
        with open(filler, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(bytes(4096))
            except OSError:
                pass

    yield fill, lambda: os.unlink(filler)
    subprocess.run([tool("umount"), "-l", server.publish], check=True)


def test_disk_full_while_listd_publishes(small_disk, site):
    """listd says so; dnsd goes on with what there is, and has the rest as soon as there is room."""
    fill, make_room = small_disk
    site.list("add", "45.9.100.9", "--list", "bad", "--reason", "test")
    assert until(lambda: texts(site.ask(LISTED)) == ["127.0.0.4"])
    late = [f"45.9.77.{i}" for i in range(1, 251)]
    names = [".".join(reversed(a.split("."))) + ".bl.site.example" for a in late]
    with Questioner(site.port) as asking:
        fill()
        site.list("add", *late, "--list", "bad", "--reason", "test")
        assert until(lambda: re.search(r"listd\.(publish|snapshot) error=", site.listd.log()))
        asking.enough()
        assert not all(site.ask(name).answer for name in names), "there was no room for all of it"
        assert site.dnsd.running() and site.listd.running()
        make_room()
        assert until(lambda: all(texts(site.ask(name)) == ["127.0.0.4"] for name in names))
        asking.enough(20)
    assert "dnsd.changes" not in site.dnsd.log()


# ---- clocks ----

FAKETIME = "libfaketimeMT.so.1"


class Clock:
    """What dnsd takes for the time of day; `jump(days)` from the true one. Its monotonic clock stays."""

    def __init__(self, workdir):
        found = [os.path.join(folder, FAKETIME) for folder, _, files in os.walk("/usr/lib") if FAKETIME in files]
        if not found:
            pytest.skip("libfaketime is not installed")
        self.path = os.path.join(workdir, "clock")
        self.jump(0)
        self.env = {"LD_PRELOAD": found[0], "FAKETIME_TIMESTAMP_FILE": self.path, "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
            "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}

    def jump(self, days):
        self.days = days
        replace(self.path, f"{days:+d}d\n".encode())

    def now_s(self):
        return time.time() + self.days * 86400


JUMPS = [0, 2, -400, 400, 3650, -3650, 1, -1, 0]


def answered(server, name):
    """The rcode; None: not answered, which a rate limit means."""
    reply = server.raw(dns.message.make_query(name, "A").to_wire(), timeout=0.5)
    return dns.message.from_wire(reply).rcode() if reply else None


def test_clock_jumps(server, start, sekisho):
    """Entries end by the clock and no sooner; whoever asks is answered, signed, and not held to be over a limit."""
    pytest.importorskip("cryptography")
    clock = Clock(server.dir)
    key, conf = os.path.join(server.dir, "key.pem"), os.path.join(server.dir, "sekisho.conf")
    assert sekisho("dns", "key", key).returncode == 0
    with open(conf, "w", encoding="utf-8") as f:
        f.write(server.conf.replace("check-interval", f"""rate-limit = 100
	quota-second = 150
	quota-day = 1000000
	dnssec "bl.site.example" {{ key = "{key}" }}
	check-interval"""))
    dnsd, listd = start("sekisho-dnsd", conf, env=clock.env), start("sekisho-listd", conf)
    for more in (["45.9.100.9", "--expires", "1d"], ["45.9.100.8", "--expires", "9000d"]):
        done = sekisho("list", "add", *more, "--list", "bad", "--reason", "test", "--config", conf)
        assert done.returncode == 0, done.stderr
    lasting = "8.100.9.45.bl.site.example"
    assert until(lambda: texts(server.ask(lasting)) == ["127.0.0.4"])
    listd.stop()
    cookie = None
    for days in JUMPS:
        clock.jump(days)
        assert until(lambda: answered(server, LISTED) == (dns.rcode.NOERROR if days < 1 else dns.rcode.NXDOMAIN)), days
        assert texts(server.ask(lasting)) == ["127.0.0.4"]
        q = dns.message.make_query(LISTED, "A", use_edns=0, options=[dns.edns.GenericOption(10, cookie or bytes(8))])
        reply = dns.query.udp(q, "127.0.0.1", 5, server.port)
        assert bool(reply.answer) == (days < 1)
        cookie = bytes(8) + next(bytes(o.data) for o in reply.options if o.otype == 10)[8:]
        signed = server.ask("2.0.0.127.bl.site.example", want_dnssec=True, payload=1232, tcp=True)
        [rrsig] = [rdata for rrset in signed.answer if rrset.rdtype == dns.rdatatype.RRSIG for rdata in rrset]
        assert rrsig.inception < clock.now_s() < rrsig.expiration, days
        # over the limit, and answered again when the second is over
        for _ in range(400):
            server.raw(dns.message.make_query(CLEAN, "A").to_wire(), timeout=0.0005)
        assert until(lambda: [answered(server, CLEAN) for _ in range(3)] == [dns.rcode.NXDOMAIN] * 3), days
    os.kill(dnsd.pid, signal.SIGUSR1)
    assert until(lambda: re.search(r"limited=[1-9]", dnsd.log())), "no limit was reached"
    assert dnsd.stop() == 0


# ---- too many ----

def test_thousands_of_tcp_connections(server, start):
    """Held, from several addresses; UDP and new connections are answered meanwhile, and none is lost."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(6000, hard - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 400), hard))
    start("sekisho-dnsd", server.conf.replace("check-interval", 'tcp-sessions = 20000\n\ttcp-idle = "1h"\n\tcheck-interval'))
    right = {name: answer for name, answer in RIGHT.items() if name != LISTED}
    held, chance = [], random.Random(11)
    try:
        with Questioner(server.port, right, tcp_every=5) as asking:
            for i in range(count):
                held.append(socket.create_connection(("127.0.0.1", server.port), 10, (f"127.0.0.{10 + i % 7}", 0)))
                if i % 3 == 0:
                    held[-1].sendall(framed(FILED)[:chance.randrange(1, 20)])  # and never the rest
            asking.enough(500)
            for s in chance.sample(held[1::3], 200):
                s.sendall(framed(FILED))
                assert texts(read_reply(s)) == ["127.0.0.2"]
            for s in held[1::3]:
                s.setblocking(False)
                with pytest.raises(BlockingIOError):
                    s.recv(1)
    finally:
        for s in held:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert texts(server.ask(FILED, tcp=True)) == ["127.0.0.2"]


FLOOD = """
import os, random, socket, sys, time
port, until = int(sys.argv[1]), time.monotonic() + float(sys.argv[2])
rng = random.Random(int(sys.argv[3]))
def question():
    label = bytes(rng.choice(b"abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(rng.randrange(1, 40)))
    zone = rng.choice((b"\\x02bl\\x04site\\x07example", b"\\x05files\\x07example", b"\\x03dbl\\x04site\\x07example", b""))
    more = rng.choice((b"", b"\\0\\0\\x29\\x04\\xd0\\0\\0\\0\\0\\0\\x0c\\0\\x0a\\0\\x08" + rng.randbytes(8)))
    return (rng.randbytes(2) + b"\\1\\0\\0\\1\\0\\0\\0\\0\\0" + bytes([bool(more)]) + bytes([len(label)]) + label + zone
        + b"\\0\\0" + bytes([rng.choice((1, 16, 255))]) + b"\\0\\1" + more)
packets = [question() for _ in range(20000)]
sent = 0
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((f"127.9.{sys.argv[3]}.1", 0))
s.connect(("127.0.0.1", port))
while time.monotonic() < until:
    for packet in packets:
        try:
            s.send(packet)
            sent += 1
        except OSError:
            pass
print(sent)
"""


def memory_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


@pytest.mark.parametrize("more", ["cookies = no", "rate-limit = 1000", "rate-limit = 1000\n\tquota-second = 1000000\n\tquota-day = 2000000000"],
    ids=["without limits", "cookies and rate", "and quotas"])
def test_flood_of_random_names(server, start, more):
    """As fast as two processes can send; what is really asked is answered, if need be when asked again."""
    dnsd = start("sekisho-dnsd", server.conf.replace("check-interval", more + "\n\tcheck-interval"))
    right = {name: answer for name, answer in RIGHT.items() if name != LISTED}
    with Questioner(server.port, right, tries=50, patience_s=0.2) as asking:
        asking.enough(100)
        before = memory_kb(dnsd.pid)
        floods = [subprocess.Popen([sys.executable, "-c", FLOOD, str(server.port), "3", str(i)], stdout=subprocess.PIPE, text=True)
            for i in (1, 2)]
        sent = sum(int(flood.communicate()[0]) for flood in floods)
        during = asking.answers
        asking.enough(20)
    assert sent > 20000 and during > 100
    assert memory_kb(dnsd.pid) - before < 64 * 1024
    assert dnsd.stop() == 0


# ---- rights ----

def sanitized(path):
    with open(path, "rb") as f:
        return b"__asan_init" in f.read()


def test_no_rights_after_the_start(server, start):
    """Started as root: no thread is root, has a capability or a call that needs one, nor can write a file."""
    if os.geteuid() != 0:
        pytest.skip("starts as root")
    dnsd = start("sekisho-dnsd", server.conf.replace('dnsd {\n\tuser = ""', 'dnsd {\n\tuser = "nobody"'))
    assert texts(server.ask(FILED)) == ["127.0.0.2"]
    os.kill(dnsd.pid, signal.SIGHUP)  # the thread that compiles is one of them
    statuses = []
    for _ in range(50):
        for thread in os.listdir(f"/proc/{dnsd.pid}/task"):
            try:
                with open(f"/proc/{dnsd.pid}/task/{thread}/status", encoding="ascii") as f:
                    statuses.append(dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line))
            except OSError:
                pass
    assert len(statuses) > 100
    for status in statuses:
        assert "0" not in status["Uid"].split() + status["Gid"].split() + status["Groups"].split(), status
        for caps in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(status[caps], 16) == 0, status
        assert status["NoNewPrivs"].strip() == "1"
        assert status["Seccomp"].strip() == "2" or sanitized(program("sekisho-dnsd"))
    for fd in os.listdir(f"/proc/{dnsd.pid}/fd"):
        target = os.readlink(f"/proc/{dnsd.pid}/fd/{fd}")
        with open(f"/proc/{dnsd.pid}/fdinfo/{fd}", encoding="ascii") as f:
            flags = int(re.search(r"flags:\s+(\d+)", f.read()).group(1), 8)
        if target.startswith("/") and not target.startswith("/dev/") and target != dnsd.log_path:
            assert flags & os.O_ACCMODE == os.O_RDONLY, target
