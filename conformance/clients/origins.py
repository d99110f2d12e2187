"""Applications behind the mesh, each on a loopback port of its own; what a request asks for is in its path."""

import asyncio
import collections
import concurrent.futures
import contextlib
import threading
import time

import grpc
import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
import websockets.asyncio.server

import pair

CHUNK = 16 * 1024

# What applications learned, by name; a case looks here for what its client's deeds came to on the other side.
LEARNED = collections.Counter()

# gRPC ends a server that nobody refers to.
SERVERS = []


class Http2Origin(asyncio.Protocol):
    """HTTP/2 in plain text. Windows are opened by hand, so that a handler can be as slow as it likes."""

    def __init__(self):
        config = h2.config.H2Configuration(client_side=False, header_encoding="latin-1", validate_outbound_headers=False,
                                           normalize_outbound_headers=False)
        self.h2 = h2.connection.H2Connection(config)
        self.streams = {}
        self.windows = asyncio.Event()

    def connection_made(self, transport):
        self.transport = transport
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(16 * 1024 * 1024)
        self.flush()

    def connection_lost(self, error):
        for task, _ in self.streams.values():
            task.cancel()

    def flush(self):
        if not self.transport.is_closing():
            self.transport.write(self.h2.data_to_send())

    def data_received(self, data):
        try:
            events = self.h2.receive_data(data)
        except h2.exceptions.ProtocolError:
            self.flush()
            self.transport.close()
            return
        for event in events:
            if isinstance(event, h2.events.RequestReceived):
                body = asyncio.Queue()
                headers = dict(event.headers)
                headers["cookie"] = "; ".join(value for name, value in event.headers if name == "cookie")
                task = asyncio.ensure_future(self.guarded(event.stream_id, headers, body))
                self.streams[event.stream_id] = task, body
            elif isinstance(event, h2.events.DataReceived):
                self.streams[event.stream_id][1].put_nowait((event.data, event.flow_controlled_length))
            elif isinstance(event, h2.events.TrailersReceived):
                self.streams[event.stream_id][1].put_nowait((dict(event.headers), 0))
            elif isinstance(event, h2.events.StreamEnded):
                self.streams[event.stream_id][1].put_nowait((None, 0))
            elif isinstance(event, h2.events.StreamReset):
                LEARNED[f"reset {int(event.error_code)}"] += 1
                self.streams[event.stream_id][0].cancel()
            elif isinstance(event, (h2.events.WindowUpdated, h2.events.RemoteSettingsChanged)):
                self.windows.set()
        self.flush()

    async def guarded(self, stream, headers, body):
        with contextlib.suppress(h2.exceptions.ProtocolError, asyncio.CancelledError):
            await self.serve(stream, headers, body)

    def head(self, stream, status, *more, end=False):
        self.h2.send_headers(stream, [(":status", str(status)), *more], end_stream=end)
        self.flush()

    async def send(self, stream, data, end=False):
        view = memoryview(data)
        while view:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(view))
            if room <= 0:
                self.windows.clear()
                await self.windows.wait()
                continue
            self.h2.send_data(stream, bytes(view[:room]))
            self.flush()
            view = view[room:]
        if end:
            self.h2.end_stream(stream)
            self.flush()

    async def chunks(self, stream, body):
        while True:
            data, length = await body.get()
            if data is None:
                return
            if length:
                self.h2.acknowledge_received_data(length, stream)
                self.flush()
            yield data

    async def serve(self, stream, headers, body):
        path = headers[":path"]
        if path.startswith("/big/"):
            self.head(stream, 200)
            left = int(path[5:])
            while left > 0:
                await self.send(stream, bytes(min(left, CHUNK)))
                left -= CHUNK
            self.h2.end_stream(stream)
            self.flush()
        elif path == "/echo":
            self.head(stream, 200)
            async for data in self.chunks(stream, body):
                await self.send(stream, data)
            await self.send(stream, b"", True)
        elif path == "/count":
            total = 0
            async for data in self.chunks(stream, body):
                total += 0 if isinstance(data, dict) else len(data)
            self.head(stream, 200)
            await self.send(stream, str(total).encode(), True)
        elif path == "/cookie":
            self.head(stream, 200)
            await self.send(stream, headers["cookie"].encode(), True)
        elif path == "/bytes":
            total = b""
            async for data in self.chunks(stream, body):
                total += data
            self.head(stream, 200, ("x-encoding", headers.get("grpc-encoding", "")))
            await self.send(stream, total, True)
        elif path == "/trailers-only":
            self.head(stream, 200, ("content-type", "application/grpc"), ("grpc-status", "5"), ("grpc-message", "no%20such"),
                      end=True)
        elif path == "/stuck":
            await asyncio.sleep(60)
        elif path == "/early":
            self.head(stream, 413, end=True)
        elif path == "/reset":
            self.head(stream, 200)
            await self.send(stream, b"half")
            self.h2.reset_stream(stream, 11)
            self.flush()
        elif path.startswith("/inform/"):
            for _ in range(int(path[8:])):
                self.head(stream, 103, ("link", "</a.css>; rel=preload"))
            self.head(stream, 200)
            await self.send(stream, b"late", True)
        elif path == "/drip":
            self.head(stream, 200, ("content-type", "text/event-stream"))
            for number in range(3):
                await self.send(stream, f"data: {number}\n\n".encode())
                await asyncio.sleep(0.4)
            await self.send(stream, b"", True)
        elif path == "/evil/short":
            self.head(stream, 200, ("content-length", "10"))
            await self.send(stream, b"four", True)
        elif path == "/evil/long":
            self.head(stream, 200, ("content-length", "2"))
            await self.send(stream, b"four", True)
        elif path == "/evil/connection":
            self.head(stream, 200, ("connection", "close"), end=True)
        elif path == "/evil/upper":
            self.head(stream, 200, ("X-Upper", "a"), end=True)
        elif path == "/evil/crlf":
            self.head(stream, 200, ("x-a", "b\r\nset-cookie: c"), end=True)
        elif path == "/evil/status":
            self.head(stream, "20", end=True)
        elif path == "/evil/trailers":
            self.head(stream, 200)
            await self.send(stream, b"body")
            self.h2.send_headers(stream, [(":status", "500")], end_stream=True)
            self.flush()
        elif path == "/evil/huge":
            self.head(stream, 200, *[(f"x-{i}", "v" * 1000) for i in range(60)], end=True)
        elif path == "/evil/close":
            self.transport.abort()
        elif path == "/evil/goaway":
            self.h2.close_connection(last_stream_id=0)
            self.flush()
        elif path in ("/204", "/304"):
            self.head(stream, path[1:], end=True)
        elif headers[":method"] == "HEAD":
            self.head(stream, 200, ("content-length", "6"), end=True)
        else:
            async for _ in self.chunks(stream, body):
                pass
            self.head(stream, 200, ("content-length", "6"), ("x-host", headers.get(":authority", "")))
            await self.send(stream, b"hello\n", True)


async def http1(reader, writer):
    """HTTP/1.1 by hand; one answer a connection unless the path says otherwise."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, path, _ = head.split("\r\n")[0].split(" ")
            fields = {}
            for line in head.split("\r\n")[1:-2]:
                name, _, value = line.partition(":")
                fields[name.lower()] = value.strip()
            if fields.get("upgrade") == "websocket":
                status = path[1:] if path in ("/403", "/426") else "403"
                writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 3\r\nUpgrade: websocket\r\n"
                             "Connection: upgrade\r\n\r\nno\n".encode())
                continue
            if path == "/early":
                writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nbig\n")
                await asyncio.sleep(0.2)
                writer.close()
                return
            if fields.get("expect") == "100-continue" and not path.startswith("/refuse"):
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            elif path in ("/refuse", "/refuse-401"):
                status = "417 No" if path == "/refuse" else "401 Unauthorized"
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
                LEARNED["bytes after a refusal"] += len(await reader.read(CHUNK))
                writer.close()
                return
            total = 0
            if "content-length" in fields:
                left = int(fields["content-length"])
                while left:
                    got = len(await reader.readexactly(min(left, CHUNK)))
                    left -= got
                    total += got
            elif fields.get("transfer-encoding") == "chunked":
                while size := int(await reader.readuntil(b"\r\n"), 16):
                    total += size
                    while size:
                        size -= len(await reader.readexactly(min(size, CHUNK)))
                    await reader.readuntil(b"\r\n")
                await reader.readuntil(b"\r\n")
            if path == "/drip":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
                for number in range(3):
                    event = f"data: {number}\n\n".encode()
                    writer.write(b"%x\r\n%s\r\n" % (len(event), event))
                    await writer.drain()
                    await asyncio.sleep(0.4)
                writer.write(b"0\r\n\r\n")
            elif path == "/hints":
                for _ in range(2):
                    writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.1)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
            elif path == "/trailers":
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n"
                             b"5;ignored=1\r\nhello\r\n0\r\nx-sum: 5d41\r\n\r\n")
            elif path == "/endless":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
                try:
                    for _ in range(600):
                        writer.write(b"8\r\ndata: x\n\r\n")
                        await writer.drain()
                        await asyncio.sleep(0.1)
                finally:
                    LEARNED["left /endless"] += 1
            elif path == "/wait":
                if not await reader.read(1):
                    LEARNED["left /wait"] += 1
                return
            elif path == "/cut":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
                await writer.drain()
                writer.close()
                return
            elif path == "/head":
                text = head.encode("latin-1")
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
            elif path == "/204":
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            elif path == "/304":
                writer.write(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: \"a\"\r\n\r\n")
            elif path.startswith("/big/"):
                left = int(path[5:])
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % left)
                while left > 0:
                    writer.write(bytes(min(left, CHUNK)))
                    await writer.drain()
                    left -= CHUNK
            elif path.startswith("/slow/"):
                await asyncio.sleep(float(path[6:]))
                writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(path)}\r\n\r\n{path}".encode())
            elif method == "HEAD":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
            else:
                text = f"{method} {path} {total} {' '.join(sorted(fields))}\n"
                writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
            await writer.drain()


async def http10(reader, writer):
    """HTTP/1.0: one answer, as long as the connection lasts."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        for _ in range(10):
            writer.write(b"x" * 10_000)
            await writer.drain()
    writer.close()


def impatient(seconds):
    """Answers as if the connection lived on, and closes it when nothing came for so long; 0 closes it at once."""
    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            while True:
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), seconds or 5)
                length = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                if length:
                    await reader.readexactly(length[0])
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
                await writer.drain()
                if not seconds:
                    break
        writer.close()
    return serve


async def counting(reader, writer):
    """Opaque bytes: counts what comes until the client's end, then says the number and ends too."""
    total = 0
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            total += len(data)
        writer.write(b"%d\n" % total)
        await writer.drain()
    writer.close()


async def greeting(reader, writer):
    """Opaque bytes, the server first: a greeting and its end at once; then counts what the client still sends."""
    with contextlib.suppress(ConnectionError):
        writer.write(b"220 speak\r\n")
        writer.write_eof()
        while data := await reader.read(65536):
            LEARNED["after the greeting"] += len(data)
    writer.close()


async def websocket(connection):
    """Echoes; `bye` closes with code 4001, `push` makes it speak by itself, `die` ends without a word, `parts` fragments."""
    LEARNED["sockets"] += 1
    try:
        await talk(connection)
    finally:
        LEARNED["sockets"] -= 1


async def talk(connection):
    await connection.send("welcome") if connection.subprotocol == "first" else None
    async for message in connection:
        if message == "bye":
            await connection.close(4001, "as asked")
            return
        elif message == "die":
            connection.transport.abort()
            return
        elif message == "parts":
            await connection.send(["a" * 1000, "", "b" * 70_000, "c"])
        elif message == "push":
            for number in range(5):
                await connection.send(f"push {number}")
                await asyncio.sleep(0.2)
        else:
            await connection.send(message)


class GrpcHandlers(grpc.GenericRpcHandler):
    """Bytes in, bytes out; the method's name says what happens."""

    def service(self, details):
        method = details.method.rpartition("/")[2]
        return {
            "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "Sleep": grpc.unary_unary_rpc_method_handler(self.sleep),
            "Down": grpc.unary_stream_rpc_method_handler(self.down),
            "Up": grpc.stream_unary_rpc_method_handler(self.up),
            "Echo": grpc.stream_stream_rpc_method_handler(self.echo),
            "Hang": grpc.unary_stream_rpc_method_handler(self.hang),
            "Left": grpc.unary_unary_rpc_method_handler(self.left),
            "Tick": grpc.unary_stream_rpc_method_handler(self.tick),
        }.get(method)

    def unary(self, request, context):
        context.send_initial_metadata([(k, v) for k, v in context.invocation_metadata() if k.startswith("x-")])
        context.set_trailing_metadata([("x-end-bin", b"\0\1\xff")])
        return request

    def fail(self, request, context):
        context.set_trailing_metadata([("x-why", "because")])
        context.abort(grpc.StatusCode(GrpcHandlers.codes[int(request)]), "näh: 100 %")

    codes = {code.value[0]: code for code in grpc.StatusCode}

    def sleep(self, request, context):
        time.sleep(float(request))
        return b""

    def down(self, request, context):
        count, size = map(int, request.split(b"x"))
        for _ in range(count):
            yield bytes(size)

    def up(self, requests, context):
        return str(sum(len(request) for request in requests)).encode()

    def echo(self, requests, context):
        yield from requests

    def hang(self, request, context):
        """One message, then nothing until the call is over; tells how it was told so."""
        gone = threading.Event()

        def learned():
            # Not behind the yield: a handler whose call is over is not resumed.
            LEARNED["calls left"] += 1
            gone.set()

        context.add_callback(learned)
        yield b"first"
        gone.wait(30)

    def left(self, request, context):
        """How many seconds the caller still gives."""
        return str(context.time_remaining()).encode()

    def tick(self, request, context):
        for number in range(int(request)):
            yield str(number).encode()
            time.sleep(0.1)


def grpc_server(*options, port=0):
    """A running gRPC server and its port; with health and reflection."""
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(32),
                         options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1),
                                  ("grpc.max_metadata_size", 64 * 1024),
                                  ("grpc.absolute_max_metadata_size", 64 * 1024),
                                  *options])
    server.add_generic_rpc_handlers((GrpcHandlers(),))
    servicer = health.HealthServicer()
    servicer.set("s.S", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    reflection.enable_server_reflection(["s.S", "grpc.health.v1.Health", reflection.SERVICE_NAME], server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    SERVERS.append(server)
    return server, port


async def start():
    """Starts all but gRPC; name -> what the mesh is told of it."""
    loop = asyncio.get_running_loop()
    servers = {
        "h2": ("http", await loop.create_server(Http2Origin, "127.0.0.1", 0)),
        "h1": ("http", await asyncio.start_server(http1, "127.0.0.1", 0)),
        "h10": ("http", await asyncio.start_server(http10, "127.0.0.1", 0)),
        "closer": ("http", await asyncio.start_server(impatient(0), "127.0.0.1", 0)),
        "impatient": ("http", await asyncio.start_server(impatient(0.05), "127.0.0.1", 0)),
        "detect-h1": ("detect", await asyncio.start_server(http1, "127.0.0.1", 0)),
        "detect-h2": ("detect", await loop.create_server(Http2Origin, "127.0.0.1", 0)),
        "counting": ("tcp", await asyncio.start_server(counting, "127.0.0.1", 0)),
        "detect-counting": ("detect", await asyncio.start_server(counting, "127.0.0.1", 0)),
        "greeting": ("tcp", await asyncio.start_server(greeting, "127.0.0.1", 0)),
        "detect-greeting": ("detect", await asyncio.start_server(greeting, "127.0.0.1", 0)),
        "ws": ("http", await websockets.asyncio.server.serve(
            websocket, "127.0.0.1", 0, ping_interval=None, max_size=None, subprotocols=["chat", "first"],
            select_subprotocol=lambda connection, offered: next((p for p in offered if p in ("chat", "first")), None))),
    }
    services = {name: pair.Service(protocol, server.sockets[0].getsockname()[1])
                for name, (protocol, server) in servers.items()}
    if pair.has_ipv6():
        for name, factory in (("h1", asyncio.start_server(http1, "::1", 0)),
                              ("h2", loop.create_server(Http2Origin, "::1", 0)),
                              ("counting", asyncio.start_server(counting, "::1", 0))):
            server = await factory
            protocol = "tcp" if name == "counting" else "http"
            services["six-" + name] = pair.Service(protocol, server.sockets[0].getsockname()[1], "::1")
    return services
