"""The operator's own MX in front of the trap: a real Postfix, and a real Exim where one is installed, takes
mail for a trap domain from clients of any address and hands it to the real sekisho-trapd. What the real
sekisho-listd keeps must name the address that the MX saw, whatever the client wrote into its mail; and
nobody where a program on the MX sent it."""
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

    def clients(self, count, within_s=20):
        """The addresses that the evidence of so many mails names."""
        deadline = time.monotonic() + within_s
        while len(found := self.rows("SELECT ip, subject_line FROM evidence")) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count} came\n{self.trapd.log()[-3000:]}"
            time.sleep(0.05)
        assert len(found) == count
        return {ip for ip, _ in found}

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
WHOLE_FIELDS = {name: lines for name, lines in FORGED.items() if lines[0] not in " \t"}
CLIENTS = ["20.1.2.3", "2a01:4f8:1:2::25"]


@pytest.mark.parametrize("client", CLIENTS)
def test_what_a_client_writes_lists_nobody_else(relay, trap, client):
    for name, lines in FORGED.items():
        relay.send(named(name, lines), client)
    assert trap.clients(len(FORGED)) == {client}
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
    for name, lines in WHOLE_FIELDS.items():
        relay.send(named(f"smtp {name}", lines))
        relay.sendmail(named(f"program {name}", lines).replace("\r\n", "\n"))
    relay.sendmail("Subject: plain\n\nhello\n")
    assert trap.clients(2 * len(WHOLE_FIELDS) + 1) == {""}
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


class Exim:
    """An Exim that relays to a port of ours. A session on its standard input has any client address (-oMa)."""

    def __init__(self, folder, trap_port):
        self.conf = os.path.join(folder, "exim.conf")
        spool = os.path.join(folder, "exim-spool")
        os.mkdir(spool)
        shutil.chown(spool, "Debian-exim", "Debian-exim")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(f"""primary_hostname = mx.example.net
spool_directory = {spool}
exim_path = {tool("exim4")}
keep_environment =
log_file_path = {spool}/%slog
acl_smtp_rcpt = accept
acl_smtp_data = accept
helo_allow_chars = []_:();@\\
helo_accept_junk_hosts = *
allow_domain_literals
begin routers
trap:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = trap
begin transports
trap:
  driver = smtp
  port = {trap_port}
  message_linelength_limit = 100000
""")

    def run(self, *args, lines):
        done = subprocess.run([tool("exim4"), "-C", self.conf, "-odq", *args], input=lines.encode("latin-1"), capture_output=True,
            timeout=60)
        return done.stdout.decode("latin-1") + done.stderr.decode("latin-1")

    def deliver(self):
        self.run("-qf", lines="")

    def send(self, content, client, name=None, helo="client.example"):
        said = self.run("-bs", "-oMa", f"[{client}]:4000", *(["-oMs", name] if name else []),
            lines=f"EHLO {helo}\r\nMAIL FROM:<x@sender.example>\r\nRCPT TO:<{TRAP}>\r\nDATA\r\n{content}.\r\nQUIT\r\n")
        assert "250 OK id=" in said, said


@pytest.fixture
def exim(workdir, relay):
    tool("exim4")
    return Exim(workdir, relay.trap_port)


@pytest.mark.parametrize("client", CLIENTS)
def test_exim_names_who_it_saw(exim, trap, client):
    for name, lines in FORGED.items():
        exim.send(named(name, lines), client)
    for number, (name, helo) in enumerate(((None, "client.example"), ("v.example", "other.example"), (None, f"[{VICTIM}]"),
            ("v.example", f"[IPv6:{VICTIM6}]"), ("localhost", "localhost"), (None, f"x[{VICTIM}]"),
            ("v.example", f"v.example(v.example[{VICTIM}])by(mx"))):
        exim.send(named(f"called {number}", FORGED["a relay's field"]), client, name, helo)
    exim.deliver()
    assert trap.clients(len(FORGED) + 7) == {client}


def test_what_exim_itself_sends_lists_nobody(exim, trap):
    for name, lines in WHOLE_FIELDS.items():
        exim.run("-i", "-f", "root@mx.example.net", TRAP, lines=named(name, lines).replace("\r\n", "\n"))
        exim.send(named(name, lines), "127.0.0.1")
        exim.send(named(name, lines), "::1")
    exim.deliver()
    assert trap.clients(3 * len(WHOLE_FIELDS)) == {""}
