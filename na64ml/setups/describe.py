"""A setup and its conditions as text tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from na64ml.setups.detectors import SRD, Calorimeter, Detector
from na64ml.setups.materials import interaction_lengths, radiation_lengths
from na64ml.setups.sourced import Sourced
from na64ml.yaml_files import StrictModel

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from na64ml.setups.conditions import Conditions
    from na64ml.setups.setup import Setup


def describe(setup: Setup, conditions: Conditions | None = None) -> Group:
    """Return tables of the beam, the detectors, the sources of their numbers and the run ranges, for rich."""
    from rich.console import Group
    from rich.text import Text

    heading = Text(f"{setup.name}  (geometry {setup.geometry_hash})\n", style="bold")
    heading.append(setup.description, style="not bold")
    tables = [_beam(setup), _detectors(setup), _sources(setup)]
    if conditions is not None:
        tables.append(_ranges(setup, conditions))
    return Group(heading, *tables)


def _beam(setup: Setup) -> Table:
    from rich.text import Text

    table = _table("Beam", "quantity", "value", "unit", "source")
    table.add_row("particle", setup.beam.particle, "", "")
    units = {"energy": "GeV", "momentum_spread": "", "sigma_x": "mm", "sigma_y": "mm", "offset": "mm"}
    for name, unit in units.items():
        quantity = getattr(setup.beam, name)
        table.add_row(name, _number(quantity), unit, Text(quantity.source))
    return table


def _detectors(setup: Setup) -> Table:
    columns = ("z (m)", "depth (X0, λ)", "MIP (MeV)", "threshold (MeV)", "noise (MeV)", "time (ns)")
    table = _table("Detectors", "detector", "kind", "shape", "channels", *columns)
    for detector in setup.detectors:
        channels = detector.channels
        front = np.min(channels.position[:, 2] - channels.size[:, 2] / 2) / 1000
        back = np.max(channels.position[:, 2] + channels.size[:, 2] / 2) / 1000
        energies = (_number(quantity, 1000.0) for quantity in (detector.mip, detector.threshold, detector.noise))
        table.add_row(
            detector.name,
            detector.kind,
            " x ".join(map(str, detector.shape)),
            str(detector.n_channels),
            f"{front:.3g} to {back:.3g}",
            _depth(detector),
            *energies,
            _number(detector.time_sigma),
        )
    return table


def _depth(detector: Detector) -> str:
    """Return the depth of a detector in radiation and interaction lengths, ``-`` if its layers are not known."""
    if not isinstance(detector, Calorimeter | SRD):
        return "-"
    return ", ".join(f"{depth(detector).sum():.3g}" for depth in (radiation_lengths, interaction_lengths))


def _sources(setup: Setup) -> Table:
    table = _table("Sources of the numbers of each detector", "detector", "tags")
    for detector in setup.detectors:
        tags: dict[str, int] = {}
        for number in _sourced(detector):
            for tag in number.tags:
                tags[tag] = tags.get(tag, 0) + 1
        listed = sorted(tags.items(), key=lambda item: -item[1])
        table.add_row(detector.name, ", ".join(f"{tag} ({count})" for tag, count in listed))
    return table


def _ranges(setup: Setup, conditions: Conditions) -> Table:
    from rich.text import Text

    columns = ("beam (GeV)", "impact cell", "mean impact (mm)", "dead", "gains", "bad spills", "EOT", "source")
    table = _table(f"Run ranges (conditions {conditions.hash})", "runs", *columns)
    for part in conditions.ranges:
        x, y = part.impact_point(setup)
        table.add_row(
            f"{part.first_run} to {part.last_run}",
            f"{part.nominal_energy(setup):g}",
            _number(part.impact_cell),
            f"{x:g}, {y:g}",
            str(sum(map(len, part.dead.values()))),
            ", ".join(part.gains) or "1",
            str(len(part.bad_spills)),
            _number(part.eot),
            Text(part.runs.source),
        )
    return table


def _table(title: str, *columns: str) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _number(quantity: Sourced[Any] | None, scale: float = 1.0) -> str:
    if quantity is None:
        return "-"
    return ", ".join(f"{scale * value:g}" for value in np.atleast_1d(quantity.value))


def _sourced(content: Any) -> Iterator[Sourced[Any]]:
    """Yield every sourced value inside a model."""
    if isinstance(content, Sourced):
        yield content
    elif isinstance(content, StrictModel):
        for _, value in content:
            yield from _sourced(value)
    elif isinstance(content, tuple):
        for value in content:
            yield from _sourced(value)
