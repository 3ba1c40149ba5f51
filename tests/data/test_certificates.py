"""Shards behind https: a server is believed by its certificate alone."""

import shutil
import ssl
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ppvd.data import storage
from ppvd.data.check import check_shards
from ppvd.data.folder import folder_at
from ppvd.data.source import ShardSource

pytest.importorskip("obstore")
pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes certificates")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_): ...


@pytest.fixture
def authority(tmp_path):
    """An authority's certificate, and a server's that it has signed, with its key."""
    folder = tmp_path / "authority"
    folder.mkdir()
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    new = "-newkey rsa:2048 -nodes -days 2"
    for words in (
        f"req -x509 {new} -keyout ca.key -out ca.pem -subj /CN=tests",
        f"req {new} -keyout server.key -out server.csr -subj /CN=127.0.0.1",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
        " -out server.pem -extfile names",
    ):
        subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def server(build, authority, monkeypatch):
    """The address of a set behind https."""
    handler = partial(Quiet, directory=str(build(count=3)))
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem", authority / "server.key")
    running.socket = context.wrap_socket(running.socket, server_side=True)
    running.handle_error = lambda *_: None  # Clients that do not believe it hang up.
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    storage._store.cache_clear()
    yield f"https://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()
    storage._store.cache_clear()


def test_a_certificate_of_an_authority_that_is_named_is_accepted(server, authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
    assert ShardSource(manifest=server).open().num_samples == 3
    assert list(check_shards(server)) == []


def test_a_set_is_not_built_over_http(server):
    with pytest.raises(OSError, match="over HTTP it can be read alone"):
        folder_at(server).names()


def test_another_certificate_is_refused_at_once_with_what_to_do(server, caplog):
    with pytest.raises(OSError, match=r"certificate is not accepted \(UnknownIssuer\).*SSL_CERT_F"):
        storage.read_bytes(f"{server}/manifest.json")
    assert "try 1" not in caplog.text
