import io
import tarfile
from dataclasses import replace

import pytest
from webdataset.tariterators import group_by_keys, tar_file_expander

from ppvd.data.archive import read_samples
from ppvd.data.build import sha256
from ppvd.data.encode import Sample, encode
from ppvd.data.errors import BadSampleError, ShardError
from ppvd.data.manifest import Manifest, ShardEntry


@pytest.fixture
def shard(build):
    """A folder with one shard of five samples, and what its manifest says of it."""
    folder = build(count=5, shard=5)
    return folder, Manifest.load(folder).shards[0]


def rewrite(folder, entry: ShardEntry, change) -> ShardEntry:
    """Change the tar's list of (name, payload) and let the manifest agree on the size."""
    path = folder / entry.file
    with tarfile.open(path) as tar:
        members = [(member.name, tar.extractfile(member).read()) for member in tar]
    with tarfile.open(path, "w") as tar:
        for name, payload in change(members):
            header = tarfile.TarInfo(name)
            header.size = len(payload)
            tar.addfile(header, io.BytesIO(payload))
    return replace(entry, bytes=path.stat().st_size, sha256=sha256(path))


def keys(folder, entry, **interval):
    return [raw.key for raw in read_samples(entry, root=str(folder), **interval)]


def test_samples_come_whole_and_in_order(shard):
    folder, entry = shard
    samples = list(read_samples(entry, root=str(folder)))
    assert [raw.key for raw in samples] == [f"toy/{number:06d}" for number in range(5)]
    assert all(raw.members.keys() == {"jpg", "depth.u16.zst"} for raw in samples)


@pytest.mark.parametrize(("start", "stop"), [(0, 5), (0, 2), (3, 5), (1, 4), (4, 5), (2, 2)])
def test_an_interval_holds_exactly_its_samples(shard, start, stop):
    folder, entry = shard
    expected = [f"toy/{number:06d}" for number in range(start, stop)]
    assert keys(folder, entry, start=start, stop=stop) == expected


def test_plain_webdataset_reads_the_same_samples(shard):
    folder, entry = shard
    with (folder / entry.file).open("rb") as stream:
        members = tar_file_expander([{"url": entry.file, "stream": stream}])
        samples = [sample for sample in group_by_keys(members) if "__key__" in sample]
    assert [sample["__key__"] for sample in samples] == keys(folder, entry)
    ours = read_samples(entry, root=str(folder))
    for plain, raw in zip(samples, ours, strict=True):
        assert {name: plain[name] for name in raw.members} == raw.members


def test_a_missing_shard_is_named(shard):
    folder, entry = shard
    (folder / entry.file).unlink()
    with pytest.raises(ShardError, match=rf"{entry.file} must exist.*root"):
        keys(folder, entry)


def test_an_empty_shard_is_named(shard):
    folder, entry = shard
    (folder / entry.file).write_bytes(b"")
    with pytest.raises(ShardError, match=rf"{entry.file} must have {entry.bytes} bytes.*got 0"):
        keys(folder, entry)


def test_another_size_is_noticed_before_the_first_sample(shard):
    folder, entry = shard
    with (folder / entry.file).open("ab") as stream:
        stream.write(b"\0" * 512)
    with pytest.raises(ShardError, match=f"must have {entry.bytes} bytes"):
        next(read_samples(entry, root=str(folder)))


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_cut_between_samples_is_noticed(shard, count):
    folder, entry = shard
    entry = rewrite(folder, entry, lambda members: members[: 3 * count])
    with pytest.raises(ShardError, match=f"must hold 5 samples .* ends after {count}"):
        keys(folder, entry)


@pytest.mark.parametrize("count", [4, 5, 13, 14])
def test_a_cut_between_two_members_of_a_sample_is_noticed(shard, count):
    folder, entry = shard
    entry = rewrite(folder, entry, lambda members: members[:count])
    with pytest.raises(BadSampleError, match="must hold a json"):
        keys(folder, entry)


def test_a_stream_cut_at_a_member_edge_is_noticed_without_a_true_size(shard):
    folder, entry = shard
    whole = (folder / entry.file).read_bytes()
    with tarfile.open(folder / entry.file) as tar:
        edges = [member.offset for member in tar][1:]

    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *_):
            raise io.UnsupportedOperation

    def read(length, **interval):
        return list(
            read_samples(
                entry,
                root="pipe",
                opener=lambda *_: (Pipe(whole[:length]), entry.bytes),
                **interval,
            )
        )

    for edge in edges:
        with pytest.raises(ShardError, match=r"must hold a json|ends after"):
            read(edge)
    assert len(read(None, start=2)) == 3


def test_a_cut_inside_a_member_is_noticed(shard):
    folder, entry = shard
    path = folder / entry.file
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(ShardError, match=entry.file):
        keys(folder, replace(entry, bytes=1500))


def test_a_damaged_header_is_noticed(shard):
    folder, entry = shard
    path = folder / entry.file
    with tarfile.open(path) as tar:
        offset = [member.offset for member in tar][7]
    damaged = bytearray(path.read_bytes())
    damaged[offset + 3] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(ShardError, match=entry.file):
        keys(folder, entry)


def test_a_damaged_payload_costs_its_sample_alone(shard):
    folder, entry = shard
    path = folder / entry.file
    with tarfile.open(path) as tar:
        offset = next(m.offset_data for m in tar if m.name == "toy/000002.jpg")
    damaged = bytearray(path.read_bytes())
    damaged[offset + 300] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(BadSampleError, match=r"toy/000002: checksum"):
        keys(folder, entry)
    assert keys(folder, entry, start=3) == ["toy/000003", "toy/000004"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: [*m, ("toy/000009.json", b"{}")], "after|comes after"),
        (lambda m: [*m[:12], *m[:3]], "each sample once"),
        (lambda m: [m[0], *m], "each member once"),
        (lambda m: [("README", b""), *m], "samples alone"),
        (lambda m: [(name.replace("toy", "Toy"), data) for name, data in m], "key must be"),
    ],
)
def test_what_does_not_belong_is_noticed(shard, change, message):
    folder, entry = shard
    entry = rewrite(folder, entry, change)
    with pytest.raises(ShardError, match=message):
        keys(folder, entry)


def test_members_of_two_shards_never_join(build, frame):
    """The first shard ends within a sample whose key the second one begins with."""
    folder = build(count=2, shard=1)
    first, second = Manifest.load(folder).shards
    whole = encode(Sample(key="b", frames=(frame(1),)), dataset="toys", split="train", licence="")
    head = [("b.jpg", whole["jpg"])]
    tail = [("b.depth.u16.zst", whole["depth.u16.zst"]), ("b.json", whole["json"])]
    for entry, members in ((first, head), (second, tail)):
        entry = rewrite(folder, entry, lambda _, new=members: new)
        with pytest.raises(BadSampleError):
            keys(folder, entry)
