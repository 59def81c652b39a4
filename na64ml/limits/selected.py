"""Signal efficiency of a selection, with or without a score, measured on simulated events."""

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from na64ml.errors import ConfigError, InputError
from na64ml.events.reader import EventReader
from na64ml.events.splits import check_unique
from na64ml.inference.scorer import Scorer
from na64ml.limits.binned import EfficiencyTable
from na64ml.limits.production.target import Array
from na64ml.selection.efficiency import efficiency
from na64ml.selection.independent import leading_showers
from na64ml.selection.mode import load_mode
from na64ml.selection.viewer import make_viewer
from na64ml.setups.sourced import Share
from na64ml.yaml_files import StrictModel

MASS, ENERGY = "mass", "invisible_energy"
"""Columns of simulated events: mass of the dark particle and its energy, in GeV."""


class SelectedEfficiency(StrictModel):
    """Efficiency of a selection by mass and true energy of the dark particle.

    A selection that holds the energy box already contains the threshold: bins must then reach below the box, and the
    window of the period must be as low as they do.

    Parameters
    ----------
    files
        ROOT files or patterns with simulated signal; ``shipped:NAME`` is a shipped one.
    layout, mode, selection
        How the files are read, the search, and the name or file of its selection.
    model
        ONNX file of a selection that cuts on the score.
    energy_edges
        Edges of the bins of energy in GeV.
    base
        Efficiency of what the simulation lacks; it multiplies.
    """

    files: tuple[str, ...] = Field(min_length=1)
    layout: str = "na64e_reference"
    mode: str = "na64e_invisible"
    selection: str
    model: Path | None = None
    energy_edges: tuple[float, ...] = Field(min_length=2)
    base: Share | None = None

    @model_validator(mode="after")
    def _rising(self) -> "SelectedEfficiency":
        if (np.diff(self.energy_edges) <= 0).any():
            raise ValueError("energy_edges must rise")
        return self

    def table(self) -> EfficiencyTable:
        """Measure the efficiency; events without a score are lost.

        Raises
        ------
        ConfigError
            If the selection cuts on the score and there is no model.
        InputError
            If a bin has no events, or the events have no mass.
        """
        mass, energy, passed, weight, shower = self._signal()
        masses, edges = np.unique(mass), np.array(self.energy_edges)
        result = np.zeros((3, len(masses), len(edges) - 1))
        for i, one in enumerate(masses):
            for j, (low, high) in enumerate(pairwise(edges)):
                chosen = (mass == one) & (energy >= low) & (energy < high)
                if not chosen.any():
                    raise InputError(
                        f"{', '.join(self.files)}: no signal events of {one:g} GeV with an energy of {low:g} to "
                        f"{high:g} GeV; widen the bins of key 'energy_edges' or simulate more"
                    )
                found = efficiency(passed[chosen], weight[chosen], shower[chosen])
                result[:, i, j] = found.value, found.lo, found.hi
        base = self.base.value if self.base else 1.0
        score = f" with {self.model.name}" if self.model else ""
        label = f"measured: selection {self.selection}{score} on {', '.join(self.files)}"
        if self.base:
            label += f", times {base:g} ({self.base.source})"
        value, lo, hi = result * base
        return EfficiencyTable(masses, edges, value, lo, hi, label)

    def _signal(self) -> tuple[Array, Array, NDArray[np.bool_], Array, NDArray[np.int64]]:
        """Return mass, energy, decision, weight and leading shower of all signal events."""
        reader, mode = EventReader(self.layout), load_mode(self.mode)
        mode.check_setup(reader.setup)
        selection, scorer = mode.selection(self.selection), Scorer(self.model) if self.model else None
        if selection.uses_score and scorer is None:
            raise ConfigError(f"selection {selection.name} cuts on the score; give the network with key 'model'")
        if scorer:
            scorer.check(reader.contract, reader.conditions.hash)
        points = scorer.metadata.thresholds if scorer else None
        make_view = make_viewer(reader)
        parts, seen = [], []
        for events in reader.iterate(list(self.files)):
            missing = [name for name in (MASS, ENERGY) if name not in events.columns]
            if missing:
                raise InputError(f"{', '.join(self.files)}: no column {', '.join(missing)}; give simulated signal")
            view = make_view(events)
            extra = scorer.score(events, view).variables if scorer and selection.uses_score else None
            signal = mode.label(events) == 0
            passed = selection.apply(view, extra, points).passed
            truth = (events.columns[MASS], events.columns[ENERGY])
            columns = (*truth, passed, events.weight, leading_showers(events))
            parts.append([np.asarray(column)[signal] for column in columns])
            seen.append(events.ids)
        if not parts or not sum(len(part[0]) for part in parts):
            raise InputError(f"{', '.join(self.files)}: no signal events; give simulated signal")
        check_unique(np.concatenate(seen), ", ".join(self.files))
        mass, energy, passed, weight, shower = (np.concatenate(column) for column in zip(*parts, strict=True))
        return np.asarray(np.round(mass.astype(np.float64), 7)), energy.astype(np.float64), passed, weight, shower
