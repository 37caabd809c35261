"""chart.py - two pictures of the figures, each in English and Japanese: processor time of an answer beside the
echo, and memory of an entry."""
import os
from html import escape

from peers import given

WORDS = {
    "en": {
        "answers": "Processor time of an answer over UDP, beside an echo of packets (1.0)",
        "memory": "Memory of an entry, in bytes",
        "ip4-1m": "1 million IPv4", "ip4-values-1m": "1 million IPv4, own values", "ip4-10m": "10 million IPv4",
        "cidr-500k": "500,000 prefixes", "ip6-1m": "1 million IPv6 /64", "domain-2m": "2 million domains",
        "combined-5x200k": "five lists combined", "given": "as given", "entries": "{:,} entries",
        "quick": "a quick look at small lists: these are not the figures that count",
    },
    "ja": {
        "answers": "UDP応答1件あたりのCPU時間(パケットの折り返しのみを1.0とする)",
        "memory": "登録1件あたりのメモリ(バイト)",
        "ip4-1m": "IPv4 100万件", "ip4-values-1m": "IPv4 100万件、個別の値つき", "ip4-10m": "IPv4 1000万件",
        "cidr-500k": "IPv4プレフィックス 50万件", "ip6-1m": "IPv6 /64 100万件", "domain-2m": "ドメイン 200万件",
        "combined-5x200k": "5リスト統合", "given": "参考値", "entries": "{:,}件",
        "quick": "小さなリストでの簡易測定であり、正式な値ではない",
    },
}
CHARTS = {"answers": ("x_echo", 6.0, 2), "memory": ("entry_bytes", 50.0, 1)}  # figure, where bars are cut, decimals
COLOURS = (("sekisho", "#0b7a4b"), ("rbldnsd", "#b8860b"), ("Rspamd", "#c9b37e"), ("Knot", "#5b7fb5"), ("NSD", "#8c6bb1"))
NAME_PX, BAR_PX, LINE_PX, VALUE_PX = 230, 520, 20, 90


def colour(name):
    return next((c for begin, c in COLOURS if name.startswith(begin)), "#999999")


def svg(results, kind, language):
    words, (key, cut, decimals) = WORDS[language], CHARTS[kind]
    out, y = [], 56

    def text(x, at, what, more=""):
        out.append(f'<text x="{x}" y="{at}"{more}>{escape(what)}</text>')

    text(10, 26, words[kind], ' font-size="17" font-weight="bold"')
    if results.get("quick"):
        text(10, 44, words["quick"], ' fill="#b00020"')
    for data, result in results.get("dns", {}).items():
        rows = [r for r in result["rows"] + given.rows(data) if r.get(key) is not None and r["name"] != "echo"]
        if "entries" not in result or not rows:
            continue
        y += 10
        text(10, y, words[data], ' font-weight="bold"')
        for r in rows:
            y += LINE_PX
            px = max(1, min(r[key], cut) / cut * BAR_PX)
            name = r["name"].replace("as given", words["given"])
            if r["entries"] < result["entries"]:
                name += f" ({words['entries'].format(r['entries'])})"
            text(NAME_PX - 8, y, name, ' text-anchor="end"')
            out.append(f'<rect x="{NAME_PX}" y="{y - 13}" width="{px:.1f}" height="15" fill="{colour(r["name"])}"/>')
            if r[key] > cut:  # longer than there is room for
                out.append(f'<path d="M{NAME_PX + BAR_PX - 16} {y + 4}l8 -19h6l-8 19z" fill="white"/>')
            text(NAME_PX + px + 6, y, f"{r[key]:.{decimals}f}")
        y += LINE_PX
    if kind == "answers":
        x = NAME_PX + BAR_PX / cut
        out.append(f'<path d="M{x:.1f} 52V{y - LINE_PX + 6}" stroke="#333" stroke-dasharray="3 3"/>')
    width, height = NAME_PX + BAR_PX + VALUE_PX, y + 4
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" lang="{language}" '
            f'font-family="sans-serif" font-size="13">\n<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(out) + "\n</svg>\n")


def write(results, folder):
    """Returns the paths."""
    paths = []
    for kind in CHARTS:
        for language in WORDS:
            paths.append(os.path.join(folder, f"{kind}.{language}.svg"))
            with open(paths[-1], "w", encoding="utf-8") as f:
                f.write(svg(results, kind, language))
    return paths
