"""Write the numbers of the model cards: survivors of cut flows with the score on both reference runs.

python experiments/bakeoff/card_numbers.py
"""

import json
import tempfile
from pathlib import Path

from na64ml.cli import main as na64ml
from na64ml.resources import shipped

FOLDER = shipped("datasets") / "models"
FILES = ("shipped:na64e_reference.root", "shipped:na64e_reference_b.root")
SELECTIONS = ("simple_with_score", "score_only")


def main() -> None:
    numbers = {model.stem: {file: survivors(model, file) for file in FILES} for model in sorted(FOLDER.glob("*.onnx"))}
    (FOLDER / "numbers.json").write_text(json.dumps(numbers, indent=1) + "\n")
    print(json.dumps(numbers, indent=1))


def survivors(model: Path, file: str) -> dict[str, dict[str, int]]:
    """Return how many events of each class 'na64ml select' leaves."""
    with tempfile.TemporaryDirectory() as folder:
        na64ml(["select", file, "--model", str(model), "--selection", *SELECTIONS, "--out", folder])
        flows = [json.loads((Path(folder) / f"{name}.json").read_text()) for name in SELECTIONS]
    counts = {flow["selection"]: flow["rows"][-1]["counts"] for flow in flows}
    return {name: {group: count["events"] for group, count in row.items()} for name, row in counts.items()}


if __name__ == "__main__":
    main()
