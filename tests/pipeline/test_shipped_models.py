"""The numbers of the model cards are derived again from the shipped events."""

import json

import pytest

from na64ml.cli import main
from na64ml.cli.select import cut_flows
from na64ml.events.reader import EventReader
from na64ml.inference import Scorer
from na64ml.resources import shipped
from na64ml.selection.mode import load_mode

FOLDER = shipped("datasets") / "models"
MODELS = sorted(FOLDER.glob("*.onnx"))
NUMBERS = FOLDER / "numbers.json"
FILES = ("shipped:na64e_reference.root", "shipped:na64e_reference_b.root")
SELECTIONS = ("simple_with_score", "score_only")


def survivors(model, file):
    """Return how many events of each class survive the selections with the score of a network."""
    scorer, mode = Scorer(model), load_mode("na64e_invisible")
    selections = [mode.selection(name) for name in SELECTIONS]
    flows = cut_flows(EventReader("na64e_reference"), [file], mode, selections, scorer)
    counts = {flow.selection.name: flow.to_rows()[-1].counts for flow in flows}
    return {name: {group: count.events for group, count in row.items() if count} for name, row in counts.items()}


def test_there_are_a_fast_and_a_default_network():
    assert [model.stem for model in MODELS] == ["na64e_invisible_default", "na64e_invisible_fast"]
    assert sorted(json.loads(NUMBERS.read_text())) == [model.stem for model in MODELS]


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.stem)
def test_the_numbers_of_the_card(model, file):
    card = json.loads(NUMBERS.read_text())[model.stem][file]
    assert survivors(model, file) == card
    reducible = ("electroproduction", "neutral_punch_through", "dimuon", "beam_hadron")
    assert sum(card["score_only"][name] for name in reducible) == 0


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.stem)
def test_the_card_of_a_network_names_its_weights(model):
    card = model.with_suffix(".md").read_text()
    assert Scorer(model).metadata.weights_hash in card


def test_the_demo_applies_the_shipped_network(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--apply-only", "--out", "demo"]) == 0
    page = (tmp_path / "demo" / "index.html").read_text()
    assert "comes with the package" in page
    assert (tmp_path / "demo" / "scores.root").is_file()
    flow = json.loads((tmp_path / "demo" / "cutflow" / "score_only.json").read_text())
    card = json.loads(NUMBERS.read_text())["na64e_invisible_fast"][FILES[1]]["score_only"]
    assert {name: count["events"] for name, count in flow["rows"][-1]["counts"].items()} == card
