"""The scores do not depend on who computes them, and survive workers and commands that are killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from na64ml.inference.scoring.job import Job
from na64ml.inference.scoring.run import join_shards, plan, score_shards
from na64ml.inference.status import SCORED
from na64ml.schedulers import in_processes, in_this_process, on_dask

HERE = str(Path(__file__).parent)
Friend = Callable[[Path], dict[str, np.ndarray]]


@pytest.fixture
def trapped(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job whose first worker dies; this process and the workers can import the trap."""
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([HERE, os.environ.get("PYTHONPATH", "")]))
    from traps import Trap

    return replace(job, hide=Trap(tmp_path / "trap"))


def score(job, files, output, scheduler):
    work = plan(job, files, output, shard_events=20)
    score_shards(work, scheduler)
    return join_shards(work)


def test_a_killed_worker_changes_nothing(trapped: Job, files: list[Path], tmp_path: Path, friend: Friend) -> None:
    score(trapped, files, tmp_path / "alone.root", in_this_process)
    (tmp_path / "trap").touch()
    assert score(trapped, files, tmp_path / "two.root", in_processes(2)) == {SCORED: 90}
    assert not (tmp_path / "trap").exists()  # a worker died
    alone = friend(tmp_path / "alone.root")
    for name, values in friend(tmp_path / "two.root").items():
        np.testing.assert_array_equal(values, alone[name])


@pytest.mark.slow
def test_a_dask_cluster_with_a_killed_worker_changes_nothing(
    trapped: Job, files: list[Path], tmp_path: Path, friend: Friend
) -> None:
    distributed = pytest.importorskip("distributed")
    score(trapped, files, tmp_path / "alone.root", in_this_process)
    (tmp_path / "trap").touch()
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        counts = score(trapped, files, tmp_path / "dask.root", on_dask(cluster.scheduler_address))
    assert counts == {SCORED: 90}
    assert not (tmp_path / "trap").exists()  # a worker died
    alone = friend(tmp_path / "alone.root")
    for name, values in friend(tmp_path / "dask.root").items():
        np.testing.assert_array_equal(values, alone[name])


def test_a_killed_command_goes_on(
    onnx_file: Path, write_file: Callable[..., Path], tmp_path: Path, friend: Friend
) -> None:
    file = write_file(tmp_path / "events.root", np.arange(4000))
    command = [sys.executable, "-m", "na64ml.cli", "score", str(file), "--model", str(onnx_file)]
    command += ["--shard-events", "50", "--out", str(tmp_path / "out.root")]
    folder = tmp_path / "out.root.shards"
    first = subprocess.Popen([*command, "--workers", "2"], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while len(list(folder.glob("*.npz"))) < 3:
        assert first.poll() is None
        assert time.monotonic() < end
        time.sleep(0.005)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not (tmp_path / "out.root").exists()
    time.sleep(1)  # until its workers have noticed
    finished = {path: path.stat().st_mtime_ns for path in folder.glob("*.npz")}
    assert len(finished) < 80
    second = subprocess.run([*command, "--keep-shards"], capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    assert f"{len(finished)} of 80 shards are finished" in " ".join(second.stderr.split())
    assert all(path.stat().st_mtime_ns == before for path, before in finished.items())
    assert len(list(folder.glob("*.npz"))) == 80
    columns = friend(tmp_path / "out.root")
    assert len(columns["run"]) == 4000
    ids = np.stack([columns[name] for name in ("run", "spill", "spillevent")], axis=1)
    assert len(np.unique(ids, axis=0)) == 4000
