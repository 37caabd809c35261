"""Zone transfers out of sekisho-dnsd: what other servers, as secondaries, make of them. Knot, NSD, BIND and
PowerDNS are started with configurations of the test's own, on loopback."""
import os
import random
import shutil
import socket
import subprocess
import time

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.xfr
import dns.zone
import pytest

from conftest import program, tool

SECRET = "c2VrcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0ISE="
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
