"""Several trained networks as one."""

from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn

from na64ml.errors import ConfigError
from na64ml.graphs.batch import PackedBatch
from na64ml.models.checkpoint import NetworkRecord
from na64ml.models.class_path import import_class
from na64ml.models.inputs import NetworkInputs
from na64ml.models.network import EventNetwork


class EnsembleNetwork(EventNetwork):
    """Average of the calibrated class probabilities of its members, in one graph and so in one ONNX file.

    Parameters
    ----------
    inputs
        Detectors and classes, those of all members.
    members
        ``class_path`` and ``init_args`` of each member.
    """

    def __init__(self, inputs: NetworkInputs, members: list[dict[str, Any]]) -> None:
        super().__init__(inputs)
        self.save_hyperparameters(ignore="inputs")
        del self.features  # the members have their own
        self.members = nn.ModuleList(
            import_class(str(member["class_path"]), f"members.{index}.class_path")(inputs, **member["init_args"])
            for index, member in enumerate(members)
        )

    def forward(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> Tensor:
        """Return the logarithm of the average probabilities ``[n_events, n_classes]``, which are logits."""
        log_p = [
            torch.log_softmax(member(hits, detector, event, track) / member.temperature, dim=1)
            for member in self.members
        ]
        return torch.logsumexp(torch.stack(log_p), dim=0)

    def fit_normalisation(self, batches: Iterable[PackedBatch]) -> None:
        """Fit the input normalisation of every member."""
        kept = list(batches)
        for member in self.members:
            cast(EventNetwork, member).fit_normalisation(kept)


def ensemble(
    networks: list[EventNetwork], records: list[NetworkRecord], names: list[str]
) -> tuple[EnsembleNetwork, NetworkRecord]:
    """Join networks that answer the same question.

    Parameters
    ----------
    networks, records
        As from `na64ml.models.checkpoint.load_network`.
    names
        Files they come from, for messages.

    Returns
    -------
    The ensemble, ready for inference, and its record: provenance that the members share, ``several`` in the data hash
    if they were trained on different events. Members of different folds have no common test events.

    Raises
    ------
    ConfigError
        If there are fewer than two members, or a member has other detectors, classes or splits than the first.
    """
    if len(networks) < 2:
        raise ConfigError(f"{', '.join(names)}: an ensemble needs at least two checkpoints; give more")
    first = records[0]
    for name, record in zip(names[1:], records[1:], strict=True):
        for key in ("inputs", "contract", "mode", "layout", "split"):
            if getattr(record, key) != getattr(first, key):
                raise ConfigError(
                    f"{name}: key '{key}' differs from that of {names[0]}; members must be trained on the same "
                    "detectors, classes and split, because the ensemble must not be tested on what a member has seen"
                )
    members: list[dict[str, Any]] = [
        {"class_path": record.class_path, "init_args": record.init_args} for record in records
    ]
    joined = EnsembleNetwork(first.inputs, members)
    for member, network in zip(joined.members, networks, strict=True):
        member.load_state_dict(network.state_dict())
    shared = {record.data_hash for record in records}
    record = first.model_copy(
        update={
            "class_path": f"{EnsembleNetwork.__module__}.{EnsembleNetwork.__qualname__}",
            "init_args": {"members": members},
            "data_hash": first.data_hash if len(shared) == 1 else "several",
            "run_id": None,
        }
    )
    return joined.eval(), record
