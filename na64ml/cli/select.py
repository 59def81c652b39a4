"""``na64ml select``: cut flows, with or without the score."""

import argparse
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from na64ml.cli.options import add_files, add_mode, add_model, console, event_progress, open_chain
from na64ml.errors import ConfigError
from na64ml.events.atomic import atomic_path
from na64ml.events.reader import EventReader
from na64ml.events.root_files import expand
from na64ml.events.splits import check_unique
from na64ml.inference.scorer import Scorer
from na64ml.selection.blinding import Blinding
from na64ml.selection.cutflow import CutFlow
from na64ml.selection.cutflow_table import render
from na64ml.selection.mode import Mode
from na64ml.selection.selection import Selection
from na64ml.selection.viewer import make_viewer

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_files(parser)
    add_mode(parser)
    parser.add_argument(
        "--selection", nargs="+", default=["simple"], help="selection names or YAML files (default: simple)"
    )
    add_model(parser)
    parser.add_argument("--out", type=Path, help="folder for one JSON file per selection")


def run(arguments: argparse.Namespace) -> None:
    """Print and save the cut flows."""
    scorer, reader, mode = open_chain(arguments)
    selections = [mode.selection(name) for name in arguments.selection]
    repeated = [name for name, count in Counter(one.name for one in selections).items() if count > 1]
    if repeated:
        raise ConfigError(f"--selection: more than one has the key 'name: {repeated[0]}'; change it in your file")
    for flow in cut_flows(reader, arguments.files, mode, selections, scorer, arguments.unblind):
        console.print(render(flow))
        if arguments.out:
            with atomic_path(arguments.out / f"{flow.selection.name}.json") as part:
                part.write_text(flow.to_json())


def cut_flows(
    reader: EventReader,
    files: Sequence[str],
    mode: Mode,
    selections: Sequence[Selection],
    scorer: Scorer | None = None,
    unblind: bool = False,
) -> list[CutFlow]:
    """Run selections over files, scoring each event once if one of them needs the score.

    Raises
    ------
    ConfigError
        If a selection cuts on the score and there is no model.
    InputError
        If an event occurs twice.
    """
    needs_score = [selection.name for selection in selections if selection.uses_score]
    if needs_score and scorer is None:
        raise ConfigError(f"selection {', '.join(needs_score)} cuts on the score; give a model with --model")
    blinding = Blinding(mode, unblind)
    flows = [CutFlow(selection, blinding) for selection in selections]
    points = scorer.metadata.thresholds if scorer else None
    make_view = make_viewer(reader)
    ids = []
    with event_progress("selecting", reader.count(files)) as progress:
        for events in reader.iterate(files):
            view = make_view(events)
            extra = scorer.score(events, view).variables if scorer and needs_score else None
            for flow in flows:
                flow.fill(view, flow.selection.apply(view, extra, points))
            ids.append(events.ids)
            progress(len(events))
    check_unique(np.concatenate(ids), ", ".join(expand(files)))
    return flows
