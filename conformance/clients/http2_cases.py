"""HTTP/2, from the application's client to the application."""

import pathlib
import socket
import subprocess
import time
import xml.etree.ElementTree as xml

import h2.config
import h2.connection
import h2.events
import h2.settings
import httpx

import origins
from case import MIB, case, eventually, run, tool
from http1_cases import CODE, body_of

SPEC_SECONDS = 60
CURL = ["curl", "-sS", "--http2-prior-knowledge", "-m", "25"]


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


@case("HTTP/2", "h2spec", "both", "into")
def h2spec_finds_nothing(w):
    """Left out: 5.3.1, of RFC 7540 alone."""
    report = w.programs.folder / "h2spec.xml"
    subprocess.run([tool(w, "h2spec"), "-S", "-h", "127.0.0.1", "-p", str(w.port("h2")), "-o", "4", "-j", report],
                   capture_output=True, timeout=SPEC_SECONDS)
    cases = list(xml.parse(report).iter("testcase"))
    assert len(cases) > 140, len(cases)
    failed = [f"{case.get('package')} {case.get('classname')}" for case in cases
              if case.find("failure") is not None or case.find("error") is not None]
    assert [f for f in failed if "http2/5.3.1 " not in f] == [], failed


@case("HTTP/2", "curl", "all")
def bodies_and_bodyless_answers_pass(w):
    body = body_of(w, 3 * MIB)
    for service in ("h2", "detect-h2"):
        assert run(*CURL, w.url(service, "/x")) == (0, "hello\n")
        assert run(*CURL, "-T", body, w.url(service, "/count")) == (0, str(3 * MIB))
    assert run(*CURL, "-H", "Expect: 100-continue", "-T", body, w.url("h2", "/count"))[1] == str(3 * MIB)
    assert run(*CURL, "-I", *CODE, w.url("h2", "/x")) == (0, "200")
    for status in ("204", "304"):
        assert run(*CURL, "-w", "%{http_code}", w.url("h2", "/" + status)) == (0, status)
    assert run(*CURL, *CODE, w.url("h2", "/" + "x" * 7999))[1] == "200"
    text = run(*CURL, "-i", w.url("h2", "/inform/2"))[1]
    assert text.count("HTTP/2 103") == 2 and text.endswith("late"), text


@case("HTTP/2", "h2", "all")
def an_early_answer_ends_an_upload(w):
    """Not by curl: some versions take the RST_STREAM with NO_ERROR behind a whole answer for a failure."""
    client = Raw(w.port("h2"))
    stream = client.open("/early", "PUT", False, ("content-length", str(3 * MIB)))
    client.h2.send_data(stream, bytes(16384))
    client.flush()
    assert client.answer(stream) == (413, b"")
    assert client.answer(client.open("/x")) == (200, b"hello\n")


@case("HTTP/2", "h2", "all")
def cookies_split_into_crumbs_mean_the_same(w):
    client = Raw(w.port("h2"))
    stream = client.open("/cookie", "GET", True, ("cookie", "a=1"), ("cookie", "b=2; c=3"), ("cookie", "d=4"))
    assert client.answer(stream) == (200, b"a=1; b=2; c=3; d=4")


@case("HTTP/2", "h2", "all")
def resets_carry_their_code_both_ways(w):
    client = Raw(w.port("h2"))
    assert client.answer(client.open("/reset")) == (0, 11)
    before = origins.LEARNED["reset 8"]
    stream = client.open("/stuck")
    time.sleep(0.3)
    client.h2.reset_stream(stream, 8)
    client.flush()
    eventually(lambda: origins.LEARNED["reset 8"] > before, 5)
    assert client.answer(client.open("/x")) == (200, b"hello\n")


@case("HTTP/2", "h2", "all")
def a_client_that_vanishes_cancels_what_it_asked(w):
    before = origins.LEARNED["reset 8"]
    client = Raw(w.port("h2"))
    for _ in range(3):
        client.open("/stuck")
    time.sleep(0.3)
    client.socket.close()
    eventually(lambda: origins.LEARNED["reset 8"] >= before + 3, 5)


@case("HTTP/2", "h2", "all")
def pings_are_answered(w):
    client = Raw(w.port("h2"))
    client.h2.ping(b"12345678")
    client.flush()
    acknowledged = []
    while not acknowledged:
        acknowledged = [event for event in client.events() if isinstance(event, h2.events.PingAckReceived)]
    assert acknowledged[0].ping_data == b"12345678"


@case("HTTP/2", "h2", "all")
def trailers_only_stays_one_frame(w):
    client = Raw(w.port("h2"))
    stream = client.open("/trailers-only", "POST", True, ("content-type", "application/grpc"), ("te", "trailers"))
    events = []
    while not any(isinstance(event, h2.events.StreamEnded) for event in events):
        events += [event for event in client.events() if getattr(event, "stream_id", None) == stream]
    kinds = [type(event).__name__ for event in events]
    assert kinds == ["ResponseReceived", "StreamEnded"], kinds
    assert dict(events[0].headers)["grpc-message"] == "no%20such"


@case("HTTP/2", "h2", "all")
def bytes_and_encodings_of_messages_are_untouched(w):
    client = Raw(w.port("h2"))
    sent = b"\x01\x00\x00\x00\x05notgz" + bytes(range(256))
    stream = client.open("/bytes", "POST", False, ("content-type", "application/grpc"), ("grpc-encoding", "gzip"))
    client.h2.send_data(stream, sent, end_stream=True)
    client.flush()
    assert client.answer(stream) == (200, sent)


@case("HTTP/2", "h2", "both")
def unread_answers_of_one_caller_stop_nobody_else(w):
    before = w.mesh.resident_mib()
    greedy = Raw(w.mesh.ports["h2", "into"], window=MIB)
    for _ in range(95):
        greedy.open("/big/10000000")
    time.sleep(2)
    client = Raw(w.port("h2"))
    for _ in range(3):
        assert client.answer(client.open("/big/200000")) == (200, bytes(200000))
    after = w.mesh.resident_mib()
    assert all(after[name] - before[name] < 64 for name in after), (before, after)


@case("HTTP/2", "h2", "all")
def an_evil_application_harms_only_its_own_answer(w):
    client = Raw(w.port("h2"))
    for path in ("short", "long", "connection", "upper", "crlf", "status", "trailers", "huge", "close", "goaway"):
        status, rest = client.answer(client.open("/evil/" + path))
        assert status in (0, 502), (path, status, rest)
        assert client.answer(client.open("/x")) == (200, b"hello\n"), path
    assert client.answer(client.open("/inform/1000"))[0] == 502
    assert client.answer(client.open("/x")) == (200, b"hello\n")


@case("HTTP/2", "h2load", "all")
def no_request_of_thousands_is_lost(w):
    for arguments in (["-n", "4000", "-c", "4", "-m", "100", "/x"], ["-n", "20", "-c", "2", "-m", "10", f"/big/{MIB}"],
                      ["-n", "10", "-c", "1", "-m", "5", "-w", "14", "-W", "14", f"/big/{MIB}"]):
        out = run("h2load", *arguments[:-1], w.url("h2", arguments[-1]), seconds=60)[1]
        assert "0 failed, 0 errored, 0 timeout" in out, out


@case("HTTP/2", "h2load + nginx", "all")
def goaways_of_nginx_fail_no_request(w):
    """nginx says GOAWAY after 200 requests; what it did not take is sent again."""
    out = run("h2load", "-n", "5000", "-c", "4", "-m", "25", w.url("nginx2", "/hello"), seconds=60)[1]
    assert "5000 succeeded, 0 failed, 0 errored, 0 timeout" in out and "5000 2xx" in out, out


@case("HTTP/2", "nghttp", "all")
def nghttp_fetches_and_uploads(w):
    body = body_of(w, 3 * MIB)
    out = run("nghttp", "-s", "-n", "-t", "20", w.url("nginx2", "/big"), w.url("nginx2", "/text.txt"), both=True)[1]
    assert out.count(" 200 ") == 2, out
    code, out = run("nghttp", "-t", "20", "-d", body, "--trailer", "x-sum: 1", w.url("h2", "/count"))
    assert (code, out) == (0, str(3 * MIB)), out[:200]
    code, out = run("nghttp", "-t", "20", "--expect-continue", "-d", body, "-H", ":method: PUT", w.url("nginx2", "/put/n"))
    assert code == 0, out


@case("HTTP/2", "httpx", "all")
def httpx_shares_one_connection(w):
    with httpx.Client(http1=False, http2=True, timeout=20) as client:
        for number in range(50):
            assert client.post(w.url("h2", "/count"), content=b"x" * number * 1000).text == str(number * 1000)


@case("HTTP/1.1, HTTP/2", "nghttpx", "all")
def nghttpx_is_an_application_and_a_client(w):
    port = w.port("nghttpx")
    for version in ("--http1.1", "--http2-prior-knowledge"):
        code, out = run("curl", "-sS", "-m", "20", version, "-o", "/dev/null", "-w", "%{http_code} %{size_download}",
                        f"http://127.0.0.1:{port}/big")
        assert (code, out) == (0, f"200 {16 * MIB}"), out
    process = None
    try:
        before = list(w.programs.running)
        client = w.programs.nghttpx(f"nghttpx-{w.way}", w.port("nginx2"), "h2")
        process = [one for one in w.programs.running if one not in before][0]
        out = run("h2load", "--h1", "-n", "1000", "-c", "20", f"http://127.0.0.1:{client}/hello")[1]
        assert "1000 succeeded, 0 failed, 0 errored, 0 timeout" in out and "1000 2xx" in out, out
        body = body_of(w, 3 * MIB)
        code, out = run("curl", "-sS", "-m", "20", *CODE, "-T", body, f"http://127.0.0.1:{client}/put/{w.way}-x")
        assert out in ("201", "204"), out
    finally:
        if process:
            w.programs.stop(process)
