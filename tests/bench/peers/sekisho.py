"""sekisho-dnsd with one worker, from rbldnsd's files or from a snapshot of them."""
from peers import Spec
from peers.rbldnsd import hup

TYPES = {"ip4": ("ip4tset", "ip4set"), "ip4-values": ("ip4set",), "cidr": ("ip4trie",), "ip6": ("ip6trie",),
         "domain": ("dnset",), "combined": ("combined",)}
CONFIG = """state-dir = "{folder}"
run-dir = "{folder}"
dnsd {
  listen = {"{address}:{port}"}
  user = ""
  check-interval = "1d"
  OPTIONS
  zone "ZONE" { data = {"SOURCE"} }
}
"""


def server(name, data, source, tools, options="workers = 1"):
    """source: "type:file" as a zone's data takes it."""
    text = CONFIG.replace("ZONE", data.zone).replace("SOURCE", source).replace("OPTIONS", options)
    return Spec(name, [tools["sekisho-dnsd"], "--config", "{folder}/dnsd.conf"], {"dnsd.conf": text}, data, hup, source)


def servers(data, tools):
    return [server(f"sekisho {t}", data, f"{t}:{data.list}", tools) for t in TYPES[data.kind]]
