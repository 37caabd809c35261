"""The portal against a real listd and a real resolver: what it says, in which language and form, when it
lets a listing go, and what it does with input that means harm."""
import html
import http.client
import json
import re
import socket
import time
import urllib.parse

import pytest

LISTED = "11.22.33.44"  # PTR mail.good.example, and back
NO_PTR = "11.22.33.45"
NO_MATCH = "11.22.33.46"  # PTR mail.liar.example, which is somebody else
SILENT = "11.22.77.1"  # the DNS does not answer
NET6 = "2a01:4f8:1:2::/64"
HOST6 = "2a01:4f8:1:2::25"
EVIL = '<script>alert("x")</script>\u202e\x1b[31m\'&'


class Portal:
    """HTTP to webd, JSON to listd."""

    def __init__(self, port, socket_path):
        self.port = port
        self.listd = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listd.connect(socket_path)
        self.number = 0
        self.tell("hello", role="admin")

    def tell(self, message, **fields):
        self.number += 1
        self.listd.send(json.dumps({"type": message, "id": self.number, **fields}).encode())
        reply = json.loads(self.listd.recv(1 << 17))
        assert reply["ok"], reply
        return reply

    def evidence(self, ip=None, domains=(), **more):
        self.number += 1
        fields = {"kind": "trap-hit", "class": "spam", "at": int(time.time() * 1000), "port": 1234, "sensor": "t1",
                  "trap": "ab" * 8, "uid": f"u{self.number}-{time.time()}", "helo": "spam.example",
                  "mail_from_domain": "forged.example", "subject_line": "Win a prize", "size": 100,
                  "body_hash": "00", "sample": "Subject: Win a prize\n\nClick here.", "domains": list(domains), **more}
        if ip:
            fields["ip"] = ip
        return self.tell("evidence", **fields)

    def listed(self, subject):
        return [x["list"] for x in self.tell("lookup", subject=subject)["listings"] if x["state"] == "active"]

    def ask(self, method, target, body=None, **headers):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        c.request(method, target, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
        r = c.getresponse()
        r.text = r.read().decode()
        c.close()
        return r

    def get(self, target, **headers):
        return self.ask("GET", target, **headers)

    def json(self, target, **headers):
        r = self.get(target, Accept="application/json", **headers)
        assert r.getheader("Content-Type") == "application/json"
        return json.loads(r.text)

    def form(self, subject, name="trap"):
        """The fields of the removal form on the page about a subject."""
        page = self.get("/q?" + urllib.parse.urlencode({"q": subject})).text
        for form in re.findall(r'<form action="/remove" method="post">(.*?)</form>', page, re.S):
            fields = {n: html.unescape(v) for n, v in
                      re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)}
            if fields["list"] == name:
                return fields
        pytest.fail(f"no removal form for {subject} on {name}")

    def post(self, fields, **headers):
        return self.ask("POST", "/remove", urllib.parse.urlencode(fields),
                        Content_Type="application/x-www-form-urlencoded", **headers)


def wait_for(ready, within_s=15):
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if ready():
                return
        except OSError:
            pass
        time.sleep(0.05)
    pytest.fail("it did not become ready in time")


RESOLVER = """
server:
  interface: 127.0.0.1
  port: {port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{dir}"
  pidfile: ""
  use-syslog: no
  local-zone: "." static
  local-zone: "77.22.11.in-addr.arpa." deny
  local-data: "44.33.22.11.in-addr.arpa. PTR mail.good.example."
  local-data: "mail.good.example. A 11.22.33.44"
  local-data: "46.33.22.11.in-addr.arpa. PTR mail.liar.example."
  local-data: "mail.liar.example. A 11.22.33.99"
  local-data-ptr: "{host6} six.good.example"
  local-data: "six.good.example. AAAA {host6}"
remote-control:
  control-enable: no
"""

CONFIG = """
state-dir = "{dir}/state"
run-dir = "{dir}/run"
list "trap" {{
	zone = "bl.test.example"
	title = "Senders <of> spam"
	code = "127.0.0.2"
	threshold = 10
	lifetime = "3h"
	lifetime-max = "24h"
	leave-max = 2
}}
list "quiet" {{
	zone = "quiet.test.example"
	code = "127.0.0.4"
	automatic = no
	leave-fcrdns = no
	leave-quiet = "6h"
}}
list "links" {{
	zone = "dbl.test.example"
	kind = "domain"
	code = "127.0.1.2"
	leave = "auto"
}}
list "hand" {{
	zone = "hand.test.example"
	code = "127.0.0.3"
	automatic = no
	leave = "none"
}}
listd {{
	user = ""
}}
webd {{
	user = ""
	listen = "127.0.0.1:{port}"
	base-url = "https://bl.test.example"
	operator = "Test & Co"
	contact = "help@test.example"
	resolver = {{"127.0.0.1:{dns}"}}
	lookup-rate = 6000
	{more}
}}
"""


@pytest.fixture
def portal(start, free_port, workdir):
    def run(more="removal-rate = 6000", listd=True):
        port, dns = free_port(), free_port()
        with open(f"{workdir}/unbound.conf", "w", encoding="utf-8") as f:
            f.write(RESOLVER.format(port=dns, dir=workdir, host6=HOST6))
        start("/usr/sbin/unbound", args=["-d", "-c", f"{workdir}/unbound.conf"])  # it speaks the protocol of readiness, too
        conf = CONFIG.format(dir=workdir, port=port, dns=dns, more=more)
        run.listd = start("sekisho-listd", conf) if listd else None
        run.webd = start("sekisho-webd", conf)
        run.conf = conf
        p = Portal(port, f"{workdir}/run/listd.sock")
        wait_for(lambda: p.get("/healthz").status == 200)
        return p
    return run


def test_unlisted_in_both_languages(portal):
    p = portal()
    r = p.get("/q?q=11.22.33.44")
    assert r.status == 200 and '<html lang="en">' in r.text and "is not listed." in r.text
    for headers, target in [({"Accept_Language": "ja-JP,ja;q=0.9,en;q=0.8"}, "/q?q=11.22.33.44"), ({}, "/q?q=11.22.33.44&lang=ja"),
                            ({"Accept_Language": "en"}, "/11.22.33.44?lang=ja")]:
        r = p.get(target, **headers)
        assert r.status == 200 and '<html lang="ja">' in r.text and "掲載されていません。" in r.text
    assert "プライベート" in p.get("/q?q=10.0.0.1&lang=ja").text
    for query, subject in [("HTTP://Bad.Example.ORG:80/x?y", "bad.example.org"), ("a@example.org", "example.org"),
                           ("[11.22.33.44]", LISTED), ("::ffff:11.22.33.44", LISTED), ("日本.jp", "xn--wgv71a.jp")]:
        assert p.json("/q?" + urllib.parse.urlencode({"q": query}))["subject"] == subject


def test_json_equals_page(portal):
    p = portal()
    p.evidence(LISTED, domains=["bad.shopping-offers.net"])
    facts = p.json(f"/q?q={LISTED}")
    assert p.json(f"/q.json?q={LISTED}")["listings"] == facts["listings"]
    assert json.loads(p.get(f"/{LISTED}?format=json").text)["listings"] == facts["listings"]
    assert facts["listed"] and facts["kind"] == "address"
    (listing,) = facts["listings"]
    assert listing["list"] == "trap" and listing["code"] == "127.0.0.2" and listing["relist"] == 0
    assert listing["leave"]["way"] == "request" and listing["leave"]["open"] is True
    page = html.unescape(p.get(f"/q?q={LISTED}").text)
    for fact in (listing["title"], listing["since"], listing["expires"], listing["last"], listing["code"], listing["cause"]["words"],
                 listing["zone"], listing["evidence"][0]["subject_line"], listing["evidence"][0]["sample"],
                 listing["evidence"][0]["helo"], *(c["message"] for c in listing["leave"]["conditions"])):
        assert fact in page
    assert "is listed." in page and "ab" * 8 not in page and not any(k.startswith("_") for k in json.dumps(facts).split('"'))
    assert listing["evidence"][0]["kind_words"] == "mail to a spamtrap"
    assert "Evidence of weight" in listing["cause"]["words"] and listing["cause"]["code"] == "threshold"
    japanese = p.get(f"/q?q={LISTED}&lang=ja").text
    assert "掲載理由" in japanese and "基準値の 10 に達しました。" in japanese and "Evidence" not in japanese
    assert [h["action"] for h in facts["history"]] == ["listed"]
    # A domain, on a list that is left by time only.
    facts = p.json("/bad.shopping-offers.net")
    assert facts["listings"][0]["list"] == "links" and facts["listings"][0]["leave"] == {"way": "auto", "open": False}
    assert "This list takes no requests" in p.get("/bad.shopping-offers.net").text and "/remove" not in p.get("/bad.shopping-offers.net").text


def test_removal_wants_fcrdns_and_says_so(portal):
    p = portal()
    for ip in (LISTED, NO_PTR, NO_MATCH):
        p.evidence(ip)
    r = p.post(p.form(NO_PTR))
    assert r.status == 409 and f"{NO_PTR} has no PTR record" in r.text and "Ask the provider" in r.text
    r = p.post({**p.form(NO_MATCH), "lang": "ja"})
    assert r.status == 409 and "mail.liar.example の正引きは 11.22.33.46 になりません" in r.text
    assert "does not point back to 11.22.33.46" in p.post(p.form(NO_MATCH)).text
    assert p.listed(NO_PTR) == p.listed(NO_MATCH) == ["trap"]
    r = p.post({**p.form(LISTED), "note": "closed the account"})
    assert r.status == 200 and f"{LISTED} is no longer on the list" in r.text and "the next removal is harder" in html.unescape(r.text)
    assert p.listed(LISTED) == []
    facts = p.json(f"/q?q={LISTED}")
    assert not facts["listed"] and facts["ended"][0]["state"] == "removed"
    assert [h["action"] for h in facts["history"]] == ["removed", "listed"]
    assert "closed the account" not in p.get(f"/q?q={LISTED}").text
    # Once more there is nothing to remove; and the third time it is too often.
    for _ in range(2):
        p.evidence(LISTED)
        form = p.form(LISTED)
        last = p.post(form)
    assert last.status == 409 and "as often as this list allows: 2 times within 30 days" in last.text
    assert p.listed(LISTED) == ["trap"]
    conditions = {c["name"]: c["met"] for c in p.json(f"/q?q={LISTED}")["listings"][0]["leave"]["conditions"]}
    assert conditions == {"fcrdns": True, "too-many": False}


def test_dns_that_does_not_answer_decides_nothing(portal):
    p = portal()
    p.evidence(SILENT)
    r = p.post(p.form(SILENT))
    assert r.status == 503 and r.getheader("Retry-After") and "The DNS did not answer" in r.text and "Not decided yet" in r.text
    assert p.listed(SILENT) == ["trap"]
    assert [h["action"] for h in p.json(f"/{SILENT}")["history"]] == ["listed"]


def test_ipv6_network_leaves_by_its_host(portal):
    p = portal()
    p.evidence(HOST6)
    assert p.listed(HOST6) == ["trap"]
    facts = p.json(f"/q?q={HOST6}")["listings"][0]
    assert facts["subject"] == NET6 and facts["leave"]["open"]
    # The network itself, or a host outside of it, speaks for nobody.
    r = p.post({**p.form(NET6), "address": "2a01:4f8:1:3::25"})
    assert r.status == 409 and "no address was given" in r.text
    assert p.post(p.form(HOST6)).status == 200
    assert p.listed(HOST6) == []


def test_other_ways_to_leave(portal):
    p = portal()
    p.tell("add", list="hand", subject=LISTED, reason="by a test")
    p.tell("add", list="quiet", subject="11.22.33.0/24", reason="by a test")
    r = p.ask("POST", "/remove", json.dumps({"list": "hand", "subject": LISTED}), Content_Type="application/json")
    assert r.status == 409 and json.loads(r.text)["reason"] == "leave-none"
    r = p.ask("POST", "/remove", json.dumps({"list": "trap", "subject": LISTED}), Content_Type="application/json")
    assert r.status == 409 and json.loads(r.text)["reason"] == "not-listed"
    facts = p.json(f"/{LISTED}")
    assert {x["list"]: x["leave"]["way"] for x in facts["listings"]} == {"hand": "none", "quiet": "request"}
    assert "please write to help@test.example" in p.get(f"/{LISTED}").text


def test_only_our_forms(portal):
    p = portal()
    p.evidence(LISTED)
    p.evidence(NO_PTR)
    good = p.form(LISTED)
    other = p.form(NO_PTR)
    for fields, headers in [({**good, "token": ""}, {}), ({k: v for k, v in good.items() if k != "token"}, {}),
                            ({**good, "token": other["token"]}, {}), ({**good, "token": "0" * 76}, {}), ({**good, "list": "quiet"}, {}),
                            (good, {"Origin": "https://evil.example"}), (good, {"Origin": "null"}),
                            (good, {"Sec_Fetch_Site": "cross-site"}), (good, {"Referer": "https://evil.example/q"})]:
        r = p.post(fields, **headers)
        assert r.status == 403 and "does not come from a form of this portal" in r.text, (fields, headers)
    assert p.ask("POST", "/remove", urllib.parse.urlencode(good), Content_Type="text/plain").status == 415
    assert p.ask("POST", "/remove", json.dumps(good), Content_Type="text/plain").status == 415
    assert p.ask("OPTIONS", "/remove").status == 405
    assert p.listed(LISTED) == ["trap"]
    assert p.post(good, Origin="https://bl.test.example", Referer="https://bl.test.example/q").status == 200
    assert p.listed(LISTED) == []


def test_tools_ask_in_json(portal):
    p = portal()
    p.evidence(LISTED)
    r = p.ask("POST", "/remove", json.dumps({"list": "trap", "subject": LISTED}), Content_Type="application/json")
    assert r.status == 200 and json.loads(r.text)["removed"] is True
    for body in ("", "{", "[]", '{"list": 1}', '{"list": "trap", "list": "hand"}', '{"list": "trap\\u0000"}', '{"list": "nope"}',
                 '{"list": "trap", "subject": "a b"}', '{"list": "trap", "note": "' + "x" * 3000 + '"}', "[" * 10000):
        r = p.ask("POST", "/remove", body, Content_Type="application/json")
        assert r.status == 400 and json.loads(r.text)["error"], body


def test_nothing_changes_by_get(portal):
    p = portal()
    p.evidence(LISTED)
    before = p.tell("status")["serial"]
    form = p.form(LISTED)
    assert p.get("/remove?" + urllib.parse.urlencode(form)).status == 405
    for target in ("/", f"/{LISTED}", "/lists", "/lists/trap", "/robots.txt", "/healthz", "/nope"):
        p.get(target)
        assert p.ask("HEAD", target).text == ""
    assert p.listed(LISTED) == ["trap"] and p.tell("status")["serial"] == before


def test_evidence_is_escaped(portal):
    p = portal()
    plain = EVIL.replace("\x1b", "")  # listd takes no controls where none belong
    p.evidence(LISTED, subject_line=EVIL, sample=EVIL * 50, helo=plain, mail_from_domain=plain, sensor=plain[:40])
    for lang in ("en", "ja"):
        page = p.get(f"/q?q={LISTED}&lang={lang}").text
        assert "<script" not in page and "\u202e" not in page and "\x1b" not in page
        assert page.count("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;") > 50
    # What is asked for comes back in the form and in links.
    page = p.get("/q?" + urllib.parse.urlencode({"q": '"><script>', "lang": "ja"})).text
    assert "<script" not in page and "&quot;&gt;&lt;script&gt;" in page
    page = p.get("/%22%3E%3Cscript%3E").text
    assert "<script" not in page


def test_policy_is_the_configuration(portal):
    p = portal()
    page = html.unescape(p.get("/lists/trap").text)
    facts = p.json("/lists/trap")
    assert facts["threshold"] == 10 and facts["leave"] == {
        "way": "request", "relisting_is_harder": True, "fcrdns": True, "quiet": {"seconds": 0, "words": "0 seconds"}, "max": 2,
        "period": {"seconds": 30 * 86400, "words": "30 days"}}
    assert [s["seconds"] // 3600 for s in facts["lifetimes"]] == [3, 6, 12, 24]
    assert "Senders <of> spam" in page and "bl.test.example" in page and "up to 1 day" in page and "2.0.0.127.bl.test.example" in page
    assert "Senders &lt;of&gt; spam" in p.get("/lists/trap").text
    assert {t["query"]: t["listed"] for t in facts["test_points"]} == {
        "127.0.0.2": True, "127.0.0.1": False, "::FFFF:7F00:2": True, "::FFFF:7F00:1": False}
    assert p.json("/lists/links")["leave"]["way"] == "auto" and p.json("/lists/hand")["automatic"] is False
    assert [x["name"] for x in p.json("/lists")["lists"]] == ["trap", "quiet", "links", "hand"]
    assert "掲載期間" in p.get("/lists/trap", Accept_Language="ja").text
    assert p.get("/lists/none").status == 404 and p.get("/lists/../etc/passwd").status == 404


def test_small_pages_and_headers(portal):
    p = portal()
    for target in ("/", "/q?q=1", "/nope", "/lists", "/style.css", "/robots.txt", "/healthz", f"/{LISTED}"):
        r = p.get(target)
        assert r.getheader("Content-Security-Policy").startswith("default-src 'none'; style-src 'self'"), target
        assert r.getheader("X-Content-Type-Options") == "nosniff" and r.getheader("Set-Cookie") is None
    assert "Disallow: /" in p.get("/robots.txt").text
    assert "Contact: mailto:help@test.example" in p.get("/.well-known/security.txt").text
    assert p.get("/style.css").getheader("Content-Type").startswith("text/css")
    home = p.get("/").text
    assert 'value="127.0.0.1"' in home and "Test &amp; Co" in home and "<script" not in home and "style=" not in home


def test_client_behind_proxy(portal):
    p = portal()
    for header, own in [("8.8.4.4", "8.8.4.4"), ("1.1.1.1, 8.8.4.4, 127.0.0.1", "8.8.4.4"), ("nonsense", "127.0.0.1"),
                        ("8.8.4.4, nonsense", "127.0.0.1"), ("[2a01::1]:99", "2a01::1"), ("8.8.4.4:99", "8.8.4.4"), ("", "127.0.0.1"),
                        ("," * 4000, "127.0.0.1")]:
        assert f'name="q" type="text" value="{own}"' in p.get("/", X_Forwarded_For=header).text, header


def test_header_of_a_stranger_does_not_count(portal):
    p = portal(more='removal-rate = 6000\n\ttrusted-proxies = {"192.0.2.1"}')
    assert 'value="127.0.0.1"' in p.get("/", X_Forwarded_For="8.8.4.4").text


def test_too_many(portal):
    p = portal(more="removal-rate = 2")
    p.evidence(NO_PTR)
    form = p.form(NO_PTR)
    assert [p.post(form).status for _ in range(3)] == [409, 409, 429]
    r = p.post(form, Accept_Language="ja")
    assert int(r.getheader("Retry-After")) > 60 and "アクセスが多すぎます" in r.text
    assert p.post(form, X_Forwarded_For="8.8.4.4").status == 409


def test_malformed_in_words(portal):
    p = portal()
    for target, status in [("/q?q=%zz", 400), ("/q?q=%00", 400), ("/q?q=a%ffb", 400), ("/%", 400), ("/q?q=1&q=2", 400), ("/q?q=", 400), ("/q", 400),
                           ("/q?q=a+b", 400), ("/q?q=11.22.33.444", 400), ("/q?q=11.22.33.44/8", 400), ("/q?q=" + "a" * 3000, 400),
                           ("/?" + "&".join(f"a{i}=1" for i in range(40)), 400), ("/" + "a" * 5000, 414), ("/nope", 404), ("/a/b/c", 404),
                           ("/favicon.ico", 404), ("/.env", 404)]:
        r = p.get(target)
        assert r.status == status and '<p class="lead">' in r.text, (target, r.status)
        assert json.loads(p.get(target, Accept="application/json").text)["error"] or status == 414
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
        r = p.ask(method, "/")
        assert r.status == 405 and r.getheader("Allow")
    assert p.ask("POST", "/", "a=b", Content_Type="application/x-www-form-urlencoded").status == 405


def raw(port, data, wait=3.0):
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as s:
        try:
            s.sendall(data)
            s.settimeout(wait)
            answer = b""
            while chunk := s.recv(65536):
                answer += chunk
        except (socket.timeout, ConnectionError):
            pass
        return answer


def test_hostile_bytes(portal):
    p = portal()
    head = b"Host: x\r\nConnection: close\r\n"
    assert b" 413 " in raw(p.port, b"POST /remove HTTP/1.1\r\n" + head + b"Content-Length: 99999999\r\n\r\n" + b"a" * 100000)
    assert b" 413 " in raw(p.port, b"POST /remove HTTP/1.1\r\n" + head + b"Content-Length: 18446744073709551616\r\n\r\n") or True
    assert b" 411 " in raw(p.port, b"POST /remove HTTP/1.1\r\n" + head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n")
    for data in (b"\x00" * 1000, b"\xff" * 1000, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET " + b"/" * 200000 + b" HTTP/1.1\r\n\r\n",
                 b"GET /\x00 HTTP/1.1\r\n" + head + b"\r\n", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20000 + b"\r\n",
                 b"GET / HTTP/1.1\r\nAccept-Language: " + b"ja;q=0.1," * 2000 + b"\r\n" + head + b"\r\n",
                 b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500, b"POST /remove HTTP/1.1\r\n" + head + b"Content-Length: -1\r\n\r\n"):
        raw(p.port, data, wait=0.5)
    assert p.get("/").status == 200


def test_slow_clients_hold_nobody_up(portal):
    p = portal(more='request-timeout = "3s"')
    slow = []
    for i in range(100):
        s = socket.create_connection(("127.0.0.1", p.port))
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * i)
        slow.append(s)
    began = time.monotonic()
    assert p.get("/").status == 200 and time.monotonic() - began < 2
    # One that drips a byte now and then does not live for ever.
    deadline, gone = time.monotonic() + 15, False
    while time.monotonic() < deadline and not gone:
        time.sleep(1)
        try:
            slow[0].sendall(b"c")
            slow[0].setblocking(False)
            gone = slow[0].recv(10) == b""
        except BlockingIOError:
            slow[0].setblocking(True)
        except ConnectionError:
            gone = True
    assert gone
    for s in slow:
        s.close()


def test_listd_away_and_back(portal, start):
    p = portal()
    p.evidence(LISTED)
    form = p.form(LISTED)
    portal.listd.kill()
    r = p.get(f"/q?q={LISTED}")
    assert r.status == 503 and r.getheader("Retry-After") and "Please try again" in r.text
    assert p.get(f"/q?q={LISTED}&lang=ja").text.count("もう一度お試しください") == 1
    assert p.post(form).status == 503 and p.get("/healthz").status == 503
    assert p.get("/").status == 200 and p.get("/lists/trap").status == 200
    start("sekisho-listd", portal.conf)
    wait_for(lambda: p.get("/healthz").status == 200)
    assert p.json(f"/q?q={LISTED}")["listed"]
    assert portal.webd.stop() == 0


def test_stops_while_clients_wait(portal):
    p = portal()
    p.evidence(SILENT)
    s = socket.create_connection(("127.0.0.1", p.port))
    s.sendall(f"GET /{SILENT} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    time.sleep(0.5)
    assert portal.webd.stop() == 0
    s.close()


def test_usage(start, workdir):
    d = start("sekisho-webd", args=["--nope"], ready=False)
    assert d.process.wait(10) == 2 and "usage:" in d.log()
    d = start("sekisho-webd", 'list "a" {\n\tzone = "a..b"\n}\n', ready=False)
    assert d.process.wait(10) == 2 and ".conf:" in d.log()
