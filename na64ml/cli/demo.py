"""``na64ml demo``: the whole chain on the embedded sample."""

import argparse
import json
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

import na64ml.cli as command_line
from na64ml.cli import evaluate
from na64ml.cli.options import console
from na64ml.errors import Na64mlError
from na64ml.evaluation.metrics import Metrics
from na64ml.evaluation.report import Section, Table, write_report
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.summary import CAPTIONS, evaluation_sections
from na64ml.selection.cutflow import GroupCount
from na64ml.selection.cutflow_table import SURVIVOR_COLUMNS, survivor_cells

TRAIN_FILE, OTHER_FILE = "shipped:na64e_reference.root", "shipped:na64e_reference_b.root"
SELECTIONS = ("simple", "simple_with_score", "score_only")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for everything the demo makes")
    parser.add_argument("--epochs", type=int, default=15, help="training epochs")


def run(arguments: argparse.Namespace) -> None:
    """Train, evaluate, export, score and select, with the commands a user would type; then write a summary."""
    begin = time.monotonic()
    out: Path = arguments.out
    runs, model = out / "runs", out / "model.onnx"
    commands = [
        f"fit --config na64e_invisible/train.yaml --root {runs} --trainer.max_epochs {arguments.epochs}",
        f"evaluate {TRAIN_FILE} --model CHECKPOINT --out {out / 'evaluation'} --unweighted --root {runs}",
        f"export CHECKPOINT --out {model} --working-points {out / 'evaluation' / evaluate.WORKING_POINTS}",
        f"score {OTHER_FILE} --model {model} --out {out / 'scores.root'}",
        f"select {OTHER_FILE} --selection {' '.join(SELECTIONS)} --model {model} --out {out / 'cutflow'}",
        f"display {OTHER_FILE} --survivors simple_with_score --most 3 --model {model} --out {out / 'display'}",
    ]
    started = time.time()
    for command in commands:
        _type(command.replace("CHECKPOINT", str(_newest_checkpoint(runs, started))))
    page = _summary(out, commands, time.monotonic() - begin)
    console.print(f"\nThe demo took {time.monotonic() - begin:.0f} s. Open [bold]{page}[/] in a browser.")
    console.print(f"Training history: mlflow ui --backend-store-uri sqlite:///{runs / 'mlflow.db'}")


def _type(command: str) -> None:
    console.print(f"\n[bold]$ na64ml {command}[/]", highlight=False)
    if command_line.main(shlex.split(command)) != 0:
        raise Na64mlError(f"the demo stopped at 'na64ml {command}'; the message above says why")


def _newest_checkpoint(runs: Path, started: float) -> Path | None:
    found = [path for path in runs.glob("*/*/checkpoints/best.ckpt") if path.stat().st_mtime >= started]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _summary(out: Path, commands: Sequence[str], seconds: float) -> Path:
    """Write one page with the cut flows, the evaluation and the surviving events."""
    evaluation = out / "evaluation"
    metrics: Metrics = json.loads((evaluation / evaluate.METRICS).read_text())
    scored = evaluate.alike(ScoredEvents.read(evaluation / evaluate.SCORED))
    figures = {name: evaluation / f"{name}.png" for name in CAPTIONS if (evaluation / f"{name}.png").is_file()}
    survivors = sorted((out / "display").glob("*.png"))
    sections = [
        Section(
            "What was done",
            "A small graph network was trained on simulated events of one run, tested on events of that run it had "
            "not seen, exported to one ONNX file, and used as one more cut on events of another run with other "
            "cell gains. Every step is a command:\n\n" + "\n\n".join(f"na64ml {command}" for command in commands),
        ),
        Section(
            "Cut flow of the other run, with and without the score",
            "Survivors of each class. 'simple' is a cut-based analysis, 'simple_with_score' adds the score, "
            "'score_only' keeps the trigger, the score and the signal box.",
            [_survivors(out / "cutflow" / f"{name}.json") for name in SELECTIONS],
        ),
        *evaluation_sections(scored, metrics, figures),
        Section(
            "Surviving background",
            "Background events of the other run that pass the cuts and the score." if survivors else "None survives.",
            figures={path.stem.replace("_", " "): path for path in survivors},
        ),
    ]
    return write_report(out, "na64ml demo", sections, f"finished in {seconds:.0f} s")


def _survivors(path: Path) -> Table:
    flow = json.loads(path.read_text())
    counts = {name: GroupCount(**count) for name, count in flow["rows"][-1]["counts"].items() if count}
    rows = [[name.replace("_", " "), *survivor_cells(count)] for name, count in counts.items()]
    return Table(f"Survivors of '{flow['selection']}'", ["class", *SURVIVOR_COLUMNS], rows)
