"""Scored events with their truth: the input of every evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import InputError
from na64ml.inference.status import BLINDED, SCORED, STATUS_NAMES
from na64ml.selection.independent import trial_of_event

__all__ = ["SCORED", "STATUS", "ScoredEvents"]

STATUS = tuple(STATUS_NAMES[value] for value in range(BLINDED))
"""Meaning of ``ScoredEvents.status``, by value; events with truth are never blinded."""


@dataclass(frozen=True, eq=False)
class ScoredEvents:
    """Events with truth, class probabilities, score and status, in columns.

    Parameters
    ----------
    classes
        Class names; the first is the signal.
    label
        int16 ``[n]``: true class, an index of ``classes``.
    probability
        float32 ``[n, n_classes]``: class probabilities.
    score
        float64 ``[n]``: the discriminant, NaN where ``status`` is not 0.
    status
        int8 ``[n]``: index of `STATUS`.
    weight
        float64 ``[n]``, not negative.
    mass
        float64 ``[n]``: dark-photon mass in GeV, NaN where there is none.
    ecal_energy, hcal_energy
        float64 ``[n]``: energy sums in GeV.
    ids
        int64 ``[n, 3]``: run, spill and event in spill.
    group
        int64 ``[n]`` or None: leading shower of each event, negative where there is none. Events of one shower are not
        independent.

    Raises
    ------
    InputError
        If the shapes do not belong together, or a column holds a value that has no meaning.
    """

    classes: tuple[str, ...]
    label: NDArray[np.int16]
    probability: NDArray[np.float32]
    score: NDArray[np.float64]
    status: NDArray[np.int8]
    weight: NDArray[np.float64]
    mass: NDArray[np.float64]
    ecal_energy: NDArray[np.float64]
    hcal_energy: NDArray[np.float64]
    ids: NDArray[np.int64]
    group: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        n = len(self.label)
        for name, values in self._columns().items():
            shape = {"probability": (n, len(self.classes)), "ids": (n, 3)}.get(name, (n,))
            if values.shape != shape:
                raise InputError(f"scored events: column '{name}' is {values.shape}, {shape} is needed")
        rules = {
            "label": ((self.label < 0) | (self.label >= len(self.classes)), f"below {len(self.classes)}"),
            "status": ((self.status < 0) | (self.status >= len(STATUS)), f"below {len(STATUS)}"),
            "weight": (~(np.isfinite(self.weight) & (self.weight >= 0)), "finite and not negative"),
            "score": (
                np.isnan(self.score) != (self.status != SCORED),
                "a number where status is 0 and NaN elsewhere",
            ),
        }
        for name, (wrong, expected) in rules.items():
            if wrong.any():
                index = int(np.argmax(wrong))
                raise InputError(
                    f"scored events: {name} is {getattr(self, name)[index]} (status {self.status[index]}) "
                    f"for event {self.ids[index].tolist()} and wrong in {int(wrong.sum())} events; "
                    f"it must be {expected}"
                )

    def __len__(self) -> int:
        return len(self.label)

    @property
    def signal(self) -> str:
        """Name of the signal class."""
        return self.classes[0]

    @property
    def backgrounds(self) -> tuple[str, ...]:
        """Names of the background classes that have events of positive weight, in order."""
        weight = np.bincount(self.label, self.weight, minlength=len(self.classes))
        return tuple(name for name, total in zip(self.classes[1:], weight[1:], strict=True) if total > 0)

    @property
    def masses(self) -> NDArray[np.float64]:
        """Distinct dark-photon masses of the signal in GeV, of positive weight, sorted."""
        mass = self.mass[(self.label == 0) & (self.weight > 0)]
        return np.unique(mass[np.isfinite(mass)])

    @property
    def n_independent(self) -> int:
        """Number of independent events: distinct leading showers, and events without one."""
        return int(trial_of_event(len(self), self.group).max(initial=-1)) + 1

    @property
    def decision_score(self) -> NDArray[np.float64]:
        """The score that decides, ``[n]``: not scored is -inf (lost) for signal, +inf (survives) else."""
        unscored = np.where(self.label == 0, -np.inf, np.inf)
        return np.where(self.status == SCORED, self.score, unscored)

    def in_box(self, ecal_below: float, hcal_below: float) -> NDArray[np.bool_]:
        """Whether both energies are below limits in GeV, ``[n]``; if one is no number, background is, signal is not."""
        inside = (self.ecal_energy < ecal_below) & (self.hcal_energy < hcal_below)
        outside = (self.ecal_energy >= ecal_below) | (self.hcal_energy >= hcal_below)
        return np.where(self.label == 0, inside, ~outside)

    def of_class(self, name: str) -> "ScoredEvents":
        """Return the events whose true class is ``name``."""
        return self.select(self.label == self.classes.index(name))

    def of_mass(self, mass: float) -> "ScoredEvents":
        """Return the signal events with dark-photon mass ``mass`` in GeV."""
        return self.select((self.label == 0) & (self.mass == mass))

    def select(self, which: NDArray[np.bool_] | NDArray[np.integer[Any]]) -> "ScoredEvents":
        """Return the chosen events, by mask or indices."""
        chosen: dict[str, Any] = {name: values[which] for name, values in self._columns().items()}
        return replace(self, **chosen)

    @classmethod
    def join(cls, parts: Sequence["ScoredEvents"]) -> "ScoredEvents":
        """Return the events of all parts, in order; ``group`` is kept where every part has it."""
        columns = set.intersection(*(set(part._columns()) for part in parts))
        joined: dict[str, Any] = {name: np.concatenate([part._columns()[name] for part in parts]) for name in columns}
        return cls(classes=parts[0].classes, **joined)

    def write(self, path: Path) -> None:
        """Save as NumPy ``.npz``."""
        columns: dict[str, Any] = {"classes": np.array(self.classes), **self._columns()}
        with path.open("wb") as file:
            np.savez_compressed(file, **columns)

    @classmethod
    def read(cls, path: Path) -> "ScoredEvents":
        """Load what `write` saved.

        Raises
        ------
        InputError
            If the file cannot be read or lacks a column.
        """
        try:
            with np.load(path, allow_pickle=False) as archive:
                columns = {name: archive[name] for name in archive.files}
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be read as scored events ({error}); write it with 'evaluate'") from error
        missing = [item.name for item in fields(cls) if item.name not in columns and item.name != "group"]
        if missing:
            raise InputError(f"{path}: no column {', '.join(missing)}; write the scored events again")
        return cls(classes=tuple(columns.pop("classes").tolist()), **columns)

    def _columns(self) -> dict[str, NDArray[Any]]:
        values = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "classes"}
        return {name: column for name, column in values.items() if column is not None}
