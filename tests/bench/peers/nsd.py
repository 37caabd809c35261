"""NSD with one process that answers, from a zone file of the same entries."""
import subprocess
import time

import measure
from peers import Spec

GENERAL = True
CONFIG = """server:
  ip-address: {address}@{port}
  username: ""
  database: ""
  zonelistfile: "{folder}/zone.list"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  pidfile: "{folder}/nsd.pid"
  minimal-responses: yes
  rrl-ratelimit: 0
OPTIONS
remote-control:
  control-enable: yes
  control-interface: "{folder}/nsd.ctl"
zone:
  name: "ZONE"
  zonefile: "{folder}/zone"
"""


def reload(server, number):
    """It knows no single change: the zone file has one more record, and is read again."""
    data = server.spec.data
    with open(f"{server.folder}/zone", "a", encoding="ascii") as f:
        f.write(f"{data.one_more(number)[1]}. A 127.0.0.2\n")
    control = [measure.find_program("nsd-control"), "-c", f"{server.folder}/nsd.conf", "reload", data.zone]
    for _ in range(100):  # it answers questions before it takes commands
        if subprocess.run(control, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
            return
        time.sleep(0.05)
    subprocess.run(control, check=True, stdout=subprocess.DEVNULL)


def servers(data, tools, options="  server-count: 1"):
    path, file = measure.find_program("nsd"), data.zone_file()
    if not path or not file:
        return []
    config = CONFIG.replace("ZONE", data.zone).replace("OPTIONS", options)
    # Includes, so that the file may grow without the others' growing with it.
    return [Spec("NSD", [path, "-d", "-c", "{folder}/nsd.conf"],
                 {"nsd.conf": config, "zone": f"$INCLUDE {file}\n"}, data, reload)]
