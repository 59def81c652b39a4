"""``na64ml calibrate``: class probabilities that mean what they say."""

import argparse
import logging
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from na64ml.cli.models import Model, open_model
from na64ml.cli.options import add_files, event_progress, make_mode, make_reader
from na64ml.errors import ConfigError
from na64ml.evaluation.collect import collect
from na64ml.evaluation.scored import SCORED

logger = logging.getLogger(__name__)

_PARTS: tuple[Literal["validation"], Literal["test"]] = ("validation", "test")
_LOWEST = 1e-37
"""Smallest probability of single precision; only events that are hopelessly wrong are below it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_files(parser)
    parser.add_argument("--model", type=Path, required=True, help="checkpoint (.ckpt)")
    parser.add_argument("--mode", help="mode name or YAML file (default: the model's)")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write")


def run(arguments: argparse.Namespace) -> None:
    """Fit the temperature on the validation split, and say what it does to the test split."""
    from na64ml.models.calibration import cross_entropy, fit_temperature
    from na64ml.models.checkpoint import load_network, write_checkpoint

    if arguments.model.suffix != ".ckpt":
        raise ConfigError(f"{arguments.model}: is not a checkpoint (.ckpt); calibrate before the export")
    model = open_model(arguments.model)
    events = {part: _events(model, arguments, part) for part in _PARTS}
    change = fit_temperature(*events["validation"])
    network, record = load_network(arguments.model)
    network.temperature *= change
    write_checkpoint(arguments.out, network, record)
    for part, (log_p, label, weight) in events.items():
        before, after = (cross_entropy(log_p / factor, label, weight) for factor in (1.0, change))
        logger.info("cross-entropy of %s %s events: %.4f, was %.4f", f"{len(label):,}", part, after, before)
    logger.info(
        "wrote %s with temperature %.4g; evaluate it for new working points", arguments.out, network.temperature
    )


def _events(
    model: Model, arguments: argparse.Namespace, part: Literal["validation", "test"]
) -> tuple[NDArray[np.float64], NDArray[np.int16], NDArray[np.float64]]:
    """Return logarithms of the probabilities, classes and class-balanced weights of the scored events of a part."""
    reader = make_reader(arguments, model.layout)
    model.check(reader.contract, reader.conditions.hash)
    mode = make_mode(arguments, reader, model.mode)
    model.check_mode(mode)
    with event_progress(f"scoring {part}", reader.count(arguments.files)) as progress:
        scored = collect(
            reader, arguments.files, mode, model.score, lambda events: model.split.assign(events.ids)[part], progress
        )
    used = scored.status == SCORED
    label = scored.label[used]
    log_p = np.log(np.maximum(scored.probability[used].astype(np.float64), _LOWEST))
    return log_p, label, 1 / np.bincount(label)[label]
