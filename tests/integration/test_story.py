"""The whole loop, as ./run tells it (tools/story holds the steps and their checks): once as it is, once
with every daemon killed before every step, and once with the keeper and the trap killed under load."""
import importlib.machinery
import importlib.util
import os
import random
import re
import shutil
import signal
import smtplib
import sys
import time

import pytest
from conftest import BUILD, TOP


def load_story():
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("story", os.path.join(TOP, "tools", "story"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("story", loader))
    loader.exec_module(module)
    return module


story = load_story()
DAEMONS = ("listd", "dnsd", "trapd", "gated", "webd")


@pytest.fixture
def stage():
    if not os.path.exists(os.path.join(story.CORPUS, "index.tsv")):
        pytest.skip("no real mail: tools/fetch-corpus takes it")
    if os.getuid() != 0 and not shutil.which("sudo"):
        pytest.skip("a private Postfix needs root or sudo")
    s = story.Stage(BUILD)
    log = ""
    try:
        s.start()
        yield s
    except story.Wrong as wrong:
        pytest.fail(f"{wrong}\n{s.log()}")
    finally:
        s.stop_daemons()
        log = s.log(most=10**7)
        s.stop()
    assert "AddressSanitizer" not in log and "runtime error:" not in log, log[-20000:]
    # Whatever ended did so because it was asked to, or because we killed it.
    assert not re.search(r"up\.ended name=\w+ (?:signal=(?!9\b)|exit=[1-9])", log), log[-20000:]


def alive(stage, name):
    """Does it do its work?"""
    try:
        if name == "dnsd":
            return story.ask_dns(stage.port["DNS"], "2.0.0.127.bl.sekisho.example", timeout_s=0.2)[1] == ["127.0.0.2"]
        if name == "listd":
            return stage.sekisho("list", "status").returncode == 0
        if name == "webd":
            return stage.portal(f"http://{story.HOST}:{stage.port['WEB']}/q?q=192.0.2.1")[0] == 200  # it has found listd
        if name == "trapd":
            with smtplib.SMTP(story.HOST, stage.port["TRAP"], timeout=5) as smtp:
                return smtp.noop()[0] == 250
        with story.socket.create_connection((story.HOST, stage.port["POLICY"]), 1) as policy:
            policy.sendall(b"request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=198.51.100.1\n\n")
            return policy.recv(100).startswith(b"action=")
    except (OSError, smtplib.SMTPException):
        return False


def kill(stage, *names):
    """kill -9, then wait until `sekisho up` has others in their place that work."""
    stage.wait(lambda: set(names) <= set(stage.daemon_pids()), f"not all of {names} are running", patience_s=30)
    before = stage.daemon_pids()
    for name in names:
        os.kill(before[name], signal.SIGKILL)
    for name in names:
        stage.wait(lambda: stage.daemon_pids().get(name, before[name]) != before[name] and alive(stage, name),
            f"sekisho up did not bring {name} back", patience_s=30)


def test_as_told(stage):
    told = []
    teller = story.Story(stage, tell=told.append)
    try:
        teller.play()
    except story.Wrong as wrong:
        pytest.fail(str(wrong) + "\n" + "\n".join(told) + "\n" + stage.log())
    print(teller.times)


def test_with_every_daemon_killed_before_every_step(stage):
    told = []
    teller = story.Story(stage, tell=told.append)
    try:
        teller.play(before_step=lambda step: kill(stage, *DAEMONS))
    except story.Wrong as wrong:
        pytest.fail(str(wrong) + "\n" + "\n".join(told) + "\n" + stage.log())


def test_what_was_acknowledged_is_kept(stage):
    """Spam comes in while the keeper and the trap are killed at odd moments. A sender who got no 250
    tries again, as mail servers do; every address that sent a mail that got one is listed at the end."""
    teller = story.Story(stage, tell=lambda *_: None)
    teller.choose_mail()
    mails = [m for m in teller.spams + [teller.hero] if m.sender]
    chance = random.Random(5782)
    acknowledged = set()
    for number, mail in enumerate(mails):
        if number % 4 == 1:
            os.kill(stage.daemon_pids()[chance.choice(("listd", "trapd"))], signal.SIGKILL)
        deadline = time.monotonic() + 30
        while True:
            try:
                stage.send_to_trap(mail, "old-address@trap.sekisho.example")
                acknowledged.add(mail.sender)
                break
            except (OSError, smtplib.SMTPException):
                assert time.monotonic() < deadline, "the trap takes no mail any more\n" + stage.log()
                time.sleep(0.1)
    kill(stage, "listd", "dnsd")
    for address in acknowledged:
        name = story.reversed_name(address, "bl.sekisho.example")
        stage.wait(lambda: story.ask_dns(stage.port["DNS"], name)[1] == ["127.0.0.2"],
            f"{address} was acknowledged and is not listed")
    assert len(acknowledged) >= 15
