"""Samples are complete, reproducible and resumable, whoever makes them."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
import uproot
import yaml

from na64ml.cli import main
from na64ml.errors import ConfigError, InputError
from na64ml.events.reader import EventReader
from na64ml.schedulers import in_processes, on_dask
from na64ml.selection.mode import load_mode
from na64ml.simulation.recipe import Plan, load_recipe
from na64ml.simulation.runner import simulate
from na64ml.simulation.shards import make_and_keep

HERE = str(Path(__file__).parent)
PROCESSES = "na64ml.simulation.processes"


@pytest.fixture(autouse=True)
def toy_engine(monkeypatch):
    """Let this process and the workers import the toy engine."""
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([HERE, os.environ.get("PYTHONPATH", "")]))


@pytest.fixture
def write_recipe(tmp_path):
    def write(name="recipe.yaml", **changes):
        content = {
            "name": "toy",
            "mode": "na64e_invisible",
            "setup": "na64e_reference",
            "run": 6500,
            "seed": 7,
            "shard_events": 20,
            "engine": {"class_path": "toy.Toy"},
            "pileup": {"probability": 0.3, "window": 40},
            "processes": [
                {"class_path": f"{PROCESSES}.electroproduction.Electroproduction", "events": 50},
                {"class_path": f"{PROCESSES}.decay_in_flight.DecayInFlight", "events": 45},
            ],
        }
        path = tmp_path / name
        path.write_text(yaml.safe_dump({**content, **changes}))
        return path

    return write


def one_by_one(function, shards):
    yield from map(function, reversed(shards))


def quiet(n_events):
    pass


@pytest.fixture
def recipe(write_recipe):
    return load_recipe(str(write_recipe()))


def test_a_sample_and_its_layout(recipe, tmp_path):
    done = []
    content = simulate(Plan(recipe), tmp_path / "toy.root", one_by_one, done.append)
    assert sum(done) == 95
    assert not (tmp_path / "toy.root.shards").exists()
    reader = EventReader(str(tmp_path / "toy.layout.yaml"))
    batch = next(reader.iterate([str(tmp_path / "toy.root")]))
    assert len(batch) == 95
    names = [batch.processes[i] for i in batch.process]
    assert names == ["electroproduction"] * 50 + ["decay_in_flight"] * 45
    load_mode("na64e_invisible").label(batch)
    assert len(np.unique(batch.ids, axis=0)) == 95
    reference = next(EventReader("na64e_reference").iterate([str(tmp_path / "toy.root")]))
    assert reference.n_hits == batch.n_hits
    np.testing.assert_array_equal(reference.track, batch.track)
    with uproot.open(tmp_path / "toy.root") as file:
        provenance = json.loads(str(file["provenance"]))
    assert provenance["content_hash"] == content
    assert provenance["recipe_hash"] == recipe.hash
    assert provenance["n_events"] == 95
    assert [row["process"] for row in provenance["processes"]] == ["electroproduction", "decay_in_flight"]
    assert provenance["versions"]["na64ml"]


def test_the_content_depends_on_the_recipe_and_not_on_the_workers(write_recipe, recipe, tmp_path):
    hashes = [
        simulate(Plan(recipe), tmp_path / f"{i}.root", scheduler, quiet)
        for i, scheduler in enumerate((one_by_one, in_processes(1), in_processes(2)))
    ]
    assert len(set(hashes)) == 1
    other = load_recipe(str(write_recipe("other.yaml", seed=8)))
    assert simulate(Plan(other), tmp_path / "other.root", one_by_one, quiet) != hashes[0]


def test_systematic_shifts_change_the_readout_alone(write_recipe, recipe, tmp_path):
    shifted = load_recipe(str(write_recipe("shifted.yaml", shifts={"ECAL.sampling": {"scale": 0.5}})))
    files = []
    for name, made in (("nominal", recipe), ("shifted", shifted)):
        simulate(Plan(made), tmp_path / f"{name}.root", one_by_one, quiet)
        with uproot.open(tmp_path / f"{name}.root") as file:
            files.append(file["tree"].arrays(["ECAL_ene", "mc_weight"], library="np"))
    nominal, moved = files
    np.testing.assert_array_equal(nominal["mc_weight"], moved["mc_weight"])
    assert moved["ECAL_ene"].sum() / nominal["ECAL_ene"].sum() == pytest.approx(2, rel=0.01)


def test_an_interrupted_run_goes_on(recipe, tmp_path):
    def interrupted(function, shards):
        yield from map(function, shards[:2])
        raise KeyboardInterrupt

    out = tmp_path / "toy.root"
    with pytest.raises(KeyboardInterrupt):
        simulate(Plan(recipe), out, interrupted, quiet)
    assert not out.exists()
    made = []

    def rest(function, shards):
        made.extend(shard.number for shard in shards)
        yield from one_by_one(function, shards)

    content = simulate(Plan(recipe), out, rest, quiet)
    assert made == [2, 3, 4, 5]
    assert content == simulate(Plan(recipe), tmp_path / "whole.root", one_by_one, quiet)


def test_a_damaged_shard_is_made_again(recipe, tmp_path):
    out, folder = tmp_path / "toy.root", tmp_path / "toy.root.shards"
    simulate(Plan(recipe), out, one_by_one, quiet, keep_shards=True)
    damaged = folder / "shard-00001.npz"
    damaged.write_bytes(damaged.read_bytes()[:1000])
    before = (folder / "shard-00000.npz").stat().st_mtime_ns
    simulate(Plan(recipe), out, one_by_one, quiet, keep_shards=True)
    assert (folder / "shard-00000.npz").stat().st_mtime_ns == before
    assert len(list(folder.iterdir())) == len(Plan(recipe).shards)


def test_shards_of_another_recipe_are_not_mixed_in(write_recipe, recipe, tmp_path):
    out = tmp_path / "toy.root"
    simulate(Plan(recipe), out, one_by_one, quiet, keep_shards=True)
    other = load_recipe(str(write_recipe("other.yaml", seed=8)))
    with pytest.raises(ConfigError, match=rf"another recipe \({recipe.hash}, this one is {other.hash}\)"):
        simulate(Plan(other), out, one_by_one, quiet)


def test_a_killed_worker_loses_only_its_shard_which_is_made_again(write_recipe, tmp_path):
    trap = tmp_path / "trap"
    engine = {"class_path": "toy.Toy", "init_args": {"kill": str(trap)}}
    recipe = load_recipe(str(write_recipe(engine=engine)))
    trap.touch()
    content = simulate(Plan(recipe), tmp_path / "toy.root", in_processes(1), quiet)
    assert not trap.exists()  # a worker died
    whole = load_recipe(str(write_recipe()))
    assert content == simulate(Plan(whole), tmp_path / "whole.root", one_by_one, quiet)


def test_a_full_disk_is_reported(recipe, tmp_path, monkeypatch):
    def full(*arguments, **columns):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    folder = tmp_path / "toy.root.shards"
    shards = Plan(recipe).shards
    make_and_keep(recipe, shards[0], folder)
    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(InputError, match=r"shard-00001.npz: cannot be written \(No space left on device\)"):
        make_and_keep(recipe, shards[1], folder)
    assert [path.name for path in folder.iterdir()] == ["shard-00000.npz"]


def test_a_plan_of_fewer_events_is_that_of_the_recipe_with_these_numbers(recipe):
    plan = Plan(recipe).of(40)
    again = Plan(plan.recipe)
    assert sum(plan.events) == 40
    assert plan.events == again.events
    assert plan.shards == again.shards
    assert plan.recipe.hash == again.recipe.hash != recipe.hash
    assert Plan(recipe).events == [50, 45]


def test_the_command(write_recipe, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = str(write_recipe())
    assert main(["simulate", path, "--dry-run"]) == 0
    text = capsys.readouterr().out
    assert "electroproduction" in text
    assert "1.5e-06" in text
    assert not (tmp_path / "toy.root").exists()
    assert main(["simulate", path, "--workers", "1"]) == 0
    assert "95 events in" in capsys.readouterr().out
    assert (tmp_path / "toy.root").is_file()
    changes = ["--events", "40", "--set", "seed=9", "--set", "engine.init_args={}", "--out", "changed.root"]
    assert main(["simulate", path, "--workers", "1", *changes]) == 0
    with uproot.open(tmp_path / "changed.root") as file:
        made = json.loads(str(file["provenance"]))
    assert made["recipe"]["seed"] == 9
    assert made["n_events"] == 40
    assert sum(entry["events"] for entry in made["recipe"]["processes"]) == 40
    assert main(["simulate", path, "--events", "1"]) == 2
    assert "each needs one event" in capsys.readouterr().err
    assert main(["simulate", path, "--workers", "0"]) == 2
    assert "at least one" in capsys.readouterr().err
    assert main(["simulate", path, "--scheduler", "tcp://127.0.0.1:1", "--out", "dask.root"]) == 2
    assert "no Dask scheduler answers there" in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_a_dask_cluster_survives_a_killed_worker(write_recipe, tmp_path):
    distributed = pytest.importorskip("distributed")
    trap = tmp_path / "trap"
    engine = {"class_path": "toy.Toy", "init_args": {"kill": str(trap)}}
    recipe = load_recipe(str(write_recipe(engine=engine)))
    trap.touch()
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        content = simulate(Plan(recipe), tmp_path / "dask.root", on_dask(cluster.scheduler_address), quiet)
    assert not trap.exists()  # a worker died
    whole = load_recipe(str(write_recipe()))
    assert content == simulate(Plan(whole), tmp_path / "whole.root", one_by_one, quiet)
