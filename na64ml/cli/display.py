"""``na64ml display``: pictures of single events."""

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from na64ml.cli.options import add_files, add_mode, add_model, event_progress, open_chain
from na64ml.errors import InputError
from na64ml.evaluation.display import display_event
from na64ml.events.batch import EventBatch
from na64ml.inference.scorer import Scores
from na64ml.selection.blinding import Blinding
from na64ml.selection.selection import Selection
from na64ml.selection.view import EventView
from na64ml.selection.viewer import make_viewer
from na64ml.setups.setup import Setup

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_files(parser)
    add_mode(parser)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--event", nargs=3, type=int, metavar=("RUN", "SPILL", "EVENT"), help="draw this event")
    which.add_argument("--survivors", metavar="SELECTION", help="draw events that survive a selection")
    parser.add_argument(
        "--of", metavar="CLASS", nargs="+", help="only survivors of these classes (default: background)"
    )
    parser.add_argument("--most", type=int, default=10, help="draw at most this many events")
    add_model(parser)
    parser.add_argument("--out", type=Path, default=Path("display"), help="folder for one PNG per event")


def run(arguments: argparse.Namespace) -> None:
    """Draw the chosen events."""
    scorer, reader, mode = open_chain(arguments)
    blinding = Blinding(mode, arguments.unblind)
    classes = [mode.class_index(name) for name in arguments.of] if arguments.of else list(range(1, len(mode.classes)))
    chooser = _Chooser(
        identity=arguments.event,
        selection=mode.selection(arguments.survivors) if arguments.survivors else None,
        classes=np.array([*classes, -1]),
        thresholds=scorer.metadata.thresholds if scorer else {},
    )
    view = make_viewer(reader)
    drawn = 0
    with event_progress("looking", reader.count(arguments.files)) as progress:
        for events in reader.iterate(arguments.files):
            viewed = view(events)
            scores = scorer.score(events, viewed) if scorer else None
            shown = chooser.choose(viewed, mode.label(events), scores) & ~blinding.hidden(viewed)
            for index in np.flatnonzero(shown)[: arguments.most - drawn].tolist():
                _draw(events, reader.setup, index, scores, arguments.out)
                drawn += 1
            progress(len(events))
            if drawn == arguments.most:
                break
    if drawn == 0 and arguments.event:
        raise InputError(f"{', '.join(arguments.files)}: no event to draw fits the choice; data may be blinded")
    if drawn == 0:
        logger.info("no event survives, so none is drawn; data may be blinded")
        return
    logger.info("%d events drawn in %s", drawn, arguments.out)


@dataclass(frozen=True)
class _Chooser:
    """Which events to draw: one by its identity, or the survivors of a selection among some classes."""

    identity: list[int] | None
    selection: Selection | None
    classes: NDArray[np.int64]
    thresholds: dict[str, float]

    def choose(self, view: EventView, label: NDArray[np.int16], scores: Scores | None) -> NDArray[np.bool_]:
        if self.selection is None:
            same: NDArray[np.bool_] = (view.batch.ids == self.identity).all(axis=1)
            return same
        extra = scores.variables if scores else None
        decisions = self.selection.apply(view, extra, self.thresholds)
        return decisions.surviving(label == 0) & np.isin(label, self.classes)


def _draw(events: EventBatch, setup: Setup, index: int, scores: Scores | None, folder: Path) -> None:
    figure = display_event(
        events,
        setup,
        index,
        score=None if scores is None else float(scores.score[index]),
        status=None if scores is None else int(scores.status[index]),
    )
    folder.mkdir(parents=True, exist_ok=True)
    run, spill, number = events.ids[index].tolist()
    figure.savefig(folder / f"event_{run}_{spill}_{number}.png", dpi=130)
