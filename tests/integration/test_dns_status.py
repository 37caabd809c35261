"""`sekisho dns status`: what it says of a real sekisho-dnsd, what it finds wrong, and who may ask."""
import json
import os
import pwd
import socket
import subprocess

import pytest

from conftest import program
from test_dnsd import Server, replace, until


@pytest.fixture
def server(workdir, free_port):
    return Server(workdir, free_port(), more=f'secondary "second" {{ address = {{"127.0.0.1:{free_port()}"}} }}')


@pytest.fixture
def conf(server, workdir):
    path = os.path.join(workdir, "sekisho.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(server.conf)
    return path


@pytest.fixture
def status(sekisho, conf):
    """The exit code and what --json tells."""

    def ask():
        run = sekisho("dns", "status", "--json", "--config", conf)
        return run.returncode, json.loads(run.stdout) if run.stdout else run.stderr

    return ask


def by(items, key, value):
    return next(item for item in items if item[key] == value)


def test_all_is_well(server, conf, start, sekisho, status):
    start("sekisho-listd", conf)
    start("sekisho-dnsd", conf)
    assert until(lambda: status()[0] == 0), status()
    for tcp in (False, True):
        server.ask("1.2.0.192.files.example", tcp=tcp)
    code, told = status()
    assert code == 0 and told["good"] and told["trouble"] == []
    transports = {t["transport"]: t for t in told["server"]["transports"]}
    assert transports["udp"]["address"].startswith("127.0.0.1:") and transports["udp"]["threads"] == 2
    assert [transports[t]["queries"] for t in ("udp", "tcp")] == [1, 1]
    assert [transports[t]["listed"] for t in ("udp", "tcp")] == [1, 1]
    zone = by(told["zones"], "zone", "files.example")
    assert (zone["state"], zone["entries"], zone["serial"]) == ("ok", 1, 7)
    assert [s["kind"] for s in by(told["zones"], "zone", "bl.site.example")["sources"]] == ["list"]
    data = told["data"][0]
    assert data["data"] == f"ip4set:{server.data}" and data["state"] == "ok" and data["warnings"] == 0
    assert told["server"]["snapshot"]["listd_serial"] == told["server"]["snapshot"]["last_serial"]
    sekisho("list", "add", "5.6.7.8", "--list", "bad", "--reason", "test", "--config", conf, check=True)
    assert until(lambda: status()[1]["server"]["snapshot"]["last_serial"] > 0)
    assert any(s["zone"] == "bl.site.example" and s["secondary"] == "second" and s["state"] == "waiting"
        for s in status()[1]["secondaries"])
    words = sekisho("dns", "status", "--config", conf)
    assert words.returncode == 0 and "all is well" in words.stdout and "files.example" in words.stdout


def test_trouble(server, conf, start, sekisho, status):
    start("sekisho-dnsd", conf)
    code, told = status()
    assert code == 1 and by(told["zones"], "zone", "bl.site.example")["state"] == "unpublished"
    assert told["server"]["snapshot"]["listd_serial"] is None
    # a line that is none is a warning, with its place
    server.write_data(["192.0.2.1", "bogus \x1b]0;x\x07"])
    assert until(lambda: status()[1]["data"][0]["warnings"] == 1)
    warning = status()[1]["data"][0]["warning"]
    assert warning.startswith(f"{server.data}:") and warning.split(":")[1] == "5", warning
    # a file that cannot be read leaves the old data
    os.remove(server.data)
    assert until(lambda: by(status()[1]["zones"], "zone", "files.example")["state"] == "old")
    code, told = status()
    assert code == 1 and any("files.example" in t and "No such file" in t for t in told["trouble"])
    assert by(told["zones"], "zone", "files.example")["entries"] == 1
    words = sekisho("dns", "status", "--config", conf)
    assert words.returncode == 1 and "things are wrong" in words.stdout
    assert "\x1b" not in words.stdout and "\x07" not in words.stdout
    # data that says when it ends
    server.write_data(["$TIMESTAMP 2020-01-01 2020-01-02", "192.0.2.1"])
    assert until(lambda: by(status()[1]["zones"], "zone", "files.example")["state"] == "expired")


def test_snapshot_that_cannot_be_read(server, conf, start, status):
    start("sekisho-listd", conf)
    start("sekisho-dnsd", conf)
    assert until(lambda: status()[0] == 0), status()
    replace(os.path.join(server.publish, "snapshot"), b"no snapshot at all")
    assert until(lambda: status()[0] == 1)
    code, told = status()
    assert told["server"]["snapshot"]["error"] and any("cannot be read" in t for t in told["trouble"])
    assert told["server"]["snapshot"]["published"]


def test_zones_of_other_kinds(workdir, free_port, start, sekisho):
    """Transferred from another server, for resolvers, and the catalog."""
    here, there, nobody = free_port(), free_port(), free_port()
    folders = [os.path.join(workdir, name) for name in ("first", "second")]
    for folder in folders:
        os.makedirs(folder)
    first = Server(folders[0], there, more='secondary "second" { address = {"127.0.0.1:1"} notify = no }')
    second = Server(folders[1], here, more=f"""primary "bl.other.example" {{ address = {{"127.0.0.1:{nobody}"}} }}
        primary "files.other.example" {{ address = {{"127.0.0.1:{there}"}} }}
        rpz "rpz.site.example" {{ lists = {{"bad", "dom"}} action = "nxdomain" }}
        catalog = "catalog.site.example"
        secondary "third" {{ address = {{"127.0.0.1:1"}} notify = no }}""")
    first.conf = first.conf.replace('zone "files.example"', 'zone "files.other.example"')
    for server, folder in zip((first, second), folders):
        with open(os.path.join(folder, "sekisho.conf"), "w", encoding="utf-8") as f:
            f.write(server.conf)
    start("sekisho-dnsd", os.path.join(folders[0], "sekisho.conf"))
    start("sekisho-dnsd", os.path.join(folders[1], "sekisho.conf"))

    def zones():
        run = sekisho("dns", "status", "--json", "--config", os.path.join(folders[1], "sekisho.conf"))
        return {z["zone"]: z for z in json.loads(run.stdout)["zones"]}

    assert until(lambda: zones()["files.other.example"]["state"] == "ok")
    assert until(lambda: zones()["bl.other.example"].get("error"))
    told = zones()
    copy, without = told["files.other.example"], told["bl.other.example"]
    assert (copy["serial"], copy["entries"], copy["failures"]) == (7, 1, 0) and copy["confirmed"] > 0
    assert copy["sources"] == [{"kind": "primary", "name": f"127.0.0.1:{there}", "entries": 1}]
    assert without["state"] == "broken" and without["failures"] >= 1 and without["confirmed"] == 0
    assert [s["name"] for s in told["rpz.site.example"]["sources"]] == ["bad", "dom"]
    assert [s["kind"] for s in told["catalog.site.example"]["sources"]] == ["catalog"]
    words = sekisho("dns", "status", "--config", os.path.join(folders[0], "sekisho.conf")).stdout
    assert "127.0.0.1" in words and "files.other.example" in words


def test_no_server(status):
    code, error = status()
    assert code == 3 and "cannot reach dnsd" in error


class Socket:
    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.s.settimeout(10)
        self.s.connect(path)

    def ask(self, **message):
        self.s.send(json.dumps(message).encode())
        return json.loads(self.s.recv(1 << 17))


def test_requests(server, conf, start):
    start("sekisho-dnsd", conf)
    s = Socket(os.path.join(server.dir, "run", "dnsd", "dnsd.sock"))
    assert s.ask(id=1, type="status") | {"error": ""} == {"id": 1, "ok": False, "reason": "hello-first", "error": ""}
    assert s.ask(id=2, type="hello", role="nobody")["reason"] == "role"
    assert s.ask(id=3, type="hello", role=7)["reason"] == "field"
    assert s.ask(id=4, type="hello", role="gated") == {"id": 4, "ok": True}
    assert s.ask(id=5, type="hello", role="admin")["reason"] == "role"
    assert s.ask(id=6, type="nonsense")["reason"] == "unknown-type"
    assert s.ask(id=7, type="zones", **{"from": -1})["reason"] == "field"
    assert s.ask(id=8, type="zones", **{"from": 10**9})["zones"] == []
    assert s.ask(id=9, type="zones")["zones"][0]["zone"]
    assert s.ask(id=10)["reason"] == "syntax"
    s.s.send(b"\xff{")
    assert json.loads(s.s.recv(1 << 17))["reason"] == "syntax"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_strangers_may_not_ask(server, conf, start):
    start("sekisho-dnsd", conf)
    nobody = pwd.getpwnam("nobody").pw_uid
    run = subprocess.run([program("sekisho"), "dns", "status", "--config", conf], capture_output=True, text=True,
        user=nobody, timeout=60)
    assert run.returncode == 3 and "may not have this role" in run.stderr


def test_many_zones(workdir, free_port, start, sekisho):
    """More than one record holds."""
    server = Server(workdir, free_port())
    zones = "\n".join(f'zone "z{i}.example" {{ data = {{"ip4set:{server.data}"}} }}' for i in range(1500))
    path = os.path.join(workdir, "many.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(server.conf.replace('zone "files.example"', zones + '\nzone "files.example"'))
    start("sekisho-dnsd", path)
    told = json.loads(sekisho("dns", "status", "--json", "--config", path).stdout)
    names = [z["zone"] for z in told["zones"]]
    assert len(names) == len(set(names)) == told["server"]["zones"] == 1503
