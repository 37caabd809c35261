"""sekisho-dnsd as a secondary: zones of Knot, NSD, BIND, PowerDNS and of another sekisho-dnsd, transferred and served.
All servers are started with configurations of the test's own, on loopback."""
import ipaddress
import os
import random
import signal
import socket
import sqlite3
import struct
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

from conftest import tool
from servers import SECRET, Secondary
from test_transfer import FILES, IP, NAMES, Primary, answer, reverse, until, zone_is_there

ZONE = "bl.other.example"
KEYS = f'key "xfer.example" {{ secret = "{SECRET}" }}\n\tkey "other.example" {{ secret = "b3RoZXI=" }}'


class Ours:
    """sekisho-dnsd that transfers zones in."""

    def __init__(self, start, workdir, port, zones, primaries, key="", more="", keys=KEYS):
        self.start, self.port, self.key, self.dir = start, port, key, os.path.join(workdir, f"ours-{port}")
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
	{keys}
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
            return dns.query.udp(q, "127.0.0.1", 2, port or self.port, ignore_unexpected=True)
        except dns.exception.Timeout:
            return dns.query.udp(q, "127.0.0.1", 5, port or self.port, ignore_unexpected=True)

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


def make_files_zone(workdir, serial, entries):
    """A data set of rbldnsd's for FILES, with an SOA that expires soon."""
    path = os.path.join(workdir, "ip4")
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write(f"$SOA 1h ns1.files.example hostmaster.files.example {serial} 1s 1s 4s 5m\n$NS 1h ns1.files.example\n"
            + ":127.0.0.2:Listed $\n" + "\n".join(entries) + "\n")
    os.rename(path + ".new", path)


def test_ours(workdir, free_port, start):
    """One sekisho-dnsd after the other: lists with their changes, names, files."""
    there, here, last = free_port(), free_port(), free_port()
    p = Primary(workdir, there, f'secondary "it" {{ address = {{"127.0.0.1:{here}"}} key = "xfer.example" }}')
    start("sekisho-listd", p.conf)
    p.list("import", "-", "--list", "bad", "--feed", "one", text="\n".join(ENTRIES) + "\n")
    p.list("import", "-", "--list", "dom", "--feed", "one", text="\n".join(DOMAINS) + "\n")
    start("sekisho-dnsd", p.conf)
    ours = Ours(start, workdir, here, [IP, NAMES, FILES], [there], "xfer.example",
        f'secondary "next" {{ address = {{"127.0.0.1:{last}"}} }}')
    third = Ours(start, workdir, last, [IP, FILES], [here])
    same = lambda: all(ours.serial(z) == p.serial(z) for z in (IP, NAMES, FILES))
    assert until(same), ours.daemon.log()
    rng = random.Random(3)
    addresses = [q.replace(ZONE, IP) for q in questions(rng, 150)]
    names = [q.replace(ZONE, NAMES) for q in questions(rng, 50)] + ["test." + NAMES, "invalid." + NAMES]
    more = ["2.0.0.127." + IP, "1.0.0.127." + IP] + [f"{i}.2.0.192.{FILES}" for i in (0, 6, 7, 8)] + [f"9.9.1.10.{FILES}"]
    for turn in range(2):
        for name in addresses + names + more:
            theirs, mine = p.query(name, "A", ignore_unexpected=True), ours.ask(name, "A")
            assert [r[2] for r in answer(theirs)] == [r[2] for r in answer(mine)], name
            assert theirs.rcode() == mine.rcode() or not theirs.answer
        if turn:
            break
        for i in range(20):
            p.list("add", f"45.9.{i}.{i + 1}", "--list", "bad", "--reason", "test")
        p.list("remove", ENTRIES[2], ENTRIES[5], "--list", "bad", "--reason", "test")
        p.list("remove", DOMAINS[0], "--list", "dom", "--reason", "test")
        # a change in one list moves the serial of all, but only who has changed is told of
        assert until(lambda: zone_is_there(ours, p, IP) and zone_is_there(ours, p, NAMES)), ours.daemon.log()
        assert ours.ask("20.19.9.45." + IP).answer and not ours.ask(f"{DOMAINS[0]}.{NAMES}").answer
    # and on to the next one, whole
    assert until(lambda: all(third.serial(z) == ours.serial(z) for z in (IP, FILES))), third.daemon.log()
    assert_same(third, here, addresses + more)
    assert "kind=changes" in ours.daemon.log() and "error" not in ours.daemon.log(), ours.daemon.log()


def files_primary(start, workdir, port, here):
    make_files_zone(workdir, 1, ["192.0.2.0/24"])
    conf = f"""
dnsd {{
	user = ""
	listen = {{"127.0.0.1:{port}"}}
	workers = 1
	check-interval = "1s"
	notify-delay = "0s"
	zone "{FILES}" {{ data = {{"ip4trie:{workdir}/ip4"}} }}
	{KEYS}
	secondary "it" {{ address = {{"127.0.0.1:{here}"}} }}
	secondary "signed" {{ from = {{"127.0.0.0/8"}} key = "xfer.example" notify = no }}
}}
"""
    return conf, start("sekisho-dnsd", conf)


def test_gone(workdir, free_port, start):
    """Without its primary a zone is served until it expires, also over restarts; then it is not; and it comes back."""
    there, here = free_port(), free_port()
    conf, primary = files_primary(start, workdir, there, here)
    ours = Ours(start, workdir, here, [FILES], [free_port(), there])  # nobody listens at the first one
    assert until(lambda: ours.serial(FILES) == 1), ours.daemon.log()
    primary.kill()
    name = "1.2.0.192." + FILES
    assert ours.ask(name).answer
    ours.daemon.kill()
    ours.run()
    assert ours.ask(name).answer
    assert until(lambda: ours.ask(name).rcode() == dns.rcode.SERVFAIL), ours.daemon.log()
    assert "dnsd.expired" in ours.daemon.log()
    reply = ours.ask(name)
    assert reply.options and reply.options[0].code == 24  # RFC 8914: invalid data
    assert ours.daemon.stop() == 0
    ours.run()
    assert ours.ask(name).rcode() == dns.rcode.SERVFAIL
    make_files_zone(workdir, 2, ["192.0.2.0/24", "192.0.3.0/24"])
    start("sekisho-dnsd", conf)
    assert until(lambda: ours.serial(FILES) == 2 and ours.ask("1.3.0.192." + FILES).answer), ours.daemon.log()


def test_keys(workdir, free_port, start):
    """A key that the primary does not know, one with another secret, none: nothing is taken, and the log says why."""
    there = free_port()
    files_primary(start, workdir, there, 1)
    for name, secret, word in (("nobody.example", SECRET, "TSIG error 17"), ("xfer.example", "d3Jvbmc=", "TSIG error 16")):
        ours = Ours(start, workdir, free_port(), [FILES], [there], name, keys=f'key "{name}" {{ secret = "{secret}" }}')
        assert until(lambda: word in ours.daemon.log()), ours.daemon.log()
        assert ours.ask("1.2.0.192." + FILES).rcode() == dns.rcode.SERVFAIL


def notify(port, zone, key=None, secret=SECRET, source="127.0.0.1", rdtype="SOA"):
    q = dns.message.make_query(zone, rdtype, use_edns=0)
    q.set_opcode(dns.opcode.NOTIFY)
    q.flags = (q.flags & ~dns.flags.RD) | dns.flags.AA
    if key:
        q.use_tsig(dns.tsig.Key(key, secret, dns.tsig.HMAC_SHA256))
    try:
        return dns.query.udp(q, "127.0.0.1", 5, port, source=source)
    except (dns.tsig.PeerBadKey, dns.tsig.PeerBadSignature) as e:
        return type(e).__name__


def test_notify(workdir, free_port, start):
    """Who may: the primaries' addresses and those of notify-from, signed where there is a key."""
    here, nobody = free_port(), free_port()
    ours = Ours(start, workdir, here, ["open.example"], [nobody], more=f"""
	primary "signed.example" {{ address = {{"127.0.0.1:{nobody}"}} key = "xfer.example" notify-from = {{"127.0.0.9"}} }}""")
    reply = notify(here, "open.example")
    assert reply.rcode() == 0 and reply.opcode() == dns.opcode.NOTIFY and reply.flags & dns.flags.AA and reply.question
    assert notify(here, "signed.example", "xfer.example").rcode() == 0
    assert notify(here, "signed.example", "xfer.example", source="127.0.0.9").rcode() == 0
    for zone, more in (("open.example", {"source": "127.0.0.9"}), ("signed.example", {}), ("signed.example", {"source": "127.0.0.9"}),
            ("other.example", {}), ("sub.open.example", {}), ("open.example", {"rdtype": "A"})):
        reply = notify(here, zone, **more)
        assert reply.rcode() == dns.rcode.REFUSED and reply.options[0].code in (18, 20, 21), (zone, more)
    assert notify(here, "signed.example", "other.example", "b3RoZXI=") == "PeerBadKey"
    assert notify(here, "signed.example", "xfer.example", "b3RoZXI=") == "PeerBadSignature"
    assert notify(here, "open.example", "xfer.example") == "PeerBadKey"  # signed, and nobody said with what
    for _ in range(300):  # many at once are one look
        notify(here, "open.example")
    assert ours.daemon.running()


# ---- primaries that are none ----

class Fake:
    """Answers SOA over UDP with `serial`, and every TCP session with what transfer(question) yields, as bytes."""

    def __init__(self, port, serial, transfer):
        self.serial, self.transfer, self.sessions = serial, transfer, 0
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.udp.bind(("127.0.0.1", port))
        self.tcp.bind(("127.0.0.1", port))
        self.tcp.listen()
        for run in (self.run_udp, self.run_tcp):
            threading.Thread(target=run, daemon=True).start()

    def soa(self, serial=None):
        return dns.rrset.from_text(ZONE + ".", 60, "IN", "SOA", f"ns. h. {serial or self.serial} 1 1 60 60")

    def reply(self, question, *rrsets):
        r = dns.message.make_response(question)
        r.flags |= dns.flags.AA
        r.answer.extend(rrsets)
        wire = r.to_wire(max_size=65535)
        return struct.pack("!H", len(wire)) + wire

    def run_udp(self):
        try:
            while True:
                data, peer = self.udp.recvfrom(65535)
                self.udp.sendto(self.reply(dns.message.from_wire(data), self.soa())[2:], peer)
        except OSError:
            pass

    def run_tcp(self):
        try:
            while True:
                s, _ = self.tcp.accept()
                self.sessions += 1
                with s:
                    s.settimeout(5)
                    size = struct.unpack("!H", s.recv(2))[0]
                    try:
                        for part in self.transfer(self, dns.message.from_wire(s.recv(size))):
                            s.sendall(part)
                    except OSError:
                        pass
        except OSError:
            pass

    def close(self):
        for s in (self.udp, self.tcp):
            s.shutdown(socket.SHUT_RDWR) if s is self.tcp else None
            s.close()


def a(name, address="127.0.0.2"):
    return dns.rrset.from_text(f"{name}.{ZONE}.", 60, "IN", "A", address)


def whole(f, q):
    yield f.reply(q, f.soa(), a("1.2.0.192"))
    yield f.reply(q, a("2.2.0.192"), f.soa())


def empty(f, q):
    yield b"\0\0"


def cut(f, q):
    yield f.reply(q, f.soa(), a("1.2.0.192"))


def garbage(f, q):
    yield f.reply(q, f.soa(), a("1.2.0.192"))
    yield struct.pack("!H", 500) + os.urandom(500)


def endless(f, q):
    yield f.reply(q, f.soa(), a("1.2.0.192"))
    for i in range(100000):
        yield f.reply(q, *[a(f"{i}.x{k}") for k in range(300)])


def wrong_changes(f, q):
    """Takes away what is not there; the whole zone is all right."""
    if q.question[0].rdtype == dns.rdatatype.AXFR:
        yield from whole(f, q)
    else:
        yield f.reply(q, f.soa(), f.soa(1), a("9.9.9.9"), f.soa(), a("8.8.8.8"), f.soa())


def test_bad_primaries(workdir, free_port, start):
    """What does not come whole and right changes nothing."""
    there, here = free_port(), free_port()
    fake = Fake(there, 1, whole)
    try:
        ours = Ours(start, workdir, here, [], [], more=f'primary "{ZONE}" {{ address = {{"127.0.0.1:{there}"}} max-size = 100000 }}')
        assert until(lambda: ours.serial() == 1), ours.daemon.log()
        with open(ours.copy(), "rb") as f:
            before = f.read()
        fake.serial = 2
        for transfer in (empty, cut, garbage, endless):
            fake.transfer = transfer
            sessions = fake.sessions
            assert until(lambda: fake.sessions >= sessions + 2), ours.daemon.log()
            assert ours.serial() == 1 and ours.ask(f"1.2.0.192.{ZONE}").answer
        with open(ours.copy(), "rb") as f:
            assert f.read() == before
        fake.transfer = wrong_changes
        assert until(lambda: ours.serial() == 2), ours.daemon.log()
        assert not ours.ask(f"8.8.8.8.{ZONE}").answer and "a record goes that is not there" in ours.daemon.log()
        assert "max-size" in ours.daemon.log()
        # a copy that was damaged is not served, but transferred anew
        ours.daemon.stop()
        with open(ours.copy(), "r+b") as f:
            f.seek(40)
            f.write(b"\xff")
        ours.run()
        assert "the checksum is wrong" in ours.daemon.log()
        assert until(lambda: ours.serial() == 2)
    finally:
        fake.close()


def test_kill(workdir, free_port, start):
    """SIGKILL in the middle of transfers, again and again: there is always a whole zone, and none older than before."""
    there, here = free_port(), free_port()

    def many(f, q):
        serial = f.serial
        yield f.reply(q, f.soa(serial))
        for i in range(20):
            yield f.reply(q, *[a(f"{k}.{i}.0.10", f"127.0.0.{serial % 250 + 1}") for k in range(250)])
        yield f.reply(q, f.soa(serial))

    fake = Fake(there, 1, many)
    try:
        ours = Ours(start, workdir, here, [ZONE], [there])
        assert until(lambda: ours.serial() == 1), ours.daemon.log()
        last, rng = 1, random.Random(4)
        for _ in range(12):
            fake.serial += 1
            notify(here, ZONE)
            time.sleep(rng.random() / 4)
            ours.daemon.kill()
            ours.run()
            serial = ours.serial()
            assert serial is not None and last <= serial <= fake.serial
            last = serial
        assert until(lambda: ours.serial() == fake.serial)
        assert ours.ask(f"9.9.0.10.{ZONE}").answer[0][0].address == f"127.0.0.{fake.serial % 250 + 1}"
        assert os.listdir(os.path.dirname(ours.copy())) == [ZONE] or all(
            n.startswith(ZONE) for n in os.listdir(os.path.dirname(ours.copy())))
    finally:
        fake.close()
