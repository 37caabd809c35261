"""sekisho config: every fault is told with its place, and what is printed can be read again."""
import subprocess

from conftest import program

GOOD = """list "trap" { zone = "bl.example" }
dnsd { zone "z.example" { data = {"ip4set:a,b"} } }
gated { list "zen.example" { codes = {"127.0.0.[2..11]*5"} } }
"""


def run(workdir, text, verb="check"):
    path = workdir + "/sekisho.conf"
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return subprocess.run([program("sekisho"), "config", verb, "--config", path], capture_output=True, text=True)


def test_a_good_file_is_called_good(workdir):
    done = run(workdir, GOOD)
    assert (done.returncode, done.stderr) == (0, "")


def test_faults_have_file_line_and_option(workdir):
    done = run(workdir, 'list "trap" {\n\tzone = "bl.example"\n\tcode = 10.0.0.1\n\twindow = soon\n}\n')
    assert done.returncode == 1
    assert "sekisho.conf:3: code: must be 127.0.0.2" in done.stderr
    assert "sekisho.conf:4: window: 'soon' is not a time" in done.stderr


def test_what_only_a_daemon_understands_is_checked_too(workdir):
    done = run(workdir, GOOD.replace("[2..11]*5", "[2..999]").replace("ip4set:a,b", "ip5set:a"))
    assert done.returncode == 1
    assert 'list "zen.example": codes' in done.stderr
    assert 'zone "z.example": data' in done.stderr


def test_what_is_printed_reads_as_the_same(workdir):
    first = run(workdir, GOOD, "print").stdout
    assert 'list "trap" {' in first
    assert run(workdir, first, "print").stdout == first


def test_a_file_that_is_not_there_is_named(workdir):
    done = subprocess.run([program("sekisho"), "config", "check", "--config", workdir + "/none"], capture_output=True, text=True)
    assert done.returncode == 1 and workdir + "/none" in done.stderr


def test_wrong_calls_end_with_2(workdir):
    assert subprocess.run([program("sekisho"), "config", "examine"], capture_output=True).returncode == 2
    assert subprocess.run([program("sekisho"), "nonsense"], capture_output=True).returncode == 2
    assert subprocess.run([program("sekisho"), "--help"], capture_output=True).returncode == 0
