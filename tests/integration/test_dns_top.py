"""`sekisho top`: what it tells of questions that are under way at a real sekisho-dnsd, on a terminal and once."""
import contextlib
import fcntl
import json
import os
import pty
import pwd
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

import dns.message
import pytest

from conftest import program
from test_dns_status import Socket, conf  # noqa: F401 (a fixture)
from test_dnsd import Server, until


@pytest.fixture
def server(workdir, free_port):
    return Server(workdir, free_port())


@contextlib.contextmanager
def asking(port, *questions):
    """(client's address, name, type, how many in a round) each, round after round until the end."""
    stop = threading.Event()
    sockets = {address: socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for address, *_ in questions}
    for address, s in sockets.items():
        s.bind((address, 0))
        s.connect(("127.0.0.1", port))
        s.setblocking(False)
    messages = [(sockets[address], dns.message.make_query(name, kind).to_wire()) for address, name, kind, n in questions for _ in range(n)]

    def run():
        while not stop.wait(0.01):
            for s, message in messages:
                with contextlib.suppress(OSError):
                    s.send(message)
                    while s.recv(4096):
                        pass

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for s in sockets.values():
            s.close()


def test_once(server, conf, start, sekisho):
    start("sekisho-listd", conf)
    start("sekisho-dnsd", conf)
    sekisho("list", "add", "45.6.7.8", "--list", "bad", "--reason", "test", "--config", conf, check=True)
    assert until(lambda: server.ask("8.7.6.45.bl.site.example").answer)
    with asking(server.port, ("127.0.0.1", "1.2.0.192.files.example", "A", 4), ("127.0.0.2", "9.2.0.192.files.example", "A", 2),
            ("127.0.0.2", "8.7.6.45.bl.site.example", "TXT", 1), ("127.0.0.2", "somewhere.else", "A", 1)):
        run = sekisho("top", "--once", "--json", "--interval", "1", "--config", conf)
        words = sekisho("top", "--once", "--interval", "0.5", "--config", conf).stdout
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert told["queries"] > 8 and told["every"] >= 1 and told["samples"] > 0 and told["samples_lost"] == 0
    assert 0 < told["listed"] < told["queries"] and told["nxdomain"] > 0 and told["refused"] > 0
    assert told["transports"]["udp"] == told["queries"] and told["transports"]["tcp"] == 0
    names = {part: [x["name"] for x in told[part]] for part in ("lists", "zones", "clients", "names")}
    assert names == {"lists": [f"ip4set:{server.data}", "bad"], "zones": ["files.example", "bl.site.example"],
        "clients": ["127.0.0.1", "127.0.0.2"], "names": ["192.0.2.1", "45.6.7.8"]} or names["clients"] == ["127.0.0.2", "127.0.0.1"]
    most, least = (x["least"] for x in told["lists"])
    assert 2 < most / least < 8, told["lists"]
    latency = told["latency_us"]
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["p999"]
    assert "HITS BY LIST" in words and "192.0.2.1" in words and re.search(r"queries [1-9]", words)


def test_only_while_somebody_watches(server, conf, start):
    start("sekisho-dnsd", conf)
    path = os.path.join(server.dir, "run", "dnsd", "dnsd.sock")
    with asking(server.port, ("127.0.0.1", "1.2.0.192.files.example", "A", 2)):
        first, other = Socket(path), Socket(path)
        for s in (first, other):
            s.ask(id=1, type="hello", role="admin")
        told = first.ask(id=2, type="top")
        assert told["ok"] and told["samples"] == 0 and not told["sampling"] and told["every"] == 0
        assert until(lambda: first.ask(id=3, type="top")["samples"] > 0)
        assert other.ask(id=2, type="top")["samples"] > 0  # it joins who watches already
        first.s.close()
        seen = other.ask(id=3, type="top")["samples"]
        assert until(lambda: other.ask(id=4, type="top")["samples"] > seen)
        other.s.close()
        # nobody watched meanwhile: it begins anew
        time.sleep(0.3)
        third = Socket(path)
        third.ask(id=1, type="hello", role="admin")
        assert third.ask(id=2, type="top")["samples"] == 0
        third.s.close()
    assert server.ask("1.2.0.192.files.example").answer


def test_roles(server, conf, start):
    """Who asks is nobody else's business."""
    start("sekisho-dnsd", conf)
    s = Socket(os.path.join(server.dir, "run", "dnsd", "dnsd.sock"))
    assert s.ask(id=1, type="top")["reason"] == "hello-first"
    assert s.ask(id=2, type="hello", role="gated")["ok"]
    assert s.ask(id=3, type="top")["reason"] == "role"


def test_keys_are_secret(workdir, free_port, start, sekisho):
    server = Server(workdir, free_port())
    with open(os.path.join(workdir, "keys"), "w", encoding="utf-8") as f:
        f.write(":refuse\nsesame :pass\n")
    server.conf = server.conf.replace(f'"ip4set:{server.data}"', f'"ip4set:{server.data}", "aclkey:{workdir}/keys"')
    path = os.path.join(workdir, "sekisho.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(server.conf)
    start("sekisho-dnsd", path)
    assert server.ask("1.2.0.192.sesame.files.example").answer
    with asking(server.port, ("127.0.0.1", "1.2.0.192.sesame.files.example", "A", 3)):
        told = sekisho("top", "--once", "--json", "--interval", "1", "--config", path).stdout
    assert "192.0.2.1" in told and "files.example" in told
    assert "sesame" not in told


# ---- on a terminal ----

class Terminal:
    def __init__(self, conf, lines=24, columns=100, kind="xterm"):
        self.ours, theirs = pty.openpty()
        self.resize(lines, columns)
        self.process = subprocess.Popen([program("sekisho"), "top", "--interval", "0.2", "--config", conf], stdin=theirs,
            stdout=theirs, stderr=theirs, env=os.environ | {"TERM": kind, "LC_ALL": "C.UTF-8"})
        os.close(theirs)
        self.text = ""

    def resize(self, lines, columns):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def shows(self, pattern, within_s=20):
        end = time.monotonic() + within_s
        while not re.search(pattern, self.text):
            if time.monotonic() > end:
                return False
            if select.select([self.ours], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.ours, 65536).decode(errors="replace")
                except OSError:
                    return bool(re.search(pattern, self.text))
        return True

    def type(self, text):
        os.write(self.ours, text.encode())

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


@pytest.fixture
def terminal(conf):
    opened = []

    def run(**options):
        opened.append(Terminal(conf, **options))
        return opened[-1]

    yield run
    for t in opened:
        t.close()


def test_live(server, conf, start, terminal):
    daemon = start("sekisho-dnsd", conf)
    with asking(server.port, ("127.0.0.1", "1.2.0.192.files.example", "A", 3)):
        t = terminal()
        assert t.shows("sekisho-dnsd") and t.shows("CLIENTS") and t.shows(r"127\.0\.0\.1"), t.text
        t.text = ""
        t.resize(30, 170)
        t.process.send_signal(signal.SIGWINCH)
        assert t.shows(r"HITS BY LIST.*CLIENTS"), t.text
        daemon.kill()
        t.text = ""
        assert t.shows("cannot reach dnsd|closed|gone|ended"), t.text
        start("sekisho-dnsd", conf)
        t.text = ""
        assert t.shows("CLIENTS"), t.text
        t.type("q")
    assert t.process.wait(10) == 0
    assert t.shows(re.escape("\x1b[?1049l")), "the screen is left as it was"


@pytest.mark.parametrize("signo", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_leave_the_terminal_as_it_was(server, conf, start, terminal, signo):
    start("sekisho-dnsd", conf)
    t = terminal()
    assert t.shows("CLIENTS")
    before = termios.tcgetattr(t.ours)
    t.process.send_signal(signo)
    assert t.process.wait(10) == 0
    assert t.shows(re.escape("\x1b[?1049l"))
    assert not before[3] & termios.ECHO


def test_terminal_that_goes_away(server, conf, start, terminal):
    start("sekisho-dnsd", conf)
    t = terminal()
    assert t.shows("CLIENTS")
    ours, t.ours = t.ours, os.open(os.devnull, os.O_RDONLY)
    os.close(ours)
    assert t.process.wait(10) is not None


def test_usage(server, conf, start, sekisho, terminal):
    assert "usage: sekisho top" in sekisho("top", "--help").stdout
    for wrong in (["--json"], ["--interval", "0"], ["--interval", "x"], ["more"], ["--nonsense"], []):
        assert sekisho("top", *wrong, "--config", conf).returncode == 2, wrong
    nobody = sekisho("top", "--once", "--config", conf)
    assert nobody.returncode == 3 and "cannot reach dnsd" in nobody.stderr
    start("sekisho-dnsd", conf)
    t = terminal(kind="no-such-terminal")
    assert t.shows("not known") and t.process.wait(10) == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_strangers_may_not_watch(server, conf, start):
    start("sekisho-dnsd", conf)
    run = subprocess.run([program("sekisho"), "top", "--once", "--config", conf], capture_output=True, text=True,
        user=pwd.getpwnam("nobody").pw_uid, timeout=60)
    assert run.returncode == 3 and "may not have this role" in run.stderr
