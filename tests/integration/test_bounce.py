"""`sekisho bounce` with its real table: each list is found by each of its patterns, keys never show, and
refusals as mail servers write them name list, address and URL."""
import json
import os
import subprocess

import pytest

from conftest import TOP, program

SHARE = os.path.join(TOP, "share")
TABLE = os.path.join(SHARE, "signatures.tsv")
ABOUT_LISTS = {"listed", "reputation", "local-list", "dead-list", "receiver-error"}


def bounce(*arguments, text=None):
    return subprocess.run([program("sekisho"), "bounce", *arguments], input=text, capture_output=True, timeout=60,
                          env={**os.environ, "SEKISHO_SHARE": SHARE})


def refusals(text):
    done = bounce("--json", "-", text=text.encode())
    found = json.loads(done.stdout)[0]["refusals"]
    assert done.returncode == (1 if any(r["verdict"] in ABOUT_LISTS for r in found) else 0), done.stderr
    return found


def rows():
    names = ["id", "operator", "list", "kind", "match", "lookup", "delist", "how", "advice", "source"]
    with open(TABLE, encoding="utf-8") as f:
        return [dict(zip(names, line.rstrip("\n").split("\t"))) for line in f if line[0] != "#"]


def test_the_table_holds_enough_and_no_advice_on_leaving_dead_lists():
    table = rows()
    assert sum(r["kind"] in ("ip", "domain", "vendor") for r in table) >= 20
    for r in table:
        assert r["source"], r["id"]
        if r["kind"] in ("dead", "receiver"):
            assert not r["delist"], r["id"]


@pytest.fixture(scope="module")
def every_pattern(tmp_path_factory):
    """One reply a pattern, all read in one run."""
    folder = tmp_path_factory.mktemp("patterns")
    cases = []
    for r in rows():
        for number, pattern in enumerate(r["match"].split(" | ")):
            said = pattern.removeprefix("zone=").removeprefix("keyed=")
            if pattern.startswith("zone="):
                reply = f"550 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using {said}"
            elif pattern.startswith("keyed="):
                reply = f"554 Service unavailable; Client host [192.0.2.7] blocked using SeCrEt0key.{said}"
            else:
                reply = f"550 5.0.0 Refused 192.0.2.7 ({said})"
            path = folder / f"{r['id']}.{number}"
            path.write_text(reply)
            cases.append((r, pattern, str(path)))
    done = bounce("--json", *[path for _, _, path in cases])
    assert done.returncode == 1, done.stderr
    assert b"secret0key" not in done.stdout.lower()
    answers = {a["file"]: a["refusals"] for a in json.loads(done.stdout)}
    return [(r, pattern, answers[path]) for r, pattern, path in cases]


def test_every_pattern_is_found(every_pattern):
    for r, pattern, found in every_pattern:
        # Two rows may tell of the same list in other words; then the one above counts.
        assert r["id"] in [f["id"] for f in found] or r["operator"] in [f.get("operator") for f in found], (pattern, found)
        assert all(f.get("address") == "192.0.2.7" for f in found), (pattern, found)


# The replies of real mails, cut to what matters; addresses are from documentation ranges.
REPLIES = [
    ("521-5.7.1 Service unavailable; client [203.0.113.225] blocked using dnsbl.sorbs.net\n"
     "521 5.7.1 Please see http://support.mailhostbox.com/email-administrators-guide-error-codes/ for explanation of the problem.",
     "dead-list", "sorbs", "203.0.113.225", "http://support.mailhostbox.com/email-administrators-guide-error-codes/"),
    ("554 Blocked - see\n    https://support.proofpoint.com/dnsbl-lookup.cgi?ip=192.0.2.225", "listed", "proofpoint",
     "192.0.2.225", "https://support.proofpoint.com/dnsbl-lookup.cgi?ip=192.0.2.225"),
    ("550-5.7.1 [192.0.2.22      18] Our system has detected that this message is 550-5.7.1 likely suspicious due to the "
     "very low reputation of the sending IP 550-5.7.1 address. To best protect our users from spam, the message has been "
     "550-5.7.1 blocked. Please visit 550 5.7.1 https://support.google.com/mail/answer/188131 for more information.",
     "reputation", "gmail-ip", "192.0.2.22", "https://support.google.com/mail/answer/188131"),
    ("550 5.7.606 Access denied, banned sending IP [198.51.100.222]. To request removal from this list please visit "
     "https://sender.office.com/ and follow the directions. (AS16012609)", "reputation", "microsoft-ip", "198.51.100.222",
     "https://sender.office.com/"),
    ("Connected to 198.51.100.74 but greeting failed.\nRemote host said: 421 4.7.0 [TSS04] Messages from 192.0.2.25 "
     "temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see "
     "https://postmaster.yahooinc.com/error-codes", "reputation", "yahoo-temp", "192.0.2.25",
     "https://postmaster.yahooinc.com/error-codes"),
    ("550-REJECTED - Blacklisted URL in message. (spam.example.com) in [black].\n550-See http://lookup.uribl.com.\n"
     "550 H=mail.example.com [192.0.2.11]", "listed", "uribl", None, "http://lookup.uribl.com"),
    ("554 Host network not allowed - https://community.mimecast.com/docs/DOC-1369#554 [x.us123]", "listed", "mimecast", None,
     "https://community.mimecast.com/docs/DOC-1369#554"),
    ("550 5.7.1 IP address blacklisted by recipient", "local-list", "local", None, None),
    ("550 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.spamhaus.org; Error: open resolver; "
     "https://check.spamhaus.org/returnc/pub/192.0.2.53", "receiver-error", "spamhaus-receiver", "192.0.2.9",
     "https://check.spamhaus.org/returnc/pub/192.0.2.53"),
    ("550 5.7.1 Client host [192.0.2.9] blocked using bl.trap.example; Spamtrap hit, see https://portal.trap.example/ip/192.0.2.9",
     "listed", None, "192.0.2.9", "https://portal.trap.example/ip/192.0.2.9"),
]


@pytest.mark.parametrize("reply, verdict, signature, address, url", REPLIES)
def test_real_replies(reply, verdict, signature, address, url):
    found = refusals(reply)
    assert len(found) == 1, found
    assert found[0]["verdict"] == verdict
    assert found[0].get("id") == signature
    if address:
        assert found[0].get("address") == address
    assert found[0].get("url") == url


def test_what_is_no_list_is_none():
    for reply in ["550 5.1.1 <a@b.example>: Recipient address rejected: User unknown", "452 4.2.2 mailbox full",
                  "550 5.7.1 Relaying denied", "hello"]:
        assert refusals(reply) == []


def test_reverse_dns_is_told_and_is_no_list():
    found = refusals("450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.7]")
    assert [f["verdict"] for f in found] == ["dns"]


def test_several_files_one_cannot_be_read(tmp_path):
    good = tmp_path / "good"
    good.write_text("550 192.0.2.7 blocked using bl.spamcop.net")
    done = bounce(str(good), str(tmp_path / "none"))
    assert done.returncode == 3
    assert b"SpamCop" in done.stdout
    assert b"none" in done.stderr


def test_usage_and_bad_tables(tmp_path):
    assert bounce().returncode == 2
    assert bounce("--no-such").returncode == 2
    assert bounce("--help").returncode == 0
    bad = tmp_path / "signatures.tsv"
    bad.write_text("one column\n")
    done = bounce("--signatures", str(bad), "-", text=b"550 x")
    assert done.returncode == 3 and b"line 1" in done.stderr
    assert bounce("-", text=b"").returncode == 3


def test_hostile_bytes_reach_no_terminal():
    done = bounce("-", text=b"550 blocked using bl.spamcop.net \x1b[31m\x00\x07 192.0.2.7")
    assert done.returncode == 1
    assert b"\x1b" not in done.stdout and b"\x07" not in done.stdout and b"\x00" not in done.stdout


def test_a_mail(tmp_path):
    mail = tmp_path / "mail.eml"
    mail.write_text("""From: MAILER-DAEMON@mx.example.net
To: me@example.net
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b

<you@example.org>: host mx.example.org[198.51.100.3] said: 554 5.7.1 Service
    unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org;
    https://www.spamhaus.org/query/ip/192.0.2.7 (in reply to RCPT TO command)

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; you@example.org
Action: failed
Status: 5.7.1
Diagnostic-Code: smtp; 554 5.7.1 Service unavailable; Client host [192.0.2.7]
    blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.7

--b--
""")
    done = bounce("--json", str(mail))
    answer = json.loads(done.stdout)[0]
    assert done.returncode == 1
    assert answer["kind"] == "report"
    assert len(answer["refusals"]) == 1
    r = answer["refusals"][0]
    assert (r["id"], r["zone"], r["address"], r["recipient"]) == ("spamhaus-zen", "zen.spamhaus.org", "192.0.2.7", "you@example.org")
    assert r["url"] == "https://www.spamhaus.org/query/ip/192.0.2.7"
    assert (r["code"], r["status"]) == ("554", "5.7.1")
