"""Knot DNS with one worker, from a zone file of the same entries."""
import subprocess

import measure
from datasets import TTL
from peers import Spec

GENERAL = True
CONFIG = """server:
  rundir: "{folder}"
  listen: {address}@{port}
  background-workers: 1
SERVER
log:
  - target: stderr
    any: warning
control:
  listen: "{folder}/knot.sock"
database:
  storage: "{folder}/db"
zone:
  - domain: ZONE
    file: "FILE"
    zonefile-sync: -1
    zonefile-load: whole
    semantic-checks: off
    journal-content: none
"""


def set_in_zone(server, number):
    data = server.spec.data
    name = data.one_more(number)[1]
    control = [measure.find_program("knotc"), "-s", f"{server.folder}/knot.sock"]
    for argv in (["zone-begin", data.zone], ["zone-set", data.zone, name + ".", str(TTL), "A", "127.0.0.2"],
                 ["zone-commit", data.zone]):
        subprocess.run(control + argv, check=True, stdout=subprocess.DEVNULL)


def servers(data, tools, options="  udp-workers: 1\n  tcp-workers: 1"):
    """options: further lines, "server" being the section they stand in first."""
    path, file = measure.find_program("knotd"), data.zone_file()
    if not path or not file:
        return []
    config = CONFIG.replace("ZONE", data.zone).replace("FILE", file).replace("SERVER", options)
    return [Spec("Knot", [path, "-c", "{folder}/knot.conf"], {"knot.conf": config}, data, set_in_zone)]
