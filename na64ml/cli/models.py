"""Networks given as a checkpoint or as an ONNX file."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from na64ml.errors import ConfigError
from na64ml.events.batch import EventBatch
from na64ml.events.contract import Contract
from na64ml.graphs.sample import Split
from na64ml.inference.compatibility import check_contract
from na64ml.inference.scorer import Scorer, Scores
from na64ml.selection.mode import Mode
from na64ml.selection.view import EventView

logger = logging.getLogger(__name__)

_BATCH = 64


@dataclass(frozen=True)
class Model:
    """What scoring and evaluating need to know about a network.

    Parameters
    ----------
    path
        File of the network.
    score
        Scores the events of a batch; boosted trees take their analysis variables from the view, if there is one.
    contracts
        Event contracts the network was validated for.
    classes, background_fractions
        Signal first; shares of the backgrounds in the score.
    weights_hash
        Hash of the network.
    conditions_hash, data_hash, layout, mode, split, run_id
        Provenance of the training.
    """

    path: Path
    score: Callable[[EventBatch, EventView | None], Scores]
    contracts: tuple[Contract, ...]
    classes: tuple[str, ...]
    background_fractions: Mapping[str, float]
    weights_hash: str
    conditions_hash: str
    data_hash: str
    layout: str
    mode: str
    split: Split
    run_id: str | None

    def check(self, contract: Contract, conditions_hash: str | None = None) -> None:
        """Check that events of a contract may be scored, as `na64ml.inference.compatibility.check_contract` does."""
        check_contract(self.path, self.contracts, self.conditions_hash, contract, conditions_hash)

    def check_mode(self, mode: Mode) -> None:
        """Check that a mode has the classes of the network; warn if its background fractions differ.

        Raises
        ------
        ConfigError
            Listing the outputs that stand for another class.
        """
        if mode.classes != self.classes:
            raise ConfigError(
                f"{self.path}: mode '{mode.name}' has other classes than the network (network / mode): "
                f"{'; '.join(_class_differences(self.classes, mode.classes))}. "
                f"Use the mode of the training ('{self.mode}'), or train a network for this mode"
            )
        for name, fraction in zip(mode.classes[1:], mode.fractions.tolist(), strict=True):
            if not np.isclose(fraction, self.background_fractions[name]):
                logger.warning(
                    "%s: the score was made with background fraction %g of %s, mode '%s' has %g",
                    self.path,
                    self.background_fractions[name],
                    name,
                    mode.name,
                    fraction,
                )


def open_model(path: Path) -> Model:
    """Open a checkpoint (``.ckpt``) or an exported network (``.onnx``).

    Raises
    ------
    ConfigError
        If the file is neither.
    """
    if path.suffix == ".onnx":
        return _open_exported(path)
    if path.suffix == ".ckpt":
        return _open_checkpoint(path)
    raise ConfigError(f"{path}: is neither a checkpoint (.ckpt) nor an exported network (.onnx)")


def _open_exported(path: Path) -> Model:
    scorer = Scorer(path)
    known = scorer.metadata
    return Model(
        path=path,
        score=scorer.score,
        contracts=known.contracts,
        classes=known.classes,
        background_fractions=known.background_fractions,
        weights_hash=known.weights_hash,
        conditions_hash=known.conditions_hash,
        data_hash=known.data_hash,
        layout=known.layout,
        mode=known.mode,
        split=Split.model_validate(known.split),
        run_id=known.run_id,
    )


def _open_checkpoint(path: Path) -> Model:
    from na64ml.export.onnx_export import weights_hash
    from na64ml.export.parity import reference_scores
    from na64ml.models.checkpoint import load_network
    from na64ml.models.delivered import DeliveredNetwork

    network, record = load_network(path)
    delivered = DeliveredNetwork(network).eval()

    def score(events: EventBatch, view: EventView | None = None) -> Scores:
        return reference_scores(delivered, events, _BATCH)

    return Model(
        path=path,
        score=score,
        contracts=(record.contract,),
        classes=record.inputs.classes,
        background_fractions=record.inputs.background_fractions,
        weights_hash=weights_hash(network),
        conditions_hash=record.conditions_hash,
        data_hash=record.data_hash,
        layout=record.layout,
        mode=record.mode,
        split=record.split,
        run_id=record.run_id,
    )


def _class_differences(network: tuple[str, ...], mode: tuple[str, ...]) -> list[str]:
    size = max(len(network), len(mode))
    pairs = zip(*(names + ("none",) * (size - len(names)) for names in (network, mode)), strict=True)
    return [f"output {index}: {mine} / {theirs}" for index, (mine, theirs) in enumerate(pairs) if mine != theirs]
