"""Every type of rbldnsd's data sets, served by Debian's rbldnsd and by sekisho-dnsd from the same files:
the same questions must get the same answers, section by section."""
import os
import socket
import subprocess
import time

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from conftest import BUILD, TOP, tool
from rbl_cases import cases

ZONE = "z.example"
WINDOW = 64  # questions under way at once


def ask_all(port, questions):
    """Sends them all, some at a time and again those that got no answer; one reply each, in order."""
    replies = [None] * len(questions)
    wires = []
    for i, (name, rdtype) in enumerate(questions):
        q = dns.message.make_query(dns.name.from_text((name + "." if name else "") + ZONE + "."), rdtype)
        q.flags = 0
        q.id = i & 0xFFFF
        wires.append(q.to_wire())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        s.settimeout(0.5)
        for start in range(0, len(wires), WINDOW):
            todo = set(range(start, min(start + WINDOW, len(wires))))
            deadline = time.monotonic() + 20
            while todo:
                assert time.monotonic() < deadline, "no answer to %s" % (questions[min(todo)],)
                try:
                    for i in todo:
                        s.send(wires[i])
                    while todo:
                        wire = s.recv(4096)
                        i = (start & ~0xFFFF) | wire[0] << 8 | wire[1]
                        if i in todo and wire[12:] [:len(wires[i]) - 12].lower() == wires[i][12:].lower():
                            replies[i] = wire
                            todo.discard(i)
                except (socket.timeout, ConnectionRefusedError):
                    time.sleep(0.02)
    return replies


def section(rrsets):
    """A section without the order of its records."""
    return sorted((rr.name.to_text().lower(), rr.ttl, dns.rdatatype.to_text(rr.rdtype), rdata.to_wire()) for rr in rrsets for rdata in rr)


def told(wire):
    """What a reply says, as far as both servers mean the same by it."""
    m = dns.message.from_wire(wire)
    return {
        "rcode": dns.rcode.to_text(m.rcode()),
        "aa": bool(m.flags & dns.flags.AA),
        "answer": section(m.answer),
        "authority": section(m.authority),
        "additional": section(m.additional),
    }


def is_address_part(name):
    """Names that sekisho-dnsd answers with NOERROR and no data on purpose (RFC 8020)."""
    labels = name.split(".")
    return bool(name) and (len(labels) < 4 and all(x.isdigit() and len(x) <= 3 and int(x) <= 255 for x in labels)
                           or len(labels) < 32 and all(len(x) == 1 and x in "0123456789abcdef" for x in labels))


@pytest.fixture
def rbldnsd(workdir, free_port):
    processes = []

    def run(specs):
        port = free_port()
        log = open(os.path.join(workdir, "rbldnsd.log"), "w", encoding="utf-8")
        # -a: no NS records behind every answer; sekisho-dnsd does not add them either.
        processes.append(subprocess.Popen(
            [tool("rbldnsd"), "-n", "-a", "-u", "nobody", "-4", "-b", "127.0.0.1/%d" % port, "-c", "0", "-w", workdir]
            + ["%s:%s" % (ZONE, spec) for spec in specs], stdout=log, stderr=log))
        log.close()
        return port

    yield run
    for p in processes:
        p.terminate()
        p.wait()


def absolute(spec, folder):
    kind, files = spec.split(":", 1)
    return "%s:%s" % (kind, ",".join(os.path.join(folder, f) for f in files.split(",")))


@pytest.mark.parametrize("case", cases(), ids=lambda c: c.name.replace(" ", "-"))
def test_same_answers(case, workdir, start, free_port, rbldnsd):
    for name, text in case.files.items():
        path = os.path.join(workdir, name)
        with open(path, "wb") as f:
            f.write(text.encode("latin-1"))
        os.utime(path, (1700000000, 1700000000))
    port = free_port()
    start("sekisho-dnsd", """
state-dir = "%s"
run-dir = "%s"
dnsd {
  listen = {"127.0.0.1:%d"}
  user = ""
  workers = 1
  zone "%s" { data = {%s} }
}
""" % (workdir, workdir, port, ZONE, ", ".join('"%s"' % absolute(s, workdir) for s in case.specs)))
    questions = [(n, t) for n in dict.fromkeys(case.questions) for t in ("A", "TXT")]
    questions += [("", "SOA"), ("", "NS"), (case.questions[0], "AAAA"), (case.questions[0], "MX")]
    theirs, ours = ask_all(rbldnsd(case.specs), questions), ask_all(port, questions)
    differ = []
    for question, r, o in zip(questions, theirs, ours):
        if r[2:] == o[2:]:
            continue
        want, got = told(r), told(o)
        if is_address_part(question[0]) and want["rcode"] == "NXDOMAIN" and got["rcode"] == "NOERROR":
            want["rcode"] = "NOERROR"
        if want != got:
            differ.append("%s %s\n  rbldnsd %s\n  ours    %s" % (question + (want, got)))
    assert not differ, "%d of %d differ\n%s" % (len(differ), len(questions), "\n".join(differ[:5]))
    for name, rdtype, text in case.expect:
        reply = dns.message.from_wire(ours[questions.index((name, rdtype))])
        texts = [r.to_text() if rdtype == "A" else b"".join(r.strings).decode() for rr in reply.answer for r in rr]
        assert text in texts, "%s %s: %s" % (name, rdtype, texts)


def test_ten_sets_small():
    """tests/bench/rbldnsd-same as it is, with fewer questions: every difference is one that docs/rbldnsd.md
    explains."""
    tool("rbldnsd")
    run = subprocess.run([os.path.join(TOP, "tests", "bench", "rbldnsd-same"), "--questions", "30000", "--build", BUILD],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=500, check=False)
    assert run.returncode == 0 and "questions, " in run.stdout, run.stdout
