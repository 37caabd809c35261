"""tests/bench/dns and what all makes of its figures, at lists too small to measure anything: every server is
started, asked and told of a change, and all answer alike."""
import json
import os
import subprocess
import xml.dom.minidom

from conftest import BUILD, TOP, tool

BENCH = os.path.join(TOP, "tests", "bench")
ENV = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0", "PYTHONDONTWRITEBYTECODE": "1"}  # dnsbench ends with its memory in its hands
SMALL = "--scale 0.0005 --rounds 1 --seconds 0.05 --loads 1 --only ip4-1m,domain-2m,combined-5x200k,types".split()


def run(*argv):
    r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENV, timeout=300, check=False)
    assert r.returncode == 0, r.stdout
    return r.stdout


def test_servers_side_by_side(workdir):
    for name in ("rbldnsd", "knotd", "nsd"):
        tool(name)
    figures = os.path.join(workdir, "dns.json")
    run(os.path.join(BENCH, "dns"), *SMALL, "--build", BUILD, "--json", figures)
    with open(figures, encoding="utf-8") as f:
        results = json.load(f)
    names = {row["name"].split()[0] for row in results["ip4-1m"]["rows"]}
    assert names == {"echo", "sekisho", "rbldnsd", "Knot", "NSD"}
    for data in ("ip4-1m", "domain-2m", "combined-5x200k"):
        rows = [r for r in results[data]["rows"] if r["name"] != "echo"]
        for r in rows:
            assert r["listed"] == rows[0]["listed"] > r["questions"] / 3, r
            assert r["total_us"] > 0 and r["change_s"] > 0 and r["load_s"] > 0, r
            if r["name"].startswith("sekisho"):
                assert r["differ"] == 0, r
                assert r["name"] == "sekisho one list" or r["restart_s"] > 0 and r["snapshot_bytes"] > 1, r
    with open(os.path.join(workdir, "results.json"), "w", encoding="utf-8") as f:
        json.dump({"machine": {"when": "now", "processors": 2, "processor": "x", "kernel": "y", "load": 0},
                   "quick": True, "dns": results}, f)
    text = run(os.path.join(BENCH, "all"), "--again", workdir)
    assert "five lists combined, beside one" in text and "not measured" in text
    for chart in ("answers.ja.svg", "memory.en.svg"):
        xml.dom.minidom.parse(os.path.join(workdir, chart))
