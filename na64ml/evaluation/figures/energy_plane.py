"""The plane of ECAL and HCAL energy with the regions of the missing-energy search."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from na64ml.evaluation.figures.style import (
    class_colours,
    class_markers,
    class_title,
    figure_style,
    new_figure,
)
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.working_points import WorkingPoint
from na64ml.setups.detectors import Calorimeter
from na64ml.setups.setup import Setup


@dataclass(frozen=True)
class EnergyRegions:
    """Regions of the (E_ECAL, E_HCAL) plane, all in GeV (physics.md 2.1 and 8).

    Parameters
    ----------
    beam_energy
        Energy of the beam [V-seed].
    box_ecal, box_hcal
        Signal box: energies below both [V-seed].
    dimuon_hcal, dimuon_width
        Region I: two minimum-ionising muons in three HCAL modules, 3 x 5.6 GeV, half width two sigma,
        2 x sqrt(3) x 0.8 GeV [V-data].
    conservation_width
        Region II: half width of the diagonal E_ECAL + E_HCAL = ``beam_energy``, the accepted momentum +- 10
        GeV [V-seed]. Region III, pile-up, is above it.
    """

    beam_energy: float = 100.0
    box_ecal: float = 50.0
    box_hcal: float = 1.0
    dimuon_hcal: float = 16.8
    dimuon_width: float = 2.8
    conservation_width: float = 10.0

    @classmethod
    def of(cls, setup: Setup, beam_energy: float) -> "EnergyRegions":
        """Return the regions at a beam energy, with the two-muon HCAL energy (modules on the axis) of a setup.

        Raises
        ------
        ConfigError
            If the setup has no detector ``HCAL``.
        """
        hcal = setup.detector("HCAL")
        if not isinstance(hcal, Calorimeter) or hcal.mip is None:
            return cls(beam_energy=beam_energy)
        on_axis = sum(segment.centre is None for segment in hcal.segments)
        return cls(beam_energy=beam_energy, dimuon_hcal=2.0 * on_axis * hcal.mip.value)


def energy_plane_figure(
    scored: ScoredEvents, points: Sequence[WorkingPoint], regions: EnergyRegions | None = None
) -> Figure:
    """Draw the (E_ECAL, E_HCAL) plane of all events and of those that pass the loosest working point.

    Parameters
    ----------
    scored
        Events of all classes.
    points
        Working points; the one of highest signal efficiency is used.
    regions
        Regions I-III and the signal box to draw. Default: NA64e invisible.
    """
    regions = regions or EnergyRegions()
    loosest = max(points, key=lambda point: point.target)
    selections = {
        "all events": np.ones(len(scored), dtype=bool),
        f"signal efficiency {loosest.target:.0%}": scored.decision_score >= loosest.threshold,
    }
    finite = scored.ecal_energy[np.isfinite(scored.ecal_energy)]
    beam, highest = regions.beam_energy, float(finite.max(initial=0.0))
    right = float(np.clip(1.05 * highest, 1.3 * beam, 2.2 * beam))  # two beam particles at most
    with figure_style():
        figure = new_figure(11.0, 6.2)
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, (title, passed) in zip(panels, selections.items(), strict=True):
            _draw_regions(axes, regions)
            _draw_events(axes, scored, passed)
            axes.set_title(f"{title} ({np.count_nonzero(passed)})", loc="left")
            axes.set_yscale("symlog", linthresh=1.0, linscale=0.7)
            axes.set_xlim(0.0, right)
            axes.set_ylim(0.0, 3.0 * regions.beam_energy)
            axes.set_yticks([0, 0.5, 1, 10, 100], ["0", "0.5", "1", "10", "100"])
            axes.set_xlabel("$E_{ECAL}$ [GeV]")
        panels[0].set_ylabel("$E_{HCAL}$ [GeV]  (linear below 1 GeV)")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=4, markerscale=1.6)
    return figure


def _draw_events(axes: Axes, scored: ScoredEvents, passed: NDArray[np.bool_]) -> None:
    names = (*scored.backgrounds, scored.signal)
    colours, markers = class_colours(names), class_markers(names)
    for name in names:
        chosen = passed & (scored.label == scored.classes.index(name))
        axes.scatter(
            scored.ecal_energy[chosen],
            np.maximum(scored.hcal_energy[chosen], 0.0),
            s=9,
            marker=markers[name],
            color=colours[name],
            alpha=0.55,
            linewidths=0,
            label=class_title(name),
            rasterized=True,
        )


def _draw_regions(axes: Axes, regions: EnergyRegions) -> None:
    beam, width = regions.beam_energy, regions.conservation_width
    ecal = np.linspace(0.0, 1.5 * beam, 600)
    low, high = np.maximum(beam - width - ecal, 0.0), np.maximum(beam + width - ecal, 0.0)
    dimuon = regions.dimuon_hcal - regions.dimuon_width, regions.dimuon_hcal + regions.dimuon_width
    band: dict[str, Any] = {"color": "0.6", "alpha": 0.25, "linewidth": 0.0}
    axes.fill_between(ecal, low, high, **band)
    axes.fill_between([0.0, beam - width - dimuon[1]], *dimuon, **band)
    axes.plot(ecal, high, color="0.3", linewidth=0.9, linestyle="--")
    box = Rectangle(
        (0.0, 0.0), regions.box_ecal, regions.box_hcal, fill=False, edgecolor="black", linewidth=2.0, zorder=4
    )
    axes.add_patch(box)
    frame = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": "0.3", "alpha": 0.9}
    places = {
        "I  dimuons": (0.16 * beam, regions.dimuon_hcal),
        "III  pile-up": (1.05 * beam, 1.6 * beam),
        "signal box": (regions.box_ecal / 2.0, 0.8 * regions.box_hcal),
    }
    for text, (x, y) in places.items():
        axes.text(x, y, text, ha="center", va="center", fontsize=10, bbox=frame, zorder=5)
    axes.annotate(
        "II  energy\nconservation",
        (0.72 * beam, 0.3 * beam),
        (1.05 * beam, 0.55 * beam),
        ha="center",
        va="center",
        fontsize=10,
        bbox=frame,
        arrowprops={"arrowstyle": "->", "color": "0.3"},
        zorder=5,
    )
