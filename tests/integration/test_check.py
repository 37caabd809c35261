"""`sekisho check` against real lists: good ones from rbldnsd, a liar, one that refuses, a dead one."""
import json
import os
import pty
import socket
import subprocess
import time

import pytest

from conftest import program
from test_gated import ALLOWED, CLEAN, LISTED, LISTED6, LISTED_WEAK, lists, silence  # noqa: F401 (fixtures)


@pytest.fixture
def check(sekisho, lists):
    """check(target..., lists=["bl"]) asks zones of rbldnsd."""

    def run(*args, zones=("bl",), **more):
        named = [a for z in zones for a in ("--list", z if "@" in z else f"{z}.test@127.0.0.1:{lists}")]
        return sekisho("check", *named, "--timeout", "700", *args, **more)

    return run


def test_exit_codes_and_words(check, silence, free_port):
    run = check(CLEAN)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == f"{CLEAN}\n  not listed  bl.test\n"
    run = check(LISTED)
    assert run.returncode == 1
    assert f"  listed      bl.test (127.0.0.2): Spam to a trap, see https://bl.test/why?q={LISTED}" in run.stdout
    assert f"see https://bl.test/why?q={LISTED}&x=100%25\n" in run.stdout
    assert check(LISTED6).returncode == 1
    bad = ("lying", "error", "nowhere", f"dead.test@127.0.0.1:{silence}", f"closed.test@127.0.0.1:{free_port()}")
    run = check(CLEAN, zones=("bl",) + bad)
    assert run.returncode == 3
    for words in ("lying.test: answers outside 127.0.0.0/8", "(10.1.2.3)", "error.test: answers with an error code",
                  "(127.255.255.254)", "nowhere.test: refuses this resolver", "dead.test: did not answer in time",
                  "closed.test: could not be asked"):
        assert words in run.stdout, words
    assert "  not listed  bl.test\n" in run.stdout
    # a hit is a hit, whatever the others do
    assert check(LISTED, zones=("bl",) + bad).returncode == 1


def test_dead_list_takes_no_longer_than_the_timeout(check, silence):
    began = time.monotonic()
    run = check(*[f"192.0.2.{i}" for i in range(100, 200)], zones=("bl", f"dead.test@127.0.0.1:{silence}"))
    assert run.returncode == 3
    # two batches of 64: the second one may find the list suspended, or wait once more
    assert time.monotonic() - began < 4
    assert run.stdout.count("not listed  bl.test") == 100


def test_json(check):
    run = check(LISTED, "example.org", "--json", zones=("bl", "weak"))
    first, second = [json.loads(line) for line in run.stdout.splitlines()]
    assert first["subject"] == LISTED and first["listed"] is True
    assert first["lists"][0] == {"zone": "bl.test", "status": "listed", "codes": ["127.0.0.2"],
        "text": f"Spam to a trap, see https://bl.test/why?q={LISTED}&x=100%25",
        "url": f"https://bl.test/why?q={LISTED}&x=100%25"}
    assert first["lists"][1] == {"zone": "weak.test", "status": "clear", "codes": []}
    assert second["subject"] == "example.org" and second["listed"] is False


def test_standard_input(check):
    run = check("-", input=f"# mine\n{CLEAN}\n\n  {LISTED}  # the old one\n")
    assert run.returncode == 1
    assert run.stdout.splitlines()[0] == CLEAN and f"{LISTED}\n  listed" in run.stdout
    many = "".join(f"10.{i // 250}.0.{i % 250}\n" for i in range(2000))
    run = check("-", input=many + LISTED + "\n")
    assert run.returncode == 1 and run.stdout.count("\n  not listed") == 2000


@pytest.mark.parametrize("args, words", [
    ([], "usage:"),
    (["--nonsense", "192.0.2.1"], "usage:"),
    (["--list", "x.test", "192.0.2.1", "not a name"], "'not a name' is neither an address nor a domain"),
    (["--timeout", "1", "192.0.2.1"], "50 to 60000"),
    (["--list", "..", "192.0.2.1"], "'..' is no list"),
    (["--list", "x.test@nowhere", "192.0.2.1"], "x.test@nowhere"),
    (["--list", "x.test", "--resolver", "example", "192.0.2.1"], "example"),
    (["--config", "/nonexistent/file", "192.0.2.1"], "/nonexistent/file"),
])
def test_usage(sekisho, args, words):
    run = sekisho("check", *args)
    assert run.returncode == 2 and words in run.stderr
    assert run.stdout == ""


def test_bad_line_on_standard_input(check):
    run = check("-", input=f"{CLEAN}\nnot a name\n")
    assert run.returncode == 2 and "standard input, line 2: 'not a name'" in run.stderr and run.stdout == ""


def test_configuration(sekisho, lists, workdir):
    path = os.path.join(workdir, "check.conf")

    def run(text, *targets):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return sekisho("check", "--config", path, *targets)

    gated = f"""gated {{
        list "bl.test" {{ server = "127.0.0.1:{lists}" codes = {{"127.0.0.[2..3]"}} }}
        list "weak.test" {{ server = "127.0.0.1:{lists}" codes = {{"127.0.0.9"}} }}
        list "allow.test" {{ server = "127.0.0.1:{lists}" kind = allow }}
        list "off.test" {{ enabled = no }}
    }}
    """
    run_gated = run(gated, ALLOWED)
    assert run_gated.returncode == 1
    assert "  listed      bl.test" in run_gated.stdout and "  allow list  allow.test (127.0.5.1)" in run_gated.stdout
    assert "off.test" not in run_gated.stdout
    other = run(gated, LISTED_WEAK)
    assert other.returncode == 0 and "  other code  weak.test (127.0.0.4)" in other.stdout
    # gated's lists know no domains
    assert run(gated, "example.org").returncode == 3
    # check.lists come first
    own = run(gated + f'check {{ lists = {{"weak.test@127.0.0.1:{lists}"}} }}\n', LISTED)
    assert own.returncode == 0 and "bl.test" not in own.stdout
    # nothing else is named: the site's own lists, at its own server
    own = run(f"""list "bl" {{ zone = "bl.test" }}
        list "domains" {{ zone = "weak.test" kind = domain }}
        dnsd {{ listen = {{"0.0.0.0:{lists}"}} }}
        """, LISTED, "example.org")
    assert own.returncode == 1
    assert own.stdout.split("\n\n")[0].count("bl.test") >= 1
    assert "example.org\n  not listed  weak.test\n" in own.stdout


def test_colour_only_on_a_terminal(lists):
    command = [program("sekisho"), "check", "--list", f"bl.test@127.0.0.1:{lists}", LISTED]
    assert b"\033" not in subprocess.run(command, capture_output=True, timeout=20).stdout
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, close_fds=True) as process:
        os.close(theirs)
        seen = b""
        try:
            while chunk := os.read(ours, 4096):
                seen += chunk
        except OSError:
            pass
        assert process.wait(20) == 1
    os.close(ours)
    assert b"\033[31mlisted" in seen


def test_a_hostile_list_writes_no_lines(sekisho):
    """What a list says stays on its line and cannot steer the terminal."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(10)
        command = [program("sekisho"), "check", "--list", f"x.test@127.0.0.1:{s.getsockname()[1]}", CLEAN]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for rdata in (bytes([127, 0, 0, 2]), b"\x1f\x1b[2J\r\nnot listed http://x/\x1b]0;\x07"):
                if len(rdata) > 4:
                    rdata = bytes([len(rdata) - 1]) + rdata[1:]
                query, peer = s.recvfrom(1500)
                end = query.index(b"\0", 12) + 5
                s.sendto(query[:2] + b"\x84\0\0\1\0\1\0\0\0\0" + query[12:end] + b"\xc0\x0c" + query[end - 4:end]
                    + b"\0\0\0\x3c" + len(rdata).to_bytes(2, "big") + rdata, peer)
            out = process.communicate(timeout=20)[0]
        assert process.returncode == 1
    assert "\033" not in out and "\r" not in out and "\a" not in out
    assert out.count("\n") == 3, out
