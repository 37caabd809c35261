"""The gate between a real Postfix and real lists: rbldnsd serves good ones, one that lies and one that
answers with error codes, and a port that never answers is the dead one."""
import glob
import os
import re
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time

import pytest

from conftest import TOP, _free_port, tool

LISTED, LISTED_WEAK, ALLOWED, CLEAN = "192.0.2.66", "192.0.2.67", "192.0.2.68", "192.0.2.1"
LISTED6, CLEAN6 = "2001:db8:66::66", "2001:db8::1"
OWN = "198.51.100.7"
URL = "https://bl.test/why?q=%s&x=100%%25"
TIMEOUT_MS = 900

DATA = {
    "bl": f":127.0.0.2:Spam to a trap, see {URL.replace('%s', '$').replace('%%', '%')}\n"
          f"{LISTED}\n{ALLOWED}\n{OWN}\n",
    "bl6": f":127.0.0.2:Spam to a trap, see https://bl.test/six\n2001:db8:66::/64\n",
    "weak": f":127.0.0.4:Dynamic address\n{LISTED_WEAK}\n",
    "allow": f":127.0.5.1:Well known\n{ALLOWED}\n",
    "lying": ":10.1.2.3:For sale\n0.0.0.0/1\n128.0.0.0/1\n",
    "error": ":127.255.255.254:Open resolver\n0.0.0.0/1\n128.0.0.0/1\n",
}


@pytest.fixture(scope="module")
def lists():
    """The port of an rbldnsd with all the zones."""
    folder = tempfile.mkdtemp(prefix="sekisho-lists-")
    os.chmod(folder, 0o755)
    port = _free_port()
    zones = []
    for name, text in DATA.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)
        kind = "ip6trie" if name == "bl6" else "ip4trie" if name in ("lying", "error") else "ip4set"
        zones.append(f"{name.replace('6', '')}.test:{kind}:{name}")
    with open(os.path.join(folder, "log"), "wb") as log:
        process = subprocess.Popen([tool("rbldnsd"), "-n", "-w", folder, "-b", f"127.0.0.1/{port}", *zones],
            stdout=log, stderr=log)
    wait_for(lambda: dns_answers(port))
    yield port
    process.kill()
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def dns_answers(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.2)
        s.connect(("127.0.0.1", port))
        try:
            s.send(b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\x012\x010\x010\x03127\x02bl\x04test\0\0\1\0\1")
            return bool(s.recv(512))
        except OSError:
            return False


def wait_for(condition, within_s=15):
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("it did not happen in time")


@pytest.fixture(scope="module")
def silence():
    """A port that takes questions and never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        yield s.getsockname()[1]


class Postfix:
    def __init__(self, folder):
        self.folder = folder
        self.smtp, self.milter, self.policy = _free_port(), _free_port(), _free_port()

    def run(self, verb):
        subprocess.run([os.path.join(TOP, "tools", "private-postfix"), self.folder, str(self.smtp),
            f"127.0.0.1:{self.milter}", f"127.0.0.1:{self.policy}", verb], check=True, timeout=60)

    def session(self, client, login=None):
        """An SMTP session that Postfix takes for one of `client`."""
        s = smtplib.SMTP("127.0.0.1", self.smtp, timeout=30)
        s.ehlo("client.test")
        address = "IPV6:" + client if ":" in client else client
        code, words = s.docmd("XCLIENT", f"NAME=[UNAVAILABLE] ADDR={address}" + (f" LOGIN={login}" if login else ""))
        assert code == 220, words
        s.ehlo("client.test")
        return s

    def send(self, client, login=None, headers="", recipients=("user@example.net",)):
        """Sends a mail and returns its text as it was delivered. A refusal raises."""
        subject = os.urandom(8).hex()
        with self.session(client, login) as s:
            s.sendmail("sender@sender.test", list(recipients), f"{headers}Subject: {subject}\r\n\r\nhello\r\n")
        wait_for(lambda: self.delivered(subject))
        return self.delivered(subject)

    def delivered(self, subject):
        for path in glob.glob(os.path.join(self.folder, "mail", "all", "new", "*")):
            with open(path, encoding="utf-8") as f:
                text = f.read()
            if f"Subject: {subject}\n" in text:
                return text
        return None

    def refusal(self, client, **more):
        """The code and the words of the answer to RCPT."""
        with self.session(client, **more) as s:
            s.mail("sender@sender.test")
            code, words = s.rcpt("user@example.net")
        return code, words.decode()


@pytest.fixture(scope="module")
def postfix():
    if os.geteuid() != 0:
        pytest.skip("Postfix starts as root")
    tool("postfix")
    folder = tempfile.mkdtemp(prefix="sekisho-postfix-")
    os.chmod(folder, 0o755)
    p = Postfix(folder)
    p.run("start")
    yield p
    p.run("stop")
    shutil.rmtree(folder, ignore_errors=True)


def conf(doors, lists, port, more=""):
    """doors: lines of the configuration; lists: (zone, lines, port or None)."""
    text = f"""gated {{
    user = ""
    {doors}
    resolver = {{"127.0.0.1:{port}"}}
    own-networks = {{"127.0.0.0/8", "198.51.100.0/24"}}
    timeout-ms = {TIMEOUT_MS}
    {more}
"""
    for zone, lines, server in lists:
        text += f'    list "{zone}" {{ server = "127.0.0.1:{server or port}" {lines} }}\n'
    return text + "}\n"


@pytest.fixture
def gate(start, postfix, lists):
    """gate(door, [list...]) starts a gate that Postfix reaches through this door alone; the other one is
    closed, and Postfix goes on without it."""

    def run(door, asked=(("bl.test", "weight = 10", None),), more=""):
        doors = {"milter": f'milter = {{"127.0.0.1:{postfix.milter}"}}',
                 "policy": f'policy = {{"127.0.0.1:{postfix.policy}"}}'}
        lines = "\n".join(doors.values()) if door == "both" else doors[door]
        return start("sekisho-gated", conf(lines, asked, lists, more))

    return run


@pytest.mark.parametrize("door", ["milter", "policy"])
def test_the_listed_is_refused_with_reason_and_url(gate, postfix, door):
    daemon = gate(door)
    code, words = postfix.refusal(LISTED)
    assert code == 550
    assert "5.7.1" in words and f"Client host [{LISTED}] blocked using bl.test; Spam to a trap" in words
    assert URL % LISTED in words
    assert f"gate.verdict door={door} client={LISTED} action=reject score=10" in daemon.log()
    code, words = postfix.refusal(LISTED6)
    assert code == 550 and words.endswith("https://bl.test/six")
    assert "127.0.0.1" not in daemon.log()  # what connects before XCLIENT is nobody's client


@pytest.mark.parametrize("door", ["milter", "policy"])
def test_the_unlisted_is_delivered(gate, postfix, door):
    gate(door)
    for client in (CLEAN, CLEAN6):
        assert "X-Sekisho" not in postfix.send(client)


@pytest.mark.parametrize("door", ["milter", "policy"])
def test_who_is_known_passes_unasked(gate, postfix, door):
    daemon = gate(door)
    postfix.send(LISTED, login="joe@example.net")
    postfix.send(OWN)
    assert "gate.verdict" not in daemon.log()
    assert postfix.refusal(LISTED)[0] == 550


@pytest.mark.parametrize("door", ["milter", "policy"])
def test_a_dead_list_neither_refuses_nor_delays_for_long(gate, postfix, silence, door):
    daemon = gate(door, [("dead.test", "weight = 100", silence), ("bl.test", "weight = 10", None)])
    # who stands on the living list is refused without waiting for the dead one
    began = time.monotonic()
    assert postfix.refusal(LISTED)[0] == 550
    assert time.monotonic() - began < TIMEOUT_MS / 1000
    waits = []
    for i in range(7):
        began = time.monotonic()
        with postfix.session(f"192.0.2.{100 + i}") as s:
            s.mail("sender@sender.test")
            assert s.rcpt("user@example.net")[0] == 250
        waits.append(time.monotonic() - began)
        time.sleep(1.1)  # the question is given up a second later
    assert max(waits) < TIMEOUT_MS / 1000 + 1.5
    # after five silent questions in a row the list is not waited for any more
    assert waits[-1] < 0.5, waits
    assert "gate.list zone=dead.test state=timeout" in daemon.log()


@pytest.mark.parametrize("door", ["milter", "policy"])
def test_lies_and_error_codes_are_no_hits(gate, postfix, lists, silence, door):
    # closed.test: nobody listens there; nowhere.test: rbldnsd refuses what it does not serve
    daemon = gate(door, [("lying.test", "weight = 100", None), ("error.test", "weight = 100", None),
        ("nowhere.test", "weight = 100", None), ("closed.test", "weight = 100", _free_port())])
    postfix.send(CLEAN)
    log = daemon.log()
    for zone, state in (("lying", "lying"), ("error", "error-code"), ("nowhere", "refused"), ("closed", "failed")):
        assert f"gate.list zone={zone}.test state={state}" in log
    assert "action=accept score=0" in log and "silent=4" in log


def test_the_milter_tags_and_takes_forged_tags_away(gate, postfix):
    gate("milter", [("weak.test", "weight = 5", None)])
    text = postfix.send(LISTED_WEAK, headers="X-Sekisho: NO\r\nx-sekisho: no, really\r\n",
        recipients=("user@example.net", "other@example.net"))
    assert re.findall("^x-sekisho:.*$", text, re.M | re.I) == ["X-Sekisho: YES, score=5, lists=weak.test:5"]
    # also from who is clean
    assert "sekisho" not in postfix.send(CLEAN, headers="X-Sekisho: YES\r\n").lower().split("\n\n")[0]


def test_the_policy_door_tags_once_a_message(gate, postfix):
    gate("policy", [("weak.test", "weight = 5", None)])
    text = postfix.send(LISTED_WEAK, recipients=("user@example.net", "other@example.net"))
    assert re.findall("^x-sekisho:.*$", text, re.M | re.I) == ["X-Sekisho: YES, score=5, lists=weak.test:5"]


@pytest.mark.parametrize("door", ["milter", "policy"])
def test_defer(gate, postfix, door):
    gate(door, [("weak.test", "weight = 7", None)], more="defer-at = 7")
    code, words = postfix.refusal(LISTED_WEAK)
    assert code == 451 and "4.7.1" in words and "blocked using weak.test; Dynamic address" in words


@pytest.mark.parametrize("door", ["milter", "policy"])
def test_an_allow_list_outweighs(gate, postfix, door):
    asked = [("bl.test", "weight = 10", None), ("allow.test", 'kind = allow weight = 9 codes = {"127.0.[2..15].[1..3]"}', None)]
    daemon = gate(door, asked)
    postfix.send(ALLOWED)
    assert postfix.refusal(LISTED)[0] == 550
    assert 'lists="bl.test:10 allow.test:-9"' in daemon.log()


def test_codes_weigh(gate, postfix):
    gate("policy", [("bl.test", 'weight = 10 codes = {"127.0.0.[4..7]"}', None),
        ("weak.test", 'weight = 1 codes = {"127.0.0.4*12"} reply = "no ($ on %z): %t"', None)])
    assert postfix.refusal(LISTED)[0] == 250
    code, words = postfix.refusal(LISTED_WEAK)
    assert code == 550 and f"no ({LISTED_WEAK} on weak.test): Dynamic address" in words


def test_both_doors_say_the_same_from_one_cache(gate, postfix):
    daemon = gate("both")
    for client, code in ((LISTED, 550), (CLEAN, 250)):
        assert postfix.refusal(client)[0] == code
    with socket.create_connection(("127.0.0.1", postfix.policy)) as s:
        assert b"action=550" in ask(s, LISTED)
        assert ask(s, CLEAN) == b"action=DUNNO\n\n"
    verdicts = re.findall(r"client=(\S+) action=(\w+) score=(\d+)", daemon.log())
    assert set(verdicts) == {(LISTED, "reject", "10"), (CLEAN, "accept", "0")}


def ask(connection, client, more=""):
    connection.settimeout(10)
    connection.sendall(f"request=smtpd_access_policy\nclient_address={client}\n{more}\n".encode())
    answer = b""
    while not answer.endswith(b"\n\n"):
        got = connection.recv(4096)
        assert got, "the door closed"
        answer += got
    return answer


@pytest.fixture
def doors(start, lists, workdir, free_port):
    """A gate without a mail server: its two ports and its Unix socket."""
    milter, policy, path = free_port(), free_port(), os.path.join(workdir, "policy.sock")
    start.daemon = start("sekisho-gated", conf(
        f'milter = {{"127.0.0.1:{milter}"}} policy = {{"127.0.0.1:{policy}", "unix:{path}"}}',
        [("bl.test", "weight = 10", None), ("weak.test", "weight = 5", None)], lists))
    return start.daemon, milter, policy, path


def test_miltertest(doors, workdir):
    """Debian's conformance peer drives the milter door. It ends without a word when it is told to play
    a step that was negotiated away, and at a body (version 2.11), so these are left out."""
    script = os.path.join(workdir, "script.lua")
    with open(script, "w", encoding="utf-8") as f:
        f.write(f"""
function check(good, what)
    if not good then
        mt.echo("failed: " .. what)
        error(what)
    end
end
function message(ip)
    local conn = mt.connect("inet:{doors[1]}@127.0.0.1")
    check(conn ~= nil, "connect")
    check(mt.conninfo(conn, "client.test", ip) == nil, "conninfo")
    check(mt.getreply(conn) == SMFIR_CONTINUE, "connect answer")
    check(mt.mailfrom(conn, "<a@sender.test>") == nil, "mail")
    check(mt.rcptto(conn, "<user@example.net>") == nil, "rcpt")
    return conn
end
function finish(conn)
    check(mt.header(conn, "Subject", "x") == nil, "header")
    check(mt.header(conn, "x-sekisho", "forged") == nil, "header")
    check(mt.eom(conn) == nil, "eom")
    check(mt.getreply(conn) == SMFIR_CONTINUE, "eom answer")
    check(mt.eom_check(conn, MT_HDRDELETE, "X-Sekisho"), "forged header stays")
end
local c = message("{LISTED}")
check(mt.getreply(c) == SMFIR_REPLYCODE, "the listed is not refused")
mt.disconnect(c)
c = message("{CLEAN}")
check(mt.getreply(c) == SMFIR_CONTINUE, "the clean is refused")
finish(c)
check(not mt.eom_check(c, MT_HDRADD), "the clean is tagged")
mt.disconnect(c)
c = message("{LISTED_WEAK}")
check(mt.getreply(c) == SMFIR_CONTINUE, "the weak one is refused")
finish(c)
check(mt.eom_check(c, MT_HDRADD, "X-Sekisho", "YES, score=5, lists=weak.test:5"), "no tag")
mt.disconnect(c)
-- an MTA that leaves out no step and waits for every answer
c = mt.connect("inet:{doors[1]}@127.0.0.1")
check(mt.negotiate(c, 2, SMFIF_ADDHDRS, 0) == nil, "negotiate")
check(mt.conninfo(c, "client.test", "{LISTED_WEAK}") == nil, "conninfo")
check(mt.helo(c, "client.test") == nil, "helo")
check(mt.getreply(c) == SMFIR_CONTINUE, "helo answer")
check(mt.mailfrom(c, "<a@sender.test>") == nil, "mail")
check(mt.rcptto(c, "<user@example.net>") == nil, "rcpt")
check(mt.header(c, "x-sekisho", "forged") == nil, "header")
check(mt.eoh(c) == nil, "eoh")
check(mt.getreply(c) == SMFIR_CONTINUE, "answer to the end of headers")
check(mt.eom(c) == nil, "eom")
check(mt.getreply(c) == SMFIR_CONTINUE, "eom answer")
mt.disconnect(c)
c = message("unspec")
check(mt.getreply(c) == SMFIR_CONTINUE, "who has no address is refused")
mt.disconnect(c, false)
""")
    run = subprocess.run([tool("miltertest"), "-vv", "-s", script], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr


def test_rubbish_closes_the_door_and_hurts_nobody(doors):
    daemon, milter, policy, _ = doors
    for port in (milter, policy):
        for rubbish in (b"GET / HTTP/1.1\r\n\r\n\n\n", b"\xff" * 20000, b"\0" * 100, b"request=x\n\n",
                        b"\0\0\0\x0dO\0\0\0\1\0\0\0\0\0\0\0\0", b"\0\0\0\1E"):
            with socket.create_connection(("127.0.0.1", port)) as s:
                s.settimeout(10)
                try:
                    s.sendall(rubbish)
                    s.shutdown(socket.SHUT_WR)
                    assert s.recv(100) == b"", (port, rubbish[:20])
                except ConnectionError:
                    pass
        # half a request, and gone
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(b"request=smtpd_access_policy\nclient_addr" if port == policy else b"\0\0\0\x0dO\0")
    # a client that goes while its verdict is on the way
    with socket.create_connection(("127.0.0.1", policy)) as s:
        s.sendall(f"request=smtpd_access_policy\nclient_address={CLEAN}\n\n".encode())
    assert daemon.running()
    with socket.create_connection(("127.0.0.1", policy)) as s:
        # one connection, many requests; in pieces, and two at once
        for client in (LISTED, CLEAN, "unknown", "", "127.0.0.1", f"::ffff:{LISTED}"):
            answer = ask(s, client)
            assert (b"550" in answer) == (LISTED in client), client
        for byte in f"request=smtpd_access_policy\nclient_address={CLEAN}\n\n".encode():
            s.sendall(bytes([byte]))
        assert s.recv(100) == b"action=DUNNO\n\n"
        s.sendall(f"request=smtpd_access_policy\nclient_address={LISTED}\n\n".encode() * 2)
        got = b""
        while got.count(b"\n\n") < 2:
            got += s.recv(4096)
        assert got.count(b"550 5.7.1") == 2
    assert daemon.stop() == 0


def test_many_at_once_and_unix_socket(doors):
    daemon, _, policy, path = doors
    connections = []
    for i in range(150):
        if i % 2:
            s = socket.create_connection(("127.0.0.1", policy))
        else:
            s = socket.socket(socket.AF_UNIX)
            s.connect(path)
        connections.append(s)
    for i, s in enumerate(connections):
        s.sendall(f"request=smtpd_access_policy\nclient_address={LISTED if i % 3 == 0 else f'203.0.113.{i}'}\n\n".encode())
    for i, s in enumerate(connections):
        s.settimeout(10)
        assert (b"550" in s.recv(4096)) == (i % 3 == 0)
    assert os.stat(path).st_mode & 0o666 == 0o666
    assert daemon.stop() == 0  # with the connections open
    for s in connections:
        s.close()


@pytest.mark.parametrize("lines, words", [
    ("", "no door is open"),
    ('policy = {"127.0.0.1:1"} header = "X Y"', "no name of a header line"),
    ('policy = {"127.0.0.1:1"} list "x.test" { codes = {"10.0.0.1"} }', "lists answer inside 127.0.0.0/8"),
    ('policy = {"127.0.0.1:1"} list "x.test" { error-codes = {"x"} }', "is no return code"),
])
def test_a_bad_configuration_is_told(start, lines, words):
    daemon = start("sekisho-gated", f'gated {{\n user = ""\n {lines}\n}}\n', ready=False)
    assert daemon.process.wait(20) != 0
    assert words in daemon.log()
