"""One module for each server that is measured. Each has

    servers(data, tools): [Spec]

where data is a datasets.DataSet and tools the paths of our own programs. A server that is not installed or
does not know such data is not in the list. GENERAL = True says of a module that its server knows no lists, only
zones, and needs far more time and memory for each entry: it is given fewer."""
import contextlib
import dataclasses
import os
import tempfile
import typing

import measure


@dataclasses.dataclass
class Spec:
    name: str
    argv: list  # argv and files may hold {folder}, {address} and {port}
    files: dict  # what must stand in the server's folder: name -> text
    data: typing.Any = None  # None: it has none, and answers whatever is asked
    grow: typing.Any = None  # (measure.Server, number): makes data.one_more(number) known, whose line the list has now
    source: typing.Any = None  # of ours: "type:file", what a snapshot can be made of
    empty_mb: float = 0  # resident with one entry


def place(spec, folder, port, address="127.0.0.1"):
    """Writes the server's files into a new folder below this one. Returns (argv, that folder)."""
    own = tempfile.mkdtemp(dir=folder)
    os.chmod(own, 0o755)

    def fill(text):
        return text.replace("{folder}", own).replace("{port}", str(port)).replace("{address}", address)

    for file, text in spec.files.items():
        with open(os.path.join(own, file), "w", encoding="utf-8") as f:
            f.write(fill(text))
    return [fill(x) for x in spec.argv], own


def make_server(spec, folder, cpus=(1,)):
    """Not started yet."""
    port = measure.free_port()
    argv, own = place(spec, folder, port)
    server = measure.Server(spec.name, argv, port, own, cpus)
    server.spec = spec
    return server


@contextlib.contextmanager
def running(spec, folder):
    """For a moment."""
    s = make_server(spec, folder)
    try:
        s.start(spec.data and spec.data.first())
        yield s
    finally:
        s.stop()
