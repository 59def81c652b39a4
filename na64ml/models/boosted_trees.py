"""Boosted trees on a table of analysis variables: LightGBM with the weights and the score of the networks."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from na64ml.errors import ConfigError
from na64ml.models.inputs import NetworkInputs
from na64ml.yaml_files import StrictModel

logger = logging.getLogger(__name__)


class TreeSettings(StrictModel):
    """How trees are grown; every key is a parameter of LightGBM.

    Parameters
    ----------
    num_iterations
        Rounds of boosting, at most; each adds one tree per class.
    early_stopping_round
        Stop when the loss of the validation part has not improved for so many rounds, and keep the best; 0 for never.
    learning_rate, num_leaves, min_data_in_leaf, lambda_l2, max_bin
        Size and strength of a tree.
    feature_fraction, bagging_fraction, bagging_freq
        Share of the variables that a tree sees; share of the events, drawn anew every so many rounds.
    seed, num_threads
        Of the random choices; of the training.
    """

    num_iterations: int = Field(default=300, ge=1)
    early_stopping_round: int = Field(default=0, ge=0)
    learning_rate: float = Field(default=0.03, gt=0)
    num_leaves: int = Field(default=15, ge=2)
    min_data_in_leaf: int = Field(default=10, ge=1)
    lambda_l2: float = Field(default=0.0, ge=0)
    max_bin: int = Field(default=255, ge=2)
    feature_fraction: float = Field(default=0.5, gt=0, le=1)
    bagging_fraction: float = Field(default=0.8, gt=0, le=1)
    bagging_freq: int = Field(default=1, ge=0)
    seed: int = 0
    num_threads: int = Field(default=1, ge=1)


@dataclass(frozen=True, eq=False)
class Table:
    """Events as trees see them.

    Parameters
    ----------
    values
        float32 ``[n_events, n_variables]``, NaN where undefined, see `na64ml.selection.table.variable_table`.
    label
        int64 ``[n_events]``: class.
    weight
        float ``[n_events]``: training weight.
    """

    values: NDArray[np.float32]
    label: NDArray[np.int64]
    weight: NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Trees:
    """Trained trees.

    Parameters
    ----------
    booster
        ``lightgbm.Booster``; its raw scores are the logits.
    variables
        Analysis variables in the order of its columns.
    inputs
        Detectors and classes, for status and score.
    """

    booster: Any
    variables: tuple[str, ...]
    inputs: NetworkInputs


def lightgbm() -> Any:
    """Return the library.

    Raises
    ------
    ConfigError
        If it is not installed.
    """
    try:
        return import_module("lightgbm")
    except ModuleNotFoundError as error:
        raise ConfigError("boosted trees need lightgbm; install it with: pip install 'na64ml[trees]'") from error


def grow(
    train: Table,
    n_classes: int,
    settings: TreeSettings,
    validation: Table | None = None,
    names: Sequence[str] | None = None,
    progress: Callable[[int], None] = lambda n_rounds: None,
) -> Any:
    """Train trees; log the loss of the validation part, if there is one.

    Parameters
    ----------
    validation
        Events that decide when to stop; needed if the settings ask for it.
    names
        Of the variables.
    progress
        Called with 1 after each round.

    Returns
    -------
    ``lightgbm.Booster``, cut to its best round; its raw scores are the logits.

    Raises
    ------
    ConfigError
        If there is nothing to decide when to stop.
    """
    library = lightgbm()
    parameters = settings.model_dump(exclude={"num_iterations", "early_stopping_round"})
    parameters |= {"objective": "multiclass", "num_class": n_classes, "deterministic": True, "verbosity": -1}
    data = library.Dataset(
        train.values, train.label, weight=train.weight, feature_name=_plain(names), params=parameters
    )
    losses: dict[str, dict[str, list[float]]] = {}
    callbacks = [lambda environment: progress(1), library.record_evaluation(losses)]
    watched = []
    if validation is not None and len(validation.label):
        watched = [data.create_valid(validation.values, validation.label, weight=validation.weight)]
    if settings.early_stopping_round:
        if not watched:
            raise ConfigError(
                f"trees.early_stopping_round: is {settings.early_stopping_round}, but no event validates; raise "
                "data.validation, or set it to 0"
            )
        callbacks.append(library.early_stopping(settings.early_stopping_round, verbose=False))
    booster = library.train(parameters, data, settings.num_iterations, valid_sets=watched, callbacks=callbacks)
    rounds = booster.best_iteration if booster.best_iteration > 0 else booster.current_iteration()
    for of_part in losses.values():
        for name, values in of_part.items():
            logger.info("validation %s %.4f after %d rounds", name, values[rounds - 1], rounds)
    return library.Booster(model_str=booster.model_to_string(num_iteration=rounds))


def predicted(booster: Any, values: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return logits and probabilities ``[n_events, n_classes]`` as LightGBM computes them."""
    if len(values) == 0:
        nothing = np.zeros((0, booster.num_model_per_iteration()))
        return nothing, nothing
    return booster.predict(values, raw_score=True), booster.predict(values)


def _plain(names: Sequence[str] | None) -> list[str] | str:
    """Return names that LightGBM accepts: it takes no colons."""
    return "auto" if names is None else [name.replace(":", "_") for name in names]
