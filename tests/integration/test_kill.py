"""kill -9 at random moments while mail comes in: what got its 250 is kept, once, and answered; and mail that
the gate has nothing against is neither refused nor lost. `sekisho up` brings back whatever was killed."""
import glob
import os
import queue
import random
import re
import shutil
import signal
import smtplib
import sqlite3
import threading
import time
from argparse import Namespace
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest

from conftest import BUILD, TOP
from test_story import story

KILLS = 6
MAILS = 5
CLIENTS = 4
PATIENCE_S = 60


def load_player():
    loader = SourceFileLoader("play_spam", os.path.join(TOP, "tests", "play-spam"))
    module = module_from_spec(spec_from_loader("play_spam", loader))
    loader.exec_module(module)
    return module


player = load_player()


class Stage(story.Stage):
    PORTS = dict.fromkeys(story.Stage.PORTS, 0)

    def kill_at_odd_moments(self, names, chance, load):
        """KILLS times each, in any order, every time a process that has just been working: MAILS more were taken
        since the last one, however long that takes."""
        order = names * KILLS
        chance.shuffle(order)
        last = {}
        for name in order:
            self.wait(lambda: self.daemon_pids().get(name, last.get(name)) != last.get(name),
                f"sekisho up did not bring {name} back", patience_s=PATIENCE_S)
            enough = len(load.taken) + MAILS
            self.wait(lambda: len(load.taken) >= enough or load.faults, "no more mail is taken", patience_s=PATIENCE_S)
            time.sleep(chance.uniform(0.1, 1.2))
            last[name] = self.daemon_pids()[name]
            os.kill(last[name], signal.SIGKILL)
        for name in set(names):
            self.wait(lambda: self.daemon_pids().get(name, last[name]) != last[name],
                f"sekisho up did not bring {name} back", patience_s=PATIENCE_S)


@pytest.fixture
def stage():
    s = Stage(BUILD)
    try:
        yield s
    except story.Wrong as wrong:
        pytest.fail(f"{wrong}\n{s.log()}")
    finally:
        s.stop_daemons()
        log = s.log(most=10**8)
        s.stop()
    assert "AddressSanitizer" not in log and "runtime error:" not in log, log[-20000:]
    assert not re.search(r"up\.ended name=\w+ (?:signal=(?!9\b)|exit=[1-9])", log), log[-20000:]


class Load:
    """Clients that send one mail after the other until told to stop, each again until somebody took it."""

    def __init__(self, send):
        self.send, self.over, self.lock = send, threading.Event(), threading.Lock()
        self.next, self.taken, self.tries, self.faults = 0, [], 0, []
        self.threads = [threading.Thread(target=self.client) for _ in range(CLIENTS)]

    def client(self):
        state = Namespace(connection=None)
        while not self.over.is_set() and not self.faults:
            with self.lock:
                number, self.next = self.next, self.next + 1
            deadline = time.monotonic() + PATIENCE_S
            while True:
                with self.lock:
                    self.tries += 1
                try:
                    self.send(state, number)
                    break
                except Again as again:
                    if time.monotonic() > deadline:
                        self.faults.append(f"mail {number} was not taken in {PATIENCE_S} s: {again}")
                        return
                    time.sleep(0.05)
                except Exception as fault:  # whatever it is, the test wants to know
                    self.faults.append(f"mail {number}: {type(fault).__name__} {fault}")
                    return
            with self.lock:
                self.taken.append(number)

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for t in self.threads:
            t.join()


class Again(Exception):
    """Not taken, and worth another try."""


def address(number):
    return f"20.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def trap_mail(number):
    return (f"Received: from c (c.example [{address(number)}]) by relay.example; Tue, 24 Nov 2026 05:00:00 +0000\r\n"
        f"Subject: load {number}\r\n\r\nhttp://www.load{number}.com/\r\n").encode()


def send_to_trap(stage):
    options = Namespace(host="127.0.0.1", port=stage.port["TRAP"], proxy=None, timeout=40)

    def send(state, number):
        state.connection = state.connection or player.Client(options)
        try:
            state.connection.send_again_if_idle(trap_mail(number), "old-address@trap.sekisho.example")
        except player.SmtpError as e:
            state.connection.close()
            if e.code >= 500:
                raise
            raise Again(str(e)) from e
        except OSError as e:
            state.connection.close()
            raise Again(str(e)) from e

    return send


def stored(stage):
    """How often each mail is in the store, by its number."""
    store = sqlite3.connect(f"file:{stage.dir}/state/sekisho.db?mode=ro", uri=True, timeout=10)
    try:
        rows = store.execute("SELECT subject_line, count(*) FROM evidence GROUP BY subject_line").fetchall()
    finally:
        store.close()
    return {int(subject.split()[1]): count for subject, count in rows}


@pytest.mark.parametrize("names", [["trapd"], ["listd"], ["trapd", "listd"]], ids="-".join)
def test_what_got_its_250_is_kept_once_and_answered(stage, names):
    seed = int(os.environ.get("KILL_SEED", "5321"))
    stage.start_up()
    with Load(send_to_trap(stage)) as load:
        stage.kill_at_odd_moments(list(names), random.Random(seed), load)
        time.sleep(0.5)
    assert not load.faults, f"{load.faults}\n{stage.log()}"
    kept = stored(stage)
    print(f"{'+'.join(names)}: {len(load.taken)} mails, {load.tries - len(load.taken)} sent again, {KILLS} kills each")
    assert len(load.taken) >= MAILS * KILLS
    lost = [n for n in load.taken if n not in kept]
    twice = [n for n, count in kept.items() if count != 1]
    assert not lost and not twice, f"seed {seed}: of {len(load.taken)} lost {lost}, more than once {twice}"
    assert set(kept) == set(load.taken)
    for number in load.taken:
        for name, code in ((story.reversed_name(address(number), "bl.sekisho.example"), "127.0.0.2"),
                (f"load{number}.com.dbl.sekisho.example", "127.0.1.2")):
            stage.wait(lambda: story.ask_dns(stage.port["DNS"], name)[1] == [code], f"{name} is not answered {code}")


def send_to_postfix(stage):
    def send(state, number):
        # A Postfix whose gate dies may not say anything but 250: whatever else it says fails the test.
        client = address(number) if number % 2 else f"2a01:4f8::{number:x}"
        with smtplib.SMTP("127.0.0.1", stage.port["SMTP"], timeout=60) as s:
            s.ehlo("ham.example")
            code, words = s.docmd("XCLIENT", f"NAME=[UNAVAILABLE] ADDR={'IPV6:' if ':' in client else ''}{client}")
            assert code == 220, words
            s.ehlo("ham.example")
            s.sendmail("friend@ham.example", ["user@sekisho.example"], f"Subject: ham {number}\r\n\r\nhello\r\n")

    return send


def delivered(stage):
    """How often each ham was delivered."""
    count = {}
    for path in glob.glob(os.path.join(stage.dir, "postfix", "mail", "all", "new", "*")):
        with open(path, encoding="utf-8") as f:
            number = int(re.search(r"^Subject: ham (\d+)$", f.read(), re.M).group(1))
        count[number] = count.get(number, 0) + 1
    return count


def test_a_gate_that_dies_costs_no_mail(stage):
    if os.geteuid() != 0:
        pytest.skip("Postfix starts as root")
    for name in ("postfix", "unbound"):
        if not shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            pytest.skip(f"{name} is not installed")
    listed = "9.9.9.9"
    stage.start()
    assert stage.sekisho("list", "add", "--list", "trap", listed, "--reason", "test").returncode == 0
    spam = Namespace(wire=b"Subject: spam\r\n\r\nx\r\n")
    stage.wait(lambda: stage.send_to_postfix(spam, listed)[0] == 550, "the listed is not refused")
    with Load(send_to_postfix(stage)) as load:
        stage.kill_at_odd_moments(["gated"], random.Random(int(os.environ.get("KILL_SEED", "5321"))), load)
        time.sleep(0.5)
    assert not load.faults, f"{load.faults}\n{stage.log()}"
    assert len(load.taken) >= MAILS * KILLS
    begin = time.monotonic()
    stage.wait(lambda: len(delivered(stage)) >= len(load.taken), "not all that was taken was delivered", patience_s=PATIENCE_S)
    print(f"gated: {len(load.taken)} mails delivered, {KILLS} kills, the last came after {time.monotonic() - begin:.1f} s")
    assert delivered(stage) == dict.fromkeys(load.taken, 1)
    stage.wait(lambda: stage.send_to_postfix(spam, listed)[0] == 550, "the gate that came back does not refuse")
