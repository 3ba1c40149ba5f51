"""Shards in a real object store: every fault ends in all samples, a counted loss, or a stop."""

import logging
import os
import shutil
import ssl
import subprocess
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ppvd.data import storage
from ppvd.data.check import check_shards
from ppvd.data.collate import with_floats
from ppvd.data.errors import ShardError
from ppvd.data.folder import folder_at
from ppvd.data.manifest import Manifest
from ppvd.data.plan import Reader
from ppvd.data.source import ShardSource
from ppvd.data.storage import join, object_at, open_sized, parent, read_bytes
from ppvd.data.stream import EvalStream, TrainStream

obstore = pytest.importorskip("obstore")


@pytest.fixture
def uploaded(build, s3):
    """A set of three shards with four samples each: its folder here, and its URL."""
    folder = build(count=12, shard=4)
    for path in folder.iterdir():
        store, name = object_at(join(s3, path.name))
        obstore.put(store, name, path)
    return folder, s3


def evaluate(url):
    """Keys and depths of every sample, each once, or an error."""
    shards = ShardSource(manifest=url).open()
    stream = EvalStream(name="toys", shards=shards, batch_size=1)
    batches = list(stream.read(epoch=0, reader=Reader()))
    return [(batch["key"][0], batch["depth"].sum().item()) for batch in batches]


def train(url, *, max_bad_fraction):
    """Keys and depths of one pass in the manifest's number of samples."""
    shards = ShardSource(manifest=url).open()
    stream = TrainStream(
        sources={"toys": shards},
        weights={"toys": 1.0},
        size=(24, 36),
        batch_size=1,
        num_batches=12,
        seed=0,
        augment=None,
        shuffle_buffer=1,
        max_bad_fraction=max_bad_fraction,
    )
    batches = list(map(with_floats, stream.read(epoch=0, reader=Reader())))
    return [(batch["key"][0], batch["depth"].sum().item()) for batch in batches]


@pytest.fixture
def victim(uploaded, proxy):
    """The middle shard behind the proxy: its name, where its members begin, and its URL."""
    folder, url = uploaded
    entry = Manifest.load(folder).shards[1]
    proxy.victim = entry.file
    with tarfile.open(folder / entry.file) as archive:
        return entry, [member.offset for member in archive], url


# What passes: all samples, each once.


def test_a_set_in_a_bucket_reads_as_one_in_a_folder(uploaded):
    folder, url = uploaded
    assert evaluate(url) == evaluate(str(folder))
    assert len(evaluate(f"{url}/manifest.json")) == 12
    assert train(url, max_bad_fraction=0) == train(str(folder), max_bad_fraction=0)


@pytest.mark.parametrize("place", ["in a member", "at a member's edge", "at a sample's edge"])
@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_that_breaks_is_continued_at_its_byte(
    victim, proxy, object_store, monkeypatch, place, reset
):
    monkeypatch.setattr("ppvd.data.storage.CHUNK_BYTES", 16)
    entry, edges, url = victim
    count = {"in a member": edges[4] + 700, "at a member's edge": edges[4]}.get(place, edges[6])
    proxy.faults = [object_store.cut(count, reset=reset), object_store.cut(100), None]
    read = evaluate(url)
    requests = zip(proxy.asked, proxy.versions, strict=True)
    ranges, versions = zip(
        *((asked[2], version) for asked, version in requests if asked[1].endswith(entry.file)),
        strict=True,
    )
    assert ranges[0] is None
    first, second = (int((asked or "0").strip("bytes=-")) for asked in ranges[1:])
    assert [version is not None for version in versions] == [False, True, True]
    # Less than a chunk is asked for again; after a reset, also what it threw away.
    assert first <= count
    assert 100 - 16 < second - first <= 100
    assert reset or count - first < 16
    assert read == evaluate(url)


def test_two_refusals_for_want_of_time_are_waited_for(victim, proxy, object_store, caplog):
    _, _, url = victim
    proxy.faults = [object_store.refuse(503), object_store.refuse(503), None]
    with caplog.at_level(logging.WARNING):
        assert len(evaluate(url)) == 12
    assert "try 2 of 12" in caplog.text


def test_silence_is_a_broken_connection(victim, proxy, object_store):
    _, edges, url = victim
    proxy.faults = [object_store.stall(edges[5] + 9), None]
    assert evaluate(url) == evaluate(url)


def test_an_end_before_the_end_is_a_broken_connection(uploaded):
    folder, url = uploaded
    name = Manifest.load(folder).shards[0].file
    stream, _ = open_sized(join(url, name))
    with stream:
        stream.raw._chunks = iter(())
        assert stream.read() == (folder / name).read_bytes()


# What does not pass: a stop that names the shard, or a loss that is counted.

ALWAYS = {
    "no such object": (lambda faults, _: faults.refuse(404), "must exist", 1),
    "no access": (lambda faults, _: faults.refuse(403), "access is denied", 1),
    "no credentials": (lambda faults, _: faults.refuse(401), "access is denied", 1),
    "refused": (lambda faults, _: faults.refuse(400), "the request is refused", 1),
    "not made for it": (lambda faults, _: faults.refuse(501), "the request is refused", 1),
    "down for ever": (lambda faults, _: faults.refuse(503), "4 tries failed.*503", 4),
    "cut object": (lambda faults, edges: faults.shorten(edges[6]), "must have .* bytes", 1),
    "flipped header": (lambda faults, edges: faults.flip(edges[4] + 5), "must hold a json", 1),
    "flipped picture": (lambda faults, edges: faults.flip(edges[3] + 512 + 200), "checksum", None),
}


@pytest.mark.parametrize("fault", ALWAYS)
def test_what_waiting_does_not_mend_is_told_or_counted(
    victim, proxy, object_store, monkeypatch, caplog, fault
):
    entry, edges, url = victim
    make, message, num_tries = ALWAYS[fault]
    expected = dict(evaluate(url))
    proxy.faults, proxy.asked[:] = [make(object_store, edges)], []
    monkeypatch.setattr("ppvd.data.retry.MAX_ATTEMPTS", 4)
    with pytest.raises(ShardError, match=f"{entry.file}.*{message}"):
        evaluate(url)
    if num_tries is not None:
        assert sum(path.endswith(entry.file) for _, path, _ in proxy.asked) == num_tries
    with pytest.raises(ShardError, match=entry.file):
        train(url, max_bad_fraction=0)
    read = train(url, max_bad_fraction=0.4)
    assert len(read) == 12
    assert all(expected[key] == depth for key, depth in read)  # Never another scene's depth.
    assert len({key for key, _ in read}) in (8, 9, 11)
    assert f"{entry.file}" in caplog.text
    assert "left out" in caplog.text


def test_an_object_replaced_while_it_is_read_stops(victim, proxy, object_store):
    entry, edges, url = victim
    for change in (object_store.refuse(412), object_store.retag):
        proxy.faults = [object_store.cut(edges[4]), change]
        with pytest.raises(ShardError, match=f"{entry.file}.*was replaced while it was read"):
            evaluate(url)


def test_an_object_really_replaced_while_it_is_read_stops(s3):
    # More than a chunk, and little enough to be on its way whole: the store keeps a writer waiting
    # for a minute while a reader leaves it waiting.
    store, name = object_at(join(s3, "a.tar"))
    obstore.put(store, name, os.urandom(300_000))
    stream, num_bytes = open_sized(join(s3, "a.tar"))
    assert num_bytes == 300_000
    stream.read(10)
    obstore.put(store, name, os.urandom(300_000))
    stream.raw._chunks = None  # As if the connection had broken.
    with pytest.raises(OSError, match="was replaced while it was read"):
        stream.read()


def test_no_more_than_a_chunk_is_held(s3):
    store, name = object_at(join(s3, "a.bin"))
    content = os.urandom(5_000_000)
    obstore.put(store, name, content)
    stream, _ = open_sized(join(s3, "a.bin"))
    read = b""
    while some := stream.read(70_000):
        read += some
        assert len(stream.raw._chunk) < 2_000_000
    assert read == content


def test_a_missing_manifest_is_named(s3):
    with pytest.raises(ShardError, match=rf"manifest {s3}/none/manifest.json must exist"):
        ShardSource(manifest=f"{s3}/none").open()


def test_wrong_credentials_are_told(uploaded, monkeypatch):
    _, url = uploaded
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    storage._store.cache_clear()
    with pytest.raises(ShardError, match="access is denied, check the credentials"):
        ShardSource(manifest=url).open()


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/", "https://host/a?token=1"])
def test_a_url_without_a_name_is_refused(url):
    with pytest.raises(ValueError, match="URL must be scheme://bucket/name"):
        object_at(url)


def test_a_process_forked_after_use_is_told_instead_of_hanging(s3, monkeypatch):
    monkeypatch.setattr("ppvd.data.storage._users", [os.getpid() + 1])
    with pytest.raises(OSError, match="start processes with the method spawn"):
        read_bytes(join(s3, "a"))


# Locations of this machine.


def test_a_file_url_is_a_path(tmp_path):
    (tmp_path / "a b").write_bytes(b"here")
    assert read_bytes((tmp_path / "a b").as_uri()) == read_bytes(str(tmp_path / "a b")) == b"here"
    assert parent("manifest.json") == "."
    assert parent("s3://bucket/set/manifest.json") == "s3://bucket/set"


def test_a_set_is_read_by_file_url(build):
    folder = build(count=3)
    assert evaluate(folder.as_uri()) == evaluate(str(folder))


# Plain web servers.


@pytest.fixture
def web(build):
    """A folder with a set, and its URL on a server that knows neither ranges nor tags."""
    folder = build(count=5, shard=2)
    handler = partial(QuietHandler, directory=folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_): ...


def test_a_set_behind_a_plain_web_server_is_read(web):
    folder, url = web
    assert evaluate(url) == evaluate(str(folder))


@pytest.fixture(scope="module")
def own_certificate(tmp_path_factory):
    """A certificate for the loopback address that no authority has signed, and its key."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("certificate")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test"
    words += " -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE"
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run([program, *words.split(), *files], check=True, capture_output=True)
    return folder / "certificate.pem", folder / "key.pem"


@pytest.fixture
def encrypted(web, own_certificate):
    """The set behind https, and its server's certificate."""
    folder, _ = web
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own_certificate)
    handler = partial(QuietHandler, directory=folder)
    server = QuietServer(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    storage._store.cache_clear()
    yield folder, f"https://127.0.0.1:{server.server_port}", own_certificate[0]
    storage._store.cache_clear()
    server.shutdown()
    server.server_close()


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, request, client_address): ...  # Clients that do not trust it hang up.


def test_a_set_is_read_by_https_from_a_server_that_the_environment_trusts(encrypted, monkeypatch):
    folder, url, certificate = encrypted
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert evaluate(url) == evaluate(str(folder))
    assert list(check_shards(url)) == []


def test_a_server_that_nobody_vouches_for_is_not_read(encrypted, caplog):
    _, url, _ = encrypted
    with pytest.raises(ShardError, match=r"certificate is not accepted \(\w+\).* SSL_CERT_FILE"):
        ShardSource(manifest=url).open()
    assert "try 1" not in caplog.text


def test_a_set_is_not_built_over_http(web):
    _, url = web
    with pytest.raises(OSError, match="over HTTP it can be read alone"):
        folder_at(url).names()


def test_a_break_that_a_server_cannot_continue_is_a_stop(web, monkeypatch):
    """It would answer with the whole file, whose beginning must not be taken for the rest."""
    _, url = web
    monkeypatch.setattr("ppvd.data.retry.MAX_ATTEMPTS", 2)
    monkeypatch.setattr("ppvd.data.retry.FIRST_WAIT_S", 0.01)
    monkeypatch.setattr("ppvd.data.storage.CHUNK_BYTES", 512)
    stream, _ = open_sized(f"{url}/toys-train-000000.tar")
    with stream:
        stream.read(600)
        stream.raw._chunks = None  # As if the connection had broken.
        with pytest.raises(OSError, match="2 tries failed"):
            stream.read()
