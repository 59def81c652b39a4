"""The numbers of the model cards are derived again from the shipped events."""

import json

import pytest
from bakeoff.card_numbers import FILES, SELECTIONS, card

from na64ml.cli import main
from na64ml.inference import Scorer
from na64ml.resources import shipped

FOLDER = shipped("datasets") / "models"
MODELS = sorted(FOLDER.glob("*.onnx"))
NUMBERS = FOLDER / "numbers.json"
RUNS = {"run 6500": FILES[0], "run 6511": FILES[1]}
REDUCIBLE = ("electroproduction", "neutral_punch_through", "dimuon", "beam_hadron")
AIMS = {"box_50/survivors_1": 0.82, "box_80/survivors_1": 0.88}
"""Signal efficiency that is asked for with one reducible survivor of run 6500."""

by_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.stem)


def numbers(model):
    return json.loads(NUMBERS.read_text())[model.stem]


def test_there_are_a_fast_and_a_default_network():
    assert [model.stem for model in MODELS] == ["na64e_invisible_default", "na64e_invisible_fast"]
    assert sorted(json.loads(NUMBERS.read_text())) == [model.stem for model in MODELS]


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
@by_model
def test_the_numbers_are_derived_again(model, file):
    assert card(model, file) == numbers(model)[file]


@by_model
def test_the_numbers_keep_the_signal_that_is_asked_for(model):
    tested = numbers(model)
    assert all(tested[FILES[0]][point]["signal_efficiency"] >= aim for point, aim in AIMS.items())
    for found in tested.values():
        assert found["box_50/signal_0.78"]["reducible"] == 0
        assert sum(found["score_only"][name] for name in REDUCIBLE) == 0


@by_model
def test_the_card_holds_weights_and_numbers(model):
    text, tested = model.with_suffix(".md").read_text(), numbers(model)
    assert Scorer(model).metadata.weights_hash in text
    for run, file in RUNS.items():
        for selection in SELECTIONS:
            left = tested[file][selection]
            counts = left["dark_photon"], sum(left[name] for name in REDUCIBLE), left["decay_in_flight"]
            row = " | ".join(map(str, (*counts, left["beam_electron"])))
            assert f"| {run}, `{selection}` | {row} |" in text
        kept = [f"{tested[file][point]['signal_efficiency']:.3f}" for point in AIMS]
        left = tested[file]["box_50/signal_0.78"]["decays"]
        assert f"| {run} | {' | '.join(kept)} | {left} |" in text


def test_the_demo_applies_the_shipped_network(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--apply-only", "--out", "demo"]) == 0
    page = (tmp_path / "demo" / "index.html").read_text()
    assert "comes with the package" in page
    assert (tmp_path / "demo" / "scores.root").is_file()
    flow = json.loads((tmp_path / "demo" / "cutflow" / "score_only.json").read_text())
    expected = json.loads(NUMBERS.read_text())["na64e_invisible_fast"][FILES[1]]["score_only"]
    assert {name: count["events"] for name, count in flow["rows"][-1]["counts"].items()} == expected
