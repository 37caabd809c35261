"""Lists as rules for resolvers (RPZ), and the catalog of all zones: what resolvers and servers of other makes
make of them."""
import os
import re

import dns.exception
import dns.message
import dns.query
import dns.rcode
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


# ---- resolvers ----

ZONE = """$ORIGIN test.org.
@ 3600 SOA ns.test.org. x. 1 60 60 3600 60
@ 3600 NS ns.test.org.
ns 3600 A 127.0.0.1
bad 60 A 203.0.113.1
x.bad 60 A 203.0.113.1
other 60 A 203.0.113.1
fine 60 A 203.0.113.1
address 60 A 45.9.8.7
address6 60 AAAA 2a01:4f8:1:2::99
"""


class World:
    """Knot with test.org: what there is to resolve."""

    def __init__(self, start, workdir, port):
        self.port = port
        folder = os.path.join(workdir, "world")
        os.makedirs(folder)
        with open(os.path.join(folder, "zone"), "w", encoding="ascii") as f:
            f.write(ZONE)
        conf = os.path.join(folder, "knot.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(f"server:\n    listen: 127.0.0.1@{port}\n    rundir: {folder}\ndatabase:\n    storage: {folder}\n"
                f"zone:\n  - domain: test.org\n    file: {folder}/zone\n    journal-content: none\n    zonefile-sync: -1\n")
        start(tool("knotd"), args=["-c", conf], ready=False)


class Resolver:
    def __init__(self, start, workdir, port, primary, world):
        self.port, self.dir = port, os.path.join(workdir, "resolver")
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o777)
        conf = os.path.join(self.dir, "conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(self.config(primary, world))
        # Unbound ends when it cannot tell systemd that it is ready.
        self.process = start(tool("env"), args=["-u", "NOTIFY_SOCKET", tool(self.PROGRAM), *self.ARGS, conf], ready=False)

    def answers(self, name, rdtype="A"):
        """None: it did not resolve; else whether there were addresses."""
        try:
            reply = dns.query.udp(dns.message.make_query(name, rdtype), "127.0.0.1", 5, self.port)
        except dns.exception.Timeout:
            return None
        return None if reply.rcode() == dns.rcode.SERVFAIL else reply.rcode() == 0 and bool(reply.answer)


class BindResolver(Resolver):
    PROGRAM, ARGS = "named", ["-g", "-c"]

    def config(self, primary, world):
        return f"""
options {{
	directory "{self.dir}"; pid-file "{self.dir}/pid"; session-keyfile "{self.dir}/key";
	listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
	recursion yes; allow-recursion {{ 127.0.0.1; }}; dnssec-validation no; max-cache-ttl 1;
	allow-notify {{ 127.0.0.1; }};
	response-policy {{ zone "{RPZ}"; }} qname-wait-recurse no min-update-interval 0;
}};
controls {{ }};
zone "{RPZ}" {{ type secondary; file "rpz"; masterfile-format raw; primaries port {primary} {{ 127.0.0.1; }}; }};
zone "test.org" {{ type forward; forward only; forwarders {{ 127.0.0.1 port {world}; }}; }};
"""


class Unbound(Resolver):
    PROGRAM, ARGS = "unbound", ["-d", "-c"]

    def config(self, primary, world):
        return f"""
server:
	interface: 127.0.0.1@{self.port}
	username: ""
	chroot: ""
	directory: "{self.dir}"
	pidfile: "{self.dir}/pid"
	use-syslog: no
	verbosity: 2
	do-daemonize: no
	do-not-query-localhost: no
	module-config: "respip iterator"
	cache-max-ttl: 0
remote-control:
	control-enable: no
stub-zone:
	name: test.org
	stub-addr: 127.0.0.1@{world}
rpz:
	name: {RPZ}
	primary: 127.0.0.1@{primary}
	allow-notify: 127.0.0.1
	zonefile: "{self.dir}/rpz"
"""


@pytest.mark.parametrize("kind", [BindResolver, Unbound])
def test_resolver(workdir, free_port, start, kind):
    tool(kind.PROGRAM)
    there = free_port()
    p = Primary(workdir, free_port(), POLICY % "nxdomain" + f'secondary "it" {{ address = {{"127.0.0.1:{there}"}} }}')
    start("sekisho-listd", p.conf)
    fill(p)
    dnsd, world = start("sekisho-dnsd", p.conf), World(start, workdir, free_port())
    r = kind(start, workdir, there, p.port, world.port)
    assert until(lambda: r.answers("fine.test.org") and r.answers("bad.test.org") is False), r.process.log()
    assert r.answers("x.bad.test.org") is False
    assert r.answers("other.test.org") is True
    assert until(lambda: r.answers("address.test.org") is False), r.process.log()
    assert until(lambda: r.answers("address6.test.org", "AAAA") is False), r.process.log()
    # what comes and goes
    p.list("add", "other.test.org", "--list", "dom", "--reason", "test")
    p.list("remove", "bad.test.org", "--list", "dom", "--reason", "test")
    p.list("remove", "45.9.8.7", "45.9.0.0/16", "--list", "bad", "--reason", "test")
    assert until(lambda: r.answers("other.test.org") is False), r.process.log() + dnsd.log()
    assert until(lambda: r.answers("bad.test.org") and r.answers("x.bad.test.org")), r.process.log()
    assert until(lambda: r.answers("address.test.org")), r.process.log()
    assert r.answers("address6.test.org", "AAAA") is False
    assert re.search(f"zone={RPZ} .*kind=changes .*done=yes", dnsd.log())
    for text in ("invalid rpz", "is not the canonical", "malformed"):
        assert text not in r.process.log().lower(), r.process.log()


# ---- the catalog ----

class KnotCatalog(Knot):
    """Of the only zone it is given, it takes the members."""

    def write(self, name, text):
        text += "    catalog-role: interpret\n    catalog-template: default\n"
        return super().write(name, text)


class BindCatalog(Bind):
    def write(self, name, text):
        text = text.replace("recursion no;", f'recursion no; catalog-zones {{ zone "{CATALOG}" min-update-interval 0 '
            f'default-primaries port {self.primary} {{ 127.0.0.1; }}; }};')
        return super().write(name, text)


def members(port):
    """The zones that the catalog names."""
    got = records_of(axfr(port, CATALOG))
    assert ("version." + CATALOG + ".", "TXT", 3600, '"2"') in got and got[1][1] == "NS"
    return {r[3] for r in got if r[1] == "PTR"}


@pytest.mark.parametrize("kind", [KnotCatalog, BindCatalog])
def test_catalog(workdir, free_port, start, kind):
    tool(kind.PROGRAM)
    there = free_port()
    head = f'catalog = "{CATALOG}"\nsecondary "it" {{ address = {{"127.0.0.1:{there}"}} }}\n'
    p = Primary(workdir, free_port(), head)
    start("sekisho-listd", p.conf)
    dnsd = start("sekisho-dnsd", p.conf)
    assert members(p.port) == {IP + ".", NAMES + ".", FILES + "."}
    before = p.serial(CATALOG)
    s = kind(start, workdir, there, p.port, [CATALOG])
    assert until(lambda: s.serial(FILES) == 7 and s.serial(IP) == p.serial(IP) == s.serial(NAMES)), s.process.log()
    p.list("add", "45.9.8.7", "--list", "bad", "--reason", "test")
    assert until(lambda: bool(s.ask("7.8.9.45." + IP).answer)), s.process.log()
    # other zones: the secondary has what the configuration says now
    dnsd.stop()
    q = Primary(workdir, p.port, head + POLICY % "nxdomain")
    start("sekisho-dnsd", q.conf.replace(FILES, "new.example"))
    assert p.serial(CATALOG) > before
    assert members(p.port) == {IP + ".", NAMES + ".", RPZ + ".", "new.example."}
    assert until(lambda: s.serial("new.example") == 7 and s.serial(RPZ)), s.process.log()
    assert until(lambda: not s.serial(FILES)), s.process.log()
    assert s.ask("7.8.9.45." + IP).answer


def test_a_zone_that_cannot_be_read_stays_a_member(workdir, free_port, start):
    p = Primary(workdir, free_port(), f'catalog = "{CATALOG}"\n' + ANYBODY)
    start("sekisho-listd", p.conf)
    os.rename(os.path.join(workdir, "ip4"), os.path.join(workdir, "away"))
    start("sekisho-dnsd", p.conf)
    assert p.query(FILES, "SOA").rcode() == dns.rcode.SERVFAIL
    assert FILES + "." in members(p.port)
    serial = p.serial(CATALOG)
    os.rename(os.path.join(workdir, "away"), os.path.join(workdir, "ip4"))
    assert until(lambda: p.query(FILES, "SOA").rcode() == 0)
    assert FILES + "." in members(p.port) and p.serial(CATALOG) == serial
