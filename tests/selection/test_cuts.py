import numpy as np
import pytest
from pydantic import ValidationError

from na64ml.errors import ConfigError
from na64ml.selection.cuts import Cut, CutInputs

VALUES = {"a": np.array([1.0, 2.0, 3.0, np.nan]), "b": np.array([0.0, 9.0, np.nan, np.nan])}


def kept(cut: dict, **working_points: float) -> list[bool]:
    return Cut.model_validate({"name": "cut", **cut}).evaluate(CutInputs(VALUES, working_points))[0].tolist()


def undefined(cut: dict) -> list[bool]:
    return Cut.model_validate({"name": "cut", **cut}).evaluate(CutInputs(VALUES, {}))[1].tolist()


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        ({"min": 2}, [False, True, True, False]),
        ({"above": 2}, [False, False, True, False]),
        ({"max": 2}, [True, True, False, False]),
        ({"below": 2}, [True, False, False, False]),
        ({"min": 2, "below": 3}, [False, True, False, False]),
    ],
)
def test_bounds(bound, expected):
    assert kept({"require": {"variable": "a", **bound}}) == expected


def test_undefined_fails_require_and_passes_reject():
    tree = {"variable": "a", "min": 2}
    assert kept({"require": tree})[3] is False
    assert kept({"reject": tree}) == [True, False, False, True]
    assert undefined({"require": tree}) == undefined({"reject": tree}) == [False, False, False, True]


def test_negation_does_not_let_undefined_events_pass():
    assert kept({"require": {"not": {"variable": "a", "min": 2}}}) == [True, False, False, False]


def test_trees_use_what_is_known():
    low_a, high_b = {"variable": "a", "max": 1}, {"variable": "b", "min": 5}
    # event 2: a is too large, b undefined; event 3: both undefined
    assert kept({"require": {"any": [low_a, high_b]}}) == [True, True, False, False]
    assert undefined({"require": {"any": [low_a, high_b]}}) == [False, False, True, True]
    assert undefined({"require": {"all": [low_a, high_b]}}) == [False, False, False, True]
    nested = {"all": [{"not": low_a}, {"any": [high_b, {"variable": "a", "min": 3}]}]}
    assert kept({"require": nested}) == [False, True, True, False]


def test_variables_of_a_tree():
    cut = Cut.model_validate(
        {"name": "c", "reject": {"any": [{"variable": "a", "min": 1}, {"not": {"variable": "b", "max": 0}}]}}
    )
    assert cut.variables == {"a", "b"}


def test_working_points():
    values = {"score": np.array([1.0, 3.2, 5.0, np.nan])}
    cut = Cut.model_validate({"name": "c", "require": {"variable": "score", "working_point": "tight"}})
    assert cut.evaluate(CutInputs(values, {"tight": 3.2}))[0].tolist() == [False, True, True, False]
    with pytest.raises(ConfigError, match="'tight'; the model has loose"):
        cut.evaluate(CutInputs(values, {"loose": 1.0}))


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        ({"require": {"variable": "a"}}, "has no bound"),
        ({"require": {"variable": "a", "working_point": "x"}}, "is for the variable 'score'"),
        ({}, "exactly one"),
        ({"require": {"variable": "a", "min": 1}, "reject": {"variable": "a", "min": 1}}, "exactly one"),
        ({"require": {"variable": "a", "mini": 1}}, "mini"),
        ({"require": {"all": []}}, "at least 1"),
        ({"require": "ecal_energy < 50"}, "ecal_energy < 50"),
        ({"require": {"all": ["ecal_energy"]}}, "ecal_energy"),
        ({"require": [1]}, "valid"),
    ],
)
def test_wrong_cuts(cut, message):
    with pytest.raises(ValidationError, match=message):
        Cut.model_validate({"name": "cut", **cut})
