"""sekisho-dnsd --rbldnsd: what its options do besides answering. Every reply it gives is compared with
rbldnsd's in test_rbldnsd.py."""
import os
import re
import signal
import socket
import subprocess
import time

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from conftest import program

HEAD = "$SOA 1h ns1.z.example h.z.example 7 10m 5m 1w 5m\n$NS 1h ns1.z.example\n"


def ask(port, name, rdtype="A", source="127.0.0.1", tcp=False, rdclass="IN"):
    q = dns.message.make_query(name, rdtype, rdclass)
    how = dns.query.tcp if tcp else dns.query.udp
    return how(q, "127.0.0.1", timeout=10, port=port, source=source)


def text_of(reply):
    return sorted(r.to_text() for rr in reply.answer for r in rr)


def wait_for(what, within_s=20):
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.02)


@pytest.fixture
def folder(workdir):
    """Data in a folder that the server may write to after it has given up root."""
    path = os.path.join(workdir, "data")
    os.mkdir(path)
    os.chmod(path, 0o777)
    for name, text in {"a": HEAD + ":2:listed $\n10.0.0.0/24\n", "k": ":refuse\nsecret :pass\n", "acl": "127.0.0.9 :ignore\n"}.items():
        with open(os.path.join(path, name), "w", encoding="utf-8") as f:
            f.write(text)
    return path


@pytest.fixture
def serve(start, free_port, folder):
    def run(*args, specs=("z.example:ip4set:a",), foreground=True, **more):
        port = free_port()
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        daemon = start("sekisho-dnsd", args=["--rbldnsd", *(["-n"] if foreground else []), *user, "-w", folder,
                       "-b", "127.0.0.1/%d" % port, *args, *specs], **more)
        return daemon, port
    return run


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return f.read()


def test_query_log_hides_keys_and_is_opened_anew(serve, folder):
    daemon, port = serve("-c", "0", "-l", "+queries", specs=["z.example:ip4set:a", "z.example:aclkey:k"])
    assert text_of(ask(port, "1.0.0.10.SeCrEt.z.example")) == ["127.0.0.2"]
    assert ask(port, "1.0.0.10.wrong.z.example", "TXT", tcp=True).rcode() == dns.rcode.REFUSED
    log = read(folder, "queries")
    assert re.search(r"^\d+ 127\.0\.0\.1 1\.0\.0\.10\.\*\.z\.example A IN: NOERROR/1/\d+$", log, re.M), log
    assert re.search(r"^\d+ 127\.0\.0\.1 1\.0\.0\.10\.wrong\.z\.example TXT IN: REFUSED/0/\d+$", log, re.M), log
    assert "secret" not in log.lower() + daemon.log().lower()
    os.rename(os.path.join(folder, "queries"), os.path.join(folder, "old"))
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: os.path.exists(os.path.join(folder, "queries")))
    ask(port, "z.example", "SOA")
    assert " z.example SOA IN: NOERROR/1/" in read(folder, "queries") and "SOA" not in read(folder, "old")


def test_query_log_waits_for_the_end(serve, folder):
    daemon, port = serve("-c", "0", "-l", "queries")
    ask(port, "1.0.0.10.z.example")
    assert read(folder, "queries") == ""
    assert daemon.stop() == 0
    assert read(folder, "queries").count("\n") == 1


def test_statistics_file(serve, folder):
    daemon, port = serve("-c", "0", "-s", "stats", specs=["z.example:ip4set:a", "y.example:ip4set:a"])
    for name in ("1.0.0.10.z.example", "2.0.0.10.z.example", "1.0.0.11.z.example", "elsewhere"):
        ask(port, name)
    ask(port, "1.0.0.10.y.example", tcp=True)
    daemon.process.send_signal(signal.SIGUSR2)
    wait_for(lambda: read(folder, "stats").count("\n") == 3)
    assert daemon.stop() == 0
    first, line, zero, last, end = read(folder, "stats").splitlines()
    for mark in (first, zero, end):
        assert re.fullmatch(r"\d+", mark)
    assert re.fullmatch(r"\d+ z\.example:3:2:1:\d+:\d+ y\.example:1:1:0:\d+:\d+ \*:5:3:1:\d+:\d+", line), line
    assert re.fullmatch(r"\d+ z\.example:0:0:0:0:0 y\.example:0:0:0:0:0 \*:0:0:0:0:0", last), last
    z, y, total = ([int(x) for x in w.split(":")[4:]] for w in line.split()[1:])
    assert z[0] + y[0] < total[0] and z[1] + y[1] < total[1]
    assert "dnsd.zone zone=z.example queries=3 noerror=2 nxdomain=1" in daemon.log()


def test_statistics_since_the_last_line(serve, folder):
    daemon, port = serve("-c", "0", "-s", "+stats")
    for _ in range(2):
        lines = read(folder, "stats").count("\n")
        ask(port, "1.0.0.10.z.example")
        daemon.process.send_signal(signal.SIGUSR1)
        wait_for(lambda n=lines: read(folder, "stats").count("\n") == n + 1)
        assert " z.example:1:1:0:" in read(folder, "stats").splitlines()[-1]


def test_goes_to_the_background(free_port, folder, workdir):
    port, pid_file = free_port(), os.path.join(workdir, "pid")
    user = ["-u", "nobody:nogroup"] if os.getuid() == 0 else []
    env = {k: v for k, v in os.environ.items() if k != "NOTIFY_SOCKET"}
    run = subprocess.run([program("sekisho-dnsd"), "--rbldnsd", *user, "-p", pid_file, "-w", folder, "-b", "127.0.0.1/%d" % port,
                         "z.example:ip4set:a"], env=env, timeout=60, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    assert run.returncode == 0
    pid = int(read(pid_file))
    try:
        assert text_of(ask(port, "1.0.0.10.z.example")) == ["127.0.0.2"]
        assert os.getsid(pid) == pid
        assert os.readlink("/proc/%d/fd/2" % pid) == "/dev/null"
        with open("/proc/%d/status" % pid, encoding="ascii") as f:
            status = f.read()
        if os.getuid() == 0:
            assert re.search(r"^Uid:\t65534\t65534", status, re.M) and re.search(r"^Groups:\t65534 *$", status, re.M), status
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not os.path.exists("/proc/%d" % pid))


def test_bad_data_ends_the_start_but_not_with_q(serve, folder, free_port):
    daemon, _ = serve(specs=["z.example:ip4set:missing"], ready=False)
    assert daemon.process.wait(30) == 1 and "missing" in daemon.log()
    _, port = serve("-q", specs=["z.example:ip4set:missing", "y.example:ip4set:a"])
    assert ask(port, "1.0.0.10.z.example").rcode() == dns.rcode.SERVFAIL
    assert text_of(ask(port, "1.0.0.10.y.example")) == ["127.0.0.2"]


def test_rules_that_are_missing_close_the_zone(serve, folder):
    _, port = serve("-q", specs=["z.example:ip4set:a", ":acl:missing"])
    assert ask(port, "1.0.0.10.z.example").rcode() == dns.rcode.SERVFAIL


def test_ignored_by_address(serve, folder):
    _, port = serve(specs=["z.example:ip4set:a", ":acl:acl"])
    assert text_of(ask(port, "1.0.0.10.z.example")) == ["127.0.0.2"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.9", 0))
        s.connect(("127.0.0.1", port))
        s.settimeout(1)
        for name in ("1.0.0.10.z.example", "elsewhere.example"):
            s.send(dns.message.make_query(name, "A").to_wire())
        with pytest.raises(socket.timeout):
            s.recv(4096)


def test_root_folder_and_changes(start, free_port, folder):
    port = free_port()
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    daemon = start("sekisho-dnsd", args=["--rbldnsd", "-n", *user, "-r", os.path.dirname(folder), "-w", "/data", "-c", "1",
                   "-b", "localhost/%d" % port, "-4", "z.example:ip4set:a:/data/a,"])
    assert "Landlock" in daemon.log()
    assert text_of(ask(port, "1.0.0.11.z.example")) == []
    with open(os.path.join(folder, "new"), "w", encoding="utf-8") as f:
        f.write(HEAD + "10.0.0.0/24\n11.0.0.0/8 :5:\n")
    os.rename(os.path.join(folder, "new"), os.path.join(folder, "a"))
    wait_for(lambda: text_of(ask(port, "1.0.0.11.z.example")) == ["127.0.0.5"])


@pytest.mark.parametrize("args,words", [
    ([], "no address"),
    (["-b", "127.0.0.1/0"], "no zone"),
    (["-b", "127.0.0.1/0", "z.example"], "expected zone:type"),
    (["-b", "127.0.0.1/0", "z.example:ip4set:"], "no file"),
    (["-b", "127.0.0.1/0", ":ip4set:a"], "zone is missing"),
    (["-b", "127.0.0.1/0", "z.example:acl:a"], "has no data"),
    (["-b", "127.0.0.1/0", "z.example:ip4set:a", "z.example:acl:a", "z.example:acl:b"], "second acl"),
    (["-b", "127.0.0.1/0", "z.example:ip4set:a", ":acl:a", ":acl:b"], "second acl"),
    (["-b", "127.0.0.1/0", "-n", "-q", "z.example:ip9set:a"], "no data set type"),
    (["-b", "nowhere.invalid/0", "z.example:ip4set:a"], "nowhere.invalid"),
    (["-b", "127.0.0.1/0", "-t", "10:20", "z.example:ip4set:a"], "within the bounds"),
    (["-b", "127.0.0.1/0", "-t", "x", "z.example:ip4set:a"], "-t x"),
    (["-b", "127.0.0.1/0", "-c", "1x", "z.example:ip4set:a"], "-c 1x"),
    (["-b", "127.0.0.1/0", "-F", "nothing", "z.example:ip4set:a"], "facility"),
    (["-b", "127.0.0.1/0", "-u", "root", "z.example:ip4set:a"], "not as root"),
    (["-b", "127.0.0.1/0", "-x", "e.so", "z.example:ip4set:a"], "extensions"),
    (["-b", "127.0.0.1/0", "-d", "z.example:ip4set:a"], "-d"),
    (["-Z"], "-h tells"),
])
def test_wrong_calls(args, words):
    run = subprocess.run([program("sekisho-dnsd"), "--rbldnsd", *args], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1 and words in run.stderr, run.stderr


def test_version_is_told_as_asked(serve):
    for args, want in (([], "sekisho-dnsd "), (["-v"], '"sekisho-dnsd"'), (["-v", "-v"], None)):
        _, port = serve(*args)
        reply = ask(port, "version.bind", "TXT", rdclass="CH")
        if want:
            assert want in text_of(reply)[0]
        else:
            assert reply.rcode() == dns.rcode.REFUSED


def test_help_names_every_option():
    run = subprocess.run([program("sekisho-dnsd"), "--rbldnsd", "-h"], capture_output=True, text=True, timeout=60, check=True)
    for option in "urb46tceplsqnfdvaACFxXh":
        assert re.search(r"^ .*-%s\b" % option, run.stdout, re.M), option
