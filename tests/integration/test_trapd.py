"""sekisho-trapd against real clients (smtplib, swaks, openssl) and the real sekisho-listd: what was told
250 is kept, what was not is not counted twice, and nobody is listed for what somebody else wrote."""
import concurrent.futures
import json
import os
import re
import signal
import smtplib
import socket
import ssl
import subprocess
import time

import pytest

from conftest import program

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORPUS = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "sekisho", "corpus")
PLAY = os.path.join(TOP, "tests", "play-spam")
TRAP = "bait@trap.example"
SPAM = "Subject: buy\r\n\r\nhttp://www.bad.biz/ for bait@trap.example\r\n"


class Listd:
    """listd's administrator door: one question, one answer."""

    def __init__(self, path):
        self.path = path

    def ask(self, **message):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(20)
            s.connect(self.path)
            for m in ({"type": "hello", "role": "admin", "id": 1}, {**message, "id": 2}):
                s.send(json.dumps(m).encode())
                reply = json.loads(s.recv(1 << 18))
                assert reply["ok"], reply
        return reply

    def count(self):
        return self.ask(type="status")["evidence"]

    def evidence_on(self, subject):
        return [e for g in self.ask(type="lookup", subject=subject)["listings"] for e in g["evidence"]]


class Site:
    def __init__(self, workdir, start, free_port):
        self.dir, self.start, self.port = workdir, start, free_port()
        self.lmtp = os.path.join(workdir, "lmtp.sock")
        self.conf = os.path.join(workdir, "sekisho.conf")
        self.listd_door = Listd(os.path.join(workdir, "run", "listd.sock"))

    def write(self, **more):
        options = {"listen": '{"127.0.0.1:%d", "unix:%s"}' % (self.port, self.lmtp), "host-name": '"mx.host.example"',
            "domains": '{"trap.example"}', "user": '""', "greet-delay-ms": "0", **more}
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(f'''state-dir = "{self.dir}/state"
run-dir = "{self.dir}/run"
list "bl" {{
	zone = "bl.example"
	title = "traps"
	code = "127.0.0.2"
	threshold = 10
}}
list "dbl" {{
	zone = "dbl.example"
	kind = "domain"
	title = "links"
	code = "127.0.1.2"
	threshold = 10
}}
listd {{ user = "" }}
trapd {{
''')
            f.writelines(f"\t{k.replace('_', '-')} = {v}\n" for k, v in options.items() if k != "sections")
            f.write(options.get("sections", ""))
            f.write("}\n")
        return self

    def run(self, **more):
        self.write(**more)
        self.listd = self.start("sekisho-listd", self.conf)
        self.trapd = self.start("sekisho-trapd", args=["--verbose", "--config", self.conf])
        return self

    def again(self):
        self.listd = self.start("sekisho-listd", self.conf)

    def client(self, **kw):
        return smtplib.SMTP("127.0.0.1", self.port, local_hostname="client.example", timeout=60, **kw)

    def send(self, content=SPAM, to=TRAP, sender="x@sender.example"):
        with self.client() as s:
            return s.sendmail(sender, to, content)


@pytest.fixture
def site(workdir, start, free_port):
    return Site(workdir, start, free_port)


def proxy(client):
    ip = socket.inet_aton(client)
    return b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + ip + b"\x7f\0\0\1" + b"\x9c\x40\0\x19"


def talk(site, first=b"", port=None):
    s = socket.create_connection(("127.0.0.1", port or site.port), timeout=20)
    s.sendall(first)
    return s, s.makefile("rb")


def test_a_mail_becomes_evidence_and_a_listing(site):
    site.run(relays='{"127.0.0.1"}')
    with site.client() as s:
        s.ehlo()
        for word in ("pipelining", "size", "8bitmime", "smtputf8", "starttls", "enhancedstatuscodes"):
            assert s.has_extn(word)
        s.sendmail("x@sender.example", TRAP,
            "Received: from liar (h.example [9.9.9.9]) by relay\r\nReceived: from v ([8.8.8.8]) by liar\r\n" + SPAM)
    assert site.listd_door.count() == 1
    seen = site.listd_door.evidence_on("9.9.9.9")
    assert len(seen) == 1 and seen[0]["mail_from_domain"] == "sender.example"
    assert site.listd_door.evidence_on("8.8.8.8") == []
    assert len(site.listd_door.evidence_on("bad.biz")) == 1
    assert "bait" not in json.dumps(seen) and "trap.example" not in json.dumps(seen)
    assert "bait" not in site.trapd.log()
    assert "answer=kept" in site.trapd.log()
    assert site.trapd.stop() == 0


def test_who_is_taken_and_who_is_not(site):
    site.run()
    with site.client() as s:
        s.ehlo()
        s.mail("")
        assert s.rcpt("a@other.example")[0] == 550
        assert s.rcpt("a%other.example@other.example")[0] == 550
        assert s.rcpt("postmaster@trap.example")[0] == 550
        assert s.rcpt("A@Trap.Example")[0] == 250
        assert s.verify("root")[0] == 252
        assert s.docmd("EXPN", "all")[0] == 502
        assert s.docmd("RSET")[0] == 250
        assert s.docmd("DATA")[0] == 503
    assert site.listd_door.count() == 0


def test_traps_weigh_by_their_type(site):
    site.run(relays='{"127.0.0.1"}', sections="""
        trap "old" { type = recycled; addresses = {"old-*@shop.example"} }
        trap "slips" { type = typo; domains = {"slip.example"} }
        trap "off" { weight = 0; domains = {"off.example"} }
    """.replace(";", "\n"))
    mail = "Received: from a ([%s]) by relay\r\nSubject: x\r\n\r\nx\r\n"
    def listed(ip):
        return [g["cause"]["weight"] for g in site.listd_door.ask(type="lookup", subject=ip)["listings"]]
    with site.client() as s:
        s.mail("x@sender.example")
        assert s.rcpt("young@shop.example")[0] == 550 and s.rcpt("old-1@shop.example")[0] == 250
    site.send(mail % "9.9.9.1", to=TRAP)
    assert listed("9.9.9.1") == [10]
    site.send(mail % "9.9.9.2", to="old-1@shop.example")
    assert listed("9.9.9.2") == []
    site.send(mail % "9.9.9.2", to="old-2@shop.example")
    assert listed("9.9.9.2") == [10]
    site.send(mail % "9.9.9.3", to=[f"t{i}@slip.example" for i in range(4)])
    assert listed("9.9.9.3") == []
    site.send(mail % "9.9.9.3", to="t9@slip.example")
    assert listed("9.9.9.3") == [10]
    site.send(mail % "9.9.9.4", to=[f"t{i}@off.example" for i in range(16)])
    assert listed("9.9.9.4") == []
    assert site.listd_door.count() == 1 + 2 + 5 + 16


def test_several_traps_are_several_hits(site):
    site.run()
    site.send(to=["a@trap.example", "b@trap.example", "A@trap.example"])
    assert site.listd_door.count() == 2


def test_local_mail_without_links_is_kept_and_lists_nobody(site):
    site.run()
    site.send("Subject: x\r\n\r\nnothing\r\n")
    status = site.listd_door.ask(type="status")
    assert status["evidence"] == 1 and all(x["active"] == 0 for x in status["lists"])


def test_backscatter_lists_nobody(site):
    site.run(proxies='{"127.0.0.1"}')
    s, f = talk(site, proxy("9.9.9.9"))
    f.readline()
    mail = ("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<%s>\r\nDATA\r\n" % TRAP).encode()
    s.sendall(mail)
    s.sendall(b"From: MAILER-DAEMON@mx.example\r\nSubject: failed\r\n\r\nno\r\n.\r\nQUIT\r\n")
    assert b"250 2.0.0" in f.read()
    s.close()
    assert site.listd_door.count() == 1 and site.listd_door.evidence_on("9.9.9.9") == []


def test_starttls(site):
    site.run()
    context = ssl._create_unverified_context()
    with site.client() as s:
        s.starttls(context=context)
        s.ehlo()
        assert not s.has_extn("starttls")
        s.sendmail("x@sender.example", TRAP, SPAM + "x" * 200000 + "\r\n")
    assert site.listd_door.count() == 1


def test_starttls_by_openssl_and_swaks(site, tool):
    site.run()
    shown = subprocess.run([tool("openssl"), "s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{site.port}",
        "-quiet"], input=b"QUIT\r\n", capture_output=True, timeout=30)
    assert b"221 2.0.0" in shown.stdout, shown
    for extra in ([], ["--tls"]):
        done = subprocess.run([tool("swaks"), "--server", f"127.0.0.1:{site.port}", "--to", TRAP, "--from",
            "x@sender.example", *extra], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0 and "250 2.0.0" in done.stdout, done.stdout
    assert site.listd_door.count() == 2


@pytest.fixture
def tool():
    from conftest import tool as find
    return find


def test_what_is_sent_in_plain_behind_starttls_does_not_count(site):
    site.run()
    s, f = talk(site)
    f.readline()
    s.sendall(b"STARTTLS\r\nMAIL FROM:<injected@sender.example>\r\n")
    assert f.readline().startswith(b"220")
    tls = ssl._create_unverified_context().wrap_socket(s)
    tls.sendall(b"RCPT TO:<%s>\r\n" % TRAP.encode())
    assert tls.recv(1000).startswith(b"503")
    tls.close()


def test_own_certificate(site, workdir, tool):
    cert, key = os.path.join(workdir, "c.pem"), os.path.join(workdir, "k.pem")
    subprocess.run([tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert,
        "-subj", "/CN=mx.host.example", "-days", "2"], check=True, capture_output=True)
    site.run(tls_certificate=f'"{cert}"', tls_key=f'"{key}"')
    with site.client() as s:
        context = ssl.create_default_context(cafile=cert)
        context.check_hostname = False
        s.starttls(context=context)


def test_proxy_names_the_client(site):
    site.run(proxies='{"127.0.0.1"}')
    done = subprocess.run([PLAY, "--port", str(site.port), "--proxy", "9.9.9.9", "--connections", "1",
        os.path.join(TOP, "tests", "fuzz", "corpus", "smtp", "one-mail")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(site.listd_door.evidence_on("9.9.9.9")) == 1
    s, f = talk(site, b"EHLO without a header\r\n")
    assert f.read() == b""
    s.close()
    assert "trap.proxy" in site.trapd.log()


def test_sessions_of_one_client_are_limited(site):
    site.run(proxies='{"127.0.0.1"}', max_sessions_per_ip="2")
    held = [talk(site, proxy("9.9.9.9")) for _ in range(2)]
    assert all(f.readline().startswith(b"220") for _, f in held)
    third, f = talk(site, proxy("9.9.9.9"))
    assert f.readline().startswith(b"421")
    other, f = talk(site, proxy("9.9.9.8"))
    assert f.readline().startswith(b"220")
    for s, _ in held:
        s.shutdown(socket.SHUT_RDWR)
    deadline = time.monotonic() + 10
    while not (again := talk(site, proxy("9.9.9.9")))[1].readline().startswith(b"220"):
        assert time.monotonic() < deadline
    for s in (third, other, again[0]):
        s.close()


def test_all_sessions_are_limited(site):
    site.run(max_sessions="2")
    held = [talk(site) for _ in range(2)]
    assert all(f.readline().startswith(b"220") for _, f in held)
    s, f = talk(site)
    assert f.readline().startswith(b"421")
    s.close()


def test_early_talkers_and_silence(site):
    site.run(greet_delay_ms="300", timeout='"1s"')
    start = time.monotonic()
    s, f = talk(site, b"EHLO early\r\n")
    assert f.readline().startswith(b"220") and time.monotonic() - start > 0.25
    while f.readline().startswith(b"250-"):
        pass
    assert f.readline().startswith(b"421 4.4.2")
    assert f.read() == b""
    s.close()


def test_too_big(site):
    site.run(max_size="100000")
    with site.client() as s:
        s.ehlo()
        assert s.mail("x@sender.example", ["SIZE=100001"])[0] == 552
        s.mail("x@sender.example")
        s.rcpt(TRAP)
        assert s.data("x" * 100 + "\r\n" + "y" * 100000)[0] == 552
        s.sendmail("x@sender.example", TRAP, SPAM)
    assert site.listd_door.count() == 1


def test_memory_for_mails_is_limited(site):
    site.run(max_memory="1048576")
    with pytest.raises((smtplib.SMTPException, OSError)):
        site.send("Subject: big\r\n\r\n" + "x" * 3000000)
    site.send()
    held = [talk(site) for _ in range(3)]
    for s, _ in held:
        s.sendall((f"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<{TRAP}>\r\nDATA\r\n" + "x" * 500000).encode())
    said = []
    for s, _ in held:
        s.settimeout(2)
        said.append(b"")
        try:
            while more := s.recv(4096):
                said[-1] += more
        except TimeoutError:
            pass
        s.close()
    assert 1 <= sum(b"421 4.3.1" in x for x in said) <= 2, said
    site.send()
    assert site.listd_door.count() == 2
    assert "limit=max-memory" in site.trapd.log()


def test_lmtp(site):
    site.run()
    s = socket.socket(socket.AF_UNIX)
    s.connect(site.lmtp)
    s.sendall((f"LHLO x\r\nMAIL FROM:<x@sender.example>\r\nRCPT TO:<{TRAP}>\r\nRCPT TO:<b@trap.example>\r\nDATA\r\n"
        f"Received: from a ([9.9.9.9]) by here\r\n{SPAM}.\r\nQUIT\r\n").encode())
    said = s.makefile("rb").read()
    s.close()
    assert said.startswith(b"220 mx.host.example LMTP") and said.count(b"250 2.0.0 Ok: queued") == 2
    assert site.listd_door.count() == 2
    assert len(site.listd_door.evidence_on("9.9.9.9")) == 2


def test_listd_away_for_a_moment_delays_and_loses_nothing(site):
    site.run()
    site.listd.kill()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        sent = pool.submit(site.send)
        time.sleep(1)
        assert not sent.done()
        site.again()
        assert sent.result(timeout=30) == {}
    assert site.listd_door.count() == 1


def test_listd_too_late_means_try_again_and_counts_once(site):
    site.run()
    site.send()
    os.kill(site.listd.pid, signal.SIGSTOP)
    with pytest.raises(smtplib.SMTPDataError) as e:
        site.send("Subject: late\r\n\r\nx\r\n")
    assert e.value.smtp_code == 451
    os.kill(site.listd.pid, signal.SIGCONT)
    site.send("Subject: late\r\n\r\nx\r\n")
    assert site.listd_door.count() == 2
    assert "answer=later" in site.trapd.log()


def test_sigterm_answers_what_waits(site):
    site.run()
    os.kill(site.listd.pid, signal.SIGSTOP)
    idle, idle_file = talk(site)
    idle_file.readline()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        client = site.client()
        sent = pool.submit(client.sendmail, "x@sender.example", TRAP, SPAM)
        time.sleep(0.5)
        site.trapd.process.terminate()
        assert idle_file.readline().startswith(b"421")
        os.kill(site.listd.pid, signal.SIGCONT)
        assert sent.result(timeout=30) == {}
        client.close()
    assert site.trapd.process.wait(10) == 0
    assert site.listd_door.count() == 1
    idle.close()


def test_sigterm_does_not_wait_for_ever(site):
    site.run()
    os.kill(site.listd.pid, signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        sent = pool.submit(site.send)
        time.sleep(0.5)
        site.trapd.process.terminate()
        with pytest.raises((smtplib.SMTPException, OSError)):
            sent.result(timeout=30)
    assert site.trapd.process.wait(10) == 0
    os.kill(site.listd.pid, signal.SIGCONT)


def test_out_of_files_is_no_end(site):
    site.write(max_sessions="1000")
    site.listd = site.start("sekisho-listd", site.conf)
    site.trapd = site.start("/bin/sh", args=["-c", 'ulimit -n 100; exec "$0" --config "$1"', program("sekisho-trapd"), site.conf])
    assert "limit=open-files" in site.trapd.log()
    held = []
    for _ in range(130):
        held.append(socket.create_connection(("127.0.0.1", site.port), timeout=5))
    for s in held:
        s.close()
    deadline = time.monotonic() + 10
    while True:
        try:
            site.send()
            break
        except smtplib.SMTPConnectError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert site.listd_door.count() == 1


def test_sighup_is_no_end(site):
    site.run()
    site.trapd.process.send_signal(signal.SIGHUP)
    site.send()
    assert "trap.reload" in site.trapd.log()


def test_rights_are_gone(site):
    site.run()
    with open(f"/proc/{site.trapd.pid}/status", encoding="ascii") as f:
        status = f.read()
    assert "NoNewPrivs:\t1" in status
    secret = os.path.join(site.dir, "state", "trapd", "secret")
    assert os.stat(secret).st_mode & 0o777 == 0o600
    with open(secret, encoding="ascii") as f:
        key = f.read()
    assert re.fullmatch("[0-9a-f]{32}\n", key)
    site.trapd.stop()
    site.trapd = site.start("sekisho-trapd", site.conf)
    with open(secret, encoding="ascii") as f:
        assert f.read() == key


@pytest.mark.parametrize("more, words", [
    ({"tls_certificate": '"/nowhere/c.pem"', "tls_key": '"/nowhere/k.pem"'}, "/nowhere/c.pem"),
    ({"listen": '{"192.0.2.1:25"}'}, "192.0.2.1"),
    ({"sections": '\ttrap "a" { domains = {"TRAP.example"} }\n'}, "stands twice"),
])
def test_what_cannot_work_is_told(site, more, words):
    site.write(**more)
    trapd = site.start("sekisho-trapd", site.conf, ready=False)
    assert trapd.process.wait(20) == 1
    assert "trapd.fatal" in trapd.log() and words in trapd.log()


def test_noise_harms_nobody(site):
    site.run()
    import random
    chance = random.Random(20021124)
    words = [b"EHLO x\r\n", b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<a@trap.example>\r\n", b"DATA\r\n", b".\r\n", b"\r\n", b"\0",
        b"STARTTLS\r\n", b"QUIT", b"\xff" * 3000, b"RSET\n", b"x" * 70000]
    for _ in range(60):
        s, f = talk(site)
        try:
            for _ in range(chance.randrange(20)):
                s.sendall(chance.choice(words))
        except OSError:
            pass
        s.close()
    before = site.listd_door.count()
    site.send()
    assert site.listd_door.count() == before + 1


needs_corpus = pytest.mark.skipif(not os.path.isdir(os.path.join(CORPUS, "spam-1")), reason="no corpus: tools/fetch-corpus")


def demo_relays():
    with open(os.path.join(TOP, "examples", "demo.conf"), encoding="utf-8") as f:
        return "{" + re.search(r"relays = \{(.*?)\}", f.read(), re.S).group(1) + "}"


def play(site, *args):
    done = subprocess.run([PLAY, "--port", str(site.port), *args], capture_output=True, text=True, timeout=500)
    assert done.stdout, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


@needs_corpus
def test_all_spam_of_the_corpus_is_kept(site):
    site.run(relays=demo_relays(), max_sessions="50")
    result, words = play(site, os.path.join(CORPUS, "spam-1"), os.path.join(CORPUS, "spam-2"))
    assert result["sent"] == result["accepted"] == 1896, words
    assert site.listd_door.count() == 1896
    senders = re.findall(r" sender=(\S+)", site.trapd.log())
    assert len(senders) == 1896
    public = [s for s in senders if s != "none"]
    assert len(public) >= 1720
    assert not any(s.startswith(("10.", "127.", "192.168.")) for s in public)
    assert not re.search(r"@|trap\d", site.trapd.log())


@needs_corpus
def test_kill_9_of_listd_while_spam_comes_in(site):
    site.run(relays=demo_relays())
    with concurrent.futures.ThreadPoolExecutor() as pool:
        playing = pool.submit(play, site, "--limit", "300", os.path.join(CORPUS, "spam-1"))
        for _ in range(3):
            time.sleep(0.7)
            site.listd.kill()
            time.sleep(0.2)
            site.again()
        result, words = playing.result()
    assert result["accepted"] == 300, words
    assert site.listd_door.count() == 300
