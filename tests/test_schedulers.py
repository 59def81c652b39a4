"""Every task is done exactly once, whoever does it and whoever dies."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from na64ml.errors import InputError
from na64ml.schedulers import in_processes, in_this_process, on_dask

HERE = str(Path(__file__).parent)


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Let this process and the workers import the tasks."""
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([HERE, os.environ.get("PYTHONPATH", "")]))


def calls(folder: Path) -> list[int]:
    return sorted(int(path.name.split(".")[0]) for path in folder.iterdir())


@pytest.mark.parametrize("scheduler", [in_this_process, in_processes(1), in_processes(3)])
def test_results_of_all_tasks(scheduler):
    from workers import double

    assert sorted(scheduler(double, range(7))) == [0, 2, 4, 6, 8, 10, 12]
    assert list(scheduler(double, [])) == []


@pytest.mark.parametrize("scheduler", [in_this_process, in_processes(2)])
def test_an_error_of_the_function_is_raised(scheduler):
    from workers import fail_on_three

    with pytest.raises(ValueError, match="three"):
        list(scheduler(fail_on_three, range(5)))


def test_processes_share_the_work(tmp_path):
    from workers import note_process

    assert sorted(in_processes(2)(partial(note_process, folder=tmp_path), range(6))) == list(range(6))
    assert len({path.name.split(".")[0] for path in tmp_path.iterdir()}) == 2


def test_a_worker_that_dies_loses_only_its_task(tmp_path):
    from workers import die_on

    assert sorted(in_processes(2)(partial(die_on, folder=tmp_path, times={1: 1}), range(5))) == list(range(5))
    assert calls(tmp_path) == [0, 1, 1, 2, 3, 4]


def test_a_task_that_kills_every_worker_is_named_when_the_others_are_done(tmp_path):
    from workers import die_on

    done = []
    with pytest.raises(InputError, match=r"^1: a worker died, and again .* finished shards are kept, run the same"):
        done.extend(in_processes(2)(partial(die_on, folder=tmp_path, times={1: 9}), range(5)))
    assert calls(tmp_path) == [0, 1, 1, 2, 3, 4]


def test_a_machine_on_which_all_die_is_given_up(tmp_path):
    from workers import die_on

    with pytest.raises(InputError, match=r"^0; 1; 2: a worker died"):
        list(in_processes(1)(partial(die_on, folder=tmp_path, times=dict.fromkeys(range(9), 9)), range(9)))


PROGRAM = """
import sys
from functools import partial
from pathlib import Path
from na64ml.schedulers import in_processes
from workers import note_process

if __name__ == "__main__":
    list(in_processes(2)(partial(note_process, folder=Path(sys.argv[1])), range(1000)))
"""


def test_workers_end_when_their_command_is_killed(tmp_path):
    program, folder = tmp_path / "program.py", tmp_path / "calls"
    program.write_text(PROGRAM)
    folder.mkdir()
    command = subprocess.Popen([sys.executable, str(program), str(folder)])
    wait_for(lambda: len(workers(folder)) == 2)
    command.send_signal(signal.SIGKILL)
    command.wait()
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers(folder)))
    assert len(list(folder.iterdir())) < 1000


def workers(folder: Path) -> set[str]:
    return {path.name.split(".")[0] for path in folder.iterdir()}


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@pytest.mark.slow
def test_dask_gives_the_task_of_a_dead_worker_to_another(tmp_path):
    distributed = pytest.importorskip("distributed")
    from workers import die_on

    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        done = on_dask(cluster.scheduler_address)(partial(die_on, folder=tmp_path, times={1: 1}), range(5))
        assert sorted(done) == list(range(5))
        assert calls(tmp_path).count(1) == 2
        with distributed.Client(cluster.scheduler_address) as client:
            client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 0))
        (tmp_path / "more").mkdir()
        with pytest.raises(InputError, match=r"^7: a worker died"):
            list(on_dask(cluster.scheduler_address)(partial(die_on, folder=tmp_path / "more", times={7: 9}), [7]))
