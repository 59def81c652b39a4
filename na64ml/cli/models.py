"""Networks given as a checkpoint or as an ONNX file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from na64ml.errors import ConfigError
from na64ml.events.batch import EventBatch
from na64ml.events.contract import Contract
from na64ml.graphs.sample import Split
from na64ml.inference.scorer import Scorer, Scores

_BATCH = 64


@dataclass(frozen=True)
class Model:
    """What scoring and evaluating need to know about a network.

    Parameters
    ----------
    score
        Scores the events of a batch.
    check
        Raises an error if events of a contract cannot be scored.
    layout, mode, split, run_id
        Provenance of the training.
    """

    score: Callable[[EventBatch], Scores]
    check: Callable[[Contract, str | None], None]
    layout: str
    mode: str
    split: Split
    run_id: str | None


def open_model(path: Path) -> Model:
    """Open a checkpoint (``.ckpt``) or an exported network (``.onnx``).

    Raises
    ------
    ConfigError
        If the file is neither.
    """
    if path.suffix == ".onnx":
        scorer = Scorer(path)
        known = scorer.metadata
        split = Split.model_validate(known.split)
        return Model(scorer.score, scorer.check, known.layout, known.mode, split, known.run_id)
    if path.suffix == ".ckpt":
        return _open_checkpoint(path)
    raise ConfigError(f"{path}: is neither a checkpoint (.ckpt) nor an exported network (.onnx)")


def _open_checkpoint(path: Path) -> Model:
    from na64ml.export.onnx_export import DeliveredNetwork
    from na64ml.export.parity import reference_scores
    from na64ml.models.checkpoint import load_network

    network, record = load_network(path)
    delivered = DeliveredNetwork(network).eval()

    def check(contract: Contract, conditions_hash: str | None) -> None:
        if contract.hash != record.contract.hash:
            raise ConfigError(
                f"{path}: the events do not fit the network (network / events): "
                f"{'; '.join(record.contract.differences(contract))}. Use a layout with these detectors"
            )

    return Model(
        score=lambda events: reference_scores(delivered, events, _BATCH),
        check=check,
        layout=record.layout,
        mode=record.mode,
        split=record.split,
        run_id=record.run_id,
    )
