"""The kernel's floor: dnsbench echo, which reads and writes packets and does nothing else."""
from peers import Spec


def servers(data, tools):
    return [Spec("echo", [tools["dnsbench"], "echo", "{port}"], {})]
