"""Zone transfers out of sekisho-dnsd: what other servers, as secondaries, make of them. Knot, NSD, BIND and
PowerDNS are started with configurations of the test's own, on loopback."""
import ipaddress
import os
import random
import socket
import struct
import subprocess
import time

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.reversename
import dns.rrset
import dns.tsig
import dns.tsigkeyring
import dns.xfr
import dns.zone
import pytest

from conftest import program, tool
from servers import Bind, Knot, Nsd, PowerDNS, SECRET

IP, NAMES, FILES = "bl.site.example", "dbl.site.example", "files.example"
FILE = """$SOA 1h ns1.files.example hostmaster.files.example 7 10m 5m 1w 5m
$NS 1h ns1.files.example
:127.0.0.2:Listed
192.0.2.0/24
!192.0.2.7
198.51.100.16/28
10.0.0.0/8
!10.1.2.0/24
10.1.2.3 :127.0.0.9:nine
10.200.1.1 :127.0.0.4:four
2.0.0.0/24
"""


class Primary:
    """listd and dnsd of one site, which secondaries may ask."""

    def __init__(self, workdir, port, secondaries="", key=False):
        self.dir, self.port = workdir, port
        for name in ("state", "run"):
            os.makedirs(os.path.join(workdir, name), exist_ok=True)
        with open(os.path.join(workdir, "ip4"), "w", encoding="ascii") as f:
            f.write(FILE)
        keys = f'key "xfer.example" {{ secret = "{SECRET}" }}\n\tkey "other.example" {{ secret = "b3RoZXI=" }}'
        self.conf = f"""
state-dir = "{workdir}/state"
run-dir = "{workdir}/run"
list "bad" {{
	zone = "{IP}"
	code = "127.0.0.4"
	text = "see the portal"
	ttl = "5m"
	negative-ttl = "1m"
	lifetime-max = "3650d"
}}
list "dom" {{
	zone = "{NAMES}"
	kind = "domain"
	code = "127.0.1.2"
	text = "$ is bad"
}}
listd {{
	user = ""
	snapshot-interval = "2s"
}}
dnsd {{
	user = ""
	listen = {{"127.0.0.1:{port}"}}
	workers = 1
	nameservers = {{"ns1.site.example"}}
	hostmaster = "hostmaster.site.example"
	check-interval = "1s"
	notify-delay = "0s"
	zone "{FILES}" {{ data = {{"ip4trie:{workdir}/ip4"}} }}
	{keys}
	{secondaries}
}}
"""

    def query(self, name, rdtype, **more):
        q = dns.message.make_query(name, rdtype)
        q.flags &= ~dns.flags.RD
        return dns.query.udp(q, "127.0.0.1", 5, self.port, **more)

    def serial(self, zone):
        return self.query(zone, "SOA").answer[0][0].serial

    def dnsd_log(self, workdir):
        with open(os.path.join(workdir, "1-sekisho-dnsd.log"), encoding="utf-8") as f:
            return f.read()

    def list(self, *args, text=None):
        subprocess.run([program("sekisho"), "list", *args, "--config", os.path.join(self.dir, "0-sekisho-listd.conf")],
            input=text, text=True, check=True, capture_output=True, timeout=60)


def axfr(port, zone, key=None, secret=SECRET):
    """{owner: [(type, ttl, text)]} of a whole transfer, read by dnspython."""
    ring = dns.tsigkeyring.from_text({key: secret}) if key else None
    z = dns.zone.Zone(zone)
    for message in dns.query.xfr("127.0.0.1", zone, port=port, keyring=ring, keyname=key, timeout=20, lifetime=60,
            relativize=False, keyalgorithm=dns.tsig.HMAC_SHA256):
        yield message


def records_of(messages):
    return [(rrset.name.to_text(), dns.rdatatype.to_text(rrset.rdtype), rrset.ttl, r.to_text())
        for m in messages for rrset in m.answer for r in rrset]


def until(what, within_s=40):
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.1)
    return False


ANYBODY = 'secondary "any" { from = {"127.0.0.0/8"} notify = no }'


def test_axfr(workdir, free_port, start):
    p = Primary(workdir, free_port(), ANYBODY)
    start("sekisho-listd", p.conf)
    start("sekisho-dnsd", p.conf)
    got = records_of(axfr(p.port, FILES))
    assert got[0] == got[-1] and got[0][1] == "SOA" and got[0][3].split()[2] == "7"
    assert ("ns1.files.example." in got[1][3]) and got[1][1] == "NS"
    names = {r[0][:-len(FILES) - 2] for r in got}
    assert "1.2.0.192" in names and "7.2.0.192" not in names and "*.2.0.192" not in names
    assert sorted(n for n in names if n.endswith(".10")) == ["*.1.10", "*.1.200.10", "*.10", "*.200.10", "1.1.200.10", "3.2.1.10"]
    # 2.0.0.0/24 as a wildcard would list the IPv6 addresses below 2000::/12, too
    assert "*.0.0.2" not in names and "255.0.0.2" in names
    got = records_of(axfr(p.port, IP))
    assert {r[0] for r in got if r[1] == "A"} == {f"{n}.{IP}." for n in ("2.0.0.127", "4.0.0.127",
        "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0",
        "4.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0")}


def rcode_of(port, zone, rdtype="AXFR", keyname=None, secret=SECRET, serial=None):
    """Of the first message of a transfer, and its TSIG error."""
    q = dns.message.make_query(zone, rdtype)
    if rdtype == "IXFR":
        q.authority.append(dns.rrset.from_text(zone + ".", 1, "IN", "SOA", f". . {serial} 1 1 1 1"))
    if keyname:
        q.use_tsig(dns.tsig.Key(keyname, secret, dns.tsig.HMAC_SHA256))
    try:
        reply = dns.query.tcp(q, "127.0.0.1", 10, port)
    except (dns.tsig.PeerBadKey, dns.tsig.PeerBadSignature, dns.tsig.PeerBadTime) as e:
        return type(e).__name__
    return dns.rcode.to_text(reply.rcode())


def test_who_may(workdir, free_port, start):
    p = Primary(workdir, free_port(), f"""
	secondary "signed" {{ from = {{"127.0.0.0/8"}} key = "xfer.example" zones = {{"{IP}"}} notify = no }}
	secondary "elsewhere" {{ address = {{"192.0.2.1:53"}} notify = no }}""")
    start("sekisho-listd", p.conf)
    start("sekisho-dnsd", p.conf)
    assert rcode_of(p.port, IP, keyname="xfer.example") == "NOERROR"
    assert rcode_of(p.port, IP) == "REFUSED"  # unsigned
    assert rcode_of(p.port, IP, keyname="other.example", secret="b3RoZXI=") == "REFUSED"  # a key for nothing
    assert rcode_of(p.port, FILES, keyname="xfer.example") == "REFUSED"  # not its zone
    assert rcode_of(p.port, "example.com", keyname="xfer.example") == "REFUSED"  # nobody's
    assert rcode_of(p.port, "sub." + IP, keyname="xfer.example") == "REFUSED"
    assert rcode_of(p.port, IP, keyname="nobody.example") == "PeerBadKey"
    assert rcode_of(p.port, IP, keyname="xfer.example", secret="d3Jvbmc=") == "PeerBadSignature"
    # a signed question of any kind is answered signed
    q = dns.message.make_query("2.0.0.127." + IP, "A")
    q.use_tsig(dns.tsig.Key("xfer.example", SECRET, dns.tsig.HMAC_SHA256))
    reply = dns.query.udp(q, "127.0.0.1", 5, p.port)
    assert reply.had_tsig and reply.answer
    # IXFR over UDP: the SOA alone
    q = dns.message.make_query(IP, "IXFR")
    q.use_tsig(dns.tsig.Key("xfer.example", SECRET, dns.tsig.HMAC_SHA256))
    reply = dns.query.udp(q, "127.0.0.1", 5, p.port)
    assert [r.rdtype for r in reply.answer] == [dns.rdatatype.SOA] and len(reply.answer[0]) == 1
    q = dns.message.make_query(IP, "AXFR")
    q.use_tsig(dns.tsig.Key("xfer.example", SECRET, dns.tsig.HMAC_SHA256))
    assert dns.query.udp(q, "127.0.0.1", 5, p.port).rcode() == dns.rcode.REFUSED


def test_what_cannot_be_transferred(workdir, free_port, start):
    """Is refused, and reply and log say why; the zone's data may change meanwhile."""
    soa = "$SOA 1h ns1.files.example hostmaster.files.example 7 10m 5m 1w 5m\n"
    files = {"whole": soa + "192.0.2.1\n", "late": soa + "192.0.2.1\n", "bare": "192.0.2.1\n", "records": "www 300 A 192.0.2.1\n",
        "keys": "secret :pass\n", "old": soa + "$TIMESTAMP 2020:01:01 2020:01:02\n192.0.2.1\n"}
    for name, text in files.items():
        with open(os.path.join(workdir, name), "w", encoding="ascii") as f:
            f.write(text)
    zones = {"generic": ("ip4set:whole", "generic:records"), "soa": ("ip4set:bare",), "late": ("ip4set:late",),
        "keys": ("ip4set:whole", "aclkey:keys"), "old": ("ip4set:old",)}
    p = Primary(workdir, free_port(), ANYBODY + "".join(f'\n\tzone "{zone}.example" {{ data = {{'
        + ", ".join('"' + s.replace(":", f":{workdir}/") + '"' for s in sets) + "} }" for zone, sets in zones.items()))
    dnsd = start("sekisho-dnsd", p.conf)

    def refusal(zone, rdtype="AXFR", how=dns.query.tcp):
        q = dns.message.make_query(zone, rdtype, use_edns=0)
        if rdtype == "IXFR":
            q.authority.append(dns.rrset.from_text(zone + ".", 1, "IN", "SOA", ". . 1 1 1 1 1"))
        reply = how(q, "127.0.0.1", 10, p.port)
        return (dns.rcode.to_text(reply.rcode()), *((o.code, o.text) for o in reply.options if o.otype == 15))

    generic = ("REFUSED", (21, "it has whole records (generic)"))
    assert refusal("generic.example") == refusal("generic.example", "IXFR") == generic
    assert refusal("generic.example", "IXFR", dns.query.udp) == generic
    assert refusal("soa.example") == ("REFUSED", (21, "it has no SOA"))
    assert refusal("keys.example") == ("REFUSED", (21, "it has key labels (aclkey)"))
    assert refusal("old.example")[0] == "SERVFAIL" and refusal("old.example")[1][0] == 24
    assert refusal(FILES, "AXFR", dns.query.udp) == ("REFUSED", (21, "transfers come by TCP"))
    assert refusal("late.example") == ("NOERROR",)
    with open(os.path.join(workdir, "late"), "w", encoding="ascii") as f:
        f.write("192.0.2.1\n")
    assert until(lambda: refusal("late.example")[0] == "REFUSED")
    for zone, why in (("generic", "it has whole records"), ("soa", "it has no SOA"), ("keys", "it has key labels"), ("late", "it has no SOA")):
        assert dnsd.log().count(f'zone={zone}.example done=no reason="{why}') == 1, dnsd.log()


def frame(s):
    """One message of a TCP session."""
    def exactly(n):
        got = b""
        while len(got) < n:
            part = s.recv(n - len(got))
            assert part, "the session was closed"
            got += part
        return got
    return exactly(struct.unpack("!H", exactly(2))[0])


def ixfr(port, zone, serial, key=None):
    """(kind, records) of an incremental transfer: "same", "whole" or "changes", and for changes what goes and
    what comes."""
    q = dns.message.make_query(zone, "IXFR")
    q.authority.append(dns.rrset.from_text(zone + ".", 1, "IN", "SOA", f". . {serial} 1 1 1 1"))
    records, ring = [], None
    if key:
        ring = dns.tsigkeyring.from_text({key: SECRET})
        q.use_tsig(ring, algorithm=dns.tsig.HMAC_SHA256)
    context = None
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        dns.query.send_tcp(s, q)
        while len(records) < 2 or records[0] != records[-1] or len(records) == 2 + (records[1][1] == "SOA"):
            if len(records) == 1:
                return "same", records
            message = dns.message.from_wire(frame(s), keyring=ring, request_mac=q.mac, xfr=True, one_rr_per_rrset=True,
                tsig_ctx=context, multi=True)
            context = message.tsig_ctx
            assert message.rcode() == 0 and message.answer
            records += records_of([message])
    if records[1][1] != "SOA":
        return "whole", records[:-1]
    goes, comes, to = set(), set(), None
    for r in records[1:-1]:
        if r[1] == "SOA":
            to = goes if to is not goes else comes
        else:
            to.add(r)
            (comes if to is goes else goes).discard(r)
    return "changes", (goes, comes)


def test_ixfr(workdir, free_port, start):
    p = Primary(workdir, free_port(), ANYBODY)
    start("sekisho-listd", p.conf)
    p.list("add", "5.6.7.8", "45.9.0.0/16", "--list", "bad", "--reason", "test")
    dnsd = start("sekisho-dnsd", p.conf)
    before, serial = records_of(axfr(p.port, IP)), p.serial(IP)
    assert ixfr(p.port, IP, serial)[0] == "same"
    assert ixfr(p.port, IP, (serial + 100) % 2**32)[0] == "same"  # it says that it is ahead
    assert ixfr(p.port, FILES, 7)[0] == "same" and ixfr(p.port, FILES, 6)[0] == "whole"
    for i in range(40):
        p.list("add", f"45.9.{i}.{i + 1}", f"45.8.{i}.1", "--list", "bad", "--reason", "test")
    p.list("remove", "45.9.0.0/16", "5.6.7.8", "--list", "bad", "--reason", "test")
    assert until(lambda: p.serial(IP) == serial + 82)
    for since in (serial, serial + 1, serial + 80):
        kind, (goes, comes) = ixfr(p.port, IP, since)
        assert kind == "changes"
        if since == serial:
            after = {r for r in records_of(axfr(p.port, IP)) if r[1] != "SOA"}
            assert {r for r in before if r[1] != "SOA"} - goes | comes == after
    # a new snapshot, and a new start: what was changed since that snapshot can be told all the same
    assert until(lambda: f"serial={p.serial(IP)} " in p.dnsd_log(workdir))
    assert ixfr(p.port, IP, serial)[0] == "changes"
    last = p.serial(IP)
    p.list("add", "45.7.0.1", "--list", "bad", "--reason", "test")
    assert until(lambda: p.serial(IP) == last + 1)
    dnsd.stop()
    start("sekisho-dnsd", p.conf)
    assert ixfr(p.port, IP, serial)[0] == "whole"
    assert ixfr(p.port, IP, 0)[0] in ("whole", "changes")


# ---- the four secondaries ----

SERVERS = [Knot, Nsd, Bind, PowerDNS]


def section(port, key):
    use = 'key = "xfer.example"' if key else ""
    return f'secondary "it" {{ address = {{"127.0.0.1:{port}"}} {use} }}'


def answer(reply):
    """What a blocklist's user sees."""
    return sorted((dns.rdatatype.to_text(r.rdtype), r.ttl, x.to_text()) for r in reply.answer for x in r)


def reverse(ip, zone):
    return dns.reversename.from_address(ip).to_text().rsplit(".", 3)[0] + "." + zone


def assert_same_answers(primary, secondary, names):
    for name in names:
        for rdtype in ("A", "TXT"):
            ours, theirs = primary.query(name, rdtype), secondary.ask(name, rdtype)
            assert answer(ours) == answer(theirs), (name, rdtype, type(secondary).__name__)


def random_addresses(rng, entries, count):
    """In and around the entries, and anywhere."""
    for _ in range(count):
        network = ipaddress.ip_network(rng.choice(entries))
        at = int(network.network_address) + rng.choice((-1, 0, rng.randrange(network.num_addresses),
            network.num_addresses - 1, network.num_addresses))
        at ^= rng.choice((0, 0, 1 << rng.randrange(network.max_prefixlen)))
        yield str(type(network.network_address)(at % (1 << network.max_prefixlen)))


def last_change(secondary, primary):
    """The secondary has what changed last in both zones: what changes in one moves the serial of all."""
    return all(zone_is_there(secondary, primary, z) for z in (IP, NAMES))


def zone_is_there(secondary, primary, zone):
    kind, changes = ixfr(primary.port, zone, secondary.serial(zone), secondary.key and "xfer.example")
    return kind == "same" or (kind == "changes" and not changes[0] and not changes[1])


IP_ENTRIES = ["5.6.7.8", "5.6.7.9", "45.9.8.0/24", "45.9.8.7", "46.1.1.16/28", "47.64.0.0/12", "47.65.3.4", "47.65.0.0/16",
    "2.0.0.0/24", "2a01:4f8:1:2::/64", "2a01:4f8:1:2::5", "2a01:4f8:ff00::/41", "31.1.0.0/16", "31.1.2.3", "31.1.2.0/24"]
FILE_ENTRIES = ["192.0.2.0/24", "192.0.2.7", "198.51.100.16/28", "10.0.0.0/8", "10.1.2.0/24", "10.1.2.3", "10.200.1.1",
    "2.0.0.0/24"]


DOMAINS = ["bad.test.org", "a.b.worse.test.net", "worse.test.net", "x.y.z.worse.test.net", "co.example.jp", "www.co.example.jp"]


def random_names(rng, count):
    for _ in range(count):
        labels = rng.choice(DOMAINS).split(".")[rng.choice((0, 0, 0, 1, 2)):]
        yield ".".join([rng.choice("abxyzw")] * rng.randrange(3) + labels) + "." + NAMES


@pytest.mark.parametrize("key", [False, True], ids=["open", "tsig"])
@pytest.mark.parametrize("kind", SERVERS)
def test_secondary(workdir, free_port, start, kind, key):
    tool(kind.PROGRAM)
    if kind is PowerDNS and not PowerDNS.find_schema():
        pytest.skip("pdns-backend-sqlite3 is not installed")
    there = free_port()
    p = Primary(workdir, free_port(), section(there, key))
    start("sekisho-listd", p.conf)
    p.list("import", "-", "--list", "bad", "--feed", "one", text="\n".join(IP_ENTRIES[:10]) + "\n")
    p.list("import", "-", "--list", "dom", "--feed", "one", text="\n".join(DOMAINS[:4]) + "\n")
    start("sekisho-dnsd", p.conf)
    s = kind(start, workdir, there, p.port, [IP, NAMES, FILES], key)
    assert until(lambda: s.serial(IP) == p.serial(IP) == s.serial(NAMES) and s.serial(FILES) == 7), s.process.log()
    rng = random.Random(1)
    names = [reverse(a, IP) for a in random_addresses(rng, IP_ENTRIES, 150)]
    names += [reverse(a, FILES) for a in random_addresses(rng, FILE_ENTRIES, 100)]
    names += list(random_names(rng, 100)) + ["test." + NAMES, "invalid." + NAMES]
    assert_same_answers(p, s, names + ["2.0.0.127." + IP, "4.0.0.127." + IP, "1.0.0.127." + IP])
    # changes: they arrive by NOTIFY and IXFR, long before any refresh
    assert until(lambda: p.dnsd_log(workdir).count("kind=whole") >= 3)  # of three zones; told after their end
    whole = p.dnsd_log(workdir).count("kind=whole")
    p.list("import", "-", "--list", "bad", "--feed", "two", text="\n".join(IP_ENTRIES[10:]) + "\n")
    for command, subject in (("remove", "45.9.8.0/24"), ("remove", "47.64.0.0/12"), ("add", "47.64.0.0/12")):
        p.list(command, subject, "--list", "bad", "--reason", "test")
    p.list("import", "-", "--list", "dom", "--feed", "two", text="\n".join(DOMAINS[4:]) + "\n")
    if kind is not PowerDNS:  # its IXFR forgets to take away names on the way to those that went
        p.list("remove", "worse.test.net", "--list", "dom", "--reason", "test")
        p.list("remove", "a.b.worse.test.net", "--list", "dom", "--reason", "test")
        p.list("add", "worse.test.net", "--list", "dom", "--reason", "test")
    assert until(lambda: last_change(s, p)), s.process.log() + p.dnsd_log(workdir)
    assert p.dnsd_log(workdir).count("kind=whole") == whole, p.dnsd_log(workdir)
    assert "kind=changes" in p.dnsd_log(workdir)
    assert_same_answers(p, s, names)
