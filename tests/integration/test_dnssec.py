"""Signed zones of sekisho-dnsd: every kind of answer believed by dnspython's validation and by a real Unbound
that trusts the zone's key and nothing else."""
import os
import subprocess

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

import conftest
from conftest import program
from servers import start_unbound

pytest.importorskip("cryptography")

ZONE = "files.example"
HEAD = "$SOA 1h ns1.files.example hostmaster.files.example 7 10m 5m 1w 5m\n$NS 1h ns1.files.example\n$TTL 600\n"
NXNAME = 128


def make_key(workdir, name="key"):
    key = os.path.join(workdir, name + ".pem")
    subprocess.run([program("sekisho"), "dns", "key", key], check=True, stdout=subprocess.DEVNULL)
    return key


def conf_of(workdir, port, key, more="", dnsd=""):
    with open(os.path.join(workdir, "ip4"), "w", encoding="utf-8") as f:
        f.write(HEAD + ":127.0.0.2:Listed, $\n192.0.2.1\n192.0.2.2 :3:other\n192.0.2.2 :4:and this\n")
    os.makedirs(os.path.join(workdir, "state", "publish"), exist_ok=True)
    return f"""
state-dir = "{workdir}/state"
run-dir = "{workdir}"
list "bad" {{ zone = "bl.site.example" }}
dnsd {{
	user = ""
	listen = {{"127.0.0.1:{port}"}}
	workers = 1
	nameservers = {{"ns1.site.example"}}
	dnssec-signatures = 20
	zone "{ZONE}" {{ data = {{"ip4set:{workdir}/ip4"}} }}
	dnssec "{ZONE}" {{ key = "{key}" {more} }}
	dnssec "bl.site.example" {{ key = "{key}" }}
	{dnsd}
}}
"""


@pytest.fixture
def signed(workdir, free_port, start):
    port, key = free_port(), make_key(workdir)
    start("sekisho-dnsd", conf_of(workdir, port, key))
    return port, key


def ask(port, name, rdtype="A", tcp=True, compact=False, dnssec=True):
    q = dns.message.make_query(name, rdtype, want_dnssec=dnssec, payload=1232 if dnssec else 0, use_edns=dnssec)
    if compact:
        q.ednsflags |= 0x4000
    return (dns.query.tcp if tcp else dns.query.udp)(q, "127.0.0.1", 5, port)


def keys_of(port, zone):
    reply = ask(port, zone, "DNSKEY")
    name = dns.name.from_text(zone)
    return {name: reply.find_rrset(reply.answer, name, dns.rdataclass.IN, dns.rdatatype.DNSKEY)}, reply


def validate(section, keys):
    """Every RRset of the section has a signature that holds; returns the types signed."""
    seen = set()
    for rrset in section:
        if rrset.rdtype == dns.rdatatype.RRSIG:
            continue
        sigs = [s for s in section if s.rdtype == dns.rdatatype.RRSIG and s.covers == rrset.rdtype and s.name == rrset.name]
        assert len(sigs) == 1, rrset
        dns.dnssec.validate(rrset, sigs[0], keys)
        seen.add(dns.rdatatype.to_text(rrset.rdtype))
    return seen


def nsec_types(reply):
    nsec = next(r for r in reply.authority if r.rdtype == dns.rdatatype.NSEC)
    types = set()
    for window, bitmap in nsec[0].windows:
        types |= {window * 256 + i * 8 + b for i, byte in enumerate(bitmap) for b in range(8) if byte & 0x80 >> b}
    return nsec, types


@pytest.mark.parametrize("zone,name,rdtype,types", [
    (ZONE, "1.2.0.192", "A", {"A"}), (ZONE, "1.2.0.192", "TXT", {"TXT"}),
    (ZONE, "2.2.0.192", "A", {"A"}), (ZONE, "2.2.0.192", "TXT", {"TXT"}), (ZONE, "2.2.0.192", "ANY", {"A", "TXT"}),
    (ZONE, None, "SOA", {"SOA"}), (ZONE, None, "NS", {"NS"}), (ZONE, None, "DNSKEY", {"DNSKEY"}),
    (ZONE, None, "CDS", {"CDS"}), (ZONE, None, "CDNSKEY", {"CDNSKEY"}), (ZONE, None, "ANY", {"SOA", "NS"}),
    ("bl.site.example", "2.0.0.127", "A", {"A"}), ("bl.site.example", "2.0.0.127", "TXT", {"TXT"}),
    ("bl.site.example", "*", "NSEC", {"NSEC"}),
])
def test_answers_are_signed(signed, zone, name, rdtype, types):
    port, _ = signed
    keys, _ = keys_of(port, zone)
    reply = ask(port, f"{name}.{zone}" if name else zone, rdtype)
    assert reply.rcode() == dns.rcode.NOERROR
    assert validate(reply.answer, keys) == types


@pytest.mark.parametrize("name,rdtype,there", [
    ("9.2.0.192", "A", {46, 47, NXNAME}), ("no.such.name", "TXT", {46, 47, NXNAME}), ("1.2.0.192", "AAAA", {1, 16, 46, 47}),
    (None, "A", {2, 6, 46, 47, 48, 59, 60}), (None, "DS", {2, 6, 46, 47, 48, 59, 60}),
])
def test_denials_are_signed_and_compact(signed, name, rdtype, there):
    port, _ = signed
    keys, _ = keys_of(port, ZONE)
    whole = f"{name}.{ZONE}" if name else ZONE
    reply = ask(port, whole, rdtype)
    assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])
    assert validate(reply.authority, keys) == {"SOA", "NSEC"}
    nsec, types = nsec_types(reply)
    assert nsec.name == dns.name.from_text(whole) and types == there
    assert nsec[0].next == dns.name.from_text("\\000." + whole)
    if NXNAME in there:
        assert ask(port, whole, rdtype, compact=True).rcode() == dns.rcode.NXDOMAIN
        plain = ask(port, whole, rdtype, dnssec=False)
        assert plain.rcode() == dns.rcode.NXDOMAIN and [r.rdtype for r in plain.authority] == [dns.rdatatype.SOA]


def test_key_and_ds_belong_together(signed):
    port, key = signed
    keys, _ = keys_of(port, ZONE)
    out = subprocess.run([program("sekisho"), "dns", "ds", ZONE, key], check=True, capture_output=True, text=True).stdout
    dnskey = next(iter(keys.values()))[0]
    ds = dns.dnssec.make_ds(dns.name.from_text(ZONE), dnskey, "SHA256")
    assert out.splitlines()[0].split()[2:] == ds.to_text().split()
    assert ask(port, ZONE, "CDS").answer[0][0].to_text() == ds.to_text()


def test_a_flood_of_names_makes_no_more_signatures_than_allowed(signed):
    port, _ = signed
    cut = [bool(ask(port, f"{i}.0.2.198.{ZONE}", tcp=False).flags & dns.flags.TC) for i in range(200)]
    assert any(cut) and not cut[0]
    assert not ask(port, f"199.0.2.198.{ZONE}").flags & dns.flags.TC


def test_nxname_is_no_question(signed):
    assert ask(signed[0], f"1.2.0.192.{ZONE}", NXNAME).rcode() == dns.rcode.FORMERR


def ds_of(key):
    """The zone's DS record for this key file."""
    out = subprocess.run([program("sekisho"), "dns", "ds", ZONE, key], check=True, capture_output=True, text=True).stdout
    return out.splitlines()[0].replace(" DS ", " IN DS ")


def resolve(port, name, rdtype="A"):
    q = dns.message.make_query(f"{name}.{ZONE}", rdtype, want_dnssec=True)
    return dns.query.udp(q, "127.0.0.1", 10, port)


def test_unbound_believes(signed, start, workdir, free_port):
    conftest.tool("unbound")
    port, key = signed
    resolver = free_port()
    start_unbound(start, workdir, "unbound", resolver, ZONE, port, ds_of(key))
    for _ in range(2):  # the second time from its cache
        for name, rdtype, listed in (("9.2.0.192", "A", False), ("1.2.0.192", "A", True), ("1.2.0.192", "TXT", True),
                ("1.2.0.192", "AAAA", False), ("2.2.0.192", "A", True), ("8.2.0.192", "A", False)):
            reply = resolve(resolver, name, rdtype)
            assert reply.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN), (name, rdtype)
            assert reply.flags & dns.flags.AD, (name, rdtype)
            assert bool(reply.answer) == listed, (name, rdtype)


def test_a_new_key_for_the_old(workdir, free_port, start):
    """The old key signs and the new one is published, then the other way round: at each step who trusts only the DS of
    the key that signs believes the answers; and signatures by the other key, from a cache, still have their key."""
    conftest.tool("unbound")
    old, new, last = make_key(workdir, "old"), make_key(workdir, "new"), None
    port = free_port()
    for turn, (key, publish) in enumerate(((old, [new]), (new, [old]), (new, []))):
        names = ", ".join(f'"{p}"' for p in publish)
        dnsd = start("sekisho-dnsd", conf_of(workdir, port, key, f"publish = {{{names}}}"))
        keys, reply = keys_of(port, ZONE)
        assert validate(reply.answer, keys) == {"DNSKEY"}
        rdata = {dns.dnssec.make_ds(dns.name.from_text(ZONE), k, "SHA256").to_text(): dns.dnssec.key_id(k)
            for k in next(iter(keys.values()))}
        wanted = {" ".join(ds_of(k).split()[3:]) for k in [key, *publish]}
        assert set(rdata) == wanted
        signer = rdata[" ".join(ds_of(key).split()[3:])]
        for rdtype in ("CDS", "CDNSKEY"):
            reply = ask(port, ZONE, rdtype)
            assert validate(reply.answer, keys) == {rdtype} and len(reply.answer[0]) == len(wanted)
        assert {r.to_text() for r in ask(port, ZONE, "CDS").answer[0]} == wanted
        for name in ("1.2.0.192", "9.2.0.192"):
            reply = ask(port, f"{name}.{ZONE}")
            section = reply.answer or reply.authority
            validate(section, keys)
            assert {r.key_tag for s in section if s.rdtype == dns.rdatatype.RRSIG for r in s} == {signer}
        if last and turn < 2:
            validate(last, keys)
        last = ask(port, f"1.2.0.192.{ZONE}").answer
        resolver = free_port()
        unbound = start_unbound(start, workdir, f"unbound{turn}", resolver, ZONE, port, ds_of(key))
        for name, listed in (("1.2.0.192", True), ("9.2.0.192", False)):
            reply = resolve(resolver, name)
            assert reply.flags & dns.flags.AD and bool(reply.answer) == listed
        unbound.kill()
        assert dnsd.stop() == 0


def test_a_key_is_published_once(workdir, free_port, start):
    key = make_key(workdir)
    path = os.path.join(workdir, "conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(conf_of(workdir, free_port(), key, f'publish = {{"{key}"}}'))
    run = subprocess.run([program("sekisho-dnsd"), "--config", path], capture_output=True, text=True, timeout=20)
    assert run.returncode and "is a key it has already" in run.stderr


def test_transfers_are_unsigned(workdir, free_port, start):
    """Nothing of DNSSEC goes to secondaries, whatever they ask with, and the log says so at the start."""
    port, key = free_port(), make_key(workdir)
    dnsd = start("sekisho-dnsd", conf_of(workdir, port, key,
        dnsd='secondary "any" { from = {"127.0.0.0/8"} zones = {"files.example"} notify = no }'))
    for zone in (ZONE,):
        q = dns.message.make_query(zone, "AXFR", want_dnssec=True)
        reply = dns.query.tcp(q, "127.0.0.1", 10, port)
        assert reply.rcode() == dns.rcode.NOERROR
        assert {r.rdtype for r in reply.answer} == {dns.rdatatype.from_text(t) for t in ("SOA", "NS", "A", "TXT")}
        q = dns.message.make_query(zone, "IXFR", want_dnssec=True)
        q.authority.append(dns.rrset.from_text(zone + ".", 1, "IN", "SOA", ". . 7 1 1 1 1"))
        for how in (dns.query.tcp, dns.query.udp):
            assert [r.rdtype for r in how(q, "127.0.0.1", 10, port).answer] == [dns.rdatatype.SOA]
    warnings = [l for l in dnsd.log().splitlines() if "dnsd.dnssec" in l]
    assert len(warnings) == 1 and f"zone={ZONE} " in warnings[0], warnings  # nobody may have the other one
