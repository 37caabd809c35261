"""What the tests against real programs share: where the programs are, free ports, temporary folders,
and starting a daemon and waiting until it says that it is ready. Everything stays on loopback, and
whatever a test started is gone when it ends."""
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("SEKISHO_BUILD", os.path.join(TOP, "build")))
READY_WITHIN_S = float(os.environ.get("SEKISHO_TEST_PATIENCE", "20"))


def program(name):
    """The path of a built program; the test fails where it was not built."""
    for path in glob.glob(os.path.join(BUILD, "src", "*", name)) + glob.glob(os.path.join(BUILD, "programs", name)):
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    pytest.fail(f"{name} is not built in {BUILD}")


def tool(name):
    """The path of a program of the system; the test is skipped where it is not installed."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def _ports():
    """Below those that the kernel gives to clients, and others in each process: tests run side by side."""
    first = 10000 + os.getpid() % 200 * 100
    while True:
        yield from range(first, first + 100)


_port = _ports()


def _free_port():
    """A port that is free for TCP and for UDP on 127.0.0.1."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            port = next(_port)
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Daemon:
    """A running program. `log()` is what it wrote so far."""

    def __init__(self, name, process, log_path):
        self.name, self.process, self.log_path = name, process, log_path

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def running(self):
        return self.process.poll() is None

    def kill(self):
        """SIGKILL: no chance to tidy up."""
        self.process.kill()
        self.process.wait()

    def stop(self, within_s=10):
        """SIGTERM, and the exit status; a program that does not stop in time fails the test."""
        if self.running():
            self.process.terminate()
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            pytest.fail(f"{self.name} did not stop within {within_s} s of SIGTERM\n{self.log()}")


def _wait_ready(notify, daemon, within_s):
    deadline = time.monotonic() + within_s
    notify.settimeout(0.05)
    while time.monotonic() < deadline:
        try:
            if b"READY=1" in notify.recv(4096):
                return
        except socket.timeout:
            pass
        if not daemon.running():
            pytest.fail(f"{daemon.name} ended with {daemon.process.returncode} before it was ready\n{daemon.log()}")
    pytest.fail(f"{daemon.name} was not ready within {within_s} s\n{daemon.log()}")


@pytest.fixture
def workdir():
    """A temporary folder that daemons which dropped their user can read too."""
    path = tempfile.mkdtemp(prefix="sekisho-test-")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def free_port():
    return _free_port


@pytest.fixture
def start(workdir):
    """start("sekisho-dnsd", conf) runs it with `--config conf` and returns once it is ready.

    conf: path of a configuration file, or its text. args replaces the arguments altogether; ready=False
    does not wait. name: a program of ours, or a path."""
    daemons = []

    def run(name, conf=None, args=None, ready=True, env=None, within_s=READY_WITHIN_S):
        path = name if "/" in name else program(name)
        label = f"{len(daemons)}-{os.path.basename(path)}"
        if conf is not None and "\n" in conf:
            conf_path = os.path.join(workdir, label + ".conf")
            with open(conf_path, "w", encoding="utf-8") as f:
                f.write(conf)
            conf = conf_path
        if args is None:
            args = ["--config", conf] if conf else []
        log_path = os.path.join(workdir, label + ".log")
        notify_path = os.path.join(workdir, label + ".notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, open(log_path, "wb") as log:
            notify.bind(notify_path)
            os.chmod(notify_path, 0o666)
            process = subprocess.Popen([path] + list(args), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(env or {}), "NOTIFY_SOCKET": notify_path}, start_new_session=True)
            daemon = Daemon(os.path.basename(path), process, log_path)
            daemons.append(daemon)
            if ready:
                _wait_ready(notify, daemon, within_s)
        return daemon

    yield run
    broken = []
    for daemon in reversed(daemons):
        if re.search("(Address|Thread)Sanitizer|runtime error:", daemon.log()):
            broken.append(f"{daemon.name} tripped a sanitizer\n{daemon.log()[-8000:]}")
        try:
            os.killpg(daemon.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        daemon.process.wait()
    assert not broken, "\n".join(broken)


@pytest.fixture
def sekisho():
    """sekisho("check", "192.0.2.1") runs the tool and returns the finished process, with text output."""
    path = program("sekisho")

    def run(*args, **more):
        return subprocess.run([path, *args], capture_output=True, text=True, timeout=60, **more)

    return run
