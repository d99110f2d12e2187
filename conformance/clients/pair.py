"""Two sidecars as processes, configured by files: `web` calls `shop/catalog`, whose sidecar passes it on to an application.

There are three ways to each application: through both sidecars with mutual TLS between them, in plain text into the
application's sidecar alone, and out of the caller's sidecar alone to an application without one.
"""

import contextlib
import datetime
import json
import os
import pathlib
import random
import socket
import subprocess
import time
import typing
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

READY_SECONDS = 60
GIVEN = set()
WAYS = ("both", "into", "out")
TRUST_DOMAIN = "cluster.local"
FLAGS = ["-Xmx64m", "-XX:MaxDirectMemorySize=64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
         "--enable-native-access=ALL-UNNAMED"]


class Service(typing.NamedTuple):
    """What the mesh is told of one application: what its port speaks (`http`, `grpc`, `tcp`, `detect`) and where it listens."""

    protocol: str
    port: int
    host: str = "127.0.0.1"


def free_port(host="127.0.0.1"):
    """A port that nobody listens on and that was not given before, outside the range that dialling takes ports from."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:
            with contextlib.suppress(OSError):
                s.bind((host, port))
                if port not in GIVEN:
                    GIVEN.add(port)
                    return port


def has_ipv6():
    with socket.socket(socket.AF_INET6) as s:
        try:
            s.bind(("::1", 0))
            return True
        except OSError:
            return False


def address(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def identity(account):
    return f"spiffe://{TRUST_DOMAIN}/ns/shop/sa/{account}"


class Authority:
    """Signs workload certificates; its root is the trust bundle."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "clients")])
        self.root = self._builder(self.name, self.key.public_key(), True, None).sign(self.key, hashes.SHA256())

    def _builder(self, subject, public_key, authority, uri):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=1))
            .not_valid_after(now + datetime.timedelta(hours=12))
            .add_extension(x509.BasicConstraints(authority, None), True)
            .add_extension(
                x509.KeyUsage(not authority, False, False, False, False, authority, authority, False, False), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
        )
        if uri:
            builder = (
                builder.add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), True)
                .add_extension(
                    x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False)
            )
        return builder

    def root_pem(self):
        return self.root.public_bytes(serialization.Encoding.PEM).decode()

    def write_leaf(self, folder, account):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, account)])
        leaf = self._builder(name, key.public_key(), False, identity(account)).sign(self.key, hashes.SHA256())
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "chain.pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
        (folder / "key.pem").write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        (folder / "key.pem").chmod(0o600)


class Sidecar:
    def __init__(self, program, folder, name, config):
        folder = pathlib.Path(folder)
        (folder / f"{name}.json").write_text(json.dumps(config))
        self.admin = free_port()
        self.log = open(folder / f"{name}.log", "w")
        self.process = subprocess.Popen(
            ["java", *FLAGS, *os.environ.get("CLIENTS_JAVA_FLAGS", "").split(), *program,
             "--config", str(folder / f"{name}.json"), "--identity-dir", str(folder / f"{name}.identity"),
             "--admin", "off", "--admin-local", f"127.0.0.1:{self.admin}", "--drain-delay", "100ms",
             "--drain-timeout", "2s", "--concurrency", "1"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=5) as answer:
            return answer.read().decode()

    def await_ready(self):
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self.get("/readyz")
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"not ready; see {self.log.name}")

    def resident_mib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) // 1024
        return 0

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Pair:
    """A caller's and a callee's sidecar; every service has a port for each way to it."""

    def __init__(self, program, folder, services):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        authority = Authority()
        self.services = services
        self.ports = {(name, way): free_port(service.host) for name, service in services.items() for way in WAYS}
        bundle = {"trustDomain": TRUST_DOMAIN, "anchors": [authority.root_pem()], "issuer": ""}
        inbound, outbound, destinations = [], [], []
        for number, (name, service) in enumerate(services.items()):
            application = address(service.host, service.port)
            public = address(service.host, self.ports[name, "into"])
            inbound.append({"name": name, "port": 8000 + number, "servicePorts": [], "protocol": service.protocol,
                            "listen": public, "application": application})
            for way, called, proven in (("both", public, identity("catalog")), ("out", application, None)):
                cluster = f"shop/{name}-{way}"
                key = f"svc:{cluster}:{8000 + number}"
                outbound.append({"listen": address(service.host, self.ports[name, way]), "destination": key})
                destinations.append({
                    "kind": "service", "key": key, "service": cluster, "protocol": service.protocol,
                    "routes": [{"name": "", "matches": None, "clusters": [{"cluster": cluster, "weight": 1}]}],
                    "clusters": [{"name": cluster, "endpoints": [{
                        "address": called, "workload": "shop/catalog-1", "identity": proven, "zone": ""}]}]})
        self.sidecars = {}
        try:
            for name, ins, outs, known in (("catalog", inbound, [], []), ("web", [], outbound, destinations)):
                authority.write_leaf(folder / f"{name}.identity", name)
                self.sidecars[name] = Sidecar(program, folder, name, {
                    "version": 1,
                    "workload": {
                        "workload": f"shop/{name}-1", "owner": name, "identity": identity(name), "inbound": ins,
                        "outbound": outs, "policy": {"access": "open", "unmeshed": "allow", "sameIdentity": False,
                                                     "grants": []},
                        "meshNetworks": [], "healthCheck": None},
                    "destinations": known, "trust": bundle})
            for sidecar in self.sidecars.values():
                sidecar.await_ready()
        except BaseException:
            self.close()
            raise

    def resident_mib(self):
        return {name: sidecar.resident_mib() for name, sidecar in self.sidecars.items()}

    def close(self):
        for sidecar in self.sidecars.values():
            sidecar.close()
