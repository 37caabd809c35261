"""The kernel's floor: dnsbench echo, which reads and writes packets and does nothing else."""


def servers(data, tools):
    return [("echo", [tools["dnsbench"], "echo", "{port}"], {})]
