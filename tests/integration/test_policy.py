"""Lists as rules for resolvers (RPZ), and the catalog of all zones: what resolvers and servers of other makes
make of them."""
import os
import re
import time

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.zone
import pytest

from conftest import tool
from servers import Bind, Knot
from test_transfer import ANYBODY, FILES, IP, NAMES, Primary, axfr, ixfr, records_of, until

RPZ = "rpz.site.example"
CATALOG = "catalog.site.example"
POLICY = f'rpz "{RPZ}" {{ lists = {{"bad", "dom"}} action = "%s" }}\n'


def triggers(port):
    """{trigger below the zone: CNAME's target}"""
    return {r[0][:-len(RPZ) - 2]: r[3] for r in records_of(axfr(port, RPZ)) if r[1] == "CNAME"}


def fill(p):
    p.list("import", "-", "--list", "bad", "--feed", "one",
        text="45.9.8.7\n45.9.0.0/16\n2a01:4f8:1:2::/64\n2a01:4f8::5\n2a01:4f8:0:1:1:1:1:5\n")
    p.list("import", "-", "--list", "dom", "--feed", "one", text="bad.test.org\nworse.test.net\nx.worse.test.net\n")


@pytest.mark.parametrize("action,target", [("nxdomain", "."), ("nodata", "*."), ("passthru", "rpz-passthru."),
    ("drop", "rpz-drop."), ("tcp-only", "rpz-tcp-only."), ("wall.site.example", "wall.site.example.")])
def test_triggers(workdir, free_port, start, action, target):
    p = Primary(workdir, free_port(), POLICY % action + ANYBODY)
    start("sekisho-listd", p.conf)
    fill(p)
    start("sekisho-dnsd", p.conf)
    names = {"bad.test.org", "*.bad.test.org", "worse.test.net", "*.worse.test.net", "x.worse.test.net", "*.x.worse.test.net"}
    ips = {"32.7.8.9.45", "16.0.0.9.45", "64.zz.2.1.4f8.2a01", "128.5.zz.4f8.2a01", "128.5.1.1.1.1.0.4f8.2a01"}
    assert triggers(p.port) == {x: target for x in names | {f"{ip}.rpz-ip" for ip in ips}}
    assert p.query(RPZ, "SOA").answer and p.query(RPZ, "NS").answer
    assert p.query("bad.test.org." + RPZ, "CNAME").rcode() == dns.rcode.REFUSED
    # changes
    serial = p.serial(RPZ)
    p.list("remove", "45.9.8.7", "--list", "bad", "--reason", "test")
    p.list("add", "other.test.org", "--list", "dom", "--reason", "test")
    assert until(lambda: p.serial(RPZ) == serial + 2)
    kind, (goes, comes) = ixfr(p.port, RPZ, serial)
    assert kind == "changes"
    assert {r[0] for r in goes} == {f"32.7.8.9.45.rpz-ip.{RPZ}."}
    assert {r[0] for r in comes} == {f"other.test.org.{RPZ}.", f"*.other.test.org.{RPZ}."}


def test_names_that_are_no_names(workdir, free_port, start):
    p = Primary(workdir, free_port(), POLICY % "drop" + ANYBODY)
    start("sekisho-listd", p.conf)
    p.list("import", "-", "--list", "dom", "--feed", "one", text="32.1.0.0.10.rpz-client-ip\nfine.test.org\n")
    start("sekisho-dnsd", p.conf)
    assert set(triggers(p.port)) == {"fine.test.org", "*.fine.test.org"}
