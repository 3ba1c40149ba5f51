from types import SimpleNamespace

import pytest

from benchmarks import data_throughput


def test_the_benchmark_compares_disk_and_store(tmp_path, monkeypatch, capsys, s3):
    monkeypatch.setattr(data_throughput, "SIZE", (24, 32))
    words = ["--folder", str(tmp_path / "set"), "--url", s3, "--count", "2", "--turns", "1"]
    data_throughput.main(words)
    rows = capsys.readouterr().out.splitlines()
    ways = ["undecoded", "integers", "floats", "augmented"]
    assert [row.split()[0] for row in rows] == [*ways, "disk:", "store:"]
    table, waits = rows[: len(ways)], rows[len(ways) :]
    assert all("disk" in row and "MB/s" in row and "store/disk" in row for row in table)
    assert all("20 ms waits" in row and "%" in row for row in waits)


@pytest.mark.parametrize(("read_s", "expected"), [(0.0, 0.0), (1.0, 0.25), (9.0, 0.75)])
def test_the_wait_share_is_that_of_a_trainer_with_given_steps(monkeypatch, read_s, expected):
    now = SimpleNamespace(seconds=50.0)

    def wait(seconds):
        now.seconds += seconds

    def batches():
        wait(100.0)  # the readers start
        for number in range(4):
            if number:
                wait(read_s)
            yield number

    monkeypatch.setattr(data_throughput.time, "perf_counter", lambda: now.seconds)
    monkeypatch.setattr(data_throughput.time, "sleep", wait)
    assert data_throughput.wait_share(batches(), step_s=3.0) == pytest.approx(expected)
