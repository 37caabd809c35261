"""sekisho-dnsd with one worker, from rbldnsd's files."""
TYPES = {"ip4": ("ip4tset", "ip4set"), "ip4-values": ("ip4set",), "cidr": ("ip4trie",), "ip6": ("ip6trie",),
         "domain": ("dnset",), "combined": ("combined",)}
CONFIG = """state-dir = "{folder}"
run-dir = "{folder}"
dnsd {{
  listen = {{"127.0.0.1:{port}"}}
  user = ""
  workers = {workers}
  zone "{zone}" {{ data = {{"{type}:{list}"}} }}
}}
"""


def server(name, data, kind, tools, workers=1):
    config = CONFIG.format(folder="{folder}", port="{port}", workers=workers, zone=data.zone, type=kind, list=data.list)
    return (name, [tools["sekisho-dnsd"], "--config", "{folder}/dnsd.conf"], {"dnsd.conf": config})


def servers(data, tools):
    return [server(f"sekisho {t}", data, t, tools) for t in TYPES[data.kind]]
