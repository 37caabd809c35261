"""Ten data sets of all of rbldnsd's kinds, and any number of questions that look into their corners. For
tests/bench/rbldnsd-same, which holds two servers beside each other, and for the test that runs it."""
import random
import struct

import rbl_cases as c

ZONE = "z.example"
HEAD = "$SOA 1h ns1.z.example hostmaster.z.example 7 10m 5m 1w 5m\n$NS 1h ns1.z.example ns2.bl.example\n"
A, NS, SOA, MX, TXT, AAAA, ANY = 1, 2, 6, 15, 16, 28, 255
TYPES = [A] * 200 + [TXT] * 128 + [ANY] * 24 + [MX] * 16 + [NS, SOA, AAAA] * 5 + [NS, SOA, AAAA, 5, 12, 65, 99, 249, 250, 251, 252, 253, 256, 65280]

GENERIC = r"""
www 300 A 192.0.2.1
www 200 A 192.0.2.2
www IN A 192.0.2.1
www TXT "one string "with" quotes $ \\ $1"
www MX 10 mx.z.example
www MX 20 Mail.Other.example.
@ A 192.0.2.9
@ TXT at the top
@ 1w MX 0 mx.z.example
about TXT no quotes at all
about 10 txt "
empty TXT ""
ns1 1d A 192.0.2.53
ns1 A 192.0.2.54
UPPER A 127.1
deep.down.below A 1
deep.down.below 0 A 2
esc\.aped A 127.0.0.1
trailing. A 127.0.0.1
1.0.0.10 A 192.0.2.77
1.0.0.10 TXT "also listed elsewhere"
v6 AAAA ::1
cname CNAME www
ns NS ns1.z.example
short
short A
short 5
bad 1w A 127.0.0.999
bad A x
mx MX x mx.example
mx MX 70000 mx.example
. A 127.0.0.1
*.star A 127.0.0.1
@x A 127.0.0.1
in IN IN A 127.0.0.1
IN A 127.0.0.2
long TXT """ + "l" * 300 + """
exact TXT """ + '"' + "e" * 255 + '"' + """
""" + "".join("many A 192.0.2.%d\n" % i for i in range(40))

ACL = """
$1 words
127.0.0.2 :refuse
127.0.0.3 :empty
127.0.0.4 :9:$ must pay, $1
127.0.0.5 :pass
127.0.0.6 =empty
127.0.0.7 :5
127.0.0.8 only text of $
127.0.0.0/28 :11:others: $
127.0.0.1 :pass
!127.0.0.9
127.0.0.10 :BLACKHOLE
"""

ACL_FOR_ALL = "127.0.0.5 :13:for all $\n127.0.0.3 :pass\n127.0.0.11 :refuse\n"

TEMPLATES = r"""
$0 zero
$1 one $ $$ $1
$2 two
$9 $2 nine
:127.0.0.2:default $ $0 $1 $2 $3 $9 $$ $$$ $$$$
10.0.0.0/24
10.0.0.1 $
10.0.0.2 $$
10.0.0.3 $$$
10.0.0.4 $0$1$2$3$4
10.0.0.5 :5:=no base $= $
10.0.0.6 :6:= $=
10.0.0.7 :7:==
10.0.0.8 :8:$=
10.0.0.9 $a$ $. $-$
10.0.0.10 :9
10.0.0.11 :10:
10.0.0.12 """ + "$" * 255 + """
10.0.0.13 """ + "x" * 250 + """$
10.0.0.14 """ + "x" * 253 + """$$$$
10.0.0.15 """ + "$9" * 100 + """
10.0.0.16 """ + "y" * 255 + """
10.0.0.17 """ + "z" * 256 + """
10.0.0.18 caf\xe9 "quoted" \\ back\\slash ; no comment # here
:3:another default for $
10.0.1.0/24
10.0.1.5 text $1
$TTL 77
:
10.0.2.0/24
10.0.2.1 x
"""

COMBINED = c.COMBINED + r"""
$DATASET generic:common proxies relays @
@ A 127.0.0.8
www 60 A 127.0.0.8
www TXT "common"
@ MX 10 mx.ex.com
$DATASET ip6trie @ v6.deep
2001:db8::/32 :21:$ $1
$DATASET dnset @ names.x
.both.example :22:$
*.star.example
!not.both.example
"""


class Set:
    """specs: of the zone; rules: more specs, of no zone; args: more options; sources: who asks, most of all
    the first."""

    def __init__(self, name, specs, files, names, args=(), rules=(), sources=("127.0.0.1",), silent=()):
        self.name, self.specs, self.files, self.names = name, specs, files, names
        self.args, self.rules, self.sources, self.silent = list(args), list(rules), sources, silent


def sets(seed=1):
    r = random.Random(seed)
    prefixes = c.random_prefixes(seed, 4000)
    prefix_names = c.random_prefix_questions(seed + 1, 20000)
    addresses = ["%d.%d.%d.%d" % (10 + r.randrange(4), r.randrange(4), r.randrange(8), r.randrange(256)) for _ in range(4000)]
    dn_text, dn_names = c.dn_random(seed, 4000)
    ip6_words = [[0x2001, 0xdb8, r.randrange(4), r.randrange(4), 0, 0, 0, r.randrange(4)] for _ in range(3000)]
    ip6_lines = "".join("%s%s/%d%s\n" % (r.choice(["", "", "", "!"]), ":".join("%x" % x for x in w), 128, r.choice(["", " :5:$", " t $"])) for w in ip6_words)
    ip6_nets = "".join("2001:db8:%x:%x/64 :%d:$\n" % (r.randrange(8), r.randrange(8), r.randrange(2, 99)) for _ in range(60))
    ip6_names = [c.rev6(w) for w in ip6_words] + [c.rev6(w[:7] + [w[7] ^ 1]) for w in ip6_words] + c.ip6_questions(seed, 3000)
    tset6 = "".join("%x:%x:%x:%x\n" % tuple(w[:4]) for w in ip6_words) + "".join("!%s\n" % ":".join("%x" % x for x in w) for w in ip6_words[:300])
    generic_names = ["www", "", "about", "empty", "ns1", "upper", "deep.down.below", "down.below", "esc\\.aped", "trailing", "1.0.0.10", "v6", "short",
                     "bad", "mx", "star", "x.star", "*.star", "in", "many", "long", "exact", "cname", "ns", "x.www", "@x"]
    generic = HEAD + GENERIC + "".join("h%d %d %s\n" % (i, r.randrange(1, 9999), r.choice(["A 192.0.2.%d" % (i % 256), 'TXT "text %d"' % i, "MX %d mx%d.example" % (i, i)]))
                                       for i in r.choices(range(500), k=1500))
    ip4 = HEAD + c.IP4_LINES + c.RANGES + prefixes
    ip4_names = c.ip4_questions(seed, 20000) + prefix_names
    sources = tuple("127.0.0.%d" % i for i in range(1, 9)) + ("127.0.0.11", "127.0.0.12", "127.0.0.200")
    return [
        Set("ip4set", ["ip4set:a"], {"a": ip4}, ip4_names),
        Set("ip4tset", ["ip4tset:a,b"], {"a": HEAD + "\n".join(addresses) + "\n", "b": c.IP4_LINES}, ip4_names + [c.rev4(a) for a in addresses], args=["-a"]),
        Set("ip4trie", ["ip4trie:a"], {"a": ip4}, ip4_names, args=["-t", "10m:100:1000"]),
        Set("ip6trie", ["ip6trie:a"], {"a": HEAD + c.IP6_LINES + ip6_lines + ip6_nets}, ip6_names),
        Set("ip6tset", ["ip6tset:a,b"], {"a": HEAD + c.IP6_TLINES, "b": tset6}, ip6_names, args=["-a"]),
        Set("dnset", ["dnset:a"], {"a": HEAD + c.DN_LINES + dn_text}, c.DN_QUESTIONS * 20 + dn_names),
        Set("generic", ["generic:a"], {"a": generic}, generic_names * 20 + ["h%d" % i for i in range(520)]),
        Set("combined", ["combined:a", "generic:g"], {"a": COMBINED, "g": "ns1 A 192.0.2.53\n"},
            c.COMBINED_QUESTIONS + [p + z for p in ("www", "", "a.both.example", "both.example", "not.both.example", "x.star.example") for z in ("", ".proxies", ".relays", ".names.x", ".v6.deep")]),
        Set("acl", ["ip4set:a", "dnset:d", "generic:g", "acl:acl"], {"a": ip4, "d": c.DN_LINES, "g": generic, "acl": ACL, "all": ACL_FOR_ALL},
            ip4_names[:4000] + c.DN_QUESTIONS * 20 + generic_names * 20, rules=[":acl:all"], sources=sources, silent=("127.0.0.10",)),
        Set("templates", ["ip4set:a", "ip4trie:b"], {"a": HEAD + TEMPLATES, "b": "$= <$= of $ $1>\n$1 b\n" + TEMPLATES},
            [c.rev4("10.0.%d.%d" % (a, b)) for a in range(3) for b in range(40)]),
    ]


def wire_name(text):
    out, label, at = b"", b"", 0
    while at < len(text):
        ch = text[at]
        if ch == "\\":
            at += 1
            ch = text[at]
            label += ch.encode("latin-1")
        elif ch == ".":
            if label:
                out += bytes([len(label)]) + label
            label = b""
        else:
            label += ch.encode("latin-1")
        at += 1
    return out + (bytes([len(label)]) + label if label else b"")


def twisted(r, wire):
    """A name like it: another letter, a label more or less, capitals."""
    kind = r.randrange(5)
    if kind == 0:
        return wire.upper()
    if kind == 1 and wire:
        return wire[wire[0] + 1:]
    if kind == 2:
        label = bytes(r.choice(b"0123456789abcdefxyz-_*") for _ in range(r.randint(1, 4)))
        return bytes([len(label)]) + label + wire
    if kind == 3 and wire:
        at = r.randrange(wire[0]) + 1
        return wire[:at] + bytes([r.choice(b"0123456789abcxyz\0\xff ")]) + wire[at + 1:]
    label = bytes(r.randrange(256) for _ in range(r.choice([1, 2, 3, 63])))
    return bytes([len(label)]) + label + wire


def questions(one, count, seed):
    """count messages; the same for the same seed."""
    r = random.Random(seed)
    zone = wire_name(ZONE) + b"\0"
    outside = [b"\7example\0", b"\0", wire_name("elsewhere.test") + b"\0", wire_name("xz.example") + b"\0"]
    names = [wire_name(n) for n in one.names]
    for _ in range(count):
        name = r.choice(names)
        chance = r.random()
        if chance < .1:
            name = twisted(r, name)
        name = r.choice(outside) if chance > .995 else name + (zone if r.random() > .02 else zone.upper())
        if len(name) > 255:
            name = zone
        flags = 0x0100 if r.random() < .5 else 0
        klass = 1 if r.random() > .01 else r.choice([255, 3, 4, 254])
        edns = r.random() < .02
        q = struct.pack("!6H", 0, flags, 1, 0, 0, 1 if edns else 0) + name + struct.pack("!2H", r.choice(TYPES), klass)
        yield q + (struct.pack("!BHHIH", 0, 41, r.choice([512, 1232, 4096]), 0, 0) if edns else b"")
