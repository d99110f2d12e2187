"""Applications behind the mesh, each on a loopback port of its own; what a request asks for is in its path."""

import asyncio
import concurrent.futures
import contextlib
import time

import grpc
import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
import websockets.asyncio.server

CHUNK = 16 * 1024


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
                task = asyncio.ensure_future(self.guarded(event.stream_id, dict(event.headers), body))
                self.streams[event.stream_id] = task, body
            elif isinstance(event, h2.events.DataReceived):
                self.streams[event.stream_id][1].put_nowait((event.data, event.flow_controlled_length))
            elif isinstance(event, h2.events.TrailersReceived):
                self.streams[event.stream_id][1].put_nowait((dict(event.headers), 0))
            elif isinstance(event, h2.events.StreamEnded):
                self.streams[event.stream_id][1].put_nowait((None, 0))
            elif isinstance(event, h2.events.StreamReset):
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
                total += len(data)
            self.head(stream, 200)
            await self.send(stream, str(total).encode(), True)
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
            if "upgrade" in fields:
                status = path[1:] if path in ("/403", "/426") else "403"
                writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 3\r\nUpgrade: websocket\r\n"
                             "Connection: upgrade\r\n\r\nno\n".encode())
                continue
            if path == "/early":
                writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nbig\n")
                await asyncio.sleep(0.2)
                writer.close()
                return
            if fields.get("expect") == "100-continue" and path != "/refuse":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            elif path == "/refuse":
                writer.write(b"HTTP/1.1 417 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
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


async def websocket(connection):
    """Echoes; the word `bye` closes with code 4001, `push` makes it speak by itself."""
    async for message in connection:
        if message == "bye":
            await connection.close(4001, "as asked")
            return
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


def grpc_server():
    """A running gRPC server and its port."""
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(16),
                         options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1),
                                  ("grpc.max_metadata_size", 64 * 1024),
                                  ("grpc.absolute_max_metadata_size", 64 * 1024)])
    server.add_generic_rpc_handlers((GrpcHandlers(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


async def start():
    """Starts all but gRPC; name -> (protocol, port)."""
    loop = asyncio.get_running_loop()
    two = await loop.create_server(Http2Origin, "127.0.0.1", 0)
    one = await asyncio.start_server(http1, "127.0.0.1", 0)
    web = await websockets.asyncio.server.serve(websocket, "127.0.0.1", 0, ping_interval=None)
    return {name: ("http", server.sockets[0].getsockname()[1])
            for name, server in (("h2", two), ("h1", one), ("ws", web))}
