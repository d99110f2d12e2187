"""Opaque TCP: databases, ends of one side, and the application's own TLS. Ports are declared `tcp` or not at all (`detect`)."""

import json
import os
import socket
import ssl
import struct
import threading
import time

import origins
from case import MIB, case, eventually, run

FIRST_BYTES_SECONDS = 1.0


def both_kinds(w, name):
    return (w.port(name), w.port("detect-" + name))


@case("TCP", "redis-cli", "all")
def redis_commands_and_subscriptions_pass(w):
    for port in both_kinds(w, "redis"):
        cli = ["redis-cli", "-h", "127.0.0.1", "-p", port]
        assert run(*cli, "ping")[1] == "PONG\n"
        value = os.urandom(4 * MIB).hex()
        assert run(*cli, "-x", "set", "big", stdin=value.encode())[1] == "OK\n"
        assert run(*cli, "get", "big")[1] == value + "\n"
        heard = []
        listener = threading.Thread(target=lambda: heard.append(
            run("timeout", "1", *cli, "--csv", "subscribe", "news")[1]))
        listener.start()
        eventually(lambda: run(*cli, "publish", "news", "hello")[1] != "0\n", 5)
        listener.join(10)
        assert '"message","news","hello"' in heard[0], heard
        piped = run(*cli, "--pipe", stdin=b"SET a 1\r\n" * 1000, both=True)[1]
        assert "replies: 1000" in piped, piped


@case("TCP", "redis-benchmark", "all")
def redis_benchmark_loses_nothing(w):
    for port in both_kinds(w, "redis"):
        code, out = run("redis-benchmark", "-h", "127.0.0.1", "-p", port, "-n", "20000", "-c", "20", "-P", "16", "-q",
                        "-t", "set,get", seconds=40)
        assert code == 0 and out.count("requests per second") == 2, out


@case("TCP", "mariadb", "all")
def mariadb_speaks_first_and_is_not_kept_waiting(w):
    for port in both_kinds(w, "mariadb"):
        sql = ["mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", port, "-u", "root", "-N"]
        assert run(*sql, "-e", "select 1") == (0, "1\n")
        begun = time.monotonic()
        for _ in range(5):
            answer = run(*sql, "--skip-ssl", "-e", "select length(repeat('x', 3000000))", both=True)
            assert answer == (0, "3000000\n"), answer
        assert time.monotonic() - begun < 5 * FIRST_BYTES_SECONDS
        out = run(*sql, "--ssl", "-e", "show status like 'Ssl_cipher'")[1]
        assert "TLS" in out, out
        assert run(*sql, "--max-allowed-packet=64M", "-e", "select repeat('y', 15000000)")[1] == "y" * 15_000_000 + "\n"


@case("TCP", "psql", "all")
def postgres_negotiates_its_own_tls_or_none(w):
    for port in both_kinds(w, "postgres"):
        psql = ["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1"]
        where = f"host=127.0.0.1 port={port} user=tulle dbname=postgres connect_timeout=10 gssencmode=disable"
        for mode, encrypted in (("disable", "f"), ("prefer", "t"), ("require", "t")):
            out = run(*psql, where + f" sslmode={mode}", "-c", "select ssl from pg_stat_ssl where pid = pg_backend_pid()",
                      both=True)[1]
            assert out.strip() == encrypted, (mode, out)
            out = run(*psql, where + f" sslmode={mode}", "-c", "copy (select repeat('z', 1000) from generate_series(1, 5000)) "
                      "to stdout")[1]
            assert len(out) == 5000 * 1001, len(out)


@case("TCP", "pgbench", "all")
def pgbench_ends_without_a_failed_transaction(w):
    pgbench = next(iter(sorted(w.programs.postgres_folder().glob("pgbench"))))
    for port in both_kinds(w, "postgres"):
        code, out = run(pgbench, "-h", "127.0.0.1", "-p", port, "-U", "tulle", "-n", "-c", "4", "-t", "100",
                        "-f", w.programs.script("select 1;"), "postgres", both=True)
        assert code == 0 and "number of failed transactions: 0" in out and "processed: 400/400" in out, out


@case("TCP", "psql", "both")
def a_query_can_be_cancelled_by_another_connection(w):
    """PostgreSQL cancels by a second connection, of 16 bytes and no answer."""
    where = f"host=127.0.0.1 port={w.port('detect-postgres')} user=tulle dbname=postgres sslmode=disable"
    code, out = run("timeout", "-s", "INT", "1", "psql", "-X", where, "-c", "select pg_sleep(20)", both=True, seconds=15)
    assert "canceling statement due to user request" in out or "Cancel request sent" in out, out
    eventually(lambda: run("psql", "-X", "-At", where, "-c",
                           "select count(*) from pg_stat_activity where query like '%pg_sleep(20)%' and state = 'active' "
                           "and pid <> pg_backend_pid()")[1] == "0\n", 5)


@case("TCP", "socket", "all")
def a_client_may_end_its_side_and_hear_the_answer(w):
    for port in both_kinds(w, "counting"):
        for size in (0, 5, 8 * MIB):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.settimeout(15)
                client.sendall(b"\x01" * size)
                client.shutdown(socket.SHUT_WR)
                got = b""
                while data := client.recv(100):
                    got += data
                assert got == b"%d\n" % size, (port, size, got)


@case("TCP", "socket", "all")
def a_server_may_end_its_side_and_hear_on(w):
    for port in both_kinds(w, "greeting"):
        before = origins.LEARNED["after the greeting"]
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.settimeout(10)
            begun = time.monotonic()
            got = b""
            while data := client.recv(100):
                got += data
            assert got == b"220 speak\r\n", got
            assert time.monotonic() - begun < FIRST_BYTES_SECONDS
            for _ in range(10):
                client.sendall(b"x" * 1000)
                time.sleep(0.02)
        eventually(lambda: origins.LEARNED["after the greeting"] == before + 10_000, 5)


@case("TCP", "socket", "all")
def a_reset_ends_both_sides(w):
    for service in ("counting", "detect-counting"):
        application = w.mesh.services[service].port
        with socket.create_connection(("127.0.0.1", w.port(service))) as client:
            client.sendall(b"\x01abc")
            eventually(lambda: w.programs.established(application))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        eventually(lambda: not w.programs.established(application))


@case("TLS of the application", "curl", "all")
def the_applications_own_tls_passes_through(w):
    certificate, _ = w.programs.own_certificate()
    for service in ("tls", "detect-tls"):
        port = w.port(service)
        for version, spoken in (("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2.0")):
            code, out = run("curl", "-sS", "-m", "10", version, "--cacert", certificate, "--resolve",
                            f"app.example:{port}:127.0.0.1", f"https://app.example:{port}/")
            assert (code, out) == (0, f"app.example {spoken} TLSv1.3\n"), out
        out = run("curl", "-sS", "-m", "10", "--tls-max", "1.2", "--cacert", certificate, f"https://127.0.0.1:{port}/")[1]
        assert out.endswith("TLSv1.2\n"), out


@case("TLS of the application", "curl", "both", "out")
def the_server_name_can_be_seen(w):
    certificate, _ = w.programs.own_certificate()
    for service in ("tls", "detect-tls"):
        port = w.port(service)
        run("curl", "-sS", "-m", "10", "--cacert", certificate, "--resolve", f"app.example:{port}:127.0.0.1",
            f"https://app.example:{port}/")
        seen = json.loads(w.mesh.sidecars["web"].get("/server-names"))["serverNames"]
        assert any(one["name"] == "app.example" and f"/{service}-{w.way}:" in one["at"] for one in seen), seen


@case("TLS of the application", "openssl", "all")
def a_hello_in_pieces_is_understood(w):
    """A ClientHello that comes byte by byte, as over a slow line, goes to the application all the same."""
    certificate, _ = w.programs.own_certificate()
    context = ssl.create_default_context(cafile=certificate)
    for service in ("tls", "detect-tls"):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="app.example")
        with socket.create_connection(("127.0.0.1", w.port(service))) as client:
            client.settimeout(10)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    for byte in outgoing.read():
                        client.sendall(bytes([byte]))
                    data = client.recv(16384)
                    assert data, "closed"
                    incoming.write(data)
            assert tls.version() == "TLSv1.3"
