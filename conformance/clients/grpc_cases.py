"""gRPC: the interop programs of grpc-go, and gRPC for Python on both ends."""

import concurrent.futures
import contextlib
import queue
import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

import origins
from case import MIB, case, eventually, run, tool

# Source: gRPC, doc/interop-test-descriptions.md; those that need no credentials.
INTEROP = ("empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
           "timeout_on_sleeping_server", "cancel_after_begin", "cancel_after_first_response", "status_code_and_message",
           "special_status_message", "unimplemented_method", "unimplemented_service", "custom_metadata")


@contextlib.contextmanager
def channel(w, service="grpc", *options):
    with grpc.insecure_channel(f"127.0.0.1:{w.port(service)}", [
            ("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1),
            ("grpc.max_metadata_size", 64 * 1024), ("grpc.absolute_max_metadata_size", 64 * 1024),
            ("grpc.use_local_subchannel_pool", 1), *options]) as opened:
        yield opened


def failure(call):
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise AssertionError("no failure")


def interop(name):
    def claimed(w):
        for service in ("go", "detect-go"):
            code, out = run(tool(w, "grpc-interop-client"), "-server_host=127.0.0.1",
                            f"-server_port={w.port(service)}", f"-test_case={name}",
                            both=True, seconds=30)
            assert code == 0, [line for line in out.splitlines() if "exceeds" in line or "rror" in line][:5] or out[-300:]
    claimed.__name__ = f"interop_{name}"
    return claimed


for test in INTEROP:
    case("gRPC", "grpc-go", "all")(interop(test))


@case("gRPC", "grpc-go", "all")
def interop_rpc_and_channel_soak(w):
    for test in ("rpc_soak", "channel_soak"):
        code, out = run(tool(w, "grpc-interop-client"), "-server_host=127.0.0.1",
                        f"-server_port={w.port('go')}", f"-test_case={test}",
                        "-soak_iterations=50", "-soak_overall_timeout_seconds=20", both=True, seconds=30)
        assert code == 0, [line for line in out.splitlines() if "exceeds" in line or "rror" in line][:5] or out[-300:]


@case("gRPC", "grpcio", "all")
def all_four_kinds_of_call_pass(w):
    for service in ("grpc", "detect-grpc", "nginx-grpc"):
        with channel(w, service) as opened:
            assert opened.unary_unary("/s.S/Unary")(b"x" * MIB, timeout=20) == b"x" * MIB
            assert opened.stream_unary("/s.S/Up")((b"y" * 100_000 for _ in range(30)), timeout=20) == b"3000000"
            assert [len(m) for m in opened.unary_stream("/s.S/Down")(b"30x100000", timeout=20)] == [100_000] * 30
            assert list(opened.stream_stream("/s.S/Echo")(iter([b"a", b"", b"c"]), timeout=20)) == [b"a", b"", b"c"]


@case("gRPC", "grpcio", "all")
def each_message_of_a_conversation_passes_at_once(w):
    with channel(w) as opened:
        to_send = queue.Queue()
        call = opened.stream_stream("/s.S/Echo")(iter(to_send.get, None), timeout=20)
        for number in range(100):
            to_send.put(str(number).encode())
            assert next(call) == str(number).encode()
        to_send.put(None)
        assert list(call) == [] and call.code() == grpc.StatusCode.OK


@case("gRPC", "grpcio", "all")
def metadata_passes_both_ways(w):
    with channel(w) as opened:
        sent = [("x-a", "b"), ("x-a", "c"), ("x-big", "v" * 7000), ("x-raw-bin", bytes(range(256)))]
        answer, call = opened.unary_unary("/s.S/Unary").with_call(b"", metadata=sent, timeout=20)
        back = [(key, value) for key, value in call.initial_metadata() if key.startswith("x-") and "client" not in key]
        assert sorted(back) == sorted(sent), back
        assert dict(call.trailing_metadata())["x-end-bin"] == b"\0\1\xff"


@case("gRPC", "grpcio", "all")
def every_status_arrives_with_its_words(w):
    with channel(w) as opened:
        for code in range(1, 17):
            error = failure(lambda: opened.unary_unary("/s.S/Fail")(str(code).encode(), timeout=10))
            assert error.code().value[0] == code and error.details() == "näh: 100 %", error
            assert dict(error.trailing_metadata())["x-why"] == "because"
        error = failure(lambda: opened.unary_unary("/s.S/Nothing")(b"", timeout=10))
        assert error.code() == grpc.StatusCode.UNIMPLEMENTED


@case("gRPC", "grpcio", "all")
def deadlines_and_cancellation_reach_the_application(w):
    with channel(w) as opened:
        left = float(opened.unary_unary("/s.S/Left")(b"", timeout=7))
        assert 5 < left <= 7.1, left
        before = origins.LEARNED["calls left"]
        call = opened.unary_stream("/s.S/Hang")(b"", timeout=20)
        assert next(call) == b"first"
        call.cancel()
        eventually(lambda: origins.LEARNED["calls left"] == before + 1)
        begun = time.monotonic()
        call = opened.unary_stream("/s.S/Hang")(b"", timeout=1.5)
        assert next(call) == b"first"
        error = failure(lambda: next(call))
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED and time.monotonic() - begun < 5
        eventually(lambda: origins.LEARNED["calls left"] == before + 2)


@case("gRPC", "grpcio", "all")
def compressed_calls_pass(w):
    with channel(w) as opened:
        for kind in (grpc.Compression.Gzip, grpc.Compression.Deflate):
            text = b"abc" * 300_000
            assert opened.unary_unary("/s.S/Unary")(text, timeout=20, compression=kind) == text


@case("gRPC", "grpcio", "all")
def messages_of_32_mib_pass(w):
    with channel(w) as opened:
        assert len(opened.unary_unary("/s.S/Unary")(bytes(32 * MIB), timeout=30)) == 32 * MIB


@case("gRPC", "grpcio", "all")
def many_calls_at_once_on_one_connection(w):
    with channel(w) as opened:
        calls = [opened.unary_unary("/s.S/Unary").future(str(n).encode(), timeout=20) for n in range(1000)]
        assert [call.result() for call in calls] == [str(n).encode() for n in range(1000)]
        before = origins.LEARNED["calls left"]
        streams = [opened.unary_stream("/s.S/Tick")(b"5", timeout=20) for _ in range(30)]
        assert all(list(stream) == [b"0", b"1", b"2", b"3", b"4"] for stream in streams)
        assert origins.LEARNED["calls left"] == before


@case("gRPC", "grpcio", "all")
def keepalive_pings_do_not_end_a_quiet_stream(w):
    options = [("grpc.keepalive_time_ms", 1000), ("grpc.keepalive_timeout_ms", 2000),
               ("grpc.keepalive_permit_without_calls", 1), ("grpc.http2.max_pings_without_data", 0),
               ("grpc.http2.min_time_between_pings_ms", 500)]
    with channel(w, "grpc", *options) as opened:
        assert opened.unary_unary("/s.S/Sleep")(b"5", timeout=10) == b""


@case("gRPC", "grpcio", "all")
def connections_of_limited_age_fail_no_call(w):
    with channel(w, "aging") as opened:
        end = time.monotonic() + 4
        done = 0
        while time.monotonic() < end:
            assert opened.unary_unary("/s.S/Unary")(b"x", timeout=10) == b"x"
            done += 1
        assert list(opened.unary_stream("/s.S/Tick")(b"8", timeout=10)) == [str(n).encode() for n in range(8)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert set(pool.map(lambda _: opened.unary_unary("/s.S/Unary")(b"y", timeout=10), range(2000))) == {b"y"}
        assert done > 20


@case("gRPC", "grpcio + nginx", "all")
def answers_that_are_no_grpc_keep_their_meaning(w):
    with channel(w, "nginx2") as opened:
        for status, code in ((401, "UNAUTHENTICATED"), (403, "PERMISSION_DENIED"), (404, "UNIMPLEMENTED"),
                             (429, "UNAVAILABLE"), (502, "UNAVAILABLE"), (503, "UNAVAILABLE"), (504, "UNAVAILABLE"),
                             (500, "UNKNOWN")):
            error = failure(lambda: opened.unary_unary(f"/answers/{status}")(b"", timeout=10))
            assert error.code().name == code, (status, error)


@case("gRPC", "grpcio", "all")
def an_application_that_is_gone_is_unavailable(w):
    server, port = origins.grpc_server(port=w.mesh.services["mortal"].port)
    with channel(w, "mortal", ("grpc.enable_retries", 0)) as opened:
        assert opened.unary_unary("/s.S/Unary")(b"x", timeout=10) == b"x"
        stream = opened.unary_stream("/s.S/Hang")(b"", timeout=20)
        assert next(stream) == b"first"
        server.stop(0)
        error = failure(lambda: next(stream))
        assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED), error
        error = failure(lambda: opened.unary_unary("/s.S/Unary")(b"x", timeout=10))
        assert error.code() == grpc.StatusCode.UNAVAILABLE and "tulle" not in error.details(), error
        assert "endpoint" in error.details() or "connection" in error.details(), error
        server, port = origins.grpc_server(port=w.mesh.services["mortal"].port)
        try:
            eventually(lambda: opened.unary_unary("/s.S/Unary").with_call(b"x", timeout=10)[0] == b"x", 1)
        finally:
            server.stop(0)


@case("gRPC", "grpcio", "all")
def a_killed_application_is_unavailable_in_the_middle_of_a_stream(w):
    process = w.programs.mortal(w.mesh.services["killed"].port)
    try:
        with channel(w, "killed", ("grpc.enable_retries", 0)) as opened:
            stream = opened.unary_stream("/s.S/Hang")(b"", timeout=20)
            assert next(stream) == b"first"
            process.kill()
            process.wait()
            error = failure(lambda: next(stream))
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
    finally:
        w.programs.stop(process)


@case("gRPC", "grpcio-health", "all")
def health_can_be_asked_and_watched(w):
    for service in ("grpc", "nginx-grpc"):
        with channel(w, service) as opened:
            stub = health_pb2_grpc.HealthStub(opened)
            assert stub.Check(health_pb2.HealthCheckRequest(service="s.S"), timeout=10).status == 1
            error = failure(lambda: stub.Check(health_pb2.HealthCheckRequest(service="none"), timeout=10))
            assert error.code() == grpc.StatusCode.NOT_FOUND
            watch = stub.Watch(health_pb2.HealthCheckRequest(service="s.S"), timeout=10)
            assert next(watch).status == 1
            watch.cancel()


@case("gRPC", "grpcio-reflection", "all")
def reflection_lists_the_services(w):
    with channel(w) as opened:
        names = list(ProtoReflectionDescriptorDatabase(opened).get_services())
        assert "s.S" in names and "grpc.health.v1.Health" in names, names


@case("gRPC", "grpcio", "all")
def a_slow_reader_of_64_mib_costs_no_memory(w):
    before = w.mesh.resident_mib()
    most = dict(before)
    with channel(w) as opened:
        got = 0
        for number, message in enumerate(opened.unary_stream("/s.S/Down")(b"64x1048576", timeout=60)):
            got += len(message)
            if number % 8 == 0:
                time.sleep(0.4)
                most = {name: max(most[name], size) for name, size in w.mesh.resident_mib().items()}
    assert got == 64 * MIB
    assert all(most[name] - before[name] < 48 for name in most), (before, most)


@case("gRPC", "grpcio", "all")
def metadata_beyond_the_limit_hurts_only_its_own_call(w):
    with channel(w) as opened:
        ticking = opened.unary_stream("/s.S/Tick")(b"10", timeout=20)
        assert next(ticking) == b"0"
        error = failure(lambda: opened.unary_unary("/s.S/Unary")(b"", metadata=[("x-big", "v" * 9000)], timeout=10))
        assert error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED), error
        assert [int(number) for number in ticking] == list(range(1, 10))
        assert opened.unary_unary("/s.S/Unary")(b"x", timeout=10) == b"x"
