"""The metrics of sekisho-dnsd, fetched by HTTP and read as Prometheus does."""
import os
import re
import signal
import socket
import time
import urllib.error
import urllib.request

import dns.message
import dns.query
import pytest

from conftest import TOP

DATA = """$SOA 1h ns1.files.example hostmaster.files.example 7 10m 5m 1w 5m
$NS 1h ns1.files.example
:127.0.0.2:Listed $
192.0.2.1
192.0.2.2
"""
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\.)*",?)*)\})? (\d+)$')


@pytest.fixture
def server(workdir, start, free_port):
    port, web = free_port(), free_port()
    for folder in ("state", "run"):
        os.makedirs(os.path.join(workdir, folder))
    data = os.path.join(workdir, "ip4")
    with open(data, "w", encoding="utf-8") as f:
        f.write(DATA)
    daemon = start("sekisho-dnsd", f"""
state-dir = "{workdir}/state"
run-dir = "{workdir}/run"
dnsd {{
	user = ""
	listen = {{"127.0.0.1:{port}"}}
	workers = 2
	metrics = "127.0.0.1:{web}"
	check-interval = "1s"
	zone "files.example" {{ data = {{"ip4set:{data}"}} }}
}}
""")
    daemon.port, daemon.web, daemon.data = port, web, data
    return daemon


def fetch(server):
    """{(name, labels): value}; fails where a line is none of the format, or a sample has no type or help."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.web}/metrics", timeout=10) as reply:
        assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        text = reply.read().decode()
    assert text.endswith("\n")
    types, samples, family = {}, {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split()[2]
            assert family not in types
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name == family and (kind == "counter") == name.endswith("_total")
            types[name] = kind
        else:
            name, labels, value = SAMPLE.match(line).groups()
            assert name == family and types[name] and (name, labels) not in samples
            samples[name.removeprefix("sekisho_dnsd_"), labels] = int(value)
    return samples


def test_counts(server):
    assert all(v == 0 for (name, _), v in fetch(server).items() if name.endswith("_total"))
    sizes = 0
    for name in ["1.2.0.192.files.example"] * 3 + ["9.2.0.192.files.example", "other.example"]:
        q = dns.message.make_query(name, "A")
        reply = dns.query.udp(q, "127.0.0.1", 5, server.port)
        sizes += len(reply.to_wire())
    dns.query.tcp(q, "127.0.0.1", 5, server.port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"no DNS", ("127.0.0.1", server.port))
    wanted = {
        ("queries_total", 'transport="udp"'): 6, ("queries_total", 'transport="tcp"'): 1,
        ("dropped_total", 'transport="udp"'): 1, ("listed_total", 'transport="udp"'): 3,
        ("responses_total", 'transport="udp",rcode="NOERROR"'): 3,
        ("responses_total", 'transport="udp",rcode="NXDOMAIN"'): 1,
        ("responses_total", 'transport="udp",rcode="REFUSED"'): 1,
        ("responses_total", 'transport="tcp",rcode="REFUSED"'): 1,
        ("zones", None): 1,
        ("data_loaded", f'data="ip4set:{server.data}"'): 1, ("data_failed", f'data="ip4set:{server.data}"'): 0,
        ("data_entries", f'data="ip4set:{server.data}"'): 2,
    }
    for _ in range(200):
        got = fetch(server)
        if got["queries_total", 'transport="udp"'] == 6:
            break
        time.sleep(0.01)
    assert {k: got[k] for k in wanted} == wanted
    assert got["sent_bytes_total", 'transport="udp"'] > 5 * 12
    os.kill(server.pid, signal.SIGUSR2)  # the log's counters begin again, these do not
    assert fetch(server)["queries_total", 'transport="udp"'] == 6


def test_lost_file(server):
    """Told, with the entries that are still served."""
    os.unlink(server.data)
    label = f'data="ip4set:{server.data}"'
    for _ in range(1000):
        got = fetch(server)
        if got["data_failed", label]:
            break
        time.sleep(0.02)
    assert got["data_failed", label] == 1 and got["data_loaded", label] == 1 and got["data_entries", label] == 2


@pytest.mark.parametrize("path, method, code", [("/", "GET", 404), ("/metrics", "POST", 405)])
def test_refusals(server, path, method, code):
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{server.web}{path}", method=method), timeout=10)
    assert e.value.code == code


def test_bad_visitors(server):
    """Who says nothing, half or nonsense is in nobody's way for long."""
    silent = [socket.create_connection(("127.0.0.1", server.web)) for _ in range(10)]
    with socket.create_connection(("127.0.0.1", server.web)) as s:
        s.sendall(b"\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 400 ")
    with socket.create_connection(("127.0.0.1", server.web)) as s:
        s.sendall(b"a" * 20000)
        try:
            assert s.recv(100)[:13] in (b"HTTP/1.1 400 ", b"")
        except ConnectionResetError:
            pass
    assert fetch(server)
    for s in silent:
        s.close()
    assert server.stop() == 0


def test_manual(server):
    """Names each of them, and no others."""
    with open(os.path.join(TOP, "man", "sekisho-dnsd.8.scd"), encoding="utf-8") as f:
        told = set(re.findall(r"\*sekisho_dnsd_([a-z_]+)\*", f.read()))
    there = {name for name, _ in fetch(server)}
    site = {"serial", "snapshot_serial", "snapshot_entries", "overlay_entries", "snapshot_loaded_timestamp_seconds"}
    assert told == there | site
