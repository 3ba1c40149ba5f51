from benchmarks import data_throughput


def test_the_benchmark_compares_disk_and_store(tmp_path, monkeypatch, capsys, s3):
    monkeypatch.setattr(data_throughput, "SIZE", (24, 32))
    words = ["--folder", str(tmp_path / "set"), "--url", s3, "--count", "2", "--turns", "1"]
    data_throughput.main(words)
    rows = capsys.readouterr().out.splitlines()
    ways = ["undecoded", "integers", "floats", "augmented"]
    assert [row.split()[0] for row in rows] == ways
    assert all("disk" in row and "MB/s" in row and "store/disk" in row for row in rows)
