"""``na64ml demo``: the whole chain on the embedded sample."""

import argparse
import json
import shlex
import shutil
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
SHIPPED_MODEL = "shipped:models/na64e_invisible_fast.onnx"
SURVIVORS_OF = "simple_with_score"
SELECTIONS = ("simple", SURVIVORS_OF, "score_only")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for everything the demo makes")
    parser.add_argument("--epochs", type=int, default=15, help="training epochs")
    parser.add_argument(
        "--apply-only", action="store_true", help="train nothing: apply the fast network that is shipped"
    )


def run(arguments: argparse.Namespace) -> None:
    """Train, evaluate, export, score and select, with the commands a user would type; then write a summary."""
    begin = time.monotonic()
    out: Path = arguments.out
    runs, model = out / "runs", SHIPPED_MODEL if arguments.apply_only else str(out / "model.onnx")
    training = [
        ["fit", "--config", "na64e_invisible/train.yaml", "--root", runs, "--trainer.max_epochs", arguments.epochs],
        ["evaluate", TRAIN_FILE, "--model", "CHECKPOINT", "--out", out / "evaluation", "--unweighted", "--root", runs],
        ["export", "CHECKPOINT", "--out", model, "--working-points", out / "evaluation" / evaluate.WORKING_POINTS],
    ]
    applying = [
        ["score", OTHER_FILE, "--model", model, "--out", out / "scores.root"],
        ["select", OTHER_FILE, "--selection", *SELECTIONS, "--model", model, "--out", out / "cutflow"],
        ["display", OTHER_FILE, "--survivors", SURVIVORS_OF, "--most", 3, "--model", model, "--out", out / "display"],
    ]
    shutil.rmtree(out / "display", ignore_errors=True)  # survivors of another network
    words = applying if arguments.apply_only else training + applying
    commands = [shlex.join(map(str, command)) for command in words]
    started = time.time()
    for command in commands:
        _type(command.replace("CHECKPOINT", shlex.quote(str(_newest_checkpoint(runs, started)))))
    measured = [] if arguments.apply_only else _evaluation(out / "evaluation")
    page = _summary(out, commands, measured, time.monotonic() - begin)
    console.print(f"\nThe demo took {time.monotonic() - begin:.0f} s. Open [bold]{page}[/] in a browser.")
    if not arguments.apply_only:
        console.print(f"Training history: mlflow ui --backend-store-uri sqlite:///{runs / 'mlflow.db'}")


def _type(command: str) -> None:
    console.print(f"\n[bold]$ na64ml {command}[/]", highlight=False)
    if command_line.main(shlex.split(command)) != 0:
        raise Na64mlError(f"the demo stopped at 'na64ml {command}'; the message above says why")


def _newest_checkpoint(runs: Path, started: float) -> Path | None:
    found = [path for path in runs.glob("*/*/checkpoints/best.ckpt") if path.stat().st_mtime >= started]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _evaluation(folder: Path) -> list[Section]:
    """Return what 'evaluate' measured."""
    metrics: Metrics = json.loads((folder / evaluate.METRICS).read_text())
    scored = evaluate.alike(ScoredEvents.read(folder / evaluate.SCORED))
    figures = {name: folder / f"{name}.png" for name in CAPTIONS if (folder / f"{name}.png").is_file()}
    return evaluation_sections(scored, metrics, figures)


def _summary(out: Path, commands: Sequence[str], measured: Sequence[Section], seconds: float) -> Path:
    """Write one page with the cut flows, the evaluation and the surviving events."""
    survivors = sorted((out / "display").glob("*.png"))
    network = (
        "A small graph network was trained on simulated events of one run, tested on events of that run it had "
        "not seen, exported to one ONNX file, and used"
        if measured
        else "The fast network that comes with the package was used"
    )
    sections = [
        Section(
            "What was done",
            f"{network} as one more cut on events of another run with other cell gains. Every step is a command:\n\n"
            + "\n\n".join(f"na64ml {command}" for command in commands),
        ),
        Section(
            "Cut flow of the other run, with and without the score",
            "Survivors of each class. 'simple' is a cut-based analysis, 'simple_with_score' adds the score, "
            "'score_only' keeps the trigger, the score and the signal box.",
            [_survivors(out / "cutflow" / f"{name}.json") for name in SELECTIONS],
        ),
        *measured,
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
