"""sekisho-dnsd as a secondary: zones of Knot, NSD, BIND, PowerDNS and of another sekisho-dnsd, transferred and served.
All servers are started with configurations of the test's own, on loopback."""
import ipaddress
import os
import random
import signal
import socket
import sqlite3
import struct
import subprocess
import threading
import time

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsig
import pytest

from conftest import program, tool
from test_transfer import IP, NAMES, FILES, SECRET, Primary, Secondary, answer, reverse, until

ZONE = "bl.other.example"
KEYS = f'key "xfer.example" {{ secret = "{SECRET}" }}\n\tkey "other.example" {{ secret = "b3RoZXI=" }}'


class Ours:
    """sekisho-dnsd that transfers zones in. sections: text for dnsd."""

    def __init__(self, start, workdir, port, zones, primaries, key="", more=""):
        self.start, self.port, self.dir = start, port, os.path.join(workdir, f"ours-{port}")
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o755)
        addresses = ", ".join(f'"127.0.0.1:{p}"' for p in primaries)
        use = f'key = "{key}"' if key else ""
        sections = "\n\t".join(f'primary "{z}" {{ address = {{{addresses}}} {use} }}' for z in zones)
        self.conf = f"""
state-dir = "{self.dir}/state"
run-dir = "{self.dir}/run"
dnsd {{
	user = ""
	listen = {{"127.0.0.1:{port}"}}
	workers = 1
	{KEYS}
	{sections}
	{more}
}}
"""
        self.daemon = None
        self.run()

    def run(self):
        self.daemon = self.start("sekisho-dnsd", self.conf)

    def ask(self, name, rdtype="A", port=None):
        q = dns.message.make_query(name, rdtype, use_edns=0)
        q.flags &= ~dns.flags.RD
        try:
            return dns.query.udp(q, "127.0.0.1", 2, port or self.port)
        except dns.exception.Timeout:
            return dns.query.udp(q, "127.0.0.1", 5, port or self.port)

    def serial(self, zone=ZONE):
        reply = self.ask(zone, "SOA")
        return reply.answer[0][0].serial if reply.rcode() == 0 and reply.answer else None

    def copy(self, zone=ZONE):
        return os.path.join(self.dir, "state", "zones", zone)


ENTRIES = ["192.0.2.7", "192.0.2.8", "198.51.100.0/24", "10.0.0.0/8", "10.1.2.3", "31.1.0.0/16", "31.1.2.0/24",
    "2a01:4f8:1:2::/64", "2a01:4f8:1:2::5", "2a01:4f8:ff00::/40"]
DOMAINS = ["bad.test.org", "a.b.worse.test.net", "worse.test.net", "co.example.jp"]


def owner(entry):
    """The relative name of an entry; "*.x" for names' wildcards."""
    if entry[0].isalpha() and ":" not in entry or entry.startswith("*"):
        return entry
    network = ipaddress.ip_network(entry)
    labels = str(network.network_address).split(".") if network.version == 4 else list(
        network.network_address.exploded.replace(":", ""))
    step = 8 if network.version == 4 else 4
    labels = labels[:network.prefixlen // step]
    return ".".join((["*"] if network.prefixlen < network.max_prefixlen else []) + labels[::-1])


def records(entries):
    """Zone text: an A and a TXT for each, two of each for some; and others."""
    for i, e in enumerate(entries):
        name = owner(e)
        yield f"{name} 300 A 127.0.0.{2 + i % 3}"
        yield f'{name} 300 TXT "listed: {e}, costs 5$"'
        if i % 4 == 0:
            yield f"{name} 300 A 127.0.1.{i}"
    yield "*.ttl.test 77 A 127.0.0.9"
    yield 'only.text.test 300 TXT "a" "b"'
    yield "mail.test 300 MX 5 mx.other.example."
    yield "mail.test 300 AAAA 2001:db8::1"


class Server(Secondary):
    """A primary of another make; see Secondary. primary: the port that it notifies."""
    refresh = 3600

    def text(self, serial, entries):
        return (f"$ORIGIN {ZONE}.\n@ 900 SOA ns.{ZONE}. h.{ZONE}. {serial} {self.refresh} 1 600 60\n@ 900 NS ns.other.example.\n"
            + "\n".join(records(entries)) + "\n")

    def put(self, serial, entries):
        """A new version of the zone."""
        self.write("zone.new", self.text(serial, entries))
        os.rename(os.path.join(self.dir, "zone.new"), os.path.join(self.dir, "zone"))
        os.utime(os.path.join(self.dir, "zone"), (time.time() + serial, time.time() + serial))
        self.process.process.send_signal(signal.SIGHUP)


class Knot(Server):
    def run(self):
        self.write("zone", self.text(1, ENTRIES[:6] + DOMAINS[:2]))
        key = f"key:\n  - id: xfer.example.\n    algorithm: hmac-sha256\n    secret: {SECRET}\n" if self.key else ""
        use = "    key: xfer.example.\n" if self.key else ""
        conf = self.write("knot.conf", f"""
server:
    listen: 127.0.0.1@{self.port}
    rundir: {self.dir}
{key}
remote:
  - id: it
    address: 127.0.0.1@{self.primary}
{use}
acl:
  - id: xfer
    address: 127.0.0.1
{use}    action: transfer
database:
    storage: {self.dir}
zone:
  - domain: {ZONE}
    file: {self.dir}/zone
    notify: it
    acl: xfer
    zonefile-sync: -1
    zonefile-load: difference
    journal-content: changes
log:
  - target: stderr
    any: info
""")
        self.process = self.start(tool("knotd"), args=["-c", conf], ready=False)


class Nsd(Server):
    def run(self):
        self.write("zone", self.text(1, ENTRIES[:6] + DOMAINS[:2]))
        key = f"key:\n  name: xfer.example\n  algorithm: hmac-sha256\n  secret: {SECRET}\n" if self.key else ""
        use = "xfer.example" if self.key else "NOKEY"
        conf = self.write("nsd.conf", f"""
server:
  ip-address: 127.0.0.1@{self.port}
  username: ""
  chroot: ""
  zonesdir: "{self.dir}"
  database: ""
  pidfile: "{self.dir}/nsd.pid"
  xfrdfile: "{self.dir}/xfrd.state"
  zonelistfile: "{self.dir}/zone.list"
  xfrdir: "{self.dir}"
  server-count: 1
remote-control:
  control-enable: no
{key}
zone:
  name: {ZONE}
  zonefile: "{self.dir}/zone"
  provide-xfr: 127.0.0.1 {use}
  notify: 127.0.0.1@{self.primary} {use}
  store-ixfr: yes
  create-ixfr: yes
""")
        self.process = self.start(tool("nsd"), args=["-d", "-c", conf], ready=False)


class Bind(Server):
    def run(self):
        self.write("zone", self.text(1, ENTRIES[:6] + DOMAINS[:2]))
        key = f'key "xfer.example" {{ algorithm hmac-sha256; secret "{SECRET}"; }};' if self.key else ""
        use = ' key "xfer.example"' if self.key else ""
        allow = 'key "xfer.example";' if self.key else "127.0.0.1;"
        conf = self.write("named.conf", f"""
{key}
options {{
	directory "{self.dir}"; pid-file "{self.dir}/named.pid"; session-keyfile "{self.dir}/session.key";
	listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
	recursion no; dnssec-validation no; minimal-responses yes; notify-delay 0; startup-notify-rate 100; max-ixfr-ratio unlimited; max-journal-size unlimited;
}};
controls {{ }};
zone "{ZONE}" {{ type primary; file "zone"; ixfr-from-differences yes; allow-transfer {{ {allow} }};
	notify explicit; also-notify {{ 127.0.0.1 port {self.primary}{use}; }}; }};
""")
        self.process = self.start(tool("named"), args=["-g", "-c", conf], ready=False)


class PowerDNS(Server):
    def run(self):
        schema = "/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql"
        if not os.path.exists(schema):
            pytest.skip("pdns-backend-sqlite3 is not installed")
        db = sqlite3.connect(self.database())
        with open(schema, encoding="ascii") as f:
            db.executescript(f.read())
        n = db.execute("insert into domains (name, type) values (?, 'MASTER')", (ZONE,)).lastrowid
        if self.key:
            db.execute("insert into tsigkeys (name, algorithm, secret) values ('xfer.example', 'hmac-sha256', ?)", (SECRET,))
            db.execute("insert into domainmetadata (domain_id, kind, content) values (?, 'TSIG-ALLOW-AXFR', 'xfer.example')", (n,))
        db.commit()
        db.close()
        self.put(1, ENTRIES[:6] + DOMAINS[:2])
        conf = self.write("pdns.conf", f"""
launch=gsqlite3
gsqlite3-database={self.database()}
local-address=127.0.0.1
local-port={self.port}
primary=yes
only-notify=
also-notify=127.0.0.1:{self.primary}
allow-axfr-ips={"" if self.key else "127.0.0.0/8"}
socket-dir={self.dir}
cache-ttl=0
negquery-cache-ttl=0
query-cache-ttl=0
zone-cache-refresh-interval=0
xfr-cycle-interval=1
security-poll-suffix=
disable-syslog=yes
""")
        assert os.path.dirname(conf) == self.dir
        self.process = self.start(tool("pdns_server"), args=[f"--config-dir={self.dir}", "--daemon=no", "--guardian=no"],
            ready=False)

    def database(self):
        return os.path.join(self.dir, "pdns.db")

    def put(self, serial, entries):
        db = sqlite3.connect(self.database(), timeout=20)
        db.execute("delete from records")
        owners = set()
        for line in self.text(serial, entries).splitlines()[1:]:
            name, ttl, kind, content = line.split(" ", 3)
            name = ZONE if name == "@" else f"{name}.{ZONE}"
            owners.add(name)
            prio = 0
            if kind == "MX":
                prio, content = content.split(" ")
            if kind != "TXT":
                content = content.rstrip(".")
            db.execute("insert into records (domain_id, name, type, content, ttl, prio) values (1, ?, ?, ?, ?, ?)",
                (name, kind, content.replace(". ", " "), int(ttl), int(prio)))
        # names between that exist without records, which PowerDNS wants to be told
        between = {name.split(".", i)[i] for name in owners for i in range(1, name.count(".") - ZONE.count("."))} - owners
        db.executemany("insert into records (domain_id, name) values (1, ?)", [(name,) for name in sorted(between)])
        db.commit()
        db.close()


SERVERS = [Knot, Nsd, Bind, PowerDNS]


def questions(rng, count):
    """Addresses in, beside and far from entries; names on, below and above some."""
    for _ in range(count):
        network = ipaddress.ip_network(rng.choice(ENTRIES))
        at = int(network.network_address) + rng.choice((-1, 0, rng.randrange(network.num_addresses),
            network.num_addresses - 1, network.num_addresses))
        at ^= rng.choice((0, 0, 1 << rng.randrange(network.max_prefixlen)))
        yield reverse(str(type(network.network_address)(at % (1 << network.max_prefixlen))), ZONE)
        labels = rng.choice(DOMAINS + ["x.ttl.test", "mail.test", "only.text.test"]).split(".")[rng.choice((0, 0, 0, 1)):]
        yield ".".join(["x"] * rng.choice((0, 0, 1, 2)) + labels) + "." + ZONE


def assert_same(ours, port, names, rdtypes=("A", "TXT")):
    for name in names:
        for rdtype in rdtypes:
            theirs, mine = ours.ask(name, rdtype, port), ours.ask(name, rdtype)
            assert answer(theirs) == answer(mine), (name, rdtype)
            if theirs.answer:
                assert theirs.rcode() == mine.rcode() and mine.flags & dns.flags.AA


@pytest.mark.parametrize("key", [False, True], ids=["open", "tsig"])
@pytest.mark.parametrize("kind", SERVERS)
def test_primary(workdir, free_port, start, kind, key):
    there, here = free_port(), free_port()
    s = kind(start, workdir, there, here, [ZONE], key)
    assert until(lambda: s.serial(ZONE) == 1), s.process.log()
    ours = Ours(start, workdir, here, [ZONE], [there], "xfer.example" if key else "")
    assert until(lambda: ours.serial() == 1), ours.daemon.log()
    names = list(questions(random.Random(2), 150))
    assert_same(ours, there, names)
    assert_same(ours, there, ["mail.test." + ZONE, "x.ttl.test." + ZONE, ZONE], ("MX", "AAAA", "NS", "SOA", "A", "PTR"))
    # changes are told by NOTIFY, long before any refresh, and come as changes where the server can
    entries = ENTRIES[:6] + DOMAINS[:2]
    for serial, change in ((2, ENTRIES + DOMAINS), (3, ENTRIES[1:] + DOMAINS[1:]), (4, ENTRIES + DOMAINS[:3])):
        s.put(serial, change)
        assert until(lambda: ours.serial() == serial), s.process.log() + ours.daemon.log()
        assert_same(ours, there, names)
    assert entries != change
    log = ours.daemon.log()
    assert log.count("kind=whole") == (4 if kind is PowerDNS else 1), log
    assert "dropped=0" in log
    # a restart has it all, without the primary
    s.process.kill()
    before = [answer(ours.ask(n)) for n in names]
    assert ours.daemon.stop() == 0
    ours.run()
    assert ours.serial() == 4
    assert [answer(ours.ask(n)) for n in names] == before
