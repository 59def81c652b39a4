"""Signal efficiency inside the window: one constant, or measured in bins of mass and energy."""

from pathlib import Path

import numpy as np
from pydantic import Field, model_validator

from na64ml.errors import ConfigError, InputError
from na64ml.evaluation.delivered import WorkingPointFile
from na64ml.evaluation.scored import ScoredEvents
from na64ml.limits.binned import EfficiencyTable
from na64ml.limits.selected import SelectedEfficiency
from na64ml.selection.efficiency import efficiency
from na64ml.setups.sourced import Share
from na64ml.yaml_files import StrictModel


class ScoredEfficiency(StrictModel):
    """Efficiency of a score threshold among signal events in the window, measured on scored events.

    Parameters
    ----------
    events
        File ``scored.npz`` of an evaluation.
    threshold
        Score that passes; instead of ``working_points`` and ``working_point``.
    working_points, working_point
        File ``working_points.json`` and the name of a point in it.
    hcal_below
        Largest energy in the HCAL in GeV.
    energy_edges
        Edges of the bins of missing energy in GeV, the first not above the threshold of the window.
    base
        Efficiency of what the simulation lacks, such as the intensity-dependent loss; it multiplies.
    """

    events: Path
    threshold: float | None = None
    working_points: Path | None = None
    working_point: str | None = None
    hcal_below: float = Field(default=1.0, gt=0)
    energy_edges: tuple[float, ...] = Field(min_length=2)
    base: Share | None = None

    @model_validator(mode="after")
    def _check(self) -> "ScoredEfficiency":
        named = (self.working_points is not None, self.working_point is not None)
        if named[0] != named[1] or named[0] == (self.threshold is not None):
            raise ValueError("give threshold, or working_points and working_point")
        if (np.diff(self.energy_edges) <= 0).any():
            raise ValueError("energy_edges must rise")
        return self

    def score_threshold(self) -> float:
        """Return the threshold.

        Raises
        ------
        ConfigError
            If the file has no such working point.
        """
        if self.threshold is not None:
            return self.threshold
        assert self.working_points is not None
        points = {point.name: point.threshold for point in WorkingPointFile.read(self.working_points).points}
        if self.working_point not in points:
            raise ConfigError(
                f"{self.working_points}: no working point '{self.working_point}'; known are {', '.join(points)}"
            )
        return points[self.working_point]

    def table(self, beam: float) -> EfficiencyTable:
        """Measure the efficiency.

        Raises
        ------
        InputError
            If a bin has no events.
        """
        scored, threshold = ScoredEvents.read(self.events), self.score_threshold()
        masses, edges = scored.masses, np.array(self.energy_edges)
        if len(masses) == 0:
            raise InputError(f"{self.events}: no signal events with a mass; score simulated signal")
        result = np.zeros((3, len(masses), len(edges) - 1))
        for i, mass in enumerate(masses):
            signal = scored.of_mass(float(mass))
            missing = beam - signal.ecal_energy
            for j in range(len(edges) - 1):
                events = signal.select((missing >= edges[j]) & (missing < edges[j + 1]))
                if len(events) == 0:
                    raise InputError(
                        f"{self.events}: no signal events of {mass:g} GeV with {edges[j]:g} to {edges[j + 1]:g} GeV "
                        "missing; widen the bins of key 'energy_edges' or simulate more"
                    )
                passed = (events.hcal_energy < self.hcal_below) & (events.decision_score >= threshold)
                found = efficiency(passed, events.weight, events.group)
                result[:, i, j] = found.value, found.lo, found.hi
        base = self.base.value if self.base else 1.0
        label = f"measured: {self.events.name}, score >= {threshold:.4g}, E_HCAL < {self.hcal_below:g} GeV"
        if self.base:
            label += f", times {base:g} ({self.base.source})"
        value, lo, hi = result * base
        return EfficiencyTable(masses, edges, value, lo, hi, label)


class TabulatedEfficiency(StrictModel):
    """Efficiency in bins of mass and energy, given in full.

    Parameters
    ----------
    mass
        In GeV, rising.
    energy_edges
        Edges of the energy bins in GeV.
    value, lo, hi
        One row per mass, one column per energy bin.
    source
        Where it comes from.
    """

    mass: tuple[float, ...] = Field(min_length=1)
    energy_edges: tuple[float, ...] = Field(min_length=2)
    value: tuple[tuple[float, ...], ...]
    lo: tuple[tuple[float, ...], ...] | None = None
    hi: tuple[tuple[float, ...], ...] | None = None
    source: str

    @model_validator(mode="after")
    def _check(self) -> "TabulatedEfficiency":
        shape = (len(self.mass), len(self.energy_edges) - 1)
        for key in ("value", "lo", "hi"):
            rows = getattr(self, key)
            if rows is None:
                continue
            if len(rows) != shape[0] or any(len(row) != shape[1] for row in rows):
                raise ValueError(f"{key}: {shape[0]} rows of {shape[1]} efficiencies are needed")
            if any(not 0 < one <= 1 for row in rows for one in row):
                raise ValueError(f"{key}: an efficiency is outside (0, 1]; an empty bin has no efficiency")
        if (np.diff(self.mass) <= 0).any() or (np.diff(self.energy_edges) <= 0).any():
            raise ValueError("mass and energy_edges must rise")
        return self

    def table(self) -> EfficiencyTable:
        """Return the table."""
        value = np.array(self.value)
        lo = np.array(self.lo) if self.lo else value
        hi = np.array(self.hi) if self.hi else value
        return EfficiencyTable(np.array(self.mass), np.array(self.energy_edges), value, lo, hi, f"table: {self.source}")


class EfficiencyEntry(StrictModel):
    """The efficiency of a period, in one of four forms.

    Parameters
    ----------
    constant
        The same for all masses and energies.
    scored
        Measured on scored events.
    selected
        Measured with a selection on simulated events.
    table
        Given in bins.
    """

    constant: Share | None = None
    scored: ScoredEfficiency | None = None
    selected: SelectedEfficiency | None = None
    table: TabulatedEfficiency | None = None

    @model_validator(mode="after")
    def _one(self) -> "EfficiencyEntry":
        given = [key for key in ("constant", "scored", "selected", "table") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of constant, scored, selected, table (found {', '.join(given) or 'none'})")
        return self

    def load(self, beam: float) -> EfficiencyTable:
        """Return the efficiency as a table; a constant is one bin that says so in its label."""
        if self.scored is not None:
            return self.scored.table(beam)
        if self.selected is not None:
            return self.selected.table()
        if self.table is not None:
            return self.table.table()
        assert self.constant is not None
        one = np.array([[self.constant.value]])
        label = f"constant {self.constant.value:g}, not measured ({self.constant.source})"
        return EfficiencyTable(np.zeros(0), np.array([0.0, beam]), one, one, one, label)
