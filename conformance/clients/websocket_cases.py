"""WebSocket, by two libraries."""

import asyncio
import socket
import time

import aiohttp
import websockets.asyncio.client
import websockets.exceptions

import origins
from case import MIB, case, eventually

connect = websockets.asyncio.client.connect


def ws(w, service="ws", path="/"):
    return f"ws://127.0.0.1:{w.port(service)}{path}"


def within(seconds, talk):
    return asyncio.run(asyncio.wait_for(talk, seconds))


async def closed(socket_):
    try:
        while True:
            await socket_.recv()
    except websockets.exceptions.ConnectionClosed as error:
        return error


@case("WebSocket", "websockets", "all")
def text_and_bytes_of_any_size_pass(w):
    async def talk():
        for service in ("ws", "detect-ws", "nginx"):
            async with connect(ws(w, service, "/ws"), max_size=None, compression=None) as socket_:
                for message in ("", "hello", "x" * 200_000, b"\0" * 100_000, b"y" * 8 * MIB):
                    await socket_.send(message)
                    assert await socket_.recv() == message
    within(30, talk())


@case("WebSocket", "websockets", "all")
def deflate_subprotocols_and_words_at_once_pass(w):
    async def talk():
        async with connect(ws(w), subprotocols=["none", "first"]) as socket_:
            assert "permessage-deflate" in socket_.response.headers["Sec-WebSocket-Extensions"]
            assert socket_.subprotocol == "first"
            assert await socket_.recv() == "welcome"
            await socket_.send("z" * 500_000)
            assert await socket_.recv() == "z" * 500_000
    within(20, talk())


@case("WebSocket", "websockets", "all")
def fragments_and_pings_pass_one_by_one(w):
    async def talk():
        async with connect(ws(w), compression=None) as socket_:
            await socket_.send("parts")
            parts = [part async for part in socket_.recv_streaming()]
            assert parts == ["a" * 1000, "", "b" * 70_000, "c", ""] or "".join(parts) == "a" * 1000 + "b" * 70_000 + "c"
            assert len(parts) >= 4, [len(part) for part in parts]
            await (await socket_.ping(b"12"))
            await socket_.send("push")
            times = []
            for number in range(5):
                assert await socket_.recv() == f"push {number}"
                times.append(time.monotonic())
            assert all(later - sooner > 0.1 for sooner, later in zip(times, times[1:])), times
            await asyncio.sleep(2)
            await (await socket_.ping())
    within(20, talk())


@case("WebSocket", "websockets", "all")
def closing_codes_arrive_from_both_sides(w):
    async def talk():
        async with connect(ws(w)) as socket_:
            await socket_.send("bye")
            error = await closed(socket_)
            assert (error.rcvd.code, error.rcvd.reason) == (4001, "as asked")
        for code in (1000, 1001, 3000):
            async with connect(ws(w)) as socket_:
                await socket_.close(code, "enough")
                assert socket_.protocol.close_rcvd.code == code
    within(20, talk())


@case("WebSocket", "websockets", "all")
def an_end_without_a_word_reaches_the_other_side(w):
    async def talk():
        async with connect(ws(w)) as socket_:
            await socket_.send("die")
            assert (await closed(socket_)).rcvd is None
        eventually(lambda: origins.LEARNED["sockets"] == 0, 5)
        socket_ = await connect(ws(w))
        await socket_.send("x")
        await socket_.recv()
        assert origins.LEARNED["sockets"] == 1
        socket_.transport.abort()
        for _ in range(100):
            if origins.LEARNED["sockets"] == 0:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the application was not told")
    within(20, talk())


@case("WebSocket", "websockets", "all")
def a_refused_upgrade_is_an_answer_like_others(w):
    async def talk():
        for status in (403, 426):
            try:
                await connect(ws(w, "h1", f"/{status}"))
                raise AssertionError("upgraded")
            except websockets.exceptions.InvalidStatus as refused:
                assert refused.response.status_code == status
                if status == 426:
                    assert refused.response.headers["Upgrade"] == "websocket", refused.response.headers
    within(20, talk())


@case("WebSocket", "aiohttp", "all")
def aiohttp_speaks_to_websockets(w):
    async def talk():
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(ws(w), protocols=["chat"], compress=15) as socket_:
                assert socket_.protocol == "chat"
                for message in ("hello", "x" * 100_000):
                    await socket_.send_str(message)
                    assert await socket_.receive_str() == message
                await socket_.ping()
                await socket_.close(code=1001)
            assert socket_.close_code == 1001, socket_.close_code
            answers = await asyncio.gather(*(one(session, number) for number in range(50)))
            assert answers == [str(number) for number in range(50)]

    async def one(session, number):
        async with session.ws_connect(ws(w)) as socket_:
            await socket_.send_str(str(number))
            return await socket_.receive_str()

    within(20, talk())


@case("WebSocket", "socket", "all")
def words_right_behind_the_handshake_are_not_lost(w):
    """A client that trusts in its upgrade sends its first frame with it, or at least before the answer has come."""
    frame = b"\x81\x82\0\0\0\0hi"
    with socket.create_connection(("127.0.0.1", w.port("ws"))) as client:
        client.settimeout(10)
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
                       b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n" + frame)
        got = b""
        while not got.endswith(b"\x81\x02hi"):
            data = client.recv(4096)
            assert data, got
            got += data
        assert got.startswith(b"HTTP/1.1 101") and b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in got
