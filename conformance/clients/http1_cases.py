"""HTTP/1.1 and its older relatives."""

import asyncio
import concurrent.futures
import gzip
import json
import os
import pathlib
import socket
import time

import aiohttp
import httpx
import requests

import origins
from case import MIB, case, eventually, run

HERE = pathlib.Path(__file__).parent
CURL = ["curl", "-sS", "--http1.1", "-m", "25"]
CODE = ["-o", "/dev/null", "-w", "%{http_code}"]


def body_of(w, size):
    body = w.programs.folder / f"body-{size}"
    if not body.exists():
        body.write_bytes(os.urandom(size))
    return body


def raw(port, text, until=b"", seconds=10):
    """Sends bytes, gives all that came until the end or `until`."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(seconds)
        client.sendall(text)
        got = b""
        while not (until and got.endswith(until)):
            data = client.recv(65536)
            if not data:
                break
            got += data
        return got


@case("HTTP/1.1", "curl", "all")
def bodies_go_up_with_a_length_and_in_chunks(w):
    url, body = w.url("h1", "/x"), body_of(w, 3 * MIB)
    assert f"PUT /x {3 * MIB} " in run(*CURL, "-T", body, url)[1]
    assert f"PUT /x {3 * MIB} " in run(*CURL, "-H", "Transfer-Encoding: chunked", "-T", body, url)[1]


@case("HTTP/1.1", "curl", "all")
def head_204_and_304_have_no_body(w):
    assert run(*CURL, "-I", *CODE, w.url("h1", "/x")) == (0, "200")
    for status in ("204", "304"):
        assert run(*CURL, "-w", "%{http_code}", w.url("h1", "/" + status)) == (0, status)
    for service in ("nginx", "detect-nginx"):
        url = w.url(service, "/text.txt")
        tag = [line for line in run(*CURL, "-I", url)[1].splitlines() if line.lower().startswith("etag:")][0][6:]
        assert run(*CURL, "-w", "%{http_code}", "-H", f"If-None-Match: {tag}", url) == (0, "304")


@case("HTTP/1.1", "curl", "all")
def expect_100_waits_for_the_applications_word(w):
    body = body_of(w, 3 * MIB)
    begun = time.monotonic()
    wait = ["--expect100-timeout", "20", "-H", "Expect: 100-continue"]
    assert f" {3 * MIB} " in run(*CURL, *wait, "-T", body, w.url("h1", "/x"))[1]
    before = origins.LEARNED["bytes after a refusal"]
    for path, status in (("/refuse", "417"), ("/refuse-401", "401")):
        code = run(*CURL, *wait, *CODE, "-T", body, w.url("h1", path))[1]
        assert code == status, code
    assert origins.LEARNED["bytes after a refusal"] == before
    assert time.monotonic() - begun < 5


@case("HTTP/1.1", "curl", "all")
def an_early_answer_ends_an_upload(w):
    body = body_of(w, 3 * MIB)
    assert run(*CURL, *CODE, "-H", "Expect:", "-T", body, w.url("h1", "/early"))[1] == "413"
    assert run(*CURL, *CODE, "-H", "Expect:", "-T", body, w.url("nginx", "/small/x"))[1] == "413"


@case("HTTP/1.1", "curl", "all")
def upgrades_to_h2c_and_to_unknown_protocols_are_not_passed_on(w):
    for arguments in (["--http2"], ["-H", "Connection: Upgrade, x-hop", "-H", "Upgrade: foo/2", "-H", "X-Hop: 1"]):
        code, text = run("curl", "-sS", "-m", "20", *arguments, w.url("h1", "/x"))
        assert "GET /x 0 " in text, text
        assert not any(word in text for word in ("upgrade", "http2-settings", "x-hop", "connection")), text


@case("HTTP/1.1", "curl", "all")
def an_http10_client_is_served_by_an_http11_application(w):
    curl = ["curl", "-sS", "--http1.0", "-i", "-m", "20"]
    text = run(*curl, w.url("h1", "/drip"))[1]
    assert text.count("data:") == 3 and "transfer-encoding" not in text.lower(), text
    assert "HTTP/1.1 200" in text
    assert "103" not in run(*curl, w.url("h1", "/hints"))[1]
    assert f"PUT /x {MIB} " in run(*curl, "-T", body_of(w, MIB), "-H", "Expect: 100-continue", w.url("h1", "/x"))[1]


@case("HTTP/1.1", "curl", "all")
def an_http10_application_ends_its_answer_by_closing(w):
    assert run(*CURL, "-o", "/dev/null", "-w", "%{http_code} %{size_download}", w.url("h10")) == (0, "200 100000")


@case("HTTP/1.1", "curl", "all")
def an_answer_that_is_cut_is_not_taken_for_whole(w):
    assert run(*CURL, w.url("h1", "/cut"))[0] == 18


@case("HTTP/1.1", "curl", "all")
def early_hints_arrive_before_the_answer(w):
    text = run(*CURL, "-i", w.url("h1", "/hints"))[1]
    assert text.lower().count("http/1.1 103") == 2 and text.lower().count("link: </a.css>") == 2, text
    assert text.endswith("late")


@case("HTTP/1.1", "curl", "all")
def ranges_are_the_applications_affair(w):
    url = w.url("nginx", "/big")
    whole = (w.programs.folder / "nginx/big").read_bytes()
    assert run(*CURL, "-r", "1000-1999", "-w", "%{http_code}", url)[1].encode("latin-1") == whole[1000:2000] + b"206"
    assert run(*CURL, "-r", "-10", url)[1].encode("latin-1") == whole[-10:]
    text = run(*CURL, "-i", "-r", "0-1,5-6", url)[1]
    assert "multipart/byteranges" in text and text.count("Content-Range: bytes") == 2 \
        or text.lower().count("content-range: bytes") == 2, text
    assert run(*CURL, *CODE, "-r", "99999999-", url)[1] == "416"


@case("HTTP/1.1", "curl", "all")
def compressed_bodies_pass_as_they_are(w):
    text = (w.programs.folder / "nginx/text.txt").read_text()
    packed = run(*CURL, "-H", "Accept-Encoding: gzip", w.url("nginx", "/text.txt"))[1].encode("latin-1")
    assert len(packed) < len(text) / 2, len(packed)
    assert gzip.decompress(packed).decode() == text
    assert run(*CURL, "--compressed", w.url("nginx", "/text.txt"))[1] == text
    direct = run(*CURL, "-H", "Accept-Encoding: gzip", f"http://127.0.0.1:{w.mesh.services['nginx'].port}/text.txt")[1]
    assert direct.encode("latin-1") == packed


@case("HTTP/1.1", "curl", "all")
def long_urls_pass_up_to_the_limit(w):
    for length, status in ((4000, "200"), (8000, "200"), (9000, "414")):
        assert run(*CURL, *CODE, w.url("h1", "/" + "x" * (length - 1)))[1] == status, length
    assert run(*CURL, *CODE, w.url("h1", "/x?q=" + "%20" * 2000))[1] == "200"


@case("HTTP/1.1", "curl", "all")
def big_bodies_cost_no_memory(w):
    body = body_of(w, 256 * MIB)
    before = w.mesh.resident_mib()
    done = run(*CURL, *CODE, "-T", body, w.url("nginx", f"/put/{w.way}"), seconds=60)
    assert done[1] in ("201", "204"), done
    out = w.programs.folder / "back"
    assert run(*CURL, "-o", out, w.url("nginx", f"/put/{w.way}"), seconds=60)[0] == 0
    after = w.mesh.resident_mib()
    same = run("cmp", body, out)
    (w.programs.folder / f"nginx/put/{w.way}").unlink()
    out.unlink()
    assert same[0] == 0, same
    assert all(after[name] - before[name] < 48 for name in after), (before, after)


@case("HTTP/1.1", "socket", "all")
def trailers_reach_who_asks_for_them(w):
    ask = b"GET /trailers HTTP/1.1\r\nHost: catalog\r\nConnection: close%s\r\n\r\n"
    with_te = raw(w.port("h1"), ask % b", te\r\nTE: trailers")
    assert with_te.endswith(b"5\r\nhello\r\n0\r\nx-sum: 5d41\r\n\r\n"), with_te
    assert b"ignored" not in with_te
    without = raw(w.port("h1"), ask % b"")
    assert without.endswith(b"5\r\nhello\r\n0\r\n\r\n"), without


@case("HTTP/1.1", "socket", "all")
def pipelined_requests_are_answered_in_order(w):
    ask = b"".join(b"GET %s HTTP/1.1\r\nHost: catalog\r\n\r\n" % path for path in (b"/slow/0.3", b"/slow/0.1", b"/slow/0"))
    text = raw(w.port("h1"), ask, b"/slow/0")
    assert text.index(b"/slow/0.3") < text.index(b"/slow/0.1") < text.rindex(b"/slow/0")
    many = raw(w.port("nginx"), b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n" * 99
               + b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert many.count(b"HTTP/1.1 200") == 100 and many.count(b"hello\n") == 100


@case("HTTP/1.1", "socket", "all")
def a_request_in_single_bytes_is_understood(w):
    with socket.create_connection(("127.0.0.1", w.port("detect-h1"))) as client:
        client.settimeout(10)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi":
            client.sendall(bytes([byte]))
            time.sleep(0.002)
        assert b"POST /x 2 " in client.recv(4096)


@case("HTTP/1.1", "httpx", "all")
def each_event_arrives_at_once(w):
    for service, options in (("h1", {}), ("detect-h1", {}), ("h2", {"http1": False, "http2": True})):
        times = []
        with httpx.Client(timeout=10, **options) as client, client.stream("GET", w.url(service, "/drip")) as answer:
            for text in answer.iter_text():
                times += [time.monotonic()] * text.count("data:")
        assert len(times) == 3 and times[1] - times[0] > 0.2 and times[2] - times[1] > 0.2, (service, times)


@case("HTTP/1.1", "httpx", "all")
def an_application_learns_that_its_listener_left(w):
    before = origins.LEARNED["left /endless"]
    with httpx.Client(timeout=10) as client, client.stream("GET", w.url("h1", "/endless")) as answer:
        next(answer.iter_text())
    eventually(lambda: origins.LEARNED["left /endless"] > before, 5)
    before = origins.LEARNED["left /wait"]
    try:
        httpx.get(w.url("h1", "/wait"), timeout=0.5)
        raise AssertionError("answered")
    except httpx.ReadTimeout:
        pass
    eventually(lambda: origins.LEARNED["left /wait"] > before, 5)


@case("HTTP/1.1", "requests")
def a_long_poll_may_wait(w):
    answer = requests.get(w.url("h1", "/slow/16"), timeout=25)
    assert (answer.status_code, answer.text) == (200, "/slow/16")


@case("HTTP/1.1", "requests", "all")
def an_application_that_closes_after_each_answer_fails_no_get(w):
    with requests.Session() as session:
        for number in range(150):
            answer = session.get(w.url("closer", f"/{number}"), timeout=10)
            assert answer.text == "ok\n", (number, answer.status_code, answer.headers, answer.text)
        # What may not be repeated can meet the end of its connection; that is told, not hidden.
        for number in range(50):
            answer = session.post(w.url("closer"), data=b"x" * 1000, timeout=10)
            assert (answer.status_code, answer.headers.get("x-tulle-reason")) in ((200, None), (502, "upstream-reset")), answer


@case("HTTP/1.1", "requests", "all")
def gets_that_race_the_end_of_an_idle_connection_are_repeated(w):
    with requests.Session() as session:
        for number in range(80):
            assert session.get(w.url("impatient"), timeout=10).status_code == 200, number
            time.sleep(0.0475 + number % 8 * 0.001)


@case("HTTP/1.1", "aiohttp", "all")
def many_clients_at_once_get_their_own_answers(w):
    async def ask(session, number):
        async with session.post(w.url("h1", f"/n{number}"), data=b"x" * number) as answer:
            return (await answer.text()).startswith(f"POST /n{number} {number} ")

    async def talk():
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:
            assert all(await asyncio.gather(*(ask(session, number) for number in range(300))))

    asyncio.run(talk())


@case("HTTP/1.1", "requests")
def threads_with_pools_lose_nothing(w):
    with requests.Session() as session, concurrent.futures.ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda n: session.get(w.url("nginx", "/hello"), timeout=10).status_code, range(400)))
    assert codes == [200] * 400


@case("HTTP/1.1", "h2load --h1", "all")
def keep_alive_limits_of_nginx_fail_no_request(w):
    out = run("h2load", "--h1", "-n", "2000", "-c", "8", w.url("nginx", "/hello"), seconds=40)[1]
    assert "2000 succeeded, 0 failed, 0 errored, 0 timeout" in out, out


@case("HTTP/1.1", "curl + HAProxy", "all")
def haproxy_is_an_application_like_others(w):
    for _ in range(5):
        assert run(*CURL, w.url("haproxy", "/hello")) == (0, "hello\n")
    assert f"{16 * MIB}" == run(*CURL, "-o", "/dev/null", "-w", "%{size_download}", w.url("haproxy", "/big"))[1]
    assert run(*CURL, *CODE, "-T", body_of(w, 3 * MIB), w.url("haproxy", "/put/h"))[1] in ("201", "204")


@case("HTTP/1.1, HTTP/2", "Node.js", "all")
def node_speaks_to_node(w):
    code, text = run("node", HERE / "peer.mjs", "ask", w.port("node"), w.port("node2"), both=True)
    assert code == 0, text
    seen = json.loads(text)
    assert seen["hints1"] == {"hints": 1, "status": 200, "length": 4}, seen
    assert seen["big1"] == {"hints": 0, "status": 200, "length": 2_000_000, "trailer": "2000000"}, seen
    assert seen["hints2"] == {"hints": 1, "status": 200, "length": 4, "cookie": ""} or seen["hints2"]["hints"] == 1, seen
    assert seen["big2"] == {"hints": 0, "length": 2_000_000, "status": 200, "cookie": "a=1; b=2", "trailer": "2000000"}, seen
    assert "ENHANCE_YOUR_CALM" in seen["reset2"]["error"], seen
    assert (seen["many1"], seen["many2"]) == (100, 100), seen


@case("HTTP/1.1", "curl", "all")
def an_application_that_starts_late_is_found(w):
    """Nothing listens at first: 503 at once, and a good answer soon after it does."""
    begun = time.monotonic()
    code, text = run(*CURL, "-i", w.url("late"))
    assert "503" in text.splitlines()[0] and time.monotonic() - begun < 4, text
    process = w.programs.late(w.mesh.services["late"].port)
    try:
        eventually(lambda: run(*CURL, *CODE, w.url("late"))[1] == "200", 5)
    finally:
        w.programs.stop(process)


@case("IPv6", "curl", "all")
def everything_listens_and_dials_in_ipv6(w):
    port = w.port("six-h1")
    for host in ("[::1]", "catalog", "catalog:8080", f"[::1]:{port}", "[fd00::1]:80"):
        text = run(*CURL, "-g", "-H", f"Host: {host}", f"http://[::1]:{port}/head")[1].lower()
        assert f"host: {host}\r\n" in text, text
    assert run(*CURL, *CODE, "-g", "-H", "Host: [::1", f"http://[::1]:{port}/head")[1] == "400"
    two = run("curl", "-sS", "-g", "-m", "10", "--http2-prior-knowledge", f"http://[::1]:{w.port('six-h2')}/x")
    assert two == (0, "hello\n")
    with socket.create_connection(("::1", w.port("six-counting"))) as client:
        client.settimeout(10)
        client.sendall(b"12345")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b"5\n"
