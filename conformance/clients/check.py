"""Talks through sidecars with clients nobody here wrote; prints a table of what passed, and `N passed, N failed`."""

import argparse
import asyncio
import json
import logging
import os
import pathlib
import signal
import sys
import threading
import time

import case
import grpc_cases
import http1_cases
import http2_cases
import origins
import pair
import programs
import tcp_cases
import websocket_cases

CASE_SECONDS = 60
PASSED, FAILED, SKIPPED = "ok", "FAIL", "-"


class TooLong(Exception):
    pass


def too_long(*_):
    raise TooLong(f"not done within {CASE_SECONDS} s")


def end(*_):
    raise SystemExit(143)


def services(running, absent):
    """Starts the applications: name -> what the mesh is told; what cannot be started goes into `absent`."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    found = asyncio.run_coroutine_threadsafe(origins.start(), loop).result(10)

    def started(start, **named):
        try:
            ports = start()
        except programs.Missing as missing:
            absent[str(missing)] = ", ".join(named)
            return
        for name, (protocol, number) in named.items():
            found[name] = pair.Service(protocol, ports if number is None else ports[number])

    _, grpc_port = origins.grpc_server()
    _, aging = origins.grpc_server(("grpc.max_connection_age_ms", 300), ("grpc.max_connection_age_grace_ms", 10_000))
    found |= {"grpc": pair.Service("grpc", grpc_port), "detect-grpc": pair.Service("detect", grpc_port),
              "aging": pair.Service("grpc", aging), "detect-ws": pair.Service("detect", found["ws"].port),
              "mortal": pair.Service("grpc", pair.free_port()), "killed": pair.Service("grpc", pair.free_port()),
              "late": pair.Service("http", pair.free_port())}
    started(lambda: running.nginx(grpc_port, found["ws"].port), **{
        "nginx": ("http", "one"), "detect-nginx": ("detect", "one"), "nginx2": ("http", "two"),
        "nginx-grpc": ("grpc", "two"), "tls": ("tcp", "tls"), "detect-tls": ("detect", "tls")})
    if "nginx" in found:
        started(lambda: running.haproxy(found["nginx"].port), haproxy=("http", None))
        started(lambda: running.nghttpx("nghttpx", found["nginx"].port, "http/1.1"), nghttpx=("http", None))
    started(lambda: running.node(pathlib.Path(__file__).with_name("peer.mjs")), node=("http", 0), node2=("http", 1))
    started(running.go_interop, **{"go": ("grpc", None), "detect-go": ("detect", None)})
    for name in ("redis", "mariadb", "postgres"):
        started(getattr(running, name), **{name: ("tcp", None), "detect-" + name: ("detect", None)})
    return found


def attempt(chosen, world):
    """Result, seconds, and what went wrong."""
    begun = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, CASE_SECONDS)
    try:
        chosen.function(world)
        result, detail = PASSED, ""
    except case.Absent as absent:
        result, detail = SKIPPED, f"without {absent}"
    except Exception as error:
        result, detail = FAILED, f"{type(error).__name__} {' '.join(str(error).split())[:600]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return result, round(time.monotonic() - begun, 1), detail


def table(results):
    """Markdown: one line a claim, one column a way."""
    lines = ["| protocol | program | claim | " + " | ".join(pair.WAYS) + " |", "|---|---|---|" + "---|" * len(pair.WAYS)]
    rows = {}
    for one in results:
        rows.setdefault((one["protocol"], one["program"], one["claim"]), {})[one["way"]] = one["result"]
    return "\n".join(lines + [f"| {' | '.join(row)} | {' | '.join(ways.get(way, '') for way in pair.WAYS)} |"
                              for row, ways in sorted(rows.items())])


def summary(results):
    """Markdown: one line a program, and how many of its claims passed on each way."""
    lines = ["| protocol | program | " + " | ".join(pair.WAYS) + " |", "|---|---|" + "---|" * len(pair.WAYS)]
    rows = {}
    for one in results:
        rows.setdefault((one["protocol"], one["program"]), []).append(one)
    for row, mine in sorted(rows.items()):
        tried = {way: [one["result"] == PASSED for one in mine if one["way"] == way and one["result"] != SKIPPED]
                 for way in pair.WAYS}
        cells = [f"{sum(passed)} of {len(passed)}" if passed else "" for passed in tried.values()]
        lines.append(f"| {' | '.join(row)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="conformance/clients/run", description=__doc__)
    parser.add_argument("-o", choices=("table", "summary", "json"), default="table", help="what is printed at the end")
    parser.add_argument("--only", default="", metavar="WORDS", help="cases whose protocol, program or claim has these words")
    parser.add_argument("--way", choices=pair.WAYS, help="both sidecars with mutual TLS between them; plain text into the "
                        "application's sidecar; out of the caller's sidecar to an application without one")
    parser.add_argument("--list", action="store_true", help="only say which cases there are")
    parser.add_argument("--program", help=argparse.SUPPRESS)
    parser.add_argument("--tools", help=argparse.SUPPRESS)
    options = parser.parse_args()

    chosen = [(one, way) for one in case.CASES for way in one.ways
              if options.only.lower() in f"{one.protocol} {one.program} {one.claim()}".lower()
              and options.way in (None, way)]
    if options.list or not chosen:
        print("\n".join(f"{one.protocol}: {one.program}: {one.claim()}: {way}" for one, way in chosen) or "no such case")
        return 0 if chosen else 2

    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    signal.signal(signal.SIGALRM, too_long)
    signal.signal(signal.SIGTERM, end)
    tools = pathlib.Path(options.tools)
    say = sys.stderr if options.o == "json" else sys.stdout
    running, absent, mesh, results = programs.Programs(tools), {}, None, []
    try:
        found = services(running, absent)
        for missing, named in absent.items():
            print(f"clients: not installed: {missing}; what needs {named} is left out", file=sys.stderr)
        mesh = pair.Pair(options.program.split("\n"), tools / "mesh", found)
        for one, way in chosen:
            result, seconds, detail = attempt(one, case.World(mesh, running, tools, way))
            results.append({"protocol": one.protocol, "program": one.program, "claim": one.claim(), "way": way,
                            "result": result, "seconds": seconds, "detail": detail})
            print(f"{result:4}  {one.protocol}: {one.program}: {one.claim()}: {way} ({seconds} s) {detail}",
                  file=say, flush=True)
    finally:
        if mesh:
            mesh.close()
        running.close()
    print(json.dumps(results, indent=1) if options.o == "json"
          else f"\n{(summary if options.o == 'summary' else table)(results)}\n")
    count = {result: sum(one["result"] == result for one in results) for result in (PASSED, FAILED, SKIPPED)}
    print(f"{count[PASSED]} passed, {count[FAILED]} failed, {count[SKIPPED]} skipped", file=say)
    return 1 if count[FAILED] else 0


if __name__ == "__main__":
    try:
        code = main()
    except KeyboardInterrupt:
        code = 130
    sys.stdout.flush()
    os._exit(code)
