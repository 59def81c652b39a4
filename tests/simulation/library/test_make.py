"""Libraries are complete, reproducible and resumable, whoever makes them."""

import errno
import json
import os

import numpy as np
import pytest
import uproot
import yaml

from na64ml.cli import main
from na64ml.errors import ConfigError, InputError
from na64ml.schedulers import in_processes, on_dask
from na64ml.setups.setup import load_setup
from na64ml.simulation.library import load_library_recipe, make_library
from na64ml.simulation.library.showers import make_and_keep_showers, make_showers, without_small
from na64ml.simulation.recipe import Shard, load_recipe


def one_by_one(function, shards):
    yield from map(function, reversed(shards))


def quiet(n_showers):
    pass


def test_a_library_has_the_showers_of_its_recipe(recipe, tmp_path):
    done = []
    content = make_library(recipe, tmp_path / "toy.root", one_by_one, done.append)
    assert sum(done) == 105
    assert not (tmp_path / "toy.root.shards").exists()
    with uproot.open(tmp_path / "toy.root") as file:
        showers = file["tree"].arrays()
        provenance = json.loads(str(file["provenance"]))
    np.testing.assert_array_equal(showers["shower"], np.arange(105))
    np.testing.assert_array_equal(showers["pdg"], [11] * 50 + [2112] * 30 + [-211] * 25)
    names = [list(recipe.tiles)[entry] for entry in showers["entry"]]
    assert names == ["ECAL"] * 80 + ["VHCAL"] * 25
    depth = np.asarray(showers["depth"])
    assert np.all(depth[:50] == 0)
    assert 20 <= depth[50:80].min() < 40
    assert 80 < depth[50:80].max() <= 100
    kinetic = np.asarray(showers["kinetic_energy"])
    assert 0.05 <= kinetic[:80].min() < 0.2
    assert 40 < kinetic[:80].max() <= 120
    assert 5 <= kinetic[80:].min() < kinetic[80:].max() <= 10
    steps = np.log(kinetic[:50] / 0.05) / np.log(120 / 0.05) * 50
    np.testing.assert_array_equal(np.floor(steps), np.arange(50))
    impact = np.abs([np.asarray(showers[axis]) for axis in "xy"]).T
    assert 17 < impact[:50].max() <= 19.1
    assert 50 < impact[50:80].max() <= 57.3
    body = impact[80:].max(axis=1)  # of the VHCAL, around its hole
    assert 60 <= body.min() < 130
    assert 200 < body.max() <= 250
    assert provenance["content_hash"] == content
    assert provenance["geometry_hash"] == load_setup("na64e_reference").geometry_hash
    assert provenance["tiles"] == {"VHCAL": [1, 20, 20], "ECAL": [2, 12, 12], "VETO": [1, 12, 12], "HCAL": [3, 12, 12]}
    assert provenance["species"] == {"11": "e-", "2112": "n", "-211": "pi-"}


def test_the_content_depends_on_the_recipe_and_not_on_the_workers(write_recipe, recipe, tmp_path):
    schedulers = (one_by_one, in_processes(1), in_processes(2))
    hashes = {make_library(recipe, tmp_path / f"{i}.root", one, quiet) for i, one in enumerate(schedulers)}
    assert len(hashes) == 1
    other = load_library_recipe(str(write_recipe("other.yaml", seed=8)))
    assert make_library(other, tmp_path / "other.root", one_by_one, quiet) not in hashes


def test_an_interrupted_run_goes_on(write_recipe, recipe, tmp_path):
    def interrupted(function, shards):
        yield from map(function, shards[:2])
        raise KeyboardInterrupt

    out = tmp_path / "toy.root"
    with pytest.raises(KeyboardInterrupt):
        make_library(recipe, out, interrupted, quiet)
    assert not out.exists()
    other = load_library_recipe(str(write_recipe("other.yaml", seed=8)))
    with pytest.raises(ConfigError, match=rf"another recipe \({recipe.hash}, this one is {other.hash}\)"):
        make_library(other, out, one_by_one, quiet)
    (out.with_name("toy.root.shards") / "shard-00001.npz").write_bytes(b"damaged")
    made, done = [], []

    def rest(function, shards):
        made.extend(shard.number for shard in shards)
        yield from one_by_one(function, shards)

    content = make_library(recipe, out, rest, done.append)
    assert made == [1, 2, 3, 4, 5, 6]
    assert sum(done) == 105
    assert content == make_library(recipe, tmp_path / "whole.root", one_by_one, quiet)


def test_a_killed_worker_loses_only_its_shard_which_is_made_again(write_recipe, recipe, tmp_path):
    trap = tmp_path / "trap"
    engine = {"class_path": "toy.Toy", "init_args": {"kill": str(trap)}}
    deadly = load_library_recipe(str(write_recipe("deadly.yaml", engine=engine)))
    trap.touch()
    content = make_library(deadly, tmp_path / "toy.root", in_processes(1), quiet)
    assert not trap.exists()  # a worker died
    assert content == make_library(recipe, tmp_path / "whole.root", one_by_one, quiet)


def test_a_full_disk_is_reported(recipe, tmp_path, monkeypatch):
    def full(*arguments, **columns):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(InputError, match=r"shard-00000.npz: cannot be written \(No space left on device\)"):
        make_and_keep_showers(recipe, Shard(number=0, process=0, index=0, events=2), tmp_path)


@pytest.mark.slow
def test_a_dask_cluster_makes_the_same(recipe, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        content = make_library(recipe, tmp_path / "dask.root", on_dask(cluster.scheduler_address), quiet)
    assert content == make_library(recipe, tmp_path / "whole.root", one_by_one, quiet)


def test_small_tiles_are_dropped_and_sums_kept():
    visible = np.array([[5.0, 0.002, 0.003, 0.0, 1.0], [0, 0, 0, 0, 0], [1e-6, 0, 0, 0, 0]], dtype=np.float32)
    kept = without_small(visible, 1e-3)
    np.testing.assert_allclose(kept, [[5.005, 0, 0, 0, 1.0], [0, 0, 0, 0, 0], [1e-6, 0, 0, 0, 0]], rtol=1e-6)
    np.testing.assert_array_equal(without_small(visible, 0.0), visible)


def test_the_command(write_recipe, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = str(write_recipe())
    assert main(["simulate", "--library", path, "--dry-run"]) == 0
    text = capsys.readouterr().out
    assert "VHCAL" in text
    assert "20 to 100" in text
    assert not (tmp_path / "toy_library.root").exists()
    assert main(["simulate", "--library", path, "--workers", "1"]) == 0
    assert "105 showers in" in capsys.readouterr().out
    assert (tmp_path / "toy_library.root").is_file()
    assert main(["simulate", path]) == 2
    assert "add the option --library" in " ".join(capsys.readouterr().err.split())
    assert main(["simulate", "--library", "shipped:na64e_reference"]) == 2
    assert "leave out the option --library" in " ".join(capsys.readouterr().err.split())


ENTRY = {"species": 11, "count": 5, "entry": "ECAL"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sed": 1}, r"library.yaml: key 'sed'.*did you mean 'seed'\?"),
        ({"showers": [{**ENTRY, "cuont": 1}]}, r"key 'showers.0.cuont'.*did you mean 'count'\?"),
        ({"setup": "na64e_refrence"}, r"library.yaml: unknown setup 'na64e_refrence'"),
        ({"energy": [10, 1]}, r"key 'energy'.*\[10.0, 1.0\]: the lowest must be below the highest"),
        ({"showers": [{**ENTRY, "energy": [10, 1]}]}, r"\[10.0, 1.0\]: the lowest must be below the highest"),
        ({"showers": [{**ENTRY, "depth": [30, 20]}]}, r"\[30.0, 20.0\]: the smallest must not be above the largest"),
        ({"showers": [{**ENTRY, "depth": [0, 500]}]}, r"showers\[0\]: depth: 500 mm is behind ECAL.* 450 mm deep"),
        ({"showers": [{**ENTRY, "species": 99999999}]}, r"showers\[0\]: PDG number 99999999: no such particle"),
        ({"showers": [{**ENTRY, "entry": "ECLA"}]}, r"showers\[0\]: entry: 'ECLA' has no tiles; use one of .*ECAL"),
        ({"showers": []}, r"key 'showers'.*at least 1 item"),
        ({"tiles": {"VETO": 50}}, r"tiles: key 'ECAL' is missing"),
        ({"tiles": {"ECAL": 19.1, "VHCAL": 25, "WCAL": 50}}, r"has no detector 'WCAL'; use one of MM, ST"),
        ({"tiles": {"ECAL": 19.1, "VHCAL": 25, "MM": 50}}, r"MM .* is a tracker; only calorimeters and counters"),
        ({"tiles": {"ECAL": 38.2, "VHCAL": 25}}, r"tiles: ECAL: 38.2 mm; a cell of 38.2 mm needs an even number"),
        ({"tiles": {"ECAL": 19.1, "VHCAL": 30}}, r"tiles: VHCAL: 30 mm; a cell of 125 mm needs a whole number"),
        ({"tiles": {"ECAL": 19.1, "VHCAL": 25, "VETO": 70}}, r"tiles: VETO: 70 mm; it of 600 mm needs a whole number"),
        ({"engine": {"class_path": "toy.Tyo"}}, r"library.yaml: class_path 'toy.Tyo': there is no such class"),
    ],
)
def test_wrong_recipes_are_explained(changes, message, write_recipe):
    with pytest.raises(ConfigError, match=message):
        load_library_recipe(str(write_recipe(**changes)))


def test_missing_recipe():
    with pytest.raises(ConfigError, match=r"nowhere.yaml: cannot be read"):
        load_library_recipe("nowhere.yaml")


def test_the_recipe_of_a_library_is_no_sample(write_recipe):
    with pytest.raises(ConfigError, match=r"library.yaml: key 'showers'.*add the option --library"):
        load_recipe(str(write_recipe()))


@pytest.mark.geant4
def test_showers_of_geant4(write_recipe, geant4):
    """What enters a detector is stored there, what is behind it leaks, what is upstream sees the rest."""
    content = yaml.safe_load(write_recipe().read_text())
    content["engine"] = {"class_path": "na64ml.simulation.engines.geant4.Geant4"}
    content["energy"] = [5, 10]
    content["showers"] = [
        {"species": 11, "count": 8, "entry": "ECAL"},
        {"species": 11, "count": 8, "entry": "ECAL", "depth": [60, 100]},
        {"species": 22, "count": 8, "entry": "VHCAL"},
    ]
    recipe = load_library_recipe(str(write_recipe(**content)))
    shares, firsts = [], []
    for process in range(3):
        showers = make_showers(recipe, Shard(number=0, process=process, index=0, events=8))
        sums = {name: np.array([sum(one) for one in showers[f"{name}_energy"]]) for name in recipe.tiles}
        shares.append({name: (values / showers["kinetic_energy"]).mean() for name, values in sums.items()})
        tiles, energy = showers["ECAL_tile"], showers["ECAL_energy"]
        firsts.append(
            sum(sum(e[t < 12 * 12]) for t, e in zip(tiles, energy, strict=True)) / max(sums["ECAL"].sum(), 1e-9)
        )
    front, inside, upstream = shares
    assert front["ECAL"] == pytest.approx(0.1087, rel=0.05)
    assert inside["ECAL"] == pytest.approx(0.1087, rel=0.08)
    assert firsts[0] > 0.05
    assert firsts[1] < 0.3 * firsts[0]
    assert upstream["VHCAL"] == pytest.approx(0.0262, rel=0.25)
    assert upstream["ECAL"] < 0.001
