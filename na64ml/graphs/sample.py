"""From files to labelled, weighted and split events."""

import logging
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import ConfigError
from na64ml.events.batch import EventBatch
from na64ml.events.splits import event_hash, fold_of
from na64ml.graphs.loader import PackedEvents
from na64ml.yaml_files import StrictModel

logger = logging.getLogger(__name__)

Part = Literal["train", "validation", "test"]


class Split(StrictModel):
    """Which events train, validate and test, by a hash of their identifiers.

    Fold ``fold`` of ``n_folds`` is the test sample; of the others the share ``validation`` validates. The same
    events are chosen whatever their order or the files they come from.

    Parameters
    ----------
    dataset
        Name that enters the hash.
    """

    dataset: str
    n_folds: int = 5
    fold: int = 0
    validation: float = 0.1

    def assign(self, ids: NDArray[np.int64]) -> dict[Part, NDArray[np.bool_]]:
        """Return a mask ``[n_events]`` per part; every event is in exactly one."""
        if not 0 <= self.fold < self.n_folds:
            raise ConfigError(f"data.fold: {self.fold} is not one of 0 to {self.n_folds - 1} (data.n_folds - 1)")
        if not 0 <= self.validation < 1:
            raise ConfigError(f"data.validation: {self.validation:g} is not a share of events from 0 to below 1")
        test = fold_of(self.dataset, ids, self.n_folds) == self.fold
        validation = ~test & (event_hash(f"{self.dataset}/validation", ids) < self.validation)
        return {"train": ~test & ~validation, "validation": validation, "test": test}


@dataclass(frozen=True)
class Sample:
    """All events with their classes and the parts they belong to.

    Parameters
    ----------
    label
        int64 ``[n_events]``: class, -1 where unknown.
    weight
        float64 ``[n_events]``: event weight.
    parts
        Masks ``[n_events]``.
    classes
        Class names.
    """

    events: EventBatch
    label: NDArray[np.int64]
    weight: NDArray[np.float64]
    parts: dict[Part, NDArray[np.bool_]]
    classes: tuple[str, ...]

    def part(self, name: Part) -> PackedEvents:
        """Return one part, with class-balanced training weights.

        Within a class, events count by their weight; the classes have equal sums, and the mean weight is 1.
        """
        members = np.flatnonzero(self.parts[name])
        return PackedEvents(self.events, members, self.label, self._balanced(members))

    def _balanced(self, members: NDArray[np.int64]) -> NDArray[np.float32]:
        label, weight = self.label[members], self.weight[members]
        sums = np.bincount(label[label >= 0], weights=weight[label >= 0], minlength=len(self.classes))
        present = sums > 0
        per_class = np.zeros(len(sums))
        per_class[present] = len(members) / (present.sum() * sums[present])
        balanced = np.zeros(len(self.events), dtype=np.float32)
        balanced[members] = np.where(label >= 0, per_class[np.maximum(label, 0)] * weight, 0)
        return balanced

    def require_classes(self) -> None:
        """Check that the training part has every class.

        Raises
        ------
        ConfigError
            Naming the classes that have no events.
        """
        found = np.bincount(self.label[self.parts["train"]], minlength=len(self.classes))
        absent = [name for name, count in zip(self.classes, found, strict=True) if count == 0]
        if absent:
            raise ConfigError(
                f"the training split has no events of {', '.join(absent)}; add files with these processes or "
                "use a mode without these classes"
            )
        logger.info("training events: %s", ", ".join(f"{n} {c}" for n, c in zip(self.classes, found, strict=True)))
