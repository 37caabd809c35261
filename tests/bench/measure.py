"""measure.py - what the benchmarks of this folder share: a server that is started, watched, asked and ended,
its processor time and memory from /proc, and the medians of rounds that take turns."""
import json
import os
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TICK = os.sysconf("SC_CLK_TCK")
LOAD_WITHIN_S = 600


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_s(pid):
    """(user, user + system) of a process, all its threads, and the processes it started."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    user, system = int(fields[11]) / TICK, int(fields[12]) / TICK
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        children = [cpu_s(int(child)) for child in f.read().split()]
    return user + sum(c[0] for c in children), user + system + sum(c[1] for c in children)


def memory_mb(pid):
    """(resident now, the most it ever was)"""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        sizes = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", f.read(), re.M))
    return int(sizes["VmRSS"]) / 1024, int(sizes["VmHWM"]) / 1024


def on_cpus(*numbers):
    """For preexec_fn: servers and generator keep out of each other's way where there are processors enough."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) <= max(numbers):
        return None
    return lambda: os.sched_setaffinity(0, {cpus[n] for n in numbers})


def find_program(name):
    """Its path, or None: daemons are often not in a user's PATH."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def build_programs(build, *targets):
    """Built without sanitizers: a figure of a sanitized program says nothing. Returns their paths."""
    build = os.path.abspath(build)
    if not os.path.isdir(build):
        subprocess.run(["meson", "setup", build, TOP, "--buildtype=release"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", build, "--quiet", *targets], check=True)
    return [os.path.join(build, t) for t in targets]


def dnsbench(path, *argv, may_fail=False, cpus=(0,)):
    """Runs the generator; returns the JSON it prints."""
    r = subprocess.run([path, *argv], capture_output=True, text=True, preexec_fn=on_cpus(*cpus), check=False)
    sys.stderr.write(r.stderr)
    if r.returncode and not may_fail:
        sys.exit(f"dnsbench {argv[0]} failed")
    return json.loads(r.stdout or "{}")


def question(name):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    return struct.pack("!6H", 1, 0, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


class Server:
    """One server on one port. load_s, load_cpu_s: until the first right answer; rss_mb, peak_mb: then."""

    def __init__(self, name, argv, port, folder, cpus=(1,)):
        self.name, self.argv, self.port, self.folder, self.cpus = name, argv, port, folder, cpus
        self.total_us, self.user_us, self.busy = [], [], []  # for each round, the first warms up

    def start(self, first):
        """Starts it and asks for a listed name until the answer is right; for None any answer will do."""
        asked = question(first or "a.example")
        self.log = open(os.path.join(self.folder, re.sub(r"\W+", "-", self.name) + ".log"), "w", encoding="utf-8")
        begin = time.monotonic()
        self.process = subprocess.Popen(self.argv, stdout=self.log, stderr=self.log, cwd=self.folder,
                                        preexec_fn=on_cpus(*self.cpus))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", self.port))
            s.settimeout(0.02)
            while True:
                if self.process.poll() is not None or time.monotonic() - begin > LOAD_WITHIN_S:
                    with open(self.log.name, encoding="utf-8", errors="replace") as log:
                        sys.exit(f"{self.name} does not answer:\n{log.read()}")
                try:
                    s.send(asked)
                    reply = s.recv(4096)
                    if first is None or (reply[3] & 15 == 0 and reply[7] >= 1):
                        break
                except OSError:
                    time.sleep(0.005)
        self.load_s = time.monotonic() - begin
        self.load_cpu_s = cpu_s(self.process.pid)[1]
        time.sleep(0.5)
        self.rss_mb, self.peak_mb = memory_mb(self.process.pid)

    def round(self, bench, questions, seconds):
        user, total = cpu_s(self.process.pid)
        out = bench("load", str(self.port), questions, str(seconds))
        user2, total2 = cpu_s(self.process.pid)
        answers = max(out["answers"], 1)
        self.user_us.append((user2 - user) * 1e6 / answers)
        self.total_us.append((total2 - total) * 1e6 / answers)
        self.busy.append((total2 - total) / out["seconds"])
        return out

    def stop(self):
        if not hasattr(self, "process"):
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def take_turns(servers, bench, questions, rounds, seconds):
    """Rounds in which each server answers for so many seconds, so that what else the machine does meets all."""
    for number in range(rounds + 1):
        for s in servers:
            s.round(bench, questions, seconds if number else 0.3)


def middle(values):
    return statistics.median(values[1:])


def middle_ratio(values, beside):
    """Of the ratios within each round."""
    return statistics.median(a / b for a, b in list(zip(values, beside))[1:])
