"""report.py - the figures of this folder's scripts as text: tables, and targets met or not."""

COLUMNS = (  # key, heading, unit, scale, decimals
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
    ("total_us", "an answer", " us", 1, 2),
    ("user_us", "user", " us", 1, 2),
    ("x_echo", "x echo", "", 1, 2),
    ("busy", "busy", "", 1, 2),
    ("foreign", "others", "", 1, 2),
    ("generator", "asking", "", 1, 2),
    ("listed", "listed", "", 1, 0),
    ("differ", "differ", "", 1, 0),
)
NAME_WIDTH = 30


def cell(row, key, unit, scale, decimals):
    return f"{row[key] * scale:.{decimals}f}{unit}" if row.get(key) is not None else "-"


def lines_of(rows):
    """Columns that no row has are left out."""
    columns = [c for c in COLUMNS if any(r.get(c[0]) is not None for r in rows)]
    cells = [[cell(r, key, *how) for key, _, *how in columns] for r in rows]
    widths = [max(len(c[1]), *(len(line[i]) for line in cells)) for i, c in enumerate(columns)]
    yield " ".join([" " * NAME_WIDTH] + [c[1].rjust(w) for c, w in zip(columns, widths)])
    for r, line in zip(rows, cells):
        yield " ".join([r["name"].ljust(NAME_WIDTH)] + [c.rjust(w) for c, w in zip(line, widths)])


def print_data(name, result):
    print(f"\n{name}" + (f": {result['entries']} entries" if "entries" in result else ""))
    print("\n".join(lines_of(result["rows"])), flush=True)
    if "ratio" in result:
        print(f"ratio {result['ratio']:.2f}", flush=True)
