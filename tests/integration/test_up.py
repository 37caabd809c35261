"""sekisho up: who ends is started again, a stop stops all, and faults are told before anything starts."""
import os
import signal
import subprocess
import time

import pytest
from conftest import program

CONF = """state-dir = "{dir}/state"
run-dir = "{dir}/run"
list "trap" {{ zone = "bl.example" }}
listd {{ user = "" }}
dnsd {{ user = ""
	listen = {{"127.0.0.1:{port}"}} }}
"""


def pids(workdir):
    with open(workdir + "/run/up.pids", encoding="ascii") as f:
        return {name: int(pid) for name, pid in (line.split() for line in f)}


def conf(workdir, free_port, extra=""):
    path = workdir + "/sekisho.conf"
    with open(path, "w", encoding="utf-8") as f:
        f.write(CONF.format(dir=workdir, port=free_port()) + extra)
    return path


def test_who_is_killed_comes_back_and_a_stop_stops_all(workdir, free_port, start):
    path = conf(workdir, free_port)
    up = start("sekisho", args=["up", "--config", path, "--only", "listd,dnsd"])
    before = pids(workdir)
    assert set(before) == {"listd", "dnsd"}
    for name in before:
        os.kill(before[name], signal.SIGKILL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        now = pids(workdir)
        if set(now) == set(before) and all(now[name] != before[name] for name in before):
            break
        time.sleep(0.05)
    else:
        pytest.fail(f"not all came back: {now}\n{up.log()}")
    assert up.stop() == 0
    for pid in now.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_faults_of_the_configuration_are_told_and_nothing_starts(workdir, free_port):
    path = conf(workdir, free_port, "trapd { max-size = 1 }\n")
    done = subprocess.run([program("sekisho"), "up", "--config", path], capture_output=True, text=True, timeout=20)
    assert done.returncode == 3 and ":7: max-size: must be" in done.stderr
    assert not os.path.exists(workdir + "/state")


def test_unknown_daemons_and_users_are_named(workdir, free_port):
    path = conf(workdir, free_port)
    done = subprocess.run([program("sekisho"), "up", "--config", path, "--only", "maild"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 3 and "there is no daemon 'maild'" in done.stderr
    if os.getuid() == 0:
        with open(path, encoding="utf-8") as f:
            text = f.read().replace('listd { user = "" }', 'listd { user = "nobody-of-that-name" }')
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        done = subprocess.run([program("sekisho"), "up", "--config", path], capture_output=True, text=True, timeout=20)
        assert done.returncode == 3 and "'nobody-of-that-name' does not exist" in done.stderr
