"""Servers nobody here wrote, started as processes on loopback ports in temporary folders, and ended by their process ids."""

import datetime
import ipaddress
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import pair

START_SECONDS = 30
MIB = 1024 * 1024
POSTGRES = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))


class Missing(Exception):
    """A program is not installed; says which."""


def require(*names):
    absent = [name for name in names if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
    if absent:
        raise Missing(", ".join(absent))


class Programs:
    """What runs beside the sidecars. `folder` may be read by the users that databases run as."""

    def __init__(self, tools):
        self.tools = tools
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tulle-clients-"))
        self.folder.chmod(0o755)
        self.running = []

    def start(self, name, command, user=None, **more):
        if user and os.geteuid() == 0:
            more |= {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
        with open(self.folder / f"{name}.log", "ab") as log:
            # They end with us, however we end.
            process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, **more)
        self.running.append(process)
        return process

    def stop(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGINT if "postgres" in str(process.args[3]) else signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.running:
            self.running.remove(process)

    def await_port(self, port, process, host="127.0.0.1"):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and process.poll() is None:
            try:
                socket.create_connection((host, port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"{process.args[3]} does not listen; see {self.folder}")

    def folder_for(self, name, user=None):
        folder = self.folder / name
        folder.mkdir()
        if user and os.geteuid() == 0:
            shutil.chown(folder, user)
        return folder

    def own_certificate(self):
        """A certificate for `app.example` that no mesh knows: (certificate, key) as files."""
        certificate, key_file = self.folder / "app.crt", self.folder / "app.key"
        if not certificate.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app.example")])
            now = datetime.datetime.now(datetime.timezone.utc)
            made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                    .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
                    .not_valid_after(now + datetime.timedelta(days=1))
                    .add_extension(x509.SubjectAlternativeName([
                        x509.DNSName("app.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
                    .sign(key, hashes.SHA256()))
            certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
            key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                   serialization.NoEncryption()))
        return certificate, key_file

    def close(self):
        for process in reversed(list(self.running)):
            self.stop(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def postgres_folder(self):
        return POSTGRES[-1].parent

    def script(self, text):
        file = self.folder / "script.sql"
        file.write_text(text)
        return file

    @staticmethod
    def established(port):
        """How many IPv4 connections an application on this port has accepted and not lost."""
        rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(state == "01" and int(local.split(":")[1], 16) == port for _, local, _, state, *_ in rows)

    # The programs; each gives the port it listens on, or several.

    def nginx(self, grpc_port, websocket_port):
        """nginx as an application: HTTP/1.1 (`one`), HTTP/2 in plain text (`two`), its own TLS (`tls`)."""
        require("nginx")
        folder = self.folder_for("nginx")
        (folder / "put").mkdir(mode=0o777)
        (folder / "hello").write_bytes(b"hello\n")
        (folder / "text.txt").write_bytes(b"".join(b"%08d a line of text\n" % n for n in range(5000)))
        (folder / "big").write_bytes(secrets.token_bytes(MIB) * 16)
        certificate, key = self.own_certificate()
        ports = {name: pair.free_port() for name in ("one", "two", "tls")}
        common = """
            location = /status/204 { return 204; }
            location = /status/401 { return 401; }
            location = /status/404 { return 404; }
            location = /status/503 { return 503 "tired"; }
            location / { root %s; }
            location /put/ { root %s; dav_methods PUT; client_max_body_size 2g; }
            location /small/ { client_max_body_size 1k; root %s; dav_methods PUT; }
        """ % (folder, folder, folder)
        (folder / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log warn;
events {{ worker_connections 2048; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  types {{ text/plain txt; }} gzip on; gzip_types text/plain; gzip_min_length 100;
  server {{
    listen 127.0.0.1:{ports['one']}; listen [::1]:{ports['one']}; keepalive_requests 20; {common}
    location /echo-host {{ return 200 "$http_host"; }}
    location /ws {{ proxy_pass http://127.0.0.1:{websocket_port}; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }}
  }}
  server {{
    listen 127.0.0.1:{ports['two']} http2; keepalive_requests 200; {common}
    client_max_body_size 2g;
    location /s.S/ {{ grpc_pass grpc://127.0.0.1:{grpc_port}; }}
    location /grpc.health.v1.Health/ {{ grpc_pass grpc://127.0.0.1:{grpc_port}; }}
    location /answers/401 {{ return 401; }}
    location /answers/403 {{ return 403; }}
    location /answers/404 {{ return 404; }}
    location /answers/429 {{ return 429; }}
    location /answers/502 {{ return 502; }}
    location /answers/503 {{ return 503; }}
    location /answers/504 {{ return 504; }}
    location /answers/500 {{ return 500; }}
  }}
  server {{
    listen 127.0.0.1:{ports['tls']} ssl http2; ssl_certificate {certificate}; ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {{ return 200 "$ssl_server_name $server_protocol $ssl_protocol\\n"; }}
  }}
}}
""")
        process = self.start("nginx", ["nginx", "-c", folder / "nginx.conf", "-p", folder, "-e", folder / "error.log"])
        self.await_port(ports["one"], process)
        return ports

    def haproxy(self, backend):
        require("haproxy")
        folder = self.folder_for("haproxy")
        port = pair.free_port()
        (folder / "haproxy.cfg").write_text(f"""
global
  maxconn 500
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
  timeout http-keep-alive 1s
  option http-server-close
frontend f
  bind 127.0.0.1:{port}
  default_backend b
backend b
  server s 127.0.0.1:{backend}
""")
        self.await_port(port, self.start("haproxy", ["haproxy", "-db", "-f", folder / "haproxy.cfg"]))
        return port

    def nghttpx(self, name, backend, protocol):
        """A proxy that takes HTTP/1.1 and HTTP/2 in plain text and speaks `protocol` to its backend."""
        require("nghttpx")
        port = pair.free_port()
        self.await_port(port, self.start(name, [
            "nghttpx", f"-f127.0.0.1,{port};no-tls", f"-b127.0.0.1,{backend};;proto={protocol}", "--workers=1",
            "--conf=/dev/null", "--no-ocsp", "-LWARN", "--single-process"]))
        return port

    def node(self, script):
        """Node.js as an application; ports of HTTP/1.1 and HTTP/2."""
        require("node")
        ports = pair.free_port(), pair.free_port()
        process = self.start("node", ["node", script, "serve", str(ports[0]), str(ports[1])])
        self.await_port(ports[1], process)
        return ports

    def late(self, port):
        """A web server of Python, on a port that nobody had until now."""
        process = self.start("late", ["python3", "-m", "http.server", "--bind", "127.0.0.1", str(port)], cwd=self.folder)
        self.await_port(port, process)
        return process

    def mortal(self, port):
        """gRPC for Python in a process of its own, to be killed."""
        code = f"import origins, time; origins.grpc_server(port={port}); time.sleep(60)"
        process = self.start("mortal", [sys.executable, "-c", code], cwd=pathlib.Path(__file__).parent)
        self.await_port(port, process)
        return process

    def go_interop(self):
        if not (self.tools / "grpc-interop-server").exists():
            raise Missing("interop programs of grpc-go")
        port = pair.free_port()
        self.await_port(port, self.start("go-interop", [self.tools / "grpc-interop-server", f"-port={port}"]))
        return port

    def redis(self):
        require("redis-server", "redis-cli", "redis-benchmark")
        folder = self.folder_for("redis", "redis")
        port = pair.free_port()
        self.await_port(port, self.start("redis", [
            "redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no",
            "--daemonize", "no", "--logfile", ""], user="redis"))
        return port

    def mariadb(self):
        require("mariadbd", "mariadb", "mariadb-install-db")
        folder = self.folder_for("mariadb", "mysql")
        certificate, key = self.own_certificate()
        key.chmod(0o644)
        port = pair.free_port()
        data = folder / "data"
        install = self.start("mariadb-install", [
            "mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
            "--skip-test-db"], user="mysql")
        if install.wait(60):
            raise RuntimeError(f"mariadb-install-db failed; see {self.folder}")
        self.running.remove(install)
        process = self.start("mariadb", [
            "/usr/sbin/mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={folder}/socket", f"--port={port}",
            "--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-grant-tables", "--skip-log-bin",
            "--max-allowed-packet=64M", "--innodb-buffer-pool-size=16M", f"--ssl-cert={certificate}", f"--ssl-key={key}"],
            user="mysql")
        self.await_port(port, process)
        return port

    def postgres(self):
        if not POSTGRES:
            raise Missing("postgresql")
        require("psql")
        program = POSTGRES[-1]
        folder = self.folder_for("postgres", "postgres")
        certificate, key = self.own_certificate()
        own_key = folder / "app.key"
        shutil.copy(key, own_key)
        own_key.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(own_key, "postgres")
        port = pair.free_port()
        data = folder / "data"
        install = self.start("initdb", [program.with_name("initdb"), "-D", data, "-U", "tulle", "-A", "trust", "-N"],
                             user="postgres", cwd=folder)
        if install.wait(60):
            raise RuntimeError(f"initdb failed; see {self.folder}")
        self.running.remove(install)
        process = self.start("postgres", [
            program, "-D", data, "-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1,::1", "-c", "ssl=on",
            "-c", f"ssl_cert_file={certificate}", "-c", f"ssl_key_file={own_key}", "-c", "fsync=off",
            "-c", "shared_buffers=16MB"], user="postgres", cwd=folder)
        self.await_port(port, process)
        return port
