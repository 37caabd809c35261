"""sekisho-dnsd held to the DNS standards: the checks of the EDNS compliance test (RFC 6891), malformed messages,
cookies (RFC 7873, 9018), reasons of errors (RFC 8914), CHAOS names, rates and quotas, TCP (RFC 7766)."""
import os
import random
import socket
import struct
import subprocess
import time

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest

import conftest
import servers
from test_dnsd import HEAD, Server, many_values, records, texts

LISTED = "2.0.0.127.bl.site.example"
MORE = 'nsid = "ns1.test"\n\tversion = "v"\n\tidentity = "here"\n\tcookie-secrets = {"e5e973e5a6b2a43f48e7dc849e37bfcf"}'


def wait_until_it_answers(server, process, log):
    deadline = time.monotonic() + conftest.READY_WITHIN_S
    while True:
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        try:
            if server.raw(dns.message.make_query(LISTED, "A").to_wire(), timeout=0.2):
                return
        except ConnectionRefusedError:
            time.sleep(0.02)


@pytest.fixture(scope="module")
def conformance(tmp_path_factory):
    """One server for all that only asks."""
    folder = tmp_path_factory.mktemp("conformance")
    os.chmod(folder, 0o755)
    for parent in (folder.parent, folder.parent.parent):
        os.chmod(parent, 0o755)
    server = Server(str(folder), conftest._free_port(), MORE)
    many_values(server)
    path = folder / "conf"
    path.write_text(server.conf, encoding="utf-8")
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([conftest.program("sekisho-dnsd"), "--config", str(path)], stdout=log, stderr=log)
    try:
        wait_until_it_answers(server, process, folder / "log")
        yield server
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(10)
        log = (folder / "log").read_text()
        assert "AddressSanitizer" not in log and "ThreadSanitizer" not in log and "runtime error" not in log, log


def asked(server, name=LISTED, rdtype="A", tcp=False, **more):
    return server.ask(name, rdtype, tcp=tcp, **more)


# ---- EDNS: what the compliance test of ISC asks of a zone's apex, and the same of a listed name ----

@pytest.mark.parametrize("name,rdtype", [("bl.site.example", "SOA"), (LISTED, "A")])
def test_edns_compliance(conformance, name, rdtype):
    def ask(**more):
        return asked(conformance, name, rdtype, **more)

    def ask1(options):
        q = dns.message.make_query(name, rdtype)
        q.use_edns(1, options=options)
        return dns.message.from_wire(conformance.raw(q.to_wire()))

    plain = ask()
    assert plain.rcode() == dns.rcode.NOERROR and plain.edns == -1 and plain.answer and plain.flags & dns.flags.AA
    edns = ask(use_edns=0)
    assert edns.rcode() == dns.rcode.NOERROR and edns.edns == 0 and edns.payload == 1232 and edns.answer and not edns.options
    do = ask(use_edns=0, want_dnssec=True)
    assert do.rcode() == dns.rcode.NOERROR and do.edns == 0 and do.answer and do.ednsflags & dns.flags.DO
    edns1 = ask1([])
    assert edns1.rcode() == dns.rcode.BADVERS and edns1.edns == 0 and not edns1.answer and not edns1.options
    for bit in (0x2000, 0x20, 0x1):  # unknown ones do not come back
        flags = ask(use_edns=0, ednsflags=bit)
        assert flags.rcode() == dns.rcode.NOERROR and flags.edns == 0 and flags.answer and not flags.ednsflags
    unknown = dns.edns.GenericOption(100, b"")
    opt = ask(use_edns=0, options=[unknown])
    assert opt.rcode() == dns.rcode.NOERROR and opt.answer and not opt.options
    opt1 = ask1([unknown])
    assert opt1.rcode() == dns.rcode.BADVERS and not opt1.options
    signed = ask(use_edns=0, payload=512, want_dnssec=True)
    assert signed.rcode() == dns.rcode.NOERROR and len(signed.to_wire()) <= 512
    tcp = ask(use_edns=0, tcp=True)
    assert tcp.rcode() == dns.rcode.NOERROR and tcp.edns == 0 and tcp.answer
    many = ask(use_edns=0, options=[dns.edns.GenericOption(8, b"\0\1\x18\0\x7f\0\0"), dns.edns.GenericOption(3, b""),
        dns.edns.GenericOption(9, b""), dns.edns.GenericOption(10, b"8 bytes.")])
    assert many.rcode() == dns.rcode.NOERROR and many.answer and sorted(o.otype for o in many.options) == [3, 10]


def test_flags_and_opcodes(conformance):
    for bit in (0x0040, dns.flags.AD, dns.flags.CD, dns.flags.AA, dns.flags.RA, dns.flags.TC):
        q = dns.message.make_query(LISTED, "A")
        q.flags = bit
        reply = dns.message.from_wire(conformance.raw(q.to_wire()))
        assert reply.rcode() == dns.rcode.NOERROR and reply.answer
        assert reply.flags == dns.flags.QR | dns.flags.AA, hex(bit)
    q = dns.message.make_query(LISTED, "A")
    assert dns.message.from_wire(conformance.raw(q.to_wire())).flags & dns.flags.RD  # as it came
    for opcode in range(1, 16):
        wire = bytearray(q.to_wire())
        wire[2] = opcode << 3
        reply = conformance.raw(bytes(wire))
        assert reply[2] >> 3 & 15 == opcode and reply[2] & 0x80
        if opcode != dns.opcode.NOTIFY:
            assert reply[3] & 15 == dns.rcode.NOTIMP, opcode


def test_buffer_sizes(conformance):
    name = "1.0.0.10.files.example"
    for payload, limit in ((0, 512), (511, 512), (512, 512), (700, 700), (1232, 1232), (4096, 1232), (65535, 1232)):
        q = dns.message.make_query(name, "TXT", use_edns=0, payload=payload)
        wire = conformance.raw(q.to_wire())
        reply = dns.message.from_wire(wire)
        assert limit - 260 < len(wire) <= limit and reply.flags & dns.flags.TC and reply.edns == 0 and reply.payload == 1232
    full = asked(conformance, name, "TXT", tcp=True)
    assert not full.flags & dns.flags.TC and len(texts(full)) == 16


def test_case_comes_back(conformance):
    seed = random.Random(20)
    for _ in range(20):
        name = "".join(seed.choice((c.upper(), c.lower())) for c in "2.0.0.127.bl.site.example")
        for wire in (dns.message.make_query(name, "A").to_wire(), dns.message.make_query(name, "MX").to_wire()):
            reply = conformance.raw(wire)
            assert reply[12:12 + len(name) + 2] == wire[12:12 + len(name) + 2]


# ---- messages that are none ----

def message(name=b"\x012\x010\x010\x03127\x02bl\x04site\x07example\0", counts=(1, 0, 0, 0), tail=b"", flags=0, type_class=b"\0\1\0\1"):
    return struct.pack("!6H", 4711, flags, *counts) + name + type_class + tail


OPT = b"\0\0\x29\4\xd0\0\0\0\0\0\0"
RECORD = b"\0\0\1\0\1\0\0\0\0\0\4\x7f\0\0\1"


MALFORMED = [
    ("as it should be", message(), 0),
    ("no question", message(b"", (0, 0, 0, 0), type_class=b""), 1),
    ("no question, with OPT", message(b"", (0, 0, 0, 1), OPT, type_class=b""), 1),
    ("one question announced, none there", message(b"", type_class=b""), 1),
    ("no question announced, one there", message(counts=(0, 0, 0, 0)), 1),
    ("two questions", message(counts=(2, 0, 0, 0), tail=message()[12:]), 1),
    ("two announced, one there", message(counts=(2, 0, 0, 0)), 1),
    ("65535 questions", message(counts=(65535, 0, 0, 0)), 1),
    ("an answer announced", message(counts=(1, 1, 0, 0)), 1),
    ("an authority announced", message(counts=(1, 0, 1, 0)), 1),
    ("an additional announced", message(counts=(1, 0, 0, 1)), 1),
    ("65535 of each", message(counts=(1, 65535, 65535, 65535), tail=RECORD), 1),
    ("a record nobody announced", message(tail=RECORD), 1),
    ("whole records are passed over", message(counts=(1, 1, 1, 1), tail=RECORD * 3), 0),
    ("trailing garbage", message(tail=b"garbage"), 1),
    ("one byte too many", message(tail=b"\0"), 1),
    ("cut behind the name", message(type_class=b""), 1),
    ("cut in the class", message(type_class=b"\0\1\0"), 1),
    ("cut in the name", message(b"\x012\x010", type_class=b""), 1),
    ("compressed name", message(b"\x012\xc0\x0c"), 1),
    ("pointer to itself", message(b"\xc0\x0c"), 1),
    ("pointer forwards", message(b"\xc0\x20"), 1),
    ("label of 64", message(b"\x40" + b"a" * 64 + b"\0"), 1),
    ("label type 01", message(b"\x41\x10" + b"a" * 64 + b"\0"), 1),
    ("label type 10", message(b"\x81\x10" + b"a" * 64 + b"\0"), 1),
    ("name of 255", message((b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"a" * 61 + b"\0"), 5),
    ("name of 256", message((b"\x3f" + b"a" * 63) * 3 + b"\x3e" + b"a" * 62 + b"\0"), 1),
    ("two OPT", message(counts=(1, 0, 0, 2), tail=OPT * 2), 1),
    ("OPT as an answer", message(counts=(1, 1, 0, 0), tail=OPT), 1),
    ("OPT as authority", message(counts=(1, 0, 1, 0), tail=OPT), 1),
    ("OPT with a name", message(counts=(1, 0, 0, 1), tail=b"\1a" + OPT), 1),
    ("OPT of a pointer", message(counts=(1, 0, 0, 1), tail=b"\xc0\x0c" + OPT[1:]), 1),
    ("OPT cut", message(counts=(1, 0, 0, 1), tail=OPT[:-1]), 1),
    ("option cut", message(counts=(1, 0, 0, 1), tail=OPT[:-1] + b"\3\0\x03\0"), 1),
    ("option longer than OPT", message(counts=(1, 0, 0, 1), tail=OPT[:-1] + b"\4\0\x03\0\1"), 1),
    ("cookie of 7", message(counts=(1, 0, 0, 1), tail=OPT[:-1] + b"\x0b\0\x0a\0\7" + b"a" * 7), 1),
    ("record with a looping name", message(counts=(1, 0, 0, 1), tail=b"\xc0\xff" + RECORD[1:]), 0),
    ("root", message(b"\0"), 5),
    ("class 0", message(type_class=b"\0\1\0\0"), 5),
    ("type 0", message(type_class=b"\0\0\0\1"), 0),
    ("type 65535", message(type_class=b"\xff\xff\0\1"), 0),
    ("a reply", message(flags=0x8000), None),
    ("a reply with opcode", message(flags=0xa800), None),
    ("eleven bytes", message()[:11], None),
    ("one byte", b"x", None),
]


@pytest.mark.parametrize("label,packet,rcode", MALFORMED, ids=[m[0] for m in MALFORMED])
def test_malformed(conformance, label, packet, rcode):
    reply = conformance.raw(packet, timeout=2 if rcode is not None else 0.3)
    if rcode is None:
        assert reply is None
        return
    assert reply is not None and reply[:2] == packet[:2] and reply[2] & 0x80
    dns.message.from_wire(reply, ignore_trailing=False)
    assert reply[3] & 15 == rcode
    assert len(reply) <= 512


def test_random_damage(conformance):
    """Bits turned, ends cut: each reply there is parses, and the server lives."""
    seed = random.Random(8)
    good = [dns.message.make_query(LISTED, t, use_edns=0, options=[dns.edns.GenericOption(10, b"8 bytes.")]).to_wire()
        for t in ("A", "TXT", "ANY")]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", conformance.port))
        s.settimeout(0.02)
        for _ in range(600):
            wire = bytearray(seed.choice(good))
            for _ in range(seed.randrange(1, 4)):
                wire[seed.choice((0, seed.randrange(3, len(wire))))] ^= 1 << seed.randrange(8)
            s.send(bytes(wire[:seed.choice((len(wire), seed.randrange(len(wire)))) or 1]))
            try:
                dns.message.from_wire(s.recv(65535))
            except socket.timeout:
                pass
    assert asked(conformance).answer


# ---- cookies, NSID, keepalive, reasons ----

def option(reply, code):
    found = [o for o in reply.options if o.otype == code]
    assert len(found) <= 1
    return found[0].to_wire() if found else None


def cookie(value):
    return {"use_edns": 0, "options": [dns.edns.GenericOption(10, value)]}


def test_cookies(conformance):
    client = bytes.fromhex("2464c4abcf10c957")
    first = option(asked(conformance, **cookie(client)), 10)
    assert len(first) == 24 and first[:8] == client and first[8:12] == b"\1\0\0\0"
    assert abs(struct.unpack("!I", first[12:16])[0] - time.time()) < 60
    again = asked(conformance, **cookie(first))
    assert again.rcode() == dns.rcode.NOERROR and again.answer and option(again, 10) == first
    for bad in (first[:-1] + bytes([first[-1] ^ 1]), first[:8] + b"\2" + first[9:], client + b"s" * 8, client + b"s" * 32):
        reply = asked(conformance, **cookie(bad))
        assert reply.rcode() == dns.rcode.NOERROR and reply.answer and len(option(reply, 10)) == 24
    assert option(asked(conformance, tcp=True, **cookie(first)), 10) == first
    assert option(asked(conformance), 10) is None
    for length in (0, 1, 7, 9, 15, 41):
        assert asked(conformance, **cookie(b"c" * length)).rcode() == dns.rcode.FORMERR
    # without a question (RFC 7873, 5.4)
    wire = struct.pack("!6H", 1, 0, 0, 0, 0, 1) + OPT[:-1] + b"\x0c\0\x0a\0\x08" + client
    reply = dns.message.from_wire(conformance.raw(wire))
    assert reply.rcode() == dns.rcode.NOERROR and not reply.question and option(reply, 10)[:8] == client


def test_nsid_and_keepalive(conformance):
    nsid, keepalive = ({"use_edns": 0, "options": [dns.edns.GenericOption(code, b"")]} for code in (3, 11))
    assert option(asked(conformance, **nsid), 3) == b"ns1.test"
    assert option(asked(conformance, tcp=True, **nsid), 3) == b"ns1.test"
    assert option(asked(conformance, use_edns=0), 3) is None
    assert option(asked(conformance, **keepalive), 11) is None
    assert option(asked(conformance, tcp=True, **keepalive), 11) == struct.pack("!H", 100)
    assert option(asked(conformance, tcp=True, use_edns=0), 11) is None


def test_reasons(conformance):
    def why(name, rdtype="A", **more):
        reply = asked(conformance, name, rdtype, use_edns=0, **more)
        value = option(reply, 15)
        return reply.rcode(), value and struct.unpack("!H", value[:2])[0]

    assert why("elsewhere.test") == (dns.rcode.REFUSED, 20)
    assert why("bl.site.example", "AXFR", tcp=True)[0] in (dns.rcode.REFUSED, dns.rcode.NOTAUTH)
    assert why(LISTED, rdclass="HS") == (dns.rcode.REFUSED, 21)
    assert why(LISTED) == (dns.rcode.NOERROR, None)
    assert why("9.9.9.99.bl.site.example") == (dns.rcode.NXDOMAIN, None)
    plain = asked(conformance, "elsewhere.test")
    assert plain.rcode() == dns.rcode.REFUSED and plain.edns == -1


def test_broken_zone_says_why(workdir, free_port, start):
    server = Server(workdir, free_port(), files="ip4set:{dir}/missing")
    start("sekisho-dnsd", server.conf)
    reply = server.ask("1.0.0.10.files.example", use_edns=0)
    assert reply.rcode() == dns.rcode.SERVFAIL and option(reply, 15) == b"\0\x18zone data unreadable"


def test_chaos(conformance, workdir, free_port, start):
    for name, text in (("version.bind", "v"), ("version.server", "v"), ("ID.Server", "here"), ("hostname.bind", "here")):
        reply = asked(conformance, name, "TXT", rdclass="CH")
        assert reply.rcode() == dns.rcode.NOERROR and [r.to_text() for r in reply.answer[0]] == [f'"{text}"']
        assert reply.answer[0].rdclass == dns.rdataclass.CH and reply.answer[0].ttl == 0
    assert asked(conformance, "authors.bind", "TXT", rdclass="CH").rcode() == dns.rcode.REFUSED
    assert asked(conformance, "version.bind", "TXT").rcode() == dns.rcode.REFUSED
    silent = Server(workdir, free_port())
    start("sekisho-dnsd", silent.conf)
    assert silent.ask("version.bind", "TXT", rdclass="CH").rcode() == dns.rcode.REFUSED


def test_what_exists(conformance):
    """RFC 8020: no NXDOMAIN above names that are, or may be, listed."""
    for name in ("0.0.127.bl.site.example", "127.bl.site.example", "com.dbl.site.example", "bl.site.example"):
        reply = asked(conformance, name, "A")
        assert reply.rcode() == dns.rcode.NOERROR and not reply.answer and reply.authority, name
    for name in ("x.0.0.127.bl.site.example", "invalid.dbl.site.example", "nothing.com.dbl.site.example"):
        assert asked(conformance, name, "A").rcode() == dns.rcode.NXDOMAIN, name


def test_no(conformance):
    """Negative answers: an SOA whose TTL is how long they may be kept (RFC 2308, 3 and 5), AA, and what a question may
    not be told: RA, AD, Z. A refusal is nobody's authority."""
    for name, rdtype, rcode in ((LISTED, "AAAA", 0), (LISTED, "SOA", 0), (LISTED, "DS", 0), ("bl.site.example", "A", 0),
            ("bl.site.example", "DNSKEY", 0), ("9.9.9.99.bl.site.example", "A", 3), ("9.9.9.99.bl.site.example", "TYPE65280", 3),
            ("nothing.com.dbl.site.example", "TXT", 3), ("9.2.0.198.files.example", "A", 3)):
        for tcp in (False, True):
            q = dns.message.make_query(name, rdtype)
            q.flags |= dns.flags.AD | dns.flags.CD | 0x40
            reply = (dns.query.tcp if tcp else dns.query.udp)(q, "127.0.0.1", 5, conformance.port)
            assert reply.rcode() == rcode and not reply.answer and not reply.additional, (name, rdtype)
            assert reply.flags & 0xfff0 & ~dns.flags.RD == dns.flags.QR | dns.flags.AA
            zone = next(z for z in ("dbl.site.example", "bl.site.example", "files.example") if name.endswith(z))
            (soa,) = reply.authority
            apex = asked(conformance, zone, "SOA").answer[0]
            assert soa.name == dns.name.from_text(zone) and list(soa) == list(apex)
            assert soa.ttl == min(apex.ttl, apex[0].minimum), (name, rdtype)
    refused = asked(conformance, "elsewhere.test")
    assert refused.rcode() == dns.rcode.REFUSED and not refused.flags & dns.flags.AA and not refused.authority


def test_types_and_classes_that_are_none(conformance):
    """Types that no name has (OPT, TKEY, TSIG, MAILB and others) and odd classes: an answer that parses, and no data."""
    for rdtype in (41, 46, 47, 128, 249, 250, 253, 254, 65535):
        reply = dns.message.from_wire(conformance.raw(message(type_class=struct.pack("!2H", rdtype, 1))))
        assert not reply.answer and reply.rcode() in (dns.rcode.NOERROR, dns.rcode.FORMERR, dns.rcode.NOTIMP), rdtype
    for rdclass, rcode in ((0, 5), (2, 5), (4, 5), (254, 5), (65535, 5)):
        reply = conformance.raw(message(type_class=struct.pack("!2H", 1, rdclass)))
        assert reply[3] & 15 == rcode, rdclass
    reply = dns.message.from_wire(conformance.raw(message(type_class=b"\0\1\0\xff")))  # any class: there is one
    assert [r.rdclass for r in reply.answer] == [dns.rdataclass.IN]


def test_large_questions(conformance):
    """As large as its options make it: over UDP up to what a server takes, or FORMERR; over TCP up to 65535 bytes."""
    def padded(size):
        q = dns.message.make_query(LISTED, "A", use_edns=0, options=[dns.edns.GenericOption(12, b"")])
        q.use_edns(0, options=[dns.edns.GenericOption(12, bytes(size - len(q.to_wire())))])
        return q.to_wire(max_size=65535)
    for size in (512, 1232, 1400):
        assert conformance.raw(padded(size))[3] & 15 == 0, size
    for size in (4096, 9000, 65000):
        assert conformance.raw(padded(size))[3] & 15 in (0, 1), size
    with connect(conformance) as s:
        for size in (512, 65535):
            s.sendall(framed(padded(size)))
            assert take(s)[3] & 15 == 0
    assert asked(conformance).answer


def test_options_twice(conformance):
    """Of several cookies the first counts (RFC 7873, 5.2.3); what others mean is not asked here, but there is one reply
    to each, and an option has one answer."""
    def opt(code, value):
        return dns.edns.GenericOption(code, value)
    reply = asked(conformance, use_edns=0, options=[opt(10, b"8 bytes."), opt(10, b"9 bytes!"), opt(3, b"x"), opt(3, b"")])
    assert reply.answer and option(reply, 10)[:8] == b"8 bytes." and option(reply, 3) == b"ns1.test"
    reply = asked(conformance, tcp=True, use_edns=0, options=[opt(11, b"\0\1"), opt(11, b"")])
    assert reply.answer and option(reply, 11) == struct.pack("!H", 100)


def siphash(key, data):
    """SipHash-2-4, as RFC 9018 takes it."""
    mask = 2 ** 64 - 1
    k0, k1 = struct.unpack("<2Q", key)
    v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]

    def rounds(n):
        for _ in range(n):
            for a, b, left, right, turn in ((0, 1, 13, 16, 1), (2, 3, 16, 21, 0)):
                v[a] = (v[a] + v[b]) & mask
                v[b] = ((v[b] << left | v[b] >> 64 - left) & mask) ^ v[a]
                if turn:
                    v[a] = (v[a] << 32 | v[a] >> 32) & mask
            for a, b, left, turn in ((2, 1, 17, 1), (0, 3, 21, 0)):
                v[a] = (v[a] + v[b]) & mask
                v[b] = ((v[b] << left | v[b] >> 64 - left) & mask) ^ v[a]
                if turn:
                    v[a] = (v[a] << 32 | v[a] >> 32) & mask
    data += bytes(-(len(data) + 1) % 8) + bytes([len(data) & 255])
    for (m,) in struct.iter_unpack("<Q", data):
        v[3] ^= m
        rounds(2)
        v[0] ^= m
    v[2] ^= 0xff
    rounds(4)
    return struct.pack("<Q", v[0] ^ v[1] ^ v[2] ^ v[3])


def server_cookie(client, when, address="127.0.0.1"):
    head = client + b"\1\0\0\0" + struct.pack("!I", when & 0xffffffff)
    return head + siphash(bytes.fromhex("e5e973e5a6b2a43f48e7dc849e37bfcf"), head + socket.inet_aton(address))


def test_cookies_of_others(conformance):
    """Another server with the same secret is as good (RFC 9018): its cookies are known, and ours are what it would make.
    They are renewed after half an hour, and no longer good after one, or from the future (4.3)."""
    client = bytes.fromhex("2464c4abcf10c957")
    # RFC 9018, A.1: for 198.51.100.100 at 1559731985
    assert server_cookie(client, 1559731985, "198.51.100.100").hex() == "2464c4abcf10c957010000005cf79f111f8130c3eee29480"
    now = int(time.time())
    ours = option(asked(conformance, **cookie(client)), 10)
    assert ours == server_cookie(client, struct.unpack("!I", ours[12:16])[0])
    for age, same in ((0, True), (600, True), (1700, True), (1900, False), (3500, False), (3700, False), (-200, True), (-400, False)):
        theirs = server_cookie(client, now - age)
        assert (option(asked(conformance, **cookie(theirs)), 10) == theirs) == same, age
    theirs = server_cookie(client, now, "127.0.0.2")
    assert option(asked(conformance, **cookie(theirs)), 10) != theirs


def test_what_a_cookie_is_worth(workdir, free_port, start):
    """Under a rate limit: nothing when it is too old, from the future, of another version or another's address."""
    server = Server(workdir, free_port(), "rate-limit = 5\n\trate-slip = 1\n\t" + MORE)
    server.conf = server.conf.replace("workers = 2", "workers = 1")
    start("sekisho-dnsd", server.conf)
    client, now = b"8 bytes.", int(time.time())
    for age, good in ((0, True), (3000, True), (3900, False), (-600, False)):
        answered, _, badcookie, _ = flood(server, 60, **cookie(server_cookie(client, now - age)))
        assert (answered == 60 and not badcookie) == good, (age, answered, badcookie)
    assert flood(server, 60, **cookie(server_cookie(client, now, "127.0.0.2")))[2]
    assert flood(server, 60, source="127.0.0.2", **cookie(server_cookie(client, now, "127.0.0.2")))[0] == 60


def test_a_resolver_finds_deep_names(workdir, free_port, start):
    """Unbound, which goes label by label (RFC 9156), finds what is listed, however deep, also in zones of rbldnsd's files,
    where names on the way do not exist. First asked for what is not there."""
    with open(os.path.join(workdir, "names"), "w", encoding="ascii") as f:
        f.write(HEAD.replace("files.example", "names.example") + ":127.0.0.2:$\na.b.c.d.com\n.wild.x.org\n")
    server = Server(workdir, free_port(), f'zone "names.example" {{ data = {{"dnset:{workdir}/names"}} }}')
    start("sekisho-dnsd", server.conf)
    port = free_port()
    conftest.tool("unbound")
    servers.start_unbound(start, workdir, "unbound", port, "example", server.port)

    def resolve(name):
        return dns.query.udp(dns.message.make_query(name, "A"), "127.0.0.1", 10, port)

    for name, listed in (("b.c.d.com.names.example", False), ("x.org.names.example", False), ("2.0.192.files.example", False),
            ("z.b.c.d.com.names.example", False), ("a.b.c.d.com.names.example", True), ("q.r.wild.x.org.names.example", True),
            ("1.2.0.192.files.example", True), ("2.2.0.192.files.example", False), ("a.b.c.d.com.names.example", True)):
        reply = resolve(name)
        assert reply.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) and bool(reply.answer) == listed, name


def test_any(conformance):
    assert records(asked(conformance, LISTED, "ANY")) == [("A", 300, "127.0.0.4")]  # RFC 8482


# ---- rates and quotas ----

def flood(server, count, name=LISTED, source="127.0.0.1", **more):
    """(answered, truncated, of them BADCOOKIE, nothing)"""
    wire = dns.message.make_query(name, "A", **more).to_wire()
    replies = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((source, 0))
        s.connect(("127.0.0.1", server.port))
        s.settimeout(0.3)
        for _ in range(count):
            s.send(wire)
        try:
            while len(replies) < count:
                replies.append(dns.message.from_wire(s.recv(65535)))
        except socket.timeout:
            pass
    truncated = sum(bool(r.flags & dns.flags.TC) for r in replies)
    badcookie = sum(r.rcode() == dns.rcode.BADCOOKIE for r in replies)
    return len(replies) - truncated - badcookie, truncated, badcookie, count - len(replies)


def test_rate_limit(workdir, free_port, start):
    server = Server(workdir, free_port(), "rate-limit = 5\n\trate-slip = 2\n\tunlimited = {\"127.8.0.0/16\"}")
    server.conf = server.conf.replace("workers = 2", "workers = 1")
    start("sekisho-dnsd", server.conf)
    answered, truncated, badcookie, nothing = flood(server, 100)
    assert 5 <= answered <= 15 and 30 <= truncated <= 50 and nothing >= truncated and not badcookie  # two seconds at most
    answered, truncated, badcookie, nothing = flood(server, 100, **cookie(b"8 bytes."))
    assert answered <= 15 and not truncated and badcookie >= 30 and nothing >= badcookie
    assert flood(server, 100, source="127.8.0.1") == (100, 0, 0, 0)
    good = option(asked(server, tcp=True, **cookie(b"8 bytes.")), 10)
    assert flood(server, 100, **cookie(good)) == (100, 0, 0, 0)
    for _ in range(50):
        assert asked(server, tcp=True).answer


def test_quota(workdir, free_port, start):
    server = Server(workdir, free_port(), "quota-day = 20")
    start("sekisho-dnsd", server.conf)
    for tcp in (False, True) * 10:
        assert asked(server, tcp=tcp).answer
    for tcp in (False, True):
        reply = asked(server, tcp=tcp, use_edns=0)
        assert reply.rcode() == dns.rcode.REFUSED and option(reply, 15) == b"\0\x12query quota exceeded"
    assert flood(server, 10, source="127.0.0.2")[0] == 10


def test_quota_with_code_and_of_a_zone(workdir, free_port, start):
    server = Server(workdir, free_port(), 'quota-answer = "code"')
    server.conf = server.conf.replace('code = "127.0.0.4"', 'code = "127.0.0.4"\n\tquota-day = 3')
    start("sekisho-dnsd", server.conf)
    for _ in range(3):
        assert texts(asked(server)) == ["127.0.0.4"]
    assert texts(asked(server)) == ["127.255.255.255"]
    assert texts(asked(server, rdtype="TXT")) == ['"query quota exceeded"']
    assert texts(asked(server, "test.dbl.site.example")) == ["127.0.1.2"]


# ---- TCP ----

def connect(server):
    s = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def framed(wire):
    return struct.pack("!H", len(wire)) + wire


def take(s):
    def exactly(n):
        got = b""
        while len(got) < n:
            part = s.recv(n - len(got))
            if not part:
                raise EOFError
            got += part
        return got
    return exactly(struct.unpack("!H", exactly(2))[0])


def test_tcp_pipelining(conformance):
    """As many as one likes in one write, before any answer is read; ids tell them apart."""
    names = [f"{i % 256}.{i // 256}.0.127.bl.site.example" for i in range(2000)]
    queries = [dns.message.make_query(n, "A", id=i + 1) for i, n in enumerate(names)]
    with connect(conformance) as s:
        s.sendall(b"".join(framed(q.to_wire()) for q in queries))
        seen = {}
        for _ in queries:
            reply = dns.message.from_wire(take(s))
            seen[reply.id] = reply
    assert sorted(seen) == list(range(1, 2001))
    for q in queries:
        assert q.is_response(seen[q.id])


def test_tcp_half_frames(conformance):
    wire = framed(dns.message.make_query(LISTED, "A", id=7).to_wire())
    for cut in (1, 2, 3, 13, len(wire) - 1):
        with connect(conformance) as s:
            s.sendall(wire + wire[:cut])
            assert take(s)[:2] == b"\0\7"
            time.sleep(0.02)
            s.sendall(wire[cut:] + wire)
            assert take(s)[:2] == b"\0\7" and take(s)[:2] == b"\0\7"
    with connect(conformance) as s:  # the peer says no more, and gets its answers all the same
        s.sendall(wire * 50)
        s.shutdown(socket.SHUT_WR)
        for _ in range(50):
            take(s)
        assert s.recv(1) == b""


def test_tcp_big_answers_to_a_slow_reader(conformance):
    """Some 7 MB of answers: what the reader has not taken waits, and questions behind it wait, too."""
    wire = framed(dns.message.make_query("1.0.0.10.files.example", "TXT").to_wire())
    with connect(conformance) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        s.setblocking(False)
        left, sizes = wire * 2000, []
        buffer = b""
        deadline = time.monotonic() + 60
        while len(sizes) < 2000 and time.monotonic() < deadline:
            try:
                left = left[s.send(left[:65536]):] if left else left
            except BlockingIOError:
                pass
            try:
                buffer += s.recv(20000)
            except BlockingIOError:
                time.sleep(0.001)
            while len(buffer) >= 2 and len(buffer) >= 2 + struct.unpack("!H", buffer[:2])[0]:
                size = struct.unpack("!H", buffer[:2])[0]
                sizes.append(size)
                buffer = buffer[2 + size:]
        assert len(sizes) == 2000 and len(set(sizes)) == 1 and sizes[0] > 3000


def test_tcp_garbage_ends_the_session(conformance):
    for junk in (b"\0\5short", framed(message(flags=0x8000)), b"\0\0"):
        with connect(conformance) as s:
            s.sendall(junk)
            assert s.recv(1) == b""
    with connect(conformance) as s:  # malformed, but a message: the session goes on
        s.sendall(framed(message(counts=(2, 0, 0, 0))) + framed(message()))
        assert take(s)[3] & 15 == 1 and take(s)[3] & 15 == 0


def test_tcp_idle(workdir, free_port, start):
    server = Server(workdir, free_port(), 'tcp-idle = "1s"')
    start("sekisho-dnsd", server.conf)
    wire = framed(dns.message.make_query(LISTED, "A").to_wire())
    with connect(server) as s, connect(server) as dripping:
        s.sendall(wire)
        take(s)
        assert s.recv(1) == b""
        with pytest.raises((EOFError, OSError)):  # single bytes are no activity
            for i in range(200):
                dripping.sendall(wire[i % 10:i % 10 + 1] if i < 10 else b"")
                time.sleep(0.05)
                dripping.settimeout(0.001)
                try:
                    if dripping.recv(1) == b"":
                        raise EOFError
                except socket.timeout:
                    pass


def test_many_sessions(conformance, workdir, free_port, start):
    """More than one thread's share, all at once; each is answered."""
    server = Server(workdir, free_port(), "tcp-sessions = 2000")
    start("sekisho-dnsd", server.conf)
    wire = framed(dns.message.make_query(LISTED, "A").to_wire())
    sessions = [connect(server) for _ in range(800)]
    try:
        for s in sessions:
            s.sendall(wire)
        for s in sessions:
            assert take(s)[3] & 15 == 0
        assert asked(server).answer
    finally:
        for s in sessions:
            s.close()
