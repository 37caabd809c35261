"""Our daemons under the system-call filters of their systemd units: as an ordinary user and with every call that
the unit does not allow ending the process. A filter that forgets a call is seen here, not after the installation."""
import os
import re
import signal
import smtplib
import subprocess
import sys
import urllib.request

import pytest

from conftest import TOP, program, tool
from test_dnsd import server, texts, until  # noqa: F401 (fixtures)

# Becomes nobody, has the kernel end it at any other call than those named, and is the program from then on.
FILTER = """
import ctypes, os, sys
allowed, program = sys.argv[1].split(), sys.argv[2]
lib = ctypes.CDLL("libseccomp.so.2")
lib.seccomp_init.restype = ctypes.c_void_p
KILL, ALLOW = 0x80000000, 0x7fff0000
context = ctypes.c_void_p(lib.seccomp_init(ctypes.c_uint32(KILL)))
for name in allowed:
    number = lib.seccomp_syscall_resolve_name(name.encode())
    if number >= 0:
        assert lib.seccomp_rule_add(context, ctypes.c_uint32(ALLOW), number, 0) == 0, name
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
assert lib.seccomp_load(context) == 0
os.execv(program, sys.argv[2:])
"""


def members(group):
    """The calls of systemd's @group, those of groups within it too."""
    listed = subprocess.run([tool("systemd-analyze"), "syscall-filter", group], capture_output=True, text=True, check=True).stdout
    names = [line.strip() for line in listed.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
    return {call for name in names for call in (members(name) if name.startswith("@") else [name])}


def allowed_calls(name):
    """What the unit's SystemCallFilter= lines say, in their order."""
    with open(os.path.join(TOP, "systemd", name + ".service"), encoding="utf-8") as f:
        lines = re.findall(r"^SystemCallFilter=(.*)$", f.read(), re.M)
    allowed = set(members("@default"))
    for line in lines:
        calls = {call for word in line.lstrip("~").split() for call in (members(word) if word[0] == "@" else [word])}
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


@pytest.fixture
def confined(start):
    """start(), but as nobody and under the unit's filter."""
    if os.geteuid() != 0:
        pytest.skip("becomes another user")

    def run(name, conf):
        return start(sys.executable, args=["-c", FILTER, " ".join(sorted(allowed_calls(name))), program(name), "--config", conf],
            env={"ASAN_OPTIONS": "detect_leaks=0"})

    return run


def prepare(server, more=""):
    """Writes the configuration; what daemons write is nobody's."""
    conf = os.path.join(server.dir, "sekisho.conf")
    with open(conf, "w", encoding="utf-8") as f:
        f.write(server.conf + more)
    for folder in ("state", "run", "state/publish"):
        os.chown(os.path.join(server.dir, folder), 65534, 65534)
    return conf


def test_dnsd_and_listd(server, confined, sekisho):
    """Start, lists that change, snapshots swapped, files compiled again, TCP, statistics, the end."""
    conf = prepare(server)
    listd, dnsd = confined("sekisho-listd", conf), confined("sekisho-dnsd", conf)
    done = sekisho("list", "add", "45.9.100.9", "--list", "bad", "--reason", "test", "--config", conf)
    assert done.returncode == 0, done.stderr
    assert until(lambda: texts(server.ask("9.100.9.45.bl.site.example")) == ["127.0.0.4"])
    assert until(lambda: re.search(r"dnsd\.snapshot.* entries=1 ", dnsd.log()))
    server.write_data([":127.0.0.3:", "192.0.2.7"])
    assert until(lambda: texts(server.ask("7.2.0.192.files.example", tcp=True)) == ["127.0.0.3"])
    os.kill(dnsd.pid, signal.SIGUSR1)
    assert until(lambda: "dnsd.stats" in dnsd.log())
    assert dnsd.stop() == 0 and listd.stop() == 0


def test_trapd_gated_and_webd(server, confined, free_port):
    """Start, a conversation or a page, the end."""
    smtp, milter, http, nowhere = free_port(), free_port(), free_port(), free_port()
    conf = prepare(server, f"""
trapd {{ user = "" listen = {{"127.0.0.1:{smtp}"}} host-name = "mx.host.example" domains = {{"trap.example"}} }}
gated {{ user = "" milter = {{"127.0.0.1:{milter}"}} resolver = {{"127.0.0.1:{nowhere}"}} }}
webd {{ user = "" listen = "127.0.0.1:{http}" base-url = "https://x.example" resolver = {{"127.0.0.1:{nowhere}"}} }}
""")
    daemons = [confined("sekisho-" + name, conf) for name in ("listd", "trapd", "gated", "webd")]
    with smtplib.SMTP("127.0.0.1", smtp, timeout=20) as s:
        s.sendmail("a@b.example", ["x@trap.example"], "Subject: x\r\n\r\nx\r\n")
    with urllib.request.urlopen(f"http://127.0.0.1:{http}/", timeout=20) as page:
        assert page.status == 200
    for daemon in reversed(daemons):
        assert daemon.running() and daemon.stop() == 0
