from pathlib import Path

import pytest
import yaml

from na64ml.errors import ConfigError
from na64ml.resources import shipped
from na64ml.simulation.library import load_library_recipe
from na64ml.simulation.recipe import Plan, load_recipe

PROCESSES = "na64ml.simulation.processes"
GEANT4 = "na64ml.simulation.engines.geant4.Geant4"
CONTENT = {
    "name": "test",
    "mode": "na64e_invisible",
    "setup": "na64e_reference",
    "run": 6500,
    "seed": 1,
    "engine": {"class_path": GEANT4},
    "processes": [
        {"class_path": f"{PROCESSES}.beam_electron.BeamElectron", "events": 120},
        {"class_path": f"{PROCESSES}.dark_photon.DarkPhoton", "init_args": {"masses": [0.01]}, "events": 30},
    ],
}


@pytest.fixture
def plan(tmp_path):
    def load(**changes):
        path = tmp_path / "recipe.yaml"
        path.write_text(yaml.safe_dump({**CONTENT, **changes}))
        return Plan(load_recipe(str(path)))

    return load


def test_shards_are_fixed_by_the_recipe(plan):
    shards = plan(shard_events=50).shards
    assert [(shard.number, shard.process, shard.index, shard.events) for shard in shards] == [
        *((0, 0, 0, 50), (1, 0, 1, 50), (2, 0, 2, 20)),
        (3, 1, 0, 30),
    ]
    recipe = plan(shard_events=50).recipe
    states = {tuple(shard.seed(recipe).generate_state(4).tolist()) for shard in shards}
    assert len(states) == 4


def test_amounts_in_particles_on_target(plan):
    entry = {"class_path": f"{PROCESSES}.electroproduction.Electroproduction", "eot": 1e9}
    made = plan(processes=[entry])
    assert made.events[0] == pytest.approx(1e9 * made.rates()[0]["rate_per_eot"], abs=0.5)
    with pytest.raises(ConfigError, match=r"10 particles on target give .* events; ask for more"):
        plan(processes=[{**entry, "eot": 10}])
    with pytest.raises(ConfigError, match="give either events or eot"):
        plan(processes=[{**entry, "events": 5}])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sed": 1}, r"recipe.yaml: key 'sed'.*did you mean 'seed'\?"),
        ({"mode": "na64e_invisble"}, r"recipe.yaml: unknown mode 'na64e_invisble'; shipped are: .*na64e_invisible"),
        ({"setup": "na64e_refrence"}, r"recipe.yaml: unknown setup 'na64e_refrence'"),
        ({"setup": "na64e_visible_2017"}, r"key 'setups': the mode does not run on setup 'na64e_visible_2017'"),
        ({"run": 1}, r"no range has run 1"),
        ({"engine": {"class_path": "na64ml.simulation.engines.geant4.Geant5"}}, r"did you mean .*geant4.*Geant4\?"),
        (
            {
                "engine": {
                    "class_path": "na64ml.simulation.engines.geant4.Geant4",
                    "init_args": {"physics": "FTFP_BRET"},
                }
            },
            r"did you mean FTFP_BERT\?",
        ),
        (
            {"processes": [{"class_path": f"{PROCESSES}.dimuon.Dimoun", "events": 1}]},
            rf"no such class; did you mean {PROCESSES}.dimuon.Dimuon\?",
        ),
        (
            {"processes": [{"class_path": f"{PROCESSES}.dimuon.Dimuon", "init_args": {"lwo": 5}, "events": 1}]},
            r"Dimuon: init_args: key 'lwo'.*did you mean 'low'\?",
        ),
        (
            {
                "processes": [
                    {"class_path": f"{PROCESSES}.dark_photon.DarkPhoton", "init_args": {"masses": [3]}, "events": 1}
                ]
            },
            r"mass 3 GeV: outside the table.* 0.001 to 1 GeV",
        ),
        (
            {"processes": [{"class_path": f"{PROCESSES}.kshort_decay.KShortDecay", "events": 1}]},
            r"mode 'na64e_invisible' has no class for process 'kshort_decay'",
        ),
        (
            {"processes": [{"class_path": f"{PROCESSES}.pile_up.PileUp", "events": 1}]},
            r"is no Process",
        ),
        (
            {"shifts": {"ECAL.nosie": 1}},
            r"recipe.yaml: shifts: there is no parameter 'ECAL.nosie'; did you mean ECAL.noise",
        ),
    ],
)
def test_wrong_recipes_are_explained(changes, message, plan):
    with pytest.raises(ConfigError, match=message):
        plan(**changes)


def test_missing_recipe():
    with pytest.raises(ConfigError, match=r"nowhere.yaml: cannot be read"):
        load_recipe("nowhere.yaml")


@pytest.mark.parametrize("path", sorted(shipped("datasets").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_recipes_can_be_planned(path: Path):
    if "showers" in yaml.safe_load(path.read_text()):
        assert load_library_recipe(f"shipped:{path.stem}").showers
        return
    made = Plan(load_recipe(f"shipped:{path.stem}"))
    assert sum(made.events) == sum(shard.events for shard in made.shards) > 0


def test_reference_recipe_has_the_classes_of_the_reference_sample():
    made = Plan(load_recipe("shipped:na64e_reference"))
    names = [process.name for process in made.processes]
    assert dict(zip(names, made.events, strict=True)) == {
        "dark_photon": 1000,
        "electroproduction": 1000,
        "neutral_punch_through": 1000,
        "decay_in_flight": 750,
        "dimuon": 625,
        "beam_electron": 150,
        "beam_hadron": 500,
    }
