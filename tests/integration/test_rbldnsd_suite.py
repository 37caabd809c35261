"""rbldnsd's own test suite, as it is in Debian's source package, with `sekisho-dnsd --rbldnsd` in rbldnsd's
place. None of it is kept here: apt fetches the source once into the build folder; without a network the
tests are skipped."""
import glob
import os
import re
import shutil
import subprocess
import sys

import pytest

from conftest import BUILD, program, tool

CACHE = os.path.join(BUILD, "rbldnsd-source")
FETCH_WITHIN_S = 120


def source_entries():
    """This machine's own apt sources as deb-src."""
    out = []
    for path in ["/etc/apt/sources.list"] + sorted(glob.glob("/etc/apt/sources.list.d/*")):
        if not os.path.isfile(path):
            continue
        with open(path, encoding="utf-8", errors="replace") as f:
            text = f.read()
        if path.endswith(".sources"):
            for stanza in re.split(r"\n\s*\n", text):
                if re.search(r"^Types:.*\bdeb\b", stanza, re.M):
                    out.append((".sources", re.sub(r"^Types:.*$", "Types: deb-src", stanza, flags=re.M)))
        elif path.endswith(".list"):
            out.append((".list", re.sub(r"^deb(?:-src)?(?=\s)", "deb-src", text, flags=re.M)))
    return [(kind, text) for kind, text in out if "debian" in text.lower()]


def fetch():
    """The folder of the unpacked source; skips the test where it cannot be had."""
    done = os.path.join(CACHE, "source")
    if os.path.isfile(os.path.join(done, "tests.py")):
        return done
    shutil.rmtree(CACHE, ignore_errors=True)
    for folder in ("lists/partial", "archives/partial", "parts"):
        os.makedirs(os.path.join(CACHE, folder))
    for i, (kind, text) in enumerate(source_entries()):
        with open(os.path.join(CACHE, "parts", "%d%s" % (i, kind)), "w", encoding="utf-8") as f:
            f.write(text + "\n")
    options = ["Dir::Etc::sourcelist=/dev/null", "Dir::Etc::sourceparts=" + os.path.join(CACHE, "parts"),
               "Dir::State::lists=" + os.path.join(CACHE, "lists"), "Dir::Cache=" + CACHE, "APT::Sandbox::User=",
               "Acquire::Retries=0", "Acquire::http::Timeout=10", "Acquire::https::Timeout=10"]
    apt = [tool("apt-get"), "-q"] + [x for o in options for x in ("-o", o)]
    try:
        for argv in (apt + ["update"], apt + ["source", "--download-only", "rbldnsd"]):
            subprocess.run(argv, cwd=CACHE, check=True, timeout=FETCH_WITHIN_S, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        dsc, = glob.glob(os.path.join(CACHE, "*.dsc"))
        subprocess.run([tool("dpkg-source"), "--no-check", "-x", dsc, done], check=True, timeout=60,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except (subprocess.SubprocessError, ValueError) as e:
        words = getattr(e, "stdout", None) or str(e).encode()
        pytest.skip("Debian's source of rbldnsd cannot be fetched: " + words.decode(errors="replace").strip()[-200:])
    shutil.rmtree(os.path.join(CACHE, "lists"))
    return done


def as_somebody():
    """Everything is asked as a user who is not root: the suite's files are private to who runs it."""
    if os.getuid() != 0:
        return [], {}
    # The suite has one port for all: in a network of its own nobody else is there.
    alone = [tool("unshare"), "--net", "--", "sh", "-c", 'ip link set lo up && exec setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"', "sh"]
    return alone, {"HOME": "/nonexistent"}


@pytest.mark.parametrize("name", ["rbldnsd", "test_acl", "test_btrie", "test_ip4trie", "test_ip6trie"])
def test_suite(name, workdir):
    pytest.importorskip("DNS", reason="the suite needs python3-dns")
    folder = os.path.join(workdir, "suite")
    os.mkdir(folder)
    for path in glob.glob(os.path.join(fetch(), "*.py")):
        shutil.copy(path, folder)
    wrapper = os.path.join(workdir, "rbldnsd")
    with open(wrapper, "w", encoding="utf-8") as f:
        f.write('#!/bin/sh\nexec "%s" --rbldnsd "$@"\n' % program("sekisho-dnsd"))
    os.chmod(wrapper, 0o755)
    temporary = os.path.join(workdir, "tmp")
    os.mkdir(temporary)
    os.chmod(temporary, 0o777)
    prefix, env = as_somebody()
    run = subprocess.run(prefix + [sys.executable, "-B", "-m", "unittest", "-v", name], cwd=folder, text=True, timeout=300,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                         env={**os.environ, **env, "RBLDNSD_PATH": wrapper, "TMPDIR": temporary})
    assert "AddressSanitizer" not in run.stdout, run.stdout
    counted = re.search(r"^Ran (\d+) tests? in", run.stdout, re.M)
    if name == "rbldnsd":
        # Its one test gives add_dataset() a str where its own query() returns bytes: it fails with rbldnsd, too.
        assert counted and "b'Success' != 'Success'" in run.stdout, run.stdout
        return
    assert run.returncode == 0 and counted and int(counted.group(1)) > 0 and "skipped" not in run.stdout, run.stdout
