"""What a case is: a claim about one protocol, tried by one program, on one or more ways through the mesh."""

import shutil
import subprocess
import time
import typing

import pair

MIB = 1024 * 1024
CASES = []


class Case(typing.NamedTuple):
    """`function` gets a `World`; its name is the claim. It fails by raising."""

    protocol: str
    program: str
    ways: tuple
    function: typing.Callable

    def claim(self):
        return self.function.__name__.replace("_", " ")


def case(protocol, program, *ways):
    """Ways: `both` sidecars (the default), `into` the application's alone, `out` of the caller's alone; `all` of them."""
    def register(function):
        CASES.append(Case(protocol, program, pair.WAYS if ways == ("all",) else ways or ("both",), function))
        return function
    return register


class Absent(Exception):
    """What the case needs is not on this machine."""


class World:
    """What a case works with: the ports of one way, and the programs beside it."""

    def __init__(self, mesh, programs, tools, way):
        self.mesh, self.programs, self.tools, self.way = mesh, programs, tools, way

    def port(self, service):
        if service not in self.mesh.services:
            raise Absent(service)
        return self.mesh.ports[service, self.way]

    def url(self, service, path="/"):
        return f"http://127.0.0.1:{self.port(service)}{path}"


def tool(w, name):
    if not (w.tools / name).exists():
        raise Absent(name)
    return w.tools / name


def run(*command, seconds=30, stdin=b"", both=False):
    """Exit code and what was printed, as Latin-1; with what went to standard error if `both`."""
    if not shutil.which(str(command[0])):
        raise Absent(command[0])
    done = subprocess.run([str(part) for part in command], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT if both else subprocess.PIPE, timeout=seconds)
    return done.returncode, done.stdout.decode("latin-1")


def eventually(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)
