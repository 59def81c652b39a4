import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from na64ml.errors import ConfigError
from na64ml.setups.conditions import load_conditions
from na64ml.setups.setup import load_setup, shipped_setups

Make = Callable[..., dict[str, Any]]
Write = Callable[[str, dict[str, Any]], str]


def run_range(first: int, last: int, **more: Any) -> dict[str, Any]:
    return {
        "runs": {"value": [first, last], "source": "?"},
        "impact_cell": {"value": [1, 2], "source": "?"},
    } | more


@pytest.fixture
def load(write: Write, make_setup: Make) -> Callable[..., Any]:
    write("toy.yaml", make_setup())

    def load_ranges(*ranges: dict[str, Any], name: str = "conditions.yaml") -> Any:
        return load_conditions(write(name, {"setup": "toy.yaml", "ranges": list(ranges)}))

    return load_ranges


@pytest.fixture
def toy(write: Write, make_setup: Make) -> Any:
    return load_setup(write("toy.yaml", make_setup()))


def test_runs_find_their_range(load: Callable[..., Any]) -> None:
    conditions = load(run_range(10, 19), run_range(30, 30))
    assert [conditions.for_run(run).first_run for run in (10, 19, 30)] == [10, 10, 30]


@pytest.mark.parametrize("run", [9, 20, 29, 31])
def test_runs_without_range_are_errors(load: Callable[..., Any], run: int) -> None:
    conditions = load(run_range(10, 19), run_range(30, 30))
    with pytest.raises(ConfigError, match=f"no range has run {run}; there are runs 10 to 19, 30 to 30; add a range"):
        conditions.for_run(run)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ([run_range(10, 20), run_range(20, 30)], "overlap"),
        ([run_range(30, 40), run_range(10, 20)], "come before"),
        ([run_range(20, 10)], "reversed"),
        ([run_range(10, 20, bad_spills=[[21, 3]])], r"bad spill \[21, 3\] is outside"),
        ([run_range(10, 20, gains={"ECAL": 0.0})], "greater than 0"),
        ([run_range(10, 20, gains={"HCAL": 1.1})], r"conditions.yaml.*no detector 'HCAL'; use one of ECAL"),
        ([run_range(10, 20, gains={"ECAL": [1.0, 1.1]})], r"gains\.ECAL': 2 gains; give one factor or 6"),
        (
            [run_range(10, 20, dead={"ECAL": [[0, 2, 0]]})],
            r"conditions.yaml.*dead\.ECAL'.*channel \[0, 2, 0\]",
        ),
        ([run_range(10, 20, dead={"ECAL": [[0, 0]]})], r"no channel \[0, 0\]"),
        ([run_range(10, 20, dead={"ECAL": [[0, 0, -1]]})], r"no channel \[0, 0, -1\]"),
        ([run_range(10, 20, impact_cell={"value": [5, 5], "source": "?"})], r"no cell \(5, 5\)"),
    ],
)
def test_wrong_conditions_are_errors(load: Callable[..., Any], ranges: list[Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(*ranges)


def test_impact_is_cell_centre_plus_beam_offset_unless_explicit(load: Callable[..., Any], toy: Any) -> None:
    explicit = {"impact": {"value": [7.0, 8.0], "source": "?"}}
    conditions = load(run_range(1, 1), run_range(2, 2, **explicit))
    assert conditions.for_run(1).impact_point(toy) == (5.0 + 1.0, 20.0 - 2.0)
    assert conditions.for_run(2).impact_point(toy) == (7.0, 8.0)


def test_gains_are_looked_up_run_by_run(load: Callable[..., Any], toy: Any) -> None:
    per_channel = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    conditions = load(
        run_range(1, 5), run_range(6, 9, gains={"ECAL": 1.5}), run_range(20, 20, gains={"ECAL": per_channel})
    )
    gains = conditions.gains(toy, "ECAL", np.array([20, 7, 3, 20]))
    np.testing.assert_array_equal(gains, [per_channel, [1.5] * 6, [1.0] * 6, per_channel])
    assert conditions.gains(toy, "ECAL", np.array([], dtype=np.int64)).shape == (0, 6)
    with pytest.raises(ConfigError, match="no range has run 10"):
        conditions.gains(toy, "ECAL", np.array([7, 10]))
    with pytest.raises(ConfigError, match="no detector 'WCAL'"):
        conditions.gains(toy, "WCAL", np.array([7]))


def test_beam_energy_is_that_of_the_setup_unless_the_run_has_its_own(load: Callable[..., Any], toy: Any) -> None:
    conditions = load(run_range(1, 5), run_range(6, 9, beam_energy={"value": 150.0, "source": "?"}))
    assert conditions.beam_energies(toy, [7, 3, 6]).tolist() == [150, 50, 150]
    assert conditions.for_run(3).nominal_energy(toy) == 50
    with pytest.raises(ConfigError, match="no range has run 10"):
        conditions.beam_energies(toy, [10])


def test_dead_channels_are_in_c_order(load: Callable[..., Any], toy: Any) -> None:
    conditions = load(run_range(1, 5, dead={"ECAL": [[0, 1, 2], [0, 0, 1]]}), run_range(6, 9))
    assert np.flatnonzero(conditions.dead_mask(toy, "ECAL", 3)).tolist() == [1, 5]
    assert not conditions.dead_mask(toy, "ECAL", 6).any()


def test_bad_spills_need_run_and_spill_to_agree(load: Callable[..., Any]) -> None:
    conditions = load(run_range(1, 5, bad_spills=[[2, 7], [3, 1]]))
    mask = conditions.bad_spill_mask([2, 2, 3, 7, 2], [7, 1, 1, 2, 7])
    assert mask.tolist() == [True, False, True, False, True]
    assert conditions.bad_spill_mask(np.empty(0, np.int64), np.empty(0, np.int64)).tolist() == []


def test_hash_follows_the_values_and_not_the_sources(load: Callable[..., Any]) -> None:
    original = load(run_range(1, 5)).hash
    resourced = run_range(1, 5) | {"runs": {"value": [1, 5], "source": "C: counted"}}
    assert load(resourced, name="b.yaml").hash == original
    assert load(run_range(1, 6), name="c.yaml").hash != original
    assert load(run_range(1, 5, gains={"ECAL": 1.01}), name="d.yaml").hash != original
    assert load(run_range(1, 5, beam_energy={"value": 50.0, "source": "?"}), name="e.yaml").hash != original


def test_hashes_that_shipped_networks_know_stay_the_same() -> None:
    assert load_conditions("na64e_reference").hash == "62ce8ebe495d05d4"


@pytest.mark.parametrize(
    ("name", "run", "cell", "eot"),
    [
        ("na64e_reference", 6500, (3, 3), None),
        ("na64e_reference", 6511, (3, 3), None),
        ("na64e_2018", 3855, (3, 3), 2.0e11),
        ("na64e_2018", 4207, (3, 3), 2.0e11),
        ("na64e_2022", 6035, (2, 3), 6.4e11),
        ("na64e_2023", 8395, (2, 3), 5.1e11),
    ],
)
def test_shipped_conditions(name: str, run: int, cell: tuple[int, int], eot: float | None) -> None:
    conditions = load_conditions(name).for_run(run)
    assert conditions.impact_cell.value == cell
    assert (None if conditions.eot is None else conditions.eot.value) == eot


@pytest.mark.parametrize("name", shipped_setups())
def test_every_shipped_setup_has_conditions_with_the_impact_cell_on_the_beam_axis(name: str) -> None:
    setup, conditions = load_setup(name), load_conditions(name)
    assert conditions.setup == name
    for part in conditions.ranges:
        assert setup.cell_centre(part.impact_cell.value) == pytest.approx((0.0, 0.0), abs=1e-9)


def test_conditions_can_be_sent_to_other_processes(load: Callable[..., Any]) -> None:
    conditions = load(run_range(1, 5, gains={"ECAL": 1.5}, dead={"ECAL": [[0, 1, 2]]}))
    copy = pickle.loads(pickle.dumps(conditions))
    assert copy == conditions
    assert copy.hash == conditions.hash


def test_unknown_conditions_list_the_shipped_ones() -> None:
    with pytest.raises(ConfigError, match="unknown conditions 'nowhere'; shipped are: na64e_2018"):
        load_conditions("nowhere")
