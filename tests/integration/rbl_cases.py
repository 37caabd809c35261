"""Data sets of every type with the corners of rbldnsd's grammar, and questions that look into them. For
the tests that hold sekisho-dnsd beside the real rbldnsd."""
import random


class Case:
    def __init__(self, name, specs, files, questions, expect=()):
        self.name, self.specs, self.files = name, specs, files
        self.questions = questions      # names below the zone
        self.expect = expect            # (name, type, answer) that must come, so that silence is no pass


def rev4(a):
    return ".".join(reversed(a.split(".")))


def rev6(words):
    """words: 8 numbers."""
    return ".".join(reversed("".join("%04x" % w for w in words)))


def quad(v):
    return "%d.%d.%d.%d" % (v >> 24, v >> 16 & 255, v >> 8 & 255, v & 255)


HEAD = "$SOA 1h ns1.bl.example hostmaster.bl.example 7 10m 5m 1w 5m\n$NS 1h ns1.bl.example ns2.bl.example\n"

IP4_LINES = r"""
:127.0.0.2:Listed $ ($1)
$1 first
$1 never
# a comment
; another
10.0.0.1
10.0.0.2 :5
10.0.0.3 :6:
10.0.0.4 :7:own text of $
10.0.0.5 only text, $2 undefined, $$ a dollar, end $
10.0.0.6 :127.1.2.3: blanks before
10.0.0.7:8:glued
10.0.0.8 # comment behind
10.0.0.9#glued comment
10.0.0.10	:9:	tab
10.0.0.11 :0:zero code is bad
10.0.0.12 :127.0.0.9 rest is bad
10.0.0.13x
10.0.0.256
10.0.0
10.0.1.0/24
10.0.2.0/23 :3:two nets
!10.0.2.77
! 10.0.3.0/28
10.0.2.5 :4:inside
10.1/16 :11:short form
10.1.2/24 :12:
10.2.0.0/255
10.3.0.1/24 :13:host bits
010.004.000.001 :14:zeros
10.5.0.0/33
10.6.0.0/32 :15:
11/8 :16:whole
!11.5/16
11.5.6.7 :17:back again
12
=13.0.0.1
14.0.0.1 =raw $= and $1
14.0.0.2 $=
10.0.0.1 :2:second value for one
10.0.0.1
10.0.0.4 :7:own text of $
15.0.0.1 :127.0.0.300:
15.0.0.2 ::empty
15.0.0.3 :2 :spaced
15.0.0.4 :1.2:aton
15.0.0.5 :1.2.3:aton
255.255.255.255 :20:top
0.0.0.0 :21:bottom
:3:
16.0.0.1
16.0.0.2 :4
:
16.0.0.3
:9
16.0.0.4
16.0.0.5 text
:bad
16.0.0.6
$TTL 5m
$TTL bad
$NOSUCH
17.0.0.1 """ + "t" * 300 + """
17.0.0.2 """ + "$" * 200 + """
"""

RANGES = """
20.0.0.5-20.0.0.9 :2:short range
20.0.1.5-9 :3:suffix
20.0.2-4 :4:octets
20.0.10.250-20.0.11.4 :5:across
20.1.0.0-20.3.255.255 :6:wide
20.4.0.1-20.6.255.254 :7:ragged
20.7-8 :8:
20.9.0.0-255 :9:
20.10.5-20.10.3
20.11.0.1-20.11
21-22 :10:firsts
23-23.0.0
!20.1.5-6
!20.2.0.0-20.2.0.255
20.2.0.7 :11:in the hole
20.12.0.0/25 :12:lower half
20.12.0.5 :13:one of it
20.12.0.64/26 :14:quarter
"""


def ip4_addresses(seed, count):
    r = random.Random(seed)
    heads = ["10.0.0", "10.0.1", "10.0.2", "10.0.3", "10.1.2", "10.4.0", "11.5.6", "14.0.0", "15.0.0", "16.0.0", "17.0.0",
             "20.0.0", "20.0.1", "20.0.10", "20.0.11", "20.2.0", "20.12.0", "20.5.5", "20.11.0"]
    out = ["%s.%d" % (h, i) for h in heads for i in range(0, 20)]
    for h in heads:
        out += ["%s.%d" % (h, r.randrange(256)) for _ in range(30)]
    out += ["20.%d.%d.%d" % (r.randrange(13), r.choice([0, 1, 2, 5, 255, 254, r.randrange(256)]), r.choice([0, 1, 254, 255])) for _ in range(count)]
    out += [quad(r.getrandbits(32)) for _ in range(count // 4)]
    out += ["%d.%d.%d.%d" % (r.randrange(9, 24), r.randrange(12), r.randrange(4), r.randrange(8)) for _ in range(count)]
    out += ["255.255.255.255", "0.0.0.0", "11.0.0.0", "11.255.255.255", "21.0.0.0", "22.255.255.255", "23.0.0.0"]
    return out


def ip4_questions(seed, count):
    out = [rev4(a) for a in ip4_addresses(seed, count)]
    out += ["", "10", "0.10", "1.0.0.0.10", "001.0.0.10", "1.00.0.10", "256.0.0.10", "a.0.0.10", "1.0.0.10.x", "www", "1.0.0.0010"]
    for a in ("10.0.0.1", "10.0.2.77", "8.8.8.8"):                      # mapped and 6to4 forms
        v = [int(x) for x in a.split(".")]
        out.append(rev6([0, 0, 0, 0, 0, 0xffff, v[0] << 8 | v[1], v[2] << 8 | v[3]]))
        out.append(rev6([0x2002, v[0] << 8 | v[1], v[2] << 8 | v[3], 0, 0, 0, 0, 1]))
    return out


def random_prefixes(seed, count, exclusions=True):
    r = random.Random(seed)
    lines = [":127.0.0.2:default $"]
    for _ in range(count):
        p = r.choice([32, 32, 31, 30, 28, 26, 25, 24, 23, 22, 20, 18, 17, 16, 15, 12, 9, 8])
        v = (30 << 24 | r.getrandbits(2) << 22 | r.getrandbits(6) << 12 | r.getrandbits(2) << 7 | r.getrandbits(5)) >> (32 - p) << (32 - p)
        lines.append("%s%s/%d%s" % ("!" if exclusions and r.random() < .15 else "", quad(v), p, r.choice(["", " :%d:" % r.randrange(2, 9), " :%d:text %d $" % (r.randrange(2, 9), r.randrange(4))])))
    return "\n".join(lines) + "\n"


def random_prefix_questions(seed, count):
    r = random.Random(seed)
    return [rev4(quad(30 << 24 | r.getrandbits(2) << 22 | r.getrandbits(6) << 12 | r.getrandbits(2) << 7 | r.getrandbits(5))) for _ in range(count)]


IP6_LINES = """
:127.0.1.2: Listed, see http://example.com/lookup?$
2001:21ab:c000/36
2001:21ab:def7:4242 :127.0.1.3: This one smells funny
2605:6001:42::/52
::1                   # localhost
!2605:6001:42::bead   # exclusion
2001:db8::/32 :4:wide
2001:db8:1::/48 :5:
!2001:db8:1:2::/64
2001:db8:1:2:3:4:5:6 :6:deep
2001:db8:2:0:0:1:0:0 :7:two runs
2001:db8:2:1:0:0:0:1 :8:
2001
2001:db8:ffff::1/33
12345::
::12345
1::2::3
1:2:3:4:5:6:7:8:9
1:2:3:4:5:6:7:8:: :9:
1:2:3:4:5:6:7:: :10:seven
::1: :11:trailing
fe80:0:0:0:0:0:0:1 :12
FE80::ABCD :13:upper
g::1
::/0x
3000::/4 :14:
2001:db8::/32 :15:again
64:ff9b::1.2.3.4
:: :16:all zeros
abcd:: text only $
"""

IP6_TLINES = """
:127.0.1.2:Trivial $
:3:never
2001:20fe:23:41ed
abac:adab:ad00:42f
2001:db8:0:1 :5:ignored
2001:db8::
2001:db8:1
2001:db8:0:0
!2001:db8:0:0::5
!abac:adab:ad00:42f:face:0f:a:beef
!abac:adab:ad00:42f::2
!2001:20fe:23:41ed
!1:2:3:4::1
0:0:0:0
"""

IP6_WORDS = [
    [0x2001, 0x21ab, 0xc000, 0, 0, 0, 0, 1], [0x2001, 0x21ab, 0xcfff, 0xffff, 0, 0, 0, 1], [0x2001, 0x21ab, 0xd000, 0, 0, 0, 0, 0],
    [0x2001, 0x21ab, 0xdef7, 0x4242, 1, 2, 3, 4], [0x2605, 0x6001, 0x42, 0, 0, 0, 0, 0xbead], [0x2605, 0x6001, 0x42, 0xfff, 0, 0, 0, 0xbead],
    [0x2605, 0x6001, 0x42, 0x1000, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 0], [0x2001, 0xdb8, 0, 0, 0, 0, 0, 5],
    [0x2001, 0xdb8, 0, 0, 0, 0, 0, 6], [0x2001, 0xdb8, 0, 1, 0, 0, 0, 6], [0x2001, 0xdb8, 1, 0, 0, 0, 0, 6], [0x2001, 0xdb8, 1, 2, 3, 4, 5, 6],
    [0x2001, 0xdb8, 1, 2, 3, 4, 5, 7], [0x2001, 0xdb8, 2, 0, 0, 1, 0, 0], [0x2001, 0xdb8, 2, 1, 0, 0, 0, 1], [0x2001, 0xdb8, 2, 1, 0, 0, 1, 0],
    [0xabac, 0xadab, 0xad00, 0x42f, 0xface, 0xf, 0xa, 0xbeef], [0xabac, 0xadab, 0xad00, 0x42f, 0, 0, 0, 2], [0xabac, 0xadab, 0xad00, 0x42f, 0, 0, 0, 3],
    [0x2001, 0x20fe, 0x23, 0x41ed, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 0], [1, 2, 3, 4, 0, 0, 0, 1],
    [0xfe80, 0, 0, 0, 0, 0, 0, 1], [0xfe80, 0, 0, 0, 0, 0, 0, 0xabcd], [0x3abc, 0, 0, 0, 0, 0, 0, 0], [0x4000, 0, 0, 0, 0, 0, 0, 0],
    [0x64, 0xff9b, 0, 0, 0, 0, 1, 2], [0xabcd, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0xffff, 0x0a00, 1], [0x2002, 0x0a00, 1, 0, 0, 0, 0, 0],
]


def ip6_questions(seed, count):
    r = random.Random(seed)
    out = [rev6(w) for w in IP6_WORDS]
    for _ in range(count):
        w = list(r.choice(IP6_WORDS))
        w[r.randrange(8)] ^= r.choice([0, 1, 2, 0x8000, 0x1000])
        out.append(rev6(w))
    return out + ["", "1.0.0.127", "x" + rev6(IP6_WORDS[0])[1:], rev6(IP6_WORDS[0])[2:], "1." + rev6(IP6_WORDS[0])]


DN_LINES = r"""
:127.0.0.2:Domain $ is listed
example.com
*.below.example
.both.example
.both.example :3:second
plain.example :4:plain
*.plain.example :5:stars
!not.both.example
!*.hole.both.example
in.hole.both.example :6:back
UPPER.Example :7:$
.dots..twice. :8:
trailing.dot. :9:
*.*.star.example :10:
esc\046aped.example :11:$
esc\.dot.example :12:$
sp\ ace.example :13:
co.uk :14
.
*.
!
*
deep.a.b.c.d.e.f.g :15:
.d.e.f.g :16:
""" + "a" * 64 + """.long
""" + ".".join(["b" * 63] * 3) + """.fits :17:long
""" + ".".join(["c" * 63] * 4) + """.toolong
glued.example:5:value
glued.example#comment
x.example	:18:	tabbed
4.3.2.1 :19:number $
dollar$.example :20:$
quote".example :21:$
at@.example :22:$
"""

DN_QUESTIONS = [
    "", "example.com", "www.example.com", "com", "below.example", "a.below.example", "b.a.below.example", "both.example", "x.both.example",
    "not.both.example", "a.not.both.example", "hole.both.example", "x.hole.both.example", "in.hole.both.example", "y.in.hole.both.example",
    "plain.example", "a.plain.example", "upper.example", "UPPER.EXAMPLE", "dots.twice", "a.dots.twice", "trailing.dot", "star.example",
    "a.star.example", "a.b.star.example", "*.star.example", "x.*.star.example", "co.uk", "a.co.uk", "deep.a.b.c.d.e.f.g", "a.b.c.d.e.f.g",
    "d.e.f.g", "e.f.g", "x.d.e.f.g", ".".join(["b" * 63] * 3) + ".fits", "a" * 63 + ".long", "glued.example", "x.example", "4.3.2.1",
    "dollar$.example", 'quote".example', "at@.example", "esc\\.aped.example", "esc\\.dot.example", "sp\\ ace.example", "esc.aped.example",
]


def dn_random(seed, count):
    r = random.Random(seed)
    words = ["a", "b", "cc", "d-1", "e"]

    def name(n):
        return ".".join(r.choice(words) for _ in range(r.randint(1, n)))
    lines = ["%s%s%s%s" % ("!" if r.random() < .2 else "", r.choice(["", ".", "*.", ""]), name(4), r.choice(["", " :%d:" % r.randint(2, 6), " :%d:t $" % r.randint(2, 6)])) for _ in range(count)]
    return ":2:default $\n" + "\n".join(lines) + "\n", [name(6) for _ in range(count * 6)]


COMBINED = r"""
# common section
$NS 1w ns1.ex.com ns2.ex.com
$SOA 1w ns1.ex.com admin.ex.com 3 2h 2h 1w 1h
$TTL 20m
$1 shared
$DATASET ip4set:proxy proxies @   # both
:2:Open proxy, see http://bl.ex.com/proxy/$ $1 $2
$2 of the proxies
127.0.0.2
127.0.0.10
$DATASET ip4set:relay relays @ ; comment
:3:Open relay, see http://bl.ex.com/relay/$ $1 $2
$1 not again
$TTL 40m
127.0.0.2
127.0.2.10
$DATASET ip4trie multihop deep.multihop
:4:Multihop open relay, see http://bl.ex.com/relay/$
127.0.0.2
127.0.9.0/24
$DATASET dnset names.x @
.listed.example :5:$
relays :6:name at the base
$DATASET ip6trie v6
2001:db8::/32 :7:$
$DATASET ip4tset:trivial trivial
127.0.0.2
:8:late default $
:9:never
127.0.0.3
$DATASET ip6tset t6
:10:
2001:db8:0:1
$DATASET ip4set nowhere.else
127.0.0.2 :11:
"""

COMBINED_QUESTIONS = [p + z for p in ("2.0.0.127", "10.0.0.127", "10.2.0.127", "5.9.0.127", "3.0.0.127", "listed.example", "a.listed.example", "relays", "x", "")
                      for z in ("", ".proxies", ".relays", ".multihop", ".deep.multihop", ".deeper.deep.multihop", ".names.x", ".x", ".v6", ".trivial", ".t6", ".nowhere.else", ".else")]
COMBINED_QUESTIONS += [rev6([0x2001, 0xdb8, 0, i, 0, 0, 0, 9]) + z for i in (0, 1) for z in ("", ".v6", ".t6", ".relays")]
COMBINED_QUESTIONS = [q.lstrip(".") for q in COMBINED_QUESTIONS]

SUBST = r"""
$= See http://www.example.com/bl?$= ($) for details, $3
$3 third $ and $$
127.0.0.2    r123
127.0.0.3
127.0.0.4    =See other blocklists for details about $
127.0.0.5    r $1 $3 $
127.0.0.6 :5:=$= itself
127.0.0.7 :5:
127.0.0.8 =
"""


def cases():
    dn_text, dn_names = dn_random(3, 400)
    two = ["ip4set:a", "ip4set:b"]
    out = [
        Case("ip4set", ["ip4set:a"], {"a": HEAD + IP4_LINES + RANGES}, ip4_questions(1, 1200), [("1.0.0.10", "TXT", "Listed 10.0.0.1 (first)")]),
        Case("ip4set random", ["ip4set:a"], {"a": HEAD + random_prefixes(2, 500)}, random_prefix_questions(3, 3000)),
        Case("ip4trie", ["ip4trie:a"], {"a": HEAD + IP4_LINES + RANGES}, ip4_questions(4, 800), [("5.2.0.10", "A", "127.0.0.4")]),
        Case("ip4trie random", ["ip4trie:a"], {"a": HEAD + random_prefixes(5, 800)}, random_prefix_questions(6, 3000)),
        Case("ip4tset", ["ip4tset:a"], {"a": HEAD + IP4_LINES + RANGES}, ip4_questions(7, 300), [("1.0.0.10", "A", "127.0.0.2")]),
        Case("ip4 limits", ["ip4set:a", "ip4trie:b"], {"a": "$MAXRANGE4 /24\n$MAXRANGE4 512\n10.0.0.0/23 :2:\n10.0.4.0/24 :3:\n", "b": "$MAXRANGE4 256\n$MAXRANGE4 16\n10.1.0.0/28 :4:\n10.1.1.0/27 :5:\n"},
             ["5.0.0.10", "5.4.0.10", "5.0.1.10", "5.1.1.10"], [("5.0.1.10", "A", "127.0.0.4")]),
        Case("ip6trie", ["ip6trie:a"], {"a": HEAD + IP6_LINES}, ip6_questions(8, 1500), [(rev6([0, 0, 0, 0, 0, 0, 0, 1]), "TXT", "Listed, see http://example.com/lookup?::1")]),
        Case("ip6tset", ["ip6tset:a"], {"a": HEAD + IP6_TLINES}, ip6_questions(9, 500), [(rev6([0x2001, 0xdb8, 0, 1, 0, 0, 0, 6]), "TXT", "Trivial 2001:db8:0:1::6")]),
        Case("dnset", ["dnset:a"], {"a": HEAD + DN_LINES}, DN_QUESTIONS, [("a.below.example", "TXT", "Domain below.example is listed")]),
        Case("dnset random", ["dnset:a"], {"a": HEAD + dn_text}, dn_names),
        Case("two sets in a zone", two, {"a": HEAD + "$TTL 600\n10.0.0.1 :2:a $\n!10.0.0.2\n10.0.0.3 :2:same\n", "b": "$TTL 300\n10.0.0.1 :3:b $\n10.0.0.2 :3:b\n10.0.0.3 :2:same\n"}, ["%d.0.0.10" % i for i in range(5)], [("1.0.0.10", "A", "127.0.0.3")]),
        Case("ip and names in a zone", ["ip4trie:a", "ip6trie:b", "dnset:c"], {"a": HEAD + "10.0.0.0/8 :2:$\n", "b": "2001:db8::/32 :3:$\n2002::/16 :6:$\n", "c": "$SOA 0 other.example x.example 0 1 1 1 1\n.example :4:$\n1.0.0.10 :5:$\n"},
             ["1.0.0.10", "2.0.0.10", "a.example", rev6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 9]), rev6([0x2002, 0x0a00, 1, 0, 0, 0, 0, 0]), ""]),
        Case("files as one", ["ip4set:a,b"], {"a": ":5:from a $1\n10.0.0.0/24\n$TTL 77\n", "b": HEAD + "10.0.0.1\n!10.0.0.2\n$1 late\n10.0.1.1 x $1\n"}, ["%d.%d.0.10" % (i, j) for i in range(4) for j in range(3)], [("9.0.0.10", "A", "127.0.0.5")][:0]),
        Case("trivial files as one", ["ip4tset:a,b", "ip6tset:c,d"], {"a": "10.0.0.1\n", "b": ":6:late $\n10.0.0.2\n", "c": "1:2:3:4\n:7:c $\n", "d": ":8:d\n1:2:3:5\n!1:2:3:4::1\n"},
             ["%d.0.0.10" % i for i in range(4)] + [rev6([1, 2, 3, w, 0, 0, 0, x]) for w in (4, 5, 6) for x in (1, 2)], [("1.0.0.10", "TXT", "late 10.0.0.1")]),
        Case("combined", ["combined:a"], {"a": COMBINED}, COMBINED_QUESTIONS, [("2.0.0.127", "A", "127.0.0.3"), ("3.0.0.127.trivial", "TXT", "late default 127.0.0.3")]),
        Case("combined and more", ["combined:a,b", "ip4set:c", "dnset:d"], {"a": COMBINED, "b": "$TTL 50m\n127.0.0.77 :12:continues\n$DATASET ip4set more @\n127.0.0.2 :13:more\n", "c": "127.0.0.2 :14:plain\n", "d": "x.relays :15:$\nproxies :16:$\n"},
             COMBINED_QUESTIONS + ["77.0.0.127" + z for z in ("", ".nowhere.else", ".more")]),
        Case("templates", ["ip4set:a"], {"a": HEAD + SUBST}, ["%d.0.0.127" % i for i in range(1, 10)], [("3.0.0.127", "TXT", "See http://www.example.com/bl?127.0.0.3 (127.0.0.3) for details, third $ and $$")]),
        Case("no end of line", ["ip4set:a"], {"a": "10.0.0.1 :2:x\r\n10.0.0.2\r\n10.0.0.3 :3:last"}, ["%d.0.0.10" % i for i in range(5)], [("3.0.0.10", "TXT", "last")]),
        Case("no soa", ["ip4tset:a"], {"a": "10.0.0.1\n"}, ["1.0.0.10", "2.0.0.10"]),
        Case("zeros and bytes", ["dnset:a"], {"a": "good.example :2:caf\u00e9 \"quoted\" \\ back\nnul.example\0 :3:\n\nlast.example :4:\n"}, ["good.example", "nul.example", "last.example"]),
    ]
    return out
