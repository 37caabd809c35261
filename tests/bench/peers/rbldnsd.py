"""Debian's rbldnsd, with each of its types that holds such data."""
import os
import pwd
import signal

import measure
from peers import Spec

TYPES = {"ip4": ("ip4tset", "ip4set", "ip4trie"), "ip4-values": ("ip4set", "ip4trie"), "cidr": ("ip4trie", "ip4set"),
         "ip6": ("ip6trie", "ip6tset"), "domain": ("dnset",), "combined": ("combined",)}


def hup(server, number):
    server.process.send_signal(signal.SIGHUP)


def four_words(data):
    """ip6tset wants a /64 as its four words."""
    def write(f):
        with open(data.list, encoding="ascii") as lines:
            f.writelines(line.replace("::/64", "") for line in lines)
    return data.derived(".words", write)


def servers(data, tools):
    path = measure.find_program("rbldnsd")
    if not path:
        return []
    user = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    specs = []
    for kind in TYPES[data.kind]:
        words = kind == "ip6tset"
        # -a: no NS behind every answer, as sekisho-dnsd does it; -c 0: no looks at the files.
        argv = [path, "-n", "-a", "-4", "-c", "0", "-u", user, "-b", "{address}/{port}",
                f"{data.zone}:{kind}:{four_words(data) if words else data.list}"]
        specs.append(Spec(f"rbldnsd {kind}", argv, {}, data, None if words else hup))
    return specs
