"""sekisho-dnsd while the world around it goes wrong: garbage in its files, a full disk, a clock that jumps,
SIGKILL, connections that stay, floods. Somebody asks all the time, and whatever he is told must be right."""
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from conftest import program, tool
from test_dnsd import Server, framed, read_reply, records, replace, server, site, tcp_connection, texts, until

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
    assert until(lambda: re.search(r"dnsd\.snapshot.* entries=1 changes=0", site.dnsd.log()), 30)
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
