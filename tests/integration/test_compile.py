"""sekisho compile: rbldnsd's files into a snapshot, and sekisho-dnsd serving it, replacing it, and outliving what
may be done to the file."""
import json
import os
import signal
import subprocess
import time

import pytest

from conftest import program
from test_dnsd import HEAD, Server, replace, texts, until


def compile(*argv):
    return subprocess.run([program("sekisho"), "compile", *argv], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def made(workdir, free_port):
    """A server's configuration whose zone is the snapshot, with ten thousand addresses in it."""
    server = Server(workdir, free_port(), files="snapshot:{dir}/ip4.snapshot")
    server.snapshot = os.path.join(workdir, "ip4.snapshot")
    server.write_data([":127.0.0.2:Listed $"] + [f"10.0.{i >> 8}.{i & 255}" for i in range(10000)])
    r = compile(f"ip4set:{server.data}", "-o", server.snapshot)
    assert r.returncode == 0 and "10000 entries" in r.stdout, r
    return server


def test_what_was_compiled_is_served(made, start):
    start("sekisho-dnsd", made.conf)
    assert texts(made.ask("1.0.0.10.files.example")) == ["127.0.0.2"]
    assert texts(made.ask("1.0.0.10.files.example", "TXT")) == ['"Listed 10.0.0.1"']
    assert texts(made.ask("files.example", "NS")) == ["ns1.files.example."]
    made.write_data(["192.0.2.9 :9:other"])
    assert compile(f"ip4set:{made.data}", "-o", made.snapshot).returncode == 0
    assert until(lambda: texts(made.ask("9.2.0.192.files.example")) == ["127.0.0.9"])
    assert texts(made.ask("1.0.0.10.files.example")) == []


def test_a_file_cut_or_damaged_in_place_ends_nobody(made, start):
    dnsd = start("sekisho-dnsd", made.conf)
    size = os.path.getsize(made.snapshot)
    for damage in (lambda f: f.truncate(size // 2), lambda f: f.truncate(0), lambda f: f.write(b"\0" * size)):
        with open(made.snapshot, "r+b") as f:
            damage(f)
        for _ in range(15):
            assert texts(made.ask("1.0.0.10.files.example")) == ["127.0.0.2"]
            assert texts(made.ask("15.39.0.10.files.example")) == ["127.0.0.2"]
            time.sleep(0.1)
    assert dnsd.process.poll() is None
    os.unlink(made.snapshot)
    os.kill(dnsd.pid, signal.SIGHUP)
    time.sleep(0.3)
    assert texts(made.ask("1.0.0.10.files.example")) == ["127.0.0.2"]


def test_no_snapshot_breaks_its_zone_until_there_is_one(made, start):
    content = open(made.snapshot, "rb").read()
    os.unlink(made.snapshot)
    start("sekisho-dnsd", made.conf)
    assert made.ask("1.0.0.10.files.example").rcode() == 2
    replace(made.snapshot, content)
    assert until(lambda: texts(made.ask("1.0.0.10.files.example")) == ["127.0.0.2"])


def test_warnings_name_file_and_line_and_json_counts(workdir):
    data, out = os.path.join(workdir, "list"), os.path.join(workdir, "out")
    replace(data, (HEAD + "10.0.0.1\n10.0.0.\033\nbad\n10.0.0.0/8 :3:x\n10.1.1.1/24\n").encode())
    r = compile("--json", f"ip4trie:{data}", "--output", out)
    assert r.returncode == 1
    said = json.loads(r.stdout)
    assert said["entries"] == 2 and said["warnings"] == 3 and said["bytes"] == os.path.getsize(out)
    assert [line.split(": ")[0] for line in r.stderr.splitlines()] == [f"{data}:{n}" for n in (5, 6, 8)]
    assert "\033" not in r.stderr
    assert os.stat(out).st_mode & 0o777 == 0o644
    r = compile("--json", "-e", f"ip4trie:{data}", "-o", out)
    assert json.loads(r.stdout)["warnings"] == 2


def test_a_refused_file_leaves_the_old_snapshot(workdir):
    data, out = os.path.join(workdir, "list"), os.path.join(workdir, "out")
    replace(out, b"old")
    replace(data, b"$TIMESTAMP 2038:01:01 \n")
    r = compile(f"ip4set:{data}", "-o", out)
    assert r.returncode == 3 and f"{data}:1: $TIMESTAMP lies in the future" in r.stderr
    for argv in ((f"ip4set:{workdir}/none", "-o", out), (f"snapshot:{out}", "-o", out)):
        assert compile(*argv).returncode == 3
    assert open(out, "rb").read() == b"old"
    assert sorted(os.listdir(workdir)).count("out") == 1 and not [f for f in os.listdir(workdir) if f.startswith("out.")]
    assert compile(f"ip4set:{data}", "-o", f"{workdir}/no/such").returncode == 3


@pytest.mark.parametrize("argv", [(), ("ip4set:x",), ("-o", "x"), ("nonset:x", "-o", "y"), ("snapshot:a,b", "-o", "y"),
    ("ip4set:x", "-o", ""), ("ip4set:x", "more", "-o", "y"), ("--what",)])
def test_usage(argv):
    r = compile(*argv)
    assert r.returncode == 2 and r.stderr


def test_help():
    assert compile("--help").returncode == 0 and "snapshot:" in compile("--help").stdout
