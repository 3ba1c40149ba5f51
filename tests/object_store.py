"""SeaweedFS as a real S3 server on the loopback address, and a proxy that breaks what it serves."""

import os
import random
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORTS = [
    f"{server}.port{kind}"
    for server in ("admin", "filer", "master", "s3", "volume")
    for kind in ("", ".grpc")
] + ["webdav.port"]
# Of this process alone: another one's server, on a port that both were given, refuses them.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20)}
BUCKET = "shards"


def find_weed():
    """The server's binary: beside this Python, or on the path."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.is_file() else shutil.which("weed")


class Weed:
    """A running SeaweedFS with one bucket."""

    def __init__(self, folder):
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.address = f"http://127.0.0.1:{self.ports['s3.port']}"
        words = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"]
        words += [
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-webdav=false",
            "-admin.ui=false",
            f"-bucket={BUCKET}",
            f"-dir={folder}",
        ]
        words += [f"-{name}={port}" for name, port in self.ports.items()]
        self.log = Path(folder, "log.txt").open("wb")  # noqa: SIM115 - as long as the server
        self.process = subprocess.Popen(
            [find_weed(), "mini", *words],
            env={**os.environ, **CREDENTIALS},
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self._wait()

    def _wait(self):
        """Until the bucket takes an object."""
        import obstore
        from obstore.store import S3Store

        names = {name.lower(): value for name, value in CREDENTIALS.items()}
        quick = {"allow_http": True, "timeout": "5s"}
        options = {"client_options": quick, "retry_config": {"max_retries": 0}}
        store = S3Store(BUCKET, endpoint=self.address, **names, **options)
        deadline = time.monotonic() + 600
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                obstore.put(store, "ready", b"")
            except (obstore.exceptions.BaseError, OSError):
                time.sleep(0.05)
            else:
                return
        self.close()
        raise RuntimeError(Path(self.log.name).read_text()[-2000:])

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def start(folder):
    """A running server; once more if another program took one of its ports meanwhile."""
    for attempt in range(3):
        place = folder / str(attempt)
        place.mkdir()
        try:
            return Weed(place)
        except RuntimeError:
            if attempt == 2:
                raise
    return None


def free_ports(count):
    """Ports that nobody has, and that no client will be given before the server takes them."""
    below_those_of_clients = random.SystemRandom().sample(range(10_000, 32_000), 1_000)
    ports = []
    for port in below_those_of_clients:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            ports.append(port)
        if len(ports) == count:
            return ports
    raise RuntimeError(f"{count} free ports are needed")


class Proxy(ThreadingHTTPServer):
    """Passes requests on to a store; ``faults`` says what happens to those for one object.

    ``asked`` collects method, path and range of each request, ``versions`` the tag that it insists
    on. ``faults`` is a list of callables, one for each coming GET of ``victim``: it gets the
    answering handler and the object's whole answer; None passes the answer on. The last one stays.
    """

    def __init__(self, address):
        super().__init__(("127.0.0.1", 0), Answer)
        self.behind = address.removeprefix("http://")
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.victim, self.faults, self.asked, self.versions = None, [None], [], []
        self.closing = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, request, client_address): ...  # Clients that hang up are expected.

    def close(self):
        self.closing.set()
        self.shutdown()
        self.server_close()

    def next_fault(self):
        return self.faults.pop(0) if len(self.faults) > 1 else self.faults[0]


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_): ...

    def do_GET(self):
        self.pass_on()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - names that Python gives

    def pass_on(self):
        asked = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        behind = HTTPConnection(asked.behind)
        behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            behind.putheader(name, value)  # With the host that was signed.
        behind.endheaders(body)
        answer = behind.getresponse()
        content = answer.read()
        behind.close()
        is_victim = bool(asked.victim) and self.path.split("?")[0].endswith(asked.victim)
        asked.asked.append((self.command, self.path.split("?")[0], self.headers.get("Range")))
        asked.versions.append(self.headers.get("If-Match"))
        fault = asked.next_fault() if is_victim and self.command == "GET" else None
        if fault is None:
            self.head(answer.status, answer.getheaders(), len(content))
            self.wfile.write(content)
        else:
            fault(self, answer, content)

    def head(self, status, headers, length):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(length))
        else:
            self.send_header("Content-Length", dict(headers).get("Content-Length", "0"))
        self.end_headers()


def refuse(status):
    """Answers with a status alone."""

    def fault(handler, _answer, _content):
        handler.head(status, [], 0)

    return fault


def cut(count, *, reset=False):
    """Promises everything and hangs up after ``count`` bytes of this answer."""

    def fault(handler, answer, content):
        handler.head(answer.status, answer.getheaders(), len(content))
        handler.wfile.write(content[:count])
        handler.wfile.flush()
        if reset:
            time.sleep(0.05)  # A reset throws away what has not been read.
            linger = b"\1\0\0\0\0\0\0\0"
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        else:
            handler.connection.shutdown(socket.SHUT_RDWR)
        handler.connection.close()
        handler.close_connection = True

    return fault


def stall(count):
    """Says nothing more after ``count`` bytes, as long as the proxy is there."""

    def fault(handler, answer, content):
        handler.head(answer.status, answer.getheaders(), len(content))
        handler.wfile.write(content[:count])
        handler.wfile.flush()
        handler.server.closing.wait()
        handler.close_connection = True

    return fault


def shorten(count):
    """Serves an object that is only ``count`` bytes long, and says so."""

    def fault(handler, answer, content):
        handler.head(answer.status, answer.getheaders(), count)
        handler.wfile.write(content[:count])

    return fault


def flip(offset):
    """Flips a bit of the object."""

    def fault(handler, answer, content):
        damaged = bytearray(content)
        damaged[offset] ^= 1
        handler.head(answer.status, answer.getheaders(), len(content))
        handler.wfile.write(damaged)

    return fault


def retag(handler, answer, content):
    """Serves another version."""
    headers = [(k, '"another"' if k.lower() == "etag" else v) for k, v in answer.getheaders()]
    handler.head(answer.status, headers, len(content))
    handler.wfile.write(content)
