"""Debian's rbldnsd, with each of its types that holds such data."""
import os
import pwd

import measure

TYPES = {"ip4": ("ip4tset", "ip4set", "ip4trie"), "ip4-values": ("ip4set", "ip4trie"), "cidr": ("ip4trie", "ip4set"),
         "ip6": ("ip6trie",), "domain": ("dnset",), "combined": ("combined",)}


def servers(data, tools):
    path = measure.find_program("rbldnsd")
    if not path:
        return []
    user = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    # -a: no NS behind every answer, as sekisho-dnsd does it; -c 0: no looks at the files.
    return [(f"rbldnsd {t}", [path, "-n", "-a", "-4", "-c", "0", "-u", user, "-b", "127.0.0.1/{port}",
                              f"{data.zone}:{t}:{data.list}"], {}) for t in TYPES[data.kind]]
