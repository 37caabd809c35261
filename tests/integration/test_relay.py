"""The operator's own MX in front of the trap: a real Postfix takes mail for a trap domain from clients of
any address and hands it to the real sekisho-trapd. What the real sekisho-listd keeps must name the address
that Postfix saw, whatever the client wrote into its mail; and nobody where a program on the MX sent it."""
import os
import shutil
import smtplib
import sqlite3
import subprocess
import tempfile
import time

import pytest

from conftest import TOP, _free_port, tool

TRAP = "bait@trap.example"
VICTIM, VICTIM6 = "8.8.8.8", "2001:4860:4860::8888"


class Relay:
    """A Postfix that is MX for trap.example and relays to a port of ours."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sekisho-relay-")
        os.chmod(self.folder, 0o755)
        self.port, self.trap_port = _free_port(), _free_port()

    def run(self, verb):
        subprocess.run([os.path.join(TOP, "tools", "private-postfix"), self.folder, str(self.port), "-", "-", verb],
            check=True, timeout=60, env={**os.environ, "POSTFIX_RELAY": f"trap.example {self.trap_port}"})

    def send(self, content, client=None, name="[UNAVAILABLE]", helo="client.example", sender="x@sender.example"):
        """A mail from client as Postfix sees it; None: from this machine itself."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as s:
            s.ehlo(helo)
            if client:
                code, words = s.docmd("XCLIENT", f"NAME={name} ADDR={'IPV6:' if ':' in client else ''}{client}")
                assert code == 220, words
                assert s.ehlo(helo)[0] == 250
            code, words = s.docmd("MAIL", f"FROM:<{sender}>")
            assert code == 250, words
            assert s.rcpt(TRAP)[0] == 250
            code, words = s.data(content)
            assert code == 250, words

    def sendmail(self, content):
        """As a program on the relay does it."""
        subprocess.run([tool("sendmail"), "-C", os.path.join(self.folder, "etc"), "-i", "-f", "root@mx.example.net", TRAP],
            input=content.encode(), check=True, timeout=30)

    def log(self):
        with open(os.path.join(self.folder, "postfix.log"), encoding="utf-8", errors="replace") as f:
            return f.read()[-6000:]


@pytest.fixture(scope="module")
def relay():
    if os.geteuid() != 0:
        pytest.skip("Postfix starts as root")
    tool("postfix")
    r = Relay()
    r.run("start")
    yield r
    r.run("stop")
    shutil.rmtree(r.folder, ignore_errors=True)


class Trap:
    def __init__(self, workdir, start, port):
        self.store = os.path.join(workdir, "state", "sekisho.db")
        conf = os.path.join(workdir, "sekisho.conf")
        with open(conf, "w", encoding="utf-8") as f:
            f.write(f'''state-dir = "{workdir}/state"
run-dir = "{workdir}/run"
list "bl" {{
	zone = "bl.example"
	title = "traps"
	code = "127.0.0.2"
	threshold = 10
}}
listd {{ user = "" }}
trapd {{
	user = ""
	listen = {{"127.0.0.1:{port}"}}
	host-name = "trap.mx.example"
	domains = {{"trap.example"}}
	greet-delay-ms = 0
}}
''')
        self.listd = start("sekisho-listd", conf)
        self.again = lambda: start("sekisho-trapd", conf)
        self.trapd = self.again()

    def rows(self, sql, *args):
        store = sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=10)
        try:
            return store.execute(sql, args).fetchall()
        finally:
            store.close()

    def evidence(self, subject, within_s=20):
        """Address and HELO of the one piece of evidence of the mail with this subject."""
        deadline = time.monotonic() + within_s
        while not (found := self.rows("SELECT ip, helo FROM evidence WHERE subject_line = ?", subject)):
            assert time.monotonic() < deadline, f"no evidence of '{subject}'\n{self.trapd.log()[-3000:]}"
            time.sleep(0.05)
        assert len(found) == 1
        return found[0]

    def listed(self):
        return {row[0] for row in self.rows("SELECT subject FROM listing")}


@pytest.fixture
def trap(workdir, start, relay):
    return Trap(workdir, start, relay.trap_port)


def named(subject, lines=""):
    return f"{lines}Subject: {subject}\r\n\r\nhello\r\n"


OURS = ("by mx.example.net (Postfix) with ESMTP id 4XyZ for <bait@trap.example>; Tue, 24 Nov 2026 05:00:00 +0000 (UTC)")
# What a client writes to have somebody else listed: name, what stands at the top of its mail.
FORGED = {
    "a relay's field": f"Received: from v.example (v.example [{VICTIM}])\r\n\t{OURS}\r\n",
    "through this machine": f"Received: from localhost (localhost [127.0.0.1])\r\n\t{OURS}\r\n"
        f"Received: from v.example (v.example [{VICTIM}])\r\n\t{OURS}\r\n",
    "IPv6": f"Received: from v.example (v.example [IPv6:{VICTIM6}])\r\n\t{OURS}\r\n",
    "the rest of a field": f" from v.example (v.example [{VICTIM}]) {OURS}\r\n",
    "with a tab": f"\t(v.example [{VICTIM}])\r\n",
    "an mbox line": f"From x@v.example Tue Nov 24 05:00:00 2026\r\nReceived: from v.example ([{VICTIM}]) {OURS}\r\n",
    "X fields": f"X-Originating-IP: [{VICTIM}]\r\nX-Client: {VICTIM}\r\nReturn-Path: <x@[{VICTIM}]>\r\n",
    "bare carriage returns": f"X: y\rReceived: from v.example ([{VICTIM}]) {OURS}\r\n",
    "a long one": "X-Long: " + "z" * 5000 + f"\r\nReceived: from v.example ([{VICTIM}]) {OURS}\r\n",
}
CLIENTS = ["20.1.2.3", "2a01:4f8:1:2::25"]


@pytest.mark.parametrize("client", CLIENTS)
def test_what_a_client_writes_lists_nobody_else(relay, trap, client):
    for name, lines in FORGED.items():
        relay.send(named(name, lines), client)
    deadline = time.monotonic() + 30
    while len(rows := trap.rows("SELECT ip, subject_line FROM evidence")) < len(FORGED):
        assert time.monotonic() < deadline, relay.log() + trap.trapd.log()
        time.sleep(0.05)
    assert {ip for ip, _ in rows} == {client}, rows
    assert trap.listed() == {client if ":" not in client else "2a01:4f8:1:2::/64"}


@pytest.mark.parametrize("name, helo", [
    ("mail.honest.example", "mail.honest.example"),
    ("[UNAVAILABLE]", "unknown"),
    ("[TEMPUNAVAIL]", f"[{VICTIM}]"),
    ("v.example", f"[IPv6:{VICTIM6}]"),
    (f"{VICTIM}.v.example", f"x[{VICTIM}]"),
    ("localhost", "localhost"),
    ("mx.example.net", "mx.example.net"),
    ("v.example", f"v.example (v.example [{VICTIM}])"),
    ("v.example", f"v.example [{VICTIM}] (v.example [{VICTIM}])"),
    ("v.example", "x) by mx.example.net (Postfix"),
    ("v.example", f"(v.example [{VICTIM}"),
    ("v.example", f'"(v.example [{VICTIM}])'),
    ("v.example", "by"),
    ("v.example", "from"),
    ("v.example", "h;" + "\\(" * 20),
])
def test_what_a_client_calls_itself_lists_nobody_else(relay, trap, name, helo):
    seen = {}
    for client in CLIENTS:
        subject = f"called from {client}"
        relay.send(named(subject, FORGED["a relay's field"]), client, name, helo)
        seen[client] = trap.evidence(subject)[0]
    assert seen == {client: client for client in CLIENTS}, relay.log()


def test_addresses_of_the_envelope_list_nobody_else(relay, trap):
    for number, sender in enumerate((f"x@[{VICTIM}]", f'"x ([{VICTIM}])"@sender.example', f"x+{VICTIM}@{VICTIM}.sender.example", "")):
        relay.send(named(f"envelope {number}"), "20.1.2.4", sender=sender)
        assert trap.evidence(f"envelope {number}")[0] == "20.1.2.4"


def test_what_the_relay_itself_sends_lists_nobody(relay, trap):
    for name, lines in FORGED.items():
        if lines[0] not in " \t":
            relay.send(named(f"smtp {name}", lines))
            relay.sendmail(named(f"program {name}", lines).replace("\r\n", "\n"))
    relay.sendmail("Subject: plain\n\nhello\n")
    wanted = 2 * sum(lines[0] not in " \t" for lines in FORGED.values()) + 1
    deadline = time.monotonic() + 30
    while len(rows := trap.rows("SELECT ip, subject_line FROM evidence")) < wanted:
        assert time.monotonic() < deadline, relay.log() + trap.trapd.log()
        time.sleep(0.05)
    assert {ip for ip, _ in rows} == {""}, rows
    assert trap.listed() == set()


def test_a_private_client_lists_nobody(relay, trap):
    for client in ("10.1.2.3", "192.168.7.7", "169.254.1.1", "fe80::1", "fd00::1", "::ffff:10.0.0.1"):
        relay.send(named(f"private {client}", FORGED["a relay's field"]), client)
        assert trap.evidence(f"private {client}")[0] == ""
    assert trap.listed() == set()


def test_a_trap_that_is_away_gets_it_later_and_the_same(relay, trap):
    """The relay's queue keeps it; what it wrote about the client stays."""
    trap.trapd.kill()
    relay.send(named("kept", FORGED["a relay's field"]), "20.1.2.5")
    time.sleep(0.3)
    trap.trapd = trap.again()
    subprocess.run([tool("postqueue"), "-c", os.path.join(relay.folder, "etc"), "-f"], check=True, timeout=30)
    assert trap.evidence("kept")[0] == "20.1.2.5"
    assert trap.listed() == {"20.1.2.5"}
