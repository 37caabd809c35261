"""report.py - the figures of this folder's scripts as text: a table for each, and the targets, met or not."""
from peers import given

COLUMNS = (  # key, heading, unit, scale, decimals; README.md says what they are
    ("entries", "entries", "", 1, 0),
    ("load_s", "load", " s", 1, 2),
    ("load_cpu_s", "CPU", " s", 1, 2),
    ("compile_s", "compile", " s", 1, 2),
    ("restart_s", "restart", " ms", 1e3, 0),
    ("change_s", "change", " ms", 1e3, 0),
    ("rss_mb", "memory", " MB", 1, 1),
    ("peak_mb", "peak", " MB", 1, 1),
    ("entry_bytes", "B/entry", "", 1, 1),
    ("snapshot_bytes", "of index", "", 1, 1),
    ("rate", "answers/s", "", 1, 0),
    ("total_us", "an answer", " us", 1, 2),
    ("user_us", "user", " us", 1, 2),
    ("x_echo", "x echo", "", 1, 2),
    ("x_rbldnsd", "for a CPU s, x rbldnsd", "", 1, 2),
    ("busy", "busy", "", 1, 2),
    ("foreign", "others", "", 1, 2),
    ("generator", "asking", "", 1, 2),
    ("lost", "lost", "", 1, 0),
    ("listed", "listed", "", 1, 0),
    ("differ", "differ", "", 1, 0),
)
NAME_WIDTH = 28


def cell(row, key, unit, scale, decimals):
    return f"{row[key] * scale:.{decimals}f}{unit}" if row.get(key) is not None else "-"


def print_rows(title, rows):
    """Columns that no row has are left out."""
    columns = [c for c in COLUMNS if any(r.get(c[0]) is not None for r in rows)]
    cells = [[cell(r, key, *how) for key, _, *how in columns] for r in rows]
    widths = [max(len(c[1]), *(len(line[i]) for line in cells)) for i, c in enumerate(columns)]
    print("\n" + title)
    print(" ".join([" " * NAME_WIDTH] + [c[1].rjust(w) for c, w in zip(columns, widths)]))
    for r, line in zip(rows, cells):
        print(" ".join([r["name"].ljust(NAME_WIDTH)] + [c.rjust(w) for c, w in zip(line, widths)]), flush=True)


def print_data(name, result):
    """A part of dns."""
    title = f"{name}: {result['entries']} entries" if "entries" in result else f"{name} (the first is what x is to)"
    print_rows(title, result["rows"] + given.rows(name))
    if "ratio" in result:
        print(f"ratio {result['ratio']:.2f}", flush=True)


def print_live(live):
    print(f"\nlists that change: {live['entries']} addresses, from start to first answer {live['restart_s'] * 1e3:.0f} ms")
    print(" ".join(["milliseconds".ljust(NAME_WIDTH)] + [x.rjust(8) for x in ("p50", "p99", "p99.9", "max")]))
    for key, name in (("change", "a change shows"), ("change_loaded", "the same under full load"),
                      ("answer", "an answer"), ("answer_swapping", "the same, snapshots swapped")):
        figures = [live[key].get(f"{p}_ms") for p in ("p50", "p99", "p999", "max")]
        print(" ".join([name.ljust(NAME_WIDTH)] + [("-" if x is None else f"{x:.2f}").rjust(8) for x in figures]))


TRANSFERS = {"out": "secondaries of sekisho-dnsd", "in": "sekisho-dnsd behind others, which are secondaries of the first one"}
TRANSFER_COLUMNS = (  # key, heading, width, decimals, factor
    ("first_s", "first s", 8, 1, 1), ("median_s", "behind s", 9, 2, 1), ("p99_s", "p99", 6, 2, 1), ("max_s", "most", 6, 2, 1),
    ("caught_up_s", "caught up", 10, 2, 1), ("whole", "AXFR", 5, 0, 1), ("by_changes", "IXFR", 5, 0, 1), ("cpu", "CPU %", 6, 0, 100),
    ("rss_mb", "MB", 6, 0, 1), ("compared", "records", 8, 0, 1))


def print_transfers(part, figures):
    print(f"\n{TRANSFERS[part]}: {figures['changes']} changes in {figures['seconds']:.1f} s, {figures['records']} records in the"
          f" end; the first dnsd took {figures['cpu'] * 100:.0f} % of a processor")
    print(" ".join([" " * NAME_WIDTH, *(heading.rjust(width) for _, heading, width, _, _ in TRANSFER_COLUMNS), "  equal"]))
    for name, of in figures["servers"].items():
        cells = (("-" if of.get(key) is None else f"{of[key] * factor:.{decimals}f}").rjust(width)
            for key, _, width, decimals, factor in TRANSFER_COLUMNS)
        equal = "yes" if of["equal"] else f"NO: {of['missing']} missing, {of['more']} more"
        print(" ".join([name.ljust(NAME_WIDTH), *cells, " ", equal]), flush=True)


def print_all(results):
    for name, result in results.get("dns", {}).items():
        print_data(name, result)
    if "xdp" in results:
        print_rows(f"XDP, {results['xdp']['entries']} IPv4 addresses, over a veth", results["xdp"]["rows"])
    if "tcp" in results:
        for pipe in results["tcp"]["pipelined"]:
            print_rows(f"TCP, {pipe['connections']} connections, {pipe['depth']} questions under way on each", pipe["rows"])
        held = results["tcp"]["held"]
        print(f"{held['connections']} connections held: {held['bytes']:.0f} bytes for each; meanwhile {held['udp_rate']:.0f}"
              f" answers/s over UDP, {held['tcp_rate']:.0f} over new connections")
    if "live" in results:
        print_live(results["live"])
    if "instructions" in results:
        print("\ninstructions of answer()")
        for name, count in results["instructions"].items():
            print(f"{name.ljust(NAME_WIDTH)} {count:8.0f}")
    if "same" in results:
        same = results["same"]
        print(f"\n{same['questions']} questions to rbldnsd and to us: {same['differ']} replies differ, {same['not_explained']}"
              " without an explanation")
    for part, figures in results.get("transfer", {}).items():
        print_transfers(part, figures)
    print_targets(results)


# ---- targets: (what, measured of results, at most or at least, limit, unit) ----

def of(results, data, name):
    """A row of dns."""
    return next(r for r in results["dns"][data]["rows"] if r["name"] == name)


def ours(results, data):
    """The row of ours that keeps values."""
    return next(r for r in reversed(results["dns"][data]["rows"]) if r["name"].startswith("sekisho"))


def xdp(results, name):
    return next(r["total_us"] for r in results["xdp"]["rows"] if r["name"] == name)


def transferred(results, part):
    return results["transfer"][part]["servers"].values()


def cpu(data):
    return lambda r: ours(r, data)["x_echo"]


def memory(data):
    return lambda r: ours(r, data)["entry_bytes"]


CPU_DATA = ("ip4-1m", "ip4-values-1m", "ip4-10m", "cidr-500k", "ip6-1m", "domain-2m")
TARGETS = (
    *((f"CPU of an answer, {data}, beside the echo", cpu(data), "<=", 1.1 if "1m" in data and "4" in data else 1.2, "x")
      for data in CPU_DATA),
    ("user part, the worst of these", lambda r: max(ours(r, d)["user_us"] for d in CPU_DATA), "<=", 0.35, "us"),
    ("five lists combined, beside one", lambda r: r["dns"]["combined-5x200k"]["ratio"], "<=", 1.10, "x"),
    ("XDP: answers for a CPU second, beside rbldnsd", lambda r: xdp(r, "rbldnsd sockets") / xdp(r, "sekisho XDP"), ">=", 5, "x"),
    ("the same beside Knot's XDP", lambda r: xdp(r, "Knot XDP") / xdp(r, "sekisho XDP"), ">=", 1, "x"),
    ("two processors beside one", lambda r: r["dns"]["workers"]["ratio"], ">=", 1.8, "x"),
    ("memory of an entry, ip4-10m", memory("ip4-10m"), "<=", 3, "B"),
    ("memory of an entry, cidr-500k", memory("cidr-500k"), "<=", 10, "B"),
    ("memory of an entry, ip6-1m", memory("ip6-1m"), "<=", 8, "B"),
    ("memory of an entry, domain-2m", memory("domain-2m"), "<=", 25, "B"),
    ("restart from a snapshot, ip4-10m", lambda r: ours(r, "ip4-10m")["restart_s"] * 1e3, "<=", 50, "ms"),
    ("the same, lists that change", lambda r: r["live"]["restart_s"] * 1e3, "<=", 50, "ms"),
    ("text to snapshot, ip4-10m: rbldnsd's ip4set takes",
     lambda r: of(r, "ip4-10m", "rbldnsd ip4set")["load_s"] / ours(r, "ip4-10m")["compile_s"], ">=", 4, "x"),
    ("the same: rbldnsd's ip4tset takes",
     lambda r: of(r, "ip4-10m", "rbldnsd ip4tset")["load_s"] / ours(r, "ip4-10m")["compile_s"], ">=", 1, "x"),
    ("a change shows under full load, median", lambda r: r["live"]["change_loaded"]["p50_ms"], "<=", 50, "ms"),
    ("the same, 99th percentile", lambda r: r["live"]["change_loaded"]["p99_ms"], "<=", 200, "ms"),
    ("changes a second meanwhile (10,000 are tried)",
     lambda r: r["live"]["change_loaded"]["changes"] / r["live"]["change_loaded"]["seconds"], ">=", 9900, "/s"),
    ("99.9th percentile while snapshots are swapped", lambda r: r["live"]["swap_ratio"], "<=", 2, "x"),
    ("TCP answers, 1,000 connections", lambda r: r["tcp"]["pipelined"][0]["rows"][0]["rate"], ">=", 100_000, "/s"),
    ("TXT beside A", lambda r: r["dns"]["types"]["ratio"], "<=", 1.20, "x"),
    ("instructions, IPv4 listed, A", lambda r: r["instructions"]["IPv4 listed, A"], "<=", 400, ""),
    ("secondaries at 1,000 changes a second, not equal", lambda r: sum(not s["equal"] for s in transferred(r, "out")), "<=", 0, ""),
    ("the same behind Knot, NSD, BIND, PowerDNS", lambda r: sum(not s["equal"] for s in transferred(r, "in")), "<=", 0, ""),
    ("replies unlike rbldnsd's, not explained", lambda r: r["same"]["not_explained"], "<=", 0, ""),
)


def targets(results):
    """(what, measured or None, sign, limit, unit, met) of each."""
    for what, measure, sign, limit, unit in TARGETS:
        try:
            value = measure(results)
        except (KeyError, StopIteration):  # that part did not run
            value = None
        met = None if value is None else value <= limit if sign == "<=" else value >= limit
        yield what, value, sign, limit, unit, met


def print_targets(results):
    print(f"\n{'target':52} {'':>12} {'measured':>12}")
    for what, value, sign, limit, unit, met in targets(results):
        shown = "-" if value is None else f"{value:.2f}" if value < 100 else f"{value:.0f}"
        word = {None: "not measured", True: "met", False: "MISSED"}[met]
        print(f"{what:52} {f'{sign} {limit:g} {unit}':>12} {f'{shown} {unit}':>12}  {word}")
