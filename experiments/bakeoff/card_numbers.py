"""Write the numbers of the model cards: what the shipped networks keep and leave of both reference runs.

python experiments/bakeoff/card_numbers.py
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "chain"))
from chain.run import OTHER, TESTED, Sample, study

from na64ml.cli.select import cut_flows
from na64ml.events.reader import EventReader
from na64ml.inference import Scorer
from na64ml.resources import shipped

FOLDER = shipped("datasets") / "models"
FILES = (TESTED, OTHER)
SELECTIONS = ("simple_with_score", "score_only")
HEADLINE = (
    *("box_50/survivors_0", "box_50/survivors_1", "box_80/survivors_0", "box_80/survivors_1"),
    "box_50/signal_0.78",
)


def main() -> None:
    numbers = {model.stem: {file: card(model, file) for file in FILES} for model in sorted(FOLDER.glob("*.onnx"))}
    (FOLDER / "numbers.json").write_text(json.dumps(numbers, indent=1) + "\n")
    print(json.dumps(numbers, indent=1))


def card(model: Path, file: str) -> dict[str, object]:
    """Return the survivors of the selections by class, and the rejection at the points of the bake-off."""
    scorer, sample = Scorer(model), Sample.read(file)
    selections = [sample.mode.selection(name) for name in SELECTIONS]
    flows = cut_flows(EventReader("na64e_reference"), [file], sample.mode, selections, scorer)
    counts = {flow.selection.name: flow.to_rows()[-1].counts for flow in flows}
    survivors = {name: {group: count.events for group, count in row.items() if count} for name, row in counts.items()}
    measured = study(sample.scores(scorer), sample)
    return {**survivors, **{point: measured[point] for point in HEADLINE}}


if __name__ == "__main__":
    main()
