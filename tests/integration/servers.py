"""Knot, NSD, BIND and PowerDNS as secondaries, and Unbound as a resolver, on ports of their own and with configurations
of our own: for the tests of DNS and for the benchmark of transfers."""
import os
import shutil
import sqlite3

import dns.exception
import dns.flags
import dns.message
import dns.query

NEXT = "\n"  # within an f-string's braces
SECRET = "c2VrcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0ISE="


def find(name):
    """The path of a program of the system, or None: daemons are often not in a user's PATH."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


class Secondary:
    """A server of another make on a port of its own. zones: names; key: TSIG with SECRET; start: as conftest's. Who
    asks from 127.0.0.1 may transfer its zones. source: it asks its primary from there; behind: a port on 127.0.0.1 whose
    server has its zones from it, or None."""

    def __init__(self, start, workdir, port, primary, zones, key=False, source="127.0.0.1", behind=None):
        self.start, self.port, self.primary, self.zones, self.key = start, port, primary, zones, key
        self.source, self.behind = source, behind
        self.dir = os.path.join(workdir, type(self).__name__.lower())
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o777)
        self.process = None
        self.run()

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        return path

    def ask(self, name, rdtype="A", tcp=False):
        q = dns.message.make_query(name, rdtype)
        q.flags &= ~dns.flags.RD
        return (dns.query.tcp if tcp else dns.query.udp)(q, "127.0.0.1", 5, self.port)

    def serial(self, zone):
        try:
            reply = self.ask(zone, "SOA")
        except dns.exception.Timeout:
            return None
        return reply.answer[0][0].serial if reply.rcode() == 0 and reply.answer else None


class Knot(Secondary):
    PROGRAM = "knotd"

    def run(self):
        key = f"key:\n  - id: xfer.example.\n    algorithm: hmac-sha256\n    secret: {SECRET}\n" if self.key else ""
        use = "    key: xfer.example.\n" if self.key else ""
        conf = self.write("knot.conf", f"""
server:
    listen: 127.0.0.1@{self.port}
    rundir: {self.dir}
    tcp-io-timeout: 60000
{key}
remote:
  - id: primary
    address: 127.0.0.1@{self.primary}
    via: {self.source}
{use}{f"  - id: behind{NEXT}    address: 127.0.0.1@{self.behind}{NEXT}" if self.behind else ""}
acl:
  - id: notify
    address: 127.0.0.1
{use}    action: notify
  - id: look
    address: 127.0.0.1
    action: transfer
database:
    storage: {self.dir}
template:
  - id: default
    storage: {self.dir}
    master: primary
    acl: [notify, look]
    {"notify: behind" if self.behind else ""}
    zonefile-sync: -1
    zonefile-load: none
    journal-content: all
log:
  - target: stderr
    any: info
zone:
""" + "".join(f"  - domain: {z}\n" for z in self.zones))
        self.process = self.start(find(self.PROGRAM), args=["-c", conf], ready=False)


class Nsd(Secondary):
    PROGRAM = "nsd"

    def run(self):
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
  xfrd-reload-timeout: 0
  server-count: 1
  verbosity: 2
remote-control:
  control-enable: no
{key}
""" + "".join(f"""zone:
  name: {z}
  zonefile: "{self.dir}/{z}.zone"
  request-xfr: 127.0.0.1@{self.primary} {use}
  outgoing-interface: {self.source}
  allow-notify: 127.0.0.1 {use}
  provide-xfr: 127.0.0.1 NOKEY
{f"  notify: 127.0.0.1@{self.behind} NOKEY{NEXT}  store-ixfr: yes" if self.behind else ""}
""" for z in self.zones))
        self.process = self.start(find(self.PROGRAM), args=["-d", "-c", conf], ready=False)


class Bind(Secondary):
    PROGRAM = "named"

    def run(self):
        key = f'key "xfer.example" {{ algorithm hmac-sha256; secret "{SECRET}"; }};' if self.key else ""
        use = ' key "xfer.example"' if self.key else ""
        notify = 'key "xfer.example";' if self.key else "127.0.0.1;"
        conf = self.write("named.conf", f"""
{key}
options {{
	directory "{self.dir}"; pid-file "{self.dir}/named.pid"; session-keyfile "{self.dir}/session.key";
	listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
	recursion no; allow-transfer {{ 127.0.0.1; }}; dnssec-validation no; minimal-responses yes;
	transfer-source {self.source}; max-ixfr-ratio unlimited; notify-delay 0;
	{f"notify explicit; also-notify {{ 127.0.0.1 port {self.behind}; }}" if self.behind else "notify no"};
	allow-notify {{ {notify} }}; max-journal-size unlimited;
	min-refresh-time 1; serial-query-rate 1000; transfers-in 100;
}};
controls {{ }};
""" + "".join(f"""zone "{z}" {{ type secondary; masterfile-format raw; file "{z}.db";
	primaries port {self.primary} {{ 127.0.0.1{use}; }}; }};
""" for z in self.zones))
        self.process = self.start(find(self.PROGRAM), args=["-g", "-c", conf], ready=False)


class PowerDNS(Secondary):
    PROGRAM = "pdns_server"

    @staticmethod
    def find_schema():
        path = "/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql"
        return path if os.path.exists(path) else None

    def run(self):
        database = os.path.join(self.dir, "pdns.db")
        db = sqlite3.connect(database)
        db.execute("pragma journal_mode=wal")  # else who asks while a zone comes makes that fail
        with open(self.find_schema(), encoding="ascii") as f:
            db.executescript(f.read())
        if self.key:
            db.execute("insert into tsigkeys (name, algorithm, secret) values ('xfer.example', 'hmac-sha256', ?)", (SECRET,))
        for z in self.zones:
            n = db.execute("insert into domains (name, type, master) values (?, 'SLAVE', ?)",
                (z, f"127.0.0.1:{self.primary}")).lastrowid
            # What comes by IXFR it tells nobody of.
            for kind in (() if self.behind else ("IXFR",)) + (("AXFR-MASTER-TSIG",) if self.key else ()):
                db.execute("insert into domainmetadata (domain_id, kind, content) values (?, ?, ?)",
                    (n, kind, "1" if kind == "IXFR" else "xfer.example"))
        db.commit()
        db.close()
        conf = self.write("pdns.conf", f"""
launch=gsqlite3
gsqlite3-database={database}
local-address=127.0.0.1
local-port={self.port}
secondary=yes
query-local-address={self.source}
only-notify=
{f"also-notify=127.0.0.1:{self.behind}{NEXT}slave-renotify=yes" if self.behind else ""}
retrieval-threads=1
socket-dir={self.dir}
cache-ttl=0
negquery-cache-ttl=0
query-cache-ttl=0
zone-cache-refresh-interval=0
xfr-cycle-interval=1
security-poll-suffix=
disable-syslog=yes
allow-notify-from=127.0.0.0/8
allow-axfr-ips=127.0.0.0/8
""")
        assert os.path.dirname(conf) == self.dir
        self.process = self.start(find(self.PROGRAM), args=[f"--config-dir={self.dir}", "--daemon=no", "--guardian=no"],
            ready=False)


def start_unbound(start, workdir, name, port, zone, server, anchor=None):
    """A resolver that has the zone, and what lies below it, from the server on a port of 127.0.0.1. anchor: the one DS
    record that it trusts; None: it validates nothing."""
    trust = ""
    if anchor:
        with open(f"{workdir}/{name}.anchor", "w", encoding="utf-8") as f:
            f.write(anchor + "\n")
        trust = f'aggressive-nsec: yes{NEXT}\ttrust-anchor-file: "{workdir}/{name}.anchor"'
    with open(f"{workdir}/{name}.conf", "w", encoding="utf-8") as f:
        f.write(f"""server:
	interface: 127.0.0.1@{port}
	do-daemonize: no
	chroot: ""
	username: ""
	directory: "{workdir}"
	pidfile: ""
	use-syslog: no
	do-not-query-localhost: no
	qname-minimisation: yes
	module-config: "{'validator iterator' if anchor else 'iterator'}"
	local-zone: "example." nodefault
	{trust}
remote-control:
	control-enable: no
stub-zone:
	name: "{zone}"
	stub-addr: 127.0.0.1@{server}
""")
    return start(find("unbound"), args=["-d", "-c", f"{workdir}/{name}.conf"])
