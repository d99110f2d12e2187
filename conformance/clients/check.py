"""Talks through two sidecars with clients nobody here wrote; prints a line for each check and `N passed, N failed`."""

import asyncio
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as xml

import grpc
import h2.config
import h2.connection
import h2.events
import h2.settings
import httpx
import websockets.asyncio.client
import websockets.exceptions

import origins
import pair

SPEC_SECONDS = 60
MIB = 1024 * 1024
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def run(*command, seconds=30):
    done = subprocess.run(command, capture_output=True, timeout=seconds)
    return done.returncode, done.stdout.decode("latin-1")


class Raw:
    """A client of HTTP/2 that opens windows only when told to."""

    def __init__(self, port, window=None):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(10)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="latin-1"))
        self.h2.initiate_connection()
        if window is not None:
            self.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.flush()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def open(self, path, method="GET", end=True, *more):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [(":method", method), (":scheme", "http"), (":authority", "catalog"),
                                      (":path", path), *more], end_stream=end)
        self.flush()
        return stream

    def events(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        found = self.h2.receive_data(data)
        self.flush()
        return found

    def answer(self, stream):
        """Status and body; (0, reset code) if the stream was reset."""
        status, body = 0, b""
        while True:
            for event in self.events():
                if getattr(event, "stream_id", None) != stream:
                    continue
                if isinstance(event, h2.events.ResponseReceived):
                    status = int(dict(event.headers)[":status"])
                elif isinstance(event, h2.events.DataReceived):
                    body += event.data
                    self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
                    self.flush()
                elif isinstance(event, h2.events.StreamReset):
                    return 0, event.error_code
                elif isinstance(event, h2.events.StreamEnded):
                    return status, body


@check
def h2spec_finds_nothing(mesh, tools):
    """The one case left out wants a port that serves HTTP/1 too to close on a bad preface without a 400."""
    report = tools / "h2spec.xml"
    subprocess.run([tools / "h2spec", "-S", "-h", "127.0.0.1", "-p", str(mesh.ports["h2"]), "-o", "4", "-j", report],
                   capture_output=True, timeout=SPEC_SECONDS)
    cases = list(xml.parse(report).iter("testcase"))
    assert len(cases) > 140, len(cases)
    failed = [f"{case.get('package')} {case.get('classname')}" for case in cases
              if case.find("failure") is not None or case.find("error") is not None]
    assert [f for f in failed if "invalid connection preface" not in f] == [], failed


@check
def curl_speaks_http2(mesh, tools):
    url = f"http://127.0.0.1:{mesh.ports['h2']}"
    body = tools / "body"
    body.write_bytes(os.urandom(3 * MIB))
    curl = ["curl", "-s", "--http2-prior-knowledge", "-m", "20"]
    assert run(*curl, url + "/x") == (0, "hello\n")
    assert run(*curl, "-T", str(body), url + "/count") == (0, str(3 * MIB))
    assert run(*curl, "-H", "Expect: 100-continue", "-T", str(body), url + "/count")[1] == str(3 * MIB)
    assert run(*curl, "-I", "-o", "/dev/null", "-w", "%{http_code}", url + "/x") == (0, "200")
    for status in ("204", "304"):
        assert run(*curl, "-w", "%{http_code}", f"{url}/{status}") == (0, status)


@check
def an_early_answer_ends_an_upload(mesh, tools):
    """Not by curl: some versions take the RST_STREAM with NO_ERROR behind a whole answer for a failure."""
    client = Raw(mesh.ports["h2"])
    stream = client.open("/early", "PUT", False, ("content-length", str(3 * MIB)))
    client.h2.send_data(stream, bytes(16384))
    client.flush()
    assert client.answer(stream) == (413, b"")
    assert client.answer(client.open("/x")) == (200, b"hello\n")


@check
def curl_speaks_http1(mesh, tools):
    url = f"http://127.0.0.1:{mesh.ports['h1']}"
    body = tools / "body"
    body.write_bytes(os.urandom(3 * MIB))
    curl = ["curl", "-s", "--http1.1", "-m", "20"]
    assert f"PUT /x {3 * MIB} " in run(*curl, "-T", str(body), url + "/x")[1]
    assert f"PUT /x {3 * MIB} " in run(*curl, "-H", "Transfer-Encoding: chunked", "-T", str(body), url + "/x")[1]
    assert run(*curl, "-I", "-o", "/dev/null", "-w", "%{http_code}", url + "/x") == (0, "200")
    for status in ("204", "304"):
        assert run(*curl, "-w", "%{http_code}", f"{url}/{status}") == (0, status)
    assert run(*curl, "-o", "/dev/null", "-w", "%{http_code}", "-T", str(body), url + "/early")[1] == "413"
    assert run(*curl, "-o", "/dev/null", "-w", "%{http_code}", "-T", str(body), url + "/refuse")[1] == "417"
    upgraded = run(*curl, "--http2", url + "/x")[1]
    assert "GET /x 0 " in upgraded and "upgrade" not in upgraded and "http2-settings" not in upgraded


@check
def pipelined_requests_are_answered_in_order(mesh, tools):
    with socket.create_connection(("127.0.0.1", mesh.ports["h1"])) as client:
        client.settimeout(10)
        for path in ("/slow/0.3", "/slow/0.1", "/slow/0"):
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: catalog\r\n\r\n".encode())
        text = b""
        while not text.endswith(b"/slow/0"):
            text += client.recv(4096)
        assert text.index(b"/slow/0.3") < text.index(b"/slow/0.1") < text.rindex(b"/slow/0")


@check
def events_are_passed_on_as_they_come(mesh, tools):
    for name, client in (("h1", httpx.Client(timeout=10)), ("h2", httpx.Client(http1=False, http2=True, timeout=10))):
        times = []
        with client, client.stream("GET", f"http://127.0.0.1:{mesh.ports[name]}/drip") as answer:
            for text in answer.iter_text():
                times += [time.monotonic()] * text.count("data:")
        assert len(times) == 3 and times[1] - times[0] > 0.2 and times[2] - times[1] > 0.2, (name, times)


@check
def h2load_loses_no_request(mesh, tools):
    for arguments in (["-n", "4000", "-c", "4", "-m", "100", "/x"], ["-n", "20", "-c", "2", "-m", "10", f"/big/{MIB}"]):
        out = run("h2load", *arguments[:-1], f"http://127.0.0.1:{mesh.ports['h2']}{arguments[-1]}", seconds=60)[1]
        assert "0 failed, 0 errored, 0 timeout" in out, out


@check
def an_evil_application_harms_only_its_own_answer(mesh, tools):
    client = Raw(mesh.ports["h2"])
    for path in ("short", "long", "connection", "upper", "crlf", "status", "trailers", "huge", "close", "goaway"):
        status, rest = client.answer(client.open("/evil/" + path))
        assert status in (0, 502), (path, status, rest)
        assert client.answer(client.open("/x")) == (200, b"hello\n"), path
    assert client.answer(client.open("/inform/1000"))[0] == 502
    assert client.answer(client.open("/reset")) == (0, 11)
    assert client.answer(client.open("/x")) == (200, b"hello\n")


@check
def unread_answers_of_one_caller_stop_nobody_else(mesh, tools):
    before = mesh.resident_mib()
    greedy = Raw(mesh.public["h2"], window=MIB)
    for _ in range(95):
        greedy.open("/big/10000000")
    time.sleep(2)
    client = Raw(mesh.ports["h2"])
    for _ in range(3):
        assert client.answer(client.open("/big/200000")) == (200, bytes(200000))
    after = mesh.resident_mib()
    assert all(after[name] - before[name] < 64 for name in after), (before, after)


@check
def a_websocket_lives_and_closes_both_ways(mesh, tools):
    async def talk():
        url = f"ws://127.0.0.1:{mesh.ports['ws']}/"
        async with websockets.asyncio.client.connect(url) as ws:
            for message in ("hello", "x" * 200_000, b"\0" * 100_000):
                await ws.send(message)
                assert await ws.recv() == message
            await ws.send("push")
            assert [await ws.recv() for _ in range(5)] == [f"push {n}" for n in range(5)]
            await (await ws.ping())
            await asyncio.sleep(2)
            await ws.send("bye")
            try:
                await ws.recv()
                raise AssertionError("not closed")
            except websockets.exceptions.ConnectionClosed as closed:
                assert (closed.rcvd.code, closed.rcvd.reason) == (4001, "as asked")
        for status in (403, 426):
            try:
                await websockets.asyncio.client.connect(f"ws://127.0.0.1:{mesh.ports['h1']}/{status}")
                raise AssertionError("upgraded")
            except websockets.exceptions.InvalidStatus as refused:
                assert refused.response.status_code == status

    asyncio.run(asyncio.wait_for(talk(), 30))


@check
def grpc_calls_keep_their_meaning(mesh, tools):
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_metadata_size", 64 * 1024)]
    with grpc.insecure_channel(f"127.0.0.1:{mesh.ports['grpc']}", options) as channel:
        unary = channel.unary_unary("/s.S/Unary")
        answer, call = unary.with_call(b"x" * MIB, metadata=[("x-a", "b"), ("x-big", "v" * 7000)], timeout=20)
        assert answer == b"x" * MIB
        assert dict(call.trailing_metadata())["x-end-bin"] == b"\0\1\xff"
        assert dict(call.initial_metadata())["x-a"] == "b"
        for code in (1, 3, 5, 7, 8, 13, 14, 16):
            try:
                channel.unary_unary("/s.S/Fail")(str(code).encode(), timeout=10)
                raise AssertionError("no failure")
            except grpc.RpcError as error:
                assert error.code().value[0] == code and error.details() == "näh: 100 %", error
                assert dict(error.trailing_metadata())["x-why"] == "because"
        for _ in range(2):
            try:
                channel.unary_unary("/s.S/Sleep")(b"1", timeout=0.3)
                raise AssertionError("no deadline")
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        try:
            channel.unary_unary("/s.S/Nothing")(b"", timeout=10)
            raise AssertionError("served")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNIMPLEMENTED
        assert channel.stream_unary("/s.S/Up")((b"y" * 100_000 for _ in range(30)), timeout=20) == b"3000000"
        assert list(channel.stream_stream("/s.S/Echo")(iter([b"a", b"", b"c"]), timeout=20)) == [b"a", b"", b"c"]


@check
def a_slow_reader_of_64_mib_costs_no_memory(mesh, tools):
    before = mesh.resident_mib()
    options = [("grpc.max_receive_message_length", -1)]
    most = dict(before)
    with grpc.insecure_channel(f"127.0.0.1:{mesh.ports['grpc']}", options) as channel:
        got = 0
        for number, message in enumerate(channel.unary_stream("/s.S/Down")(b"64x1048576", timeout=60)):
            got += len(message)
            if number % 8 == 0:
                time.sleep(0.4)
                most = {name: max(most[name], size) for name, size in mesh.resident_mib().items()}
    assert got == 64 * MIB
    assert all(most[name] - before[name] < 48 for name in most), (before, most)


def main(jar, tools):
    tools = pathlib.Path(tools)
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    services = asyncio.run_coroutine_threadsafe(origins.start(), loop).result(10)
    server, port = origins.grpc_server()
    services["grpc"] = "grpc", port
    mesh = pair.Pair(jar, tools / "mesh", services)
    failed = 0
    try:
        for function in CHECKS:
            name = function.__name__.replace("_", " ")
            begun = time.monotonic()
            try:
                function(mesh, tools)
                print(f"ok    {name} ({time.monotonic() - begun:.1f} s)", flush=True)
            except Exception as error:
                failed += 1
                print(f"FAIL  {name}: {type(error).__name__} {str(error)[:500]}", flush=True)
    finally:
        mesh.close()
        server.stop(0)
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    code = 1 if main(sys.argv[1], sys.argv[2]) else 0
    sys.stdout.flush()
    os._exit(code)
