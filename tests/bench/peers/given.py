"""Rspamd's fork of rbldnsd (1.0.2), which Debian has not: figures as given, not measured here. They come from a
2-core Debian 12 machine, with lists and questions like ours (half listed, three of four for A), medians of 9 to
11 rounds beside the same kind of echo; memory of an empty server is 4.7 MB. Its other types are slower."""

from datasets import DATA

EMPTY_MB = 4.7
ECHO_US = {"ip4-1m": 2.68, "ip4-10m": 2.45}
FIGURES = {  # data: (type, processor time of an answer in us, user part, load in s, its processor time, MB, peak)
    "ip4-1m": (("ip4tset", 3.1, 0.6, None, None, 12, None), ("ip4set", 3.3, 0.8, None, None, 28, None),
               ("ip4trie", 3.6, 1.0, None, None, 46, None)),
    "ip4-values-1m": (("ip4set", None, None, 0.54, None, 70, None),),
    "ip4-10m": (("ip4tset", 3.5, None, 1.9, 1.8, 51, 77), ("ip4set", 3.9, None, 3.3, 3.1, 168, 274),
                ("ip4trie", 4.6, None, 12.8, 12.5, 373, None)),
    "cidr-500k": (("ip4trie", 3.3, None, 0.3, None, 26, None), ("ip4set", 4.8, None, 2.6, None, 190, None)),
    "ip6-1m": (("ip6trie", 4.2, None, 0.9, None, 45, None), ("ip6tset", 3.5, None, 0.32, None, 20, None)),
    "domain-2m": (("dnset", 6.9, None, 2.1, None, 92, None), ("dnhash", 3.7, None, 3.9, None, 256, None)),
}

def rows(name):
    """As dns makes them, of this data set."""
    entries = DATA[name][1] if name in DATA else 0
    return [{"name": f"Rspamd's {kind} (as given)", "entries": entries, "total_us": total, "user_us": user,
             "x_echo": total / ECHO_US[name] if total and name in ECHO_US else None, "load_s": load, "load_cpu_s": cpu,
             "rss_mb": mb, "peak_mb": peak, "entry_bytes": (mb - EMPTY_MB) * 2**20 / entries}
            for kind, total, user, load, cpu, mb, peak in FIGURES.get(name, ())]
