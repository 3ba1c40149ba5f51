"""The cluster that all its tests share; without ``make test-cluster`` they are skipped."""

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def cluster():
    if os.environ.get("PPVD_TEST_CLUSTER") != "1":
        pytest.skip("a Slurm is started by: make test-cluster")
    spec = importlib.util.spec_from_file_location("slurm_cluster", HERE / "slurm_cluster.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if missing := module.missing():
        pytest.fail(f"{', '.join(missing)}: apt-get install slurm-wlm munge")
    # Not below pytest's own folder, which munge's user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="ppvd-slurm-"))
    folder.chmod(0o755)
    try:
        with module.cluster(folder) as running:
            yield running
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def idle_cluster(cluster):
    """The cluster with both nodes; what a test leaves running is cancelled."""
    cluster.wait_until_idle()
    yield cluster
    cluster.run("scancel", "--me")
