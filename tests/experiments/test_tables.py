"""The tables of the bake-off hold what its JSON files hold."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bakeoff.card_numbers import FILES
from bakeoff.ladder import EPOCHS
from bakeoff.training import Training

from na64ml.errors import ConfigError
from na64ml.events.cache import sha256

FOLDER = Path(__file__).parents[2] / "experiments" / "bakeoff"
PAGE = (FOLDER / "README.md").read_text()
RUNS = dict(zip(("6500", "6511"), FILES, strict=True))


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return found


def cells(study: dict[str, Any]) -> str:
    """The columns that the tables of networks have in common."""
    points = (study[f"box_{point}"] for point in ("50/survivors_0", "80/survivors_0", "80/survivors_1"))
    kept = [f"{at['signal_efficiency']:.3f} ({at['lo']:.3f} to {at['hi']:.3f})" for at in points]
    left = study["box_50/signal_0.78"]
    return " | ".join([*kept, f"{left['reducible']} and {left['decays']}"])


def rows() -> Iterator[str]:
    for name, result in read("ladder.json").items():
        rate = f"rate {result['options']['model.learning_rate']:g}"
        loss = f"{result['validation_loss'][EPOCHS - 1]:.3f}"
        yield f"| {name}, {rate}, {result['seconds']['cpu']:.0f} s | {loss} | {cells(result[RUNS['6500']])} |"
    for name, result in read("large.json").items():
        yield from (f"| {name}, {run} | {cells(result[file])} |" for run, file in RUNS.items())
    for name, result in read("ablation.json").items():
        yield f"| {name} | {cells(result[RUNS['6500']])} |"
    for name, result in read("unseen.json").items():
        boxes = (result["box_50"], result["box_80"])
        left = " | ".join(f"{box[kind]['survivors']}" for box in boxes for kind in ("decays", "reducible"))
        yield f"| {name} | {left} |"
    for name, result in read("robustness.json").items():
        if isinstance(result, dict):
            boxes = (result["box_50"], result["box_80"])
            yield f"| {name.replace('_', ' ')} | {' | '.join(held(box) for box in boxes)} |"
    background = read("background.json")
    models = [name for name, result in background.items() if isinstance(result, dict)]
    for label in [name for name, result in background[models[0]].items() if isinstance(result, dict)]:
        first = background[models[0]][label]
        survivors = " | ".join(passed(background[name][label]) for name in models)
        made = f"{first['events']:,}, {first['distinct_showers']:,} | {first['limit_without_survivors']:g}"
        yield f"| {label.replace('_', ' ')} | {made} | {survivors} |"


def passed(result: dict[str, Any]) -> str:
    """Survivors and their showers in both boxes."""
    return "; ".join(f"{box['survivors']:,} ({box['showers']:,})" for box in (result["box_50"], result["box_80"]))


def held(box: dict[str, Any]) -> str:
    """Signal with the most that there can be, and background with the number generated."""
    signal = f"{box['signal_efficiency'][0]:.3f} ({box['cap']:.3f})"
    return " | ".join([signal, *(f"{left} of {made:,}" for left, made in (box["reducible"], box["decays"]))])


@pytest.mark.parametrize("row", list(rows()))
def test_a_row_is_on_the_page(row: str) -> None:
    assert row in PAGE, f"nearest: {re.findall(re.escape(row[:12]) + '.*', PAGE)}"


def test_a_training_of_other_samples_is_not_taken_for_mine(tmp_path: Path) -> None:
    file = tmp_path / "train.root"
    file.write_text("events")
    training = Training(tmp_path, [file], {"trainer.max_epochs": 3})
    assert not training.is_finished
    record = {"samples": {file.name: sha256(file)}, "options": training.options, "config": training.config}
    (tmp_path / "finished.json").write_text(json.dumps(record))
    assert training.is_finished
    file.write_text("another draw")
    with pytest.raises(ConfigError, match=r"finished\.json: key 'samples': .*train\.root.*--work"):
        _ = training.is_finished


def test_an_interrupted_training_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "train.root"
    file.write_text("events")
    last = tmp_path / "runs" / "1" / "RUN" / "checkpoints" / "last.ckpt"
    given: list[tuple[str, ...]] = []
    monkeypatch.setattr("bakeoff.training.command", lambda *words: given.append(words))
    training = Training(tmp_path, [file])
    training.run()
    last.parent.mkdir(parents=True)
    last.touch()
    training.run()  # finished: nothing happens
    (tmp_path / "finished.json").unlink()
    training.run()
    assert ["--ckpt_path" in words for words in given] == [False, True]
    assert str(last) in given[1]
    assert json.loads((tmp_path / "finished.json").read_text())["seconds"] is None
