"""measure.py - what the benchmarks of this folder share: a server that is started, watched, asked and ended,
its processor time and memory from /proc, and the medians of rounds that take turns."""
import json
import os
import re
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TICK = os.sysconf("SC_CLK_TCK")
LOAD_WITHIN_S = 600
SETTLE_S = 2  # at most; memory that only loading needed is given back a moment after the first answer


def free_port():
    """Of 127.0.0.1, free for UDP and TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as t:
            u.bind(("127.0.0.1", 0))
            try:
                t.bind(u.getsockname())
            except OSError:
                continue
            return u.getsockname()[1]


def end_on_sigterm():
    """The servers end with us."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))


# ---- what a process takes, from /proc ----

def stat_of(pid):
    """What stands in /proc/PID/stat behind the name: [3] is the session, [11] and [12] user and system ticks."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
        return f.read().rpartition(")")[2].split()


def processes(leader):
    """The session that this process leads: itself and all that it or its children started."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = stat_of(pid)
        except OSError:  # it ended meanwhile
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(pid))
    return found


def tasks(pids):
    """(process, thread) of each of their threads."""
    return [(pid, int(task)) for pid in pids for task in os.listdir(f"/proc/{pid}/task")]


def cpu_s(pids):
    """(user, user + system) so far, threads that have ended included. The sum is the scheduler's, to the tick;
    how it is split comes from samples and takes a few seconds to be right."""
    fields = [stat_of(pid) for pid in pids]
    user, system = (sum(int(f[n]) for f in fields) / TICK for n in (11, 12))
    return user, user + system


def run_s(pids):
    """Processor time of the threads there are, by the scheduler's clock, in nanoseconds' resolution."""
    total = 0
    for pid, task in tasks(pids):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1e9


def busy_s(*numbers):
    """Processor time of everything on these processors."""
    cpus = cpu_set(*numbers) or os.sched_getaffinity(0)
    total = 0
    with open("/proc/stat", encoding="ascii") as f:
        for n, *fields in re.findall(r"^cpu(\d+) (\d+) (\d+) (\d+) \d+ \d+ (\d+) (\d+)", f.read(), re.M):
            total += sum(map(int, fields)) if int(n) in cpus else 0
    return total / TICK


def memory_mb(pids):
    """(resident now, what processes share counted once; the most that the largest of them ever was)"""
    now = most = 0
    for pid in pids:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as f:
            sizes = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", f.read(), re.M))
        if "VmRSS" not in sizes:  # it has ended, and nobody has asked how
            continue
        resident = int(sizes["VmRSS"])
        if len(pids) > 1:
            try:
                with open(f"/proc/{pid}/smaps_rollup", encoding="ascii", errors="replace") as f:
                    resident = int(re.search(r"^Pss:\s+(\d+) kB", f.read(), re.M).group(1))
            except OSError:  # not root, and the process gave up rights
                pass
        now += resident
        most = max(most, int(sizes["VmHWM"]))
    return now / 1024, most / 1024


def cpu_set(*numbers):
    """Servers and generator keep out of each other's way where there are processors enough; else None."""
    cpus = sorted(os.sched_getaffinity(0))
    return {cpus[n] for n in numbers} if len(cpus) > max(numbers) else None


def pin(pids, *numbers):
    """All threads there are, and those that they start."""
    cpus = cpu_set(*numbers)
    for _, task in tasks(pids) if cpus else ():
        os.sched_setaffinity(task, cpus)


# ---- programs ----

def find_program(name):
    """Its path, or None: daemons are often not in a user's PATH."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def build_programs(build, *targets):
    """Built without sanitizers: a figure of a sanitized program says nothing. Returns their paths."""
    build = os.path.abspath(build)
    if not os.path.exists(os.path.join(build, "build.ninja")):
        subprocess.run(["meson", "setup", build, TOP, "--buildtype=release"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", build, "--quiet", *targets], check=True)
    return [os.path.join(build, t) for t in targets]


def run_json(argv, may_fail=False, cpus=None):
    """Runs one of our programs; returns the JSON it prints."""
    own = cpu_set(*cpus) if cpus else None
    r = subprocess.run(argv, capture_output=True, text=True, check=False,
                       preexec_fn=(lambda: os.sched_setaffinity(0, own)) if own else None)
    sys.stderr.write(r.stderr)
    if r.returncode and not may_fail:
        sys.exit(f"{os.path.basename(argv[0])} {argv[1]} failed")
    return json.loads(r.stdout or "{}")


def dnsbench(path, *argv, may_fail=False, cpus=(0,)):
    return run_json([path, *argv], may_fail, cpus)


def save_json(path, results):
    """For --json FILE; no path, no file."""
    if path:
        with open(path, "w", encoding="utf-8") as f:
            json.dump(results, f, indent=1)


def question(name):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    return struct.pack("!6H", 1, 0, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


class Server:
    """One server on one port of 127.0.0.1, in a session of its own. It loads on all processors; from its first
    answer on it has those of cpus. load_s, load_cpu_s: until the first right answer; rss_mb, peak_mb: a moment
    later. total_us, busy, foreign, generator: for each round, the first warms up; the latter three are shares of
    a processor: the server's, that of others on the server's processors, the generator's."""

    def __init__(self, name, argv, port, folder, cpus=(1,)):
        self.name, self.argv, self.port, self.folder, self.cpus = name, argv, port, folder, cpus
        self.forget()

    def forget(self):
        """The rounds so far."""
        self.total_us, self.busy, self.foreign, self.generator = [], [], [], []
        self.answers, self.user_s, self.lost = [], [], 0

    def start(self, first):
        """Starts it and asks for a listed name until the answer is right; for None any answer will do."""
        self.log = open(os.path.join(self.folder, re.sub(r"\W+", "-", self.name) + ".log"), "w", encoding="utf-8")
        begin = time.monotonic()
        self.process = subprocess.Popen(self.argv, stdout=self.log, stderr=self.log, cwd=self.folder, start_new_session=True)
        self.load_s = self.wait_for(first, begin)
        pids = self.pids()
        self.load_cpu_s = cpu_s(pids)[1]
        self.rss_mb, self.peak_mb = self.settled()
        pin(pids, *self.cpus)

    def settled(self):
        """Its memory once it stays the same for a tenth of a second."""
        before = None
        for _ in range(int(SETTLE_S * 10)):
            now = memory_mb(self.pids())
            if now == before:
                break
            before = now
            time.sleep(0.1)
        return now

    def pids(self):
        return processes(self.process.pid)

    def wait_for(self, name, begin):
        """Seconds from begin until the name is answered as listed."""
        asked = question(name or "a.example")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", self.port))
            while True:
                took = time.monotonic() - begin
                if self.process.poll() is not None or took > LOAD_WITHIN_S:
                    self.stop()
                    sys.exit(f"{self.name} does not answer:\n{self.logged()}")
                s.settimeout(max(0.001, took / 100))  # often at first, and no burden later
                try:
                    s.send(asked)
                    reply = s.recv(4096)
                    if name is None or (reply[3] & 15 == 0 and reply[7] >= 1):
                        return time.monotonic() - begin
                except OSError:
                    pass
                time.sleep(0.0005)

    def logged(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as log:
            return log.read()

    def round(self, bench, questions, seconds):
        pids, begin = self.pids(), time.monotonic()
        (user, _), run, whole = cpu_s(pids), run_s(pids), busy_s(*self.cpus)
        out = bench("load", str(self.port), questions, str(seconds))
        (user2, _), run2, whole2 = cpu_s(pids), run_s(pids), busy_s(*self.cpus)
        answers = max(out["answers"], 1)
        self.answers.append(answers)
        self.user_s.append(user2 - user)
        self.total_us.append((run2 - run) * 1e6 / answers)
        self.busy.append((run2 - run) / out["seconds"])
        self.foreign.append(max(0, whole2 - whole - (run2 - run)) / (time.monotonic() - begin))
        self.generator.append(out.get("cpu_s", 0) / out["seconds"])
        self.lost += out.get("lost", 0)
        return out

    def user_us(self):
        """Of all rounds together: the kernel samples it, so that one round alone says little."""
        return sum(self.user_s[1:]) * 1e6 / sum(self.answers[1:])

    def stop(self):
        if not hasattr(self, "process"):
            return
        pids = self.pids()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in set(pids) & set(self.pids()):  # what it left behind
            os.kill(pid, signal.SIGKILL)
        self.log.close()
        del self.process


def take_turns(servers, bench, rounds, seconds):
    """Rounds in which each of the (server, questions) answers for so many seconds, so that what else the
    machine does meets all."""
    for number in range(rounds + 1):
        for s, questions in servers:
            s.round(bench, questions, seconds if number else min(seconds, 0.3))


def middle(values):
    return statistics.median(values[1:])


def middle_ratio(values, beside):
    """Of the ratios within each round."""
    return statistics.median(a / b for a, b in list(zip(values, beside))[1:])
