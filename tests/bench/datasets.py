"""datasets.py - the data that servers are measured with: lists as dnsbench makes them, questions for them, and
the same list in the forms that other servers want. The same arguments give the same bytes."""
import contextlib
import dataclasses
import os

import measure

DATA = {  # name: kind, entries
    "ip4-1m": ("ip4", 1_000_000),
    "ip4-values-1m": ("ip4-values", 1_000_000),
    "ip4-10m": ("ip4", 10_000_000),
    "cidr-500k": ("cidr", 500_000),
    "ip6-1m": ("ip6", 1_000_000),
    "domain-2m": ("domain", 2_000_000),
    "combined-5x200k": ("combined", 1_000_000),
}
QUESTIONS_MAX = 1_000_000
TTL = 900
NEXT = {  # kind: the n-th line that no list has, and what to ask for it
    "ip4": lambda n: (f"240.0.0.{n}", f"{n}.0.0.240"),
    "cidr": lambda n: (f"240.0.{n}.0/24", f"1.{n}.0.240"),
    "ip6": lambda n: (f"3fff:1:2:{n}::/64", ".".join(f"3fff00010002{n:04x}".ljust(32, "0")[::-1])),
    "domain": lambda n: (f"added{n}.example", f"added{n}.example"),
}
NEXT["ip4-values"] = NEXT["combined"] = NEXT["ip4"]


@dataclasses.dataclass
class DataSet:
    kind: str
    zone: str
    entries: int
    list: str  # paths
    questions: str

    def names(self):
        """Of each line of the list: (name below the zone, [names of records in a zone file], code, text)."""
        code, text = "127.0.0.2", "Listed in bl.example, see https://bl.example/q?$"
        with open(self.list, encoding="ascii") as f:
            for line in f:
                if line[0] in "$:!":
                    continue
                entry, _, own = line.rstrip("\n").partition(" :")
                own_code, _, own_text = own.partition(":")
                yield (*records_of(self.kind, entry), f"127.0.0.{own_code}" if own_code else code,
                       (own_text or text).replace("$", entry.lstrip(".")))

    def first(self):
        """A name that is listed."""
        return next(self.names())[0] + "." + self.zone

    def derived(self, ending, write):
        """The list in another form: write(file) makes it, once."""
        path = self.list + ending
        if not os.path.exists(path):
            with open(path + ".new", "w", encoding="ascii") as f:
                write(f)
            os.rename(path + ".new", path)
        return path

    def zone_file(self):
        """In master format: the address and the text of each entry, wildcards where a list has them. None for
        prefixes: they have no such form."""
        if self.kind == "cidr":
            return None

        def write(f):
            f.write(f"$ORIGIN {self.zone}.\n$TTL {TTL}\n"
                    "@ 3600 SOA ns1.bl.example. hostmaster.bl.example. 1 600 300 604800 300\n"
                    "@ 3600 NS ns1.bl.example.\n@ 3600 NS ns2.bl.example.\n")
            for _, names, code, text in self.names():
                for name in names:
                    f.write(f'{name} A {code}\n{name} TXT "{text}"\n')
        return self.derived(".zone", write)

    def of_type(self, qtype):
        """Those of the questions that ask for one type, as a file of its own."""
        path = f"{self.questions}.{qtype}"
        with open(self.questions, "rb") as f, open(path, "wb") as to:
            whole, at = f.read(), 0
            while at < len(whole):
                end = at + 2 + int.from_bytes(whole[at:at + 2], "little")
                if whole[end - 3] == qtype:
                    to.write(whole[at:end])
                at = end
        return path

    def one_more(self, number):
        """(line, name): what the list has not, number from 1 to 254."""
        line, name = NEXT[self.kind](number)
        return line, name + "." + self.zone

    @contextlib.contextmanager
    def may_grow(self):
        """The list may be appended to meanwhile; then it is what it was."""
        size = os.path.getsize(self.list)
        try:
            yield
        finally:
            os.truncate(self.list, size)


def records_of(kind, entry):
    """A name that the entry lists, and the names that list the same in a zone file."""
    if kind == "ip6":
        words = entry.partition("::")[0].split(":")
        network = ".".join("".join(f"{int(w, 16):04x}" for w in words)[::-1])
        return ".".join("1" + "0" * 15) + "." + network, ["*." + network]
    if kind == "domain":
        return entry.lstrip("."), [entry] if entry[0] != "." else [entry[1:], "*" + entry]
    name = ".".join(entry.split("/")[0].split(".")[::-1])
    return name, [name]


def make(dnsbench, folder, kind, entries, questions=QUESTIONS_MAX, seed=1):
    """Makes what is not there yet. The zone of a combined list is that of plain addresses, so that its
    questions are the same bytes."""
    zone = ("ip4" if kind == "combined" else kind.partition("-")[0]) + ".bl.example"
    base = os.path.join(folder, f"{kind}-{entries}-{questions}-{seed}")
    if not os.path.exists(base + ".q"):
        measure.dnsbench(dnsbench, "make", kind, str(entries), str(questions), str(seed), zone, base + ".list", base + ".new")
        os.rename(base + ".new", base + ".q")
    return DataSet(kind, zone, entries, base + ".list", base + ".q")


def make_named(dnsbench, folder, name, scale=1.0, at_most=None):
    kind, entries = DATA[name]
    entries = max(int(entries * scale), 100)
    entries = min(entries, at_most or entries)
    return make(dnsbench, folder, kind, entries, min(QUESTIONS_MAX, entries * 2))
