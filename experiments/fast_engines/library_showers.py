"""Compare single showers of the library engine with Geant4: with showers it has not used, and with the reference file.

    python experiments/fast_engines/library_showers.py library.root fine.root na64e_showers_geant4.root

First, one half of the library (even ids) makes the primaries of the other half again, which are the truth. Second, the
whole library makes the primaries of the reference file again. Errors of what the engine makes are a bootstrap over
distinct frozen showers, those of Geant4 over showers.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import uproot
from numpy.random import SeedSequence
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from na64ml.evaluation.bootstrap import resamples
from na64ml.setups.setup import Setup, load_setup
from na64ml.simulation.engines.library import Library
from na64ml.simulation.engines.library.joining import read_library
from na64ml.simulation.engines.library.placing import Placed, Placer
from na64ml.simulation.engines.library.store import Showers
from na64ml.simulation.library.tiled import tiled_detector
from na64ml.simulation.particles import MEV, Particles, mass

Floats = NDArray[np.float64]

SAMPLING = {"ECAL": 0.1087, "HCAL": 0.0254}
"""Visible share of electromagnetic showers [card]."""

CROSSING = 1.5
"""GeV in the ECAL below which a hadron has crossed it as a minimum-ionising particle."""

TREES = {"electron": 11, "gamma": 22, "pion": -211, "kaon0l": 130, "neutron": 2112, "muon": 13}
N_RESAMPLES = 200

CELL = 38.2
"""Width in mm of the cells of the ECAL."""

BORDERS = (0, 1, 2, 4, 6, 9, 14, 19.1)
"""Bins in mm of the distance from a border."""


class Cells(NamedTuple):
    """Showers of one species: kinetic energy and impact in mm ``[n]``; visible GeV of cells; frozen shower or None."""

    energy: Floats
    impact: Floats
    ecal: Floats
    veto: Floats
    hcal: Floats
    shower: NDArray[np.int64] | None

    @property
    def total(self) -> Floats:
        return self.ecal.sum(axis=(1, 2, 3)) / SAMPLING["ECAL"]

    def around(self) -> Floats:
        """Return cell energies in GeV, summed over depth, by distance from the impact: hit cell, side, corner, rest."""
        n = len(self.energy)
        hit = np.clip(((self.impact + 3 * CELL) // CELL).astype(int), 0, 5)
        cells = self.ecal.sum(axis=1) / SAMPLING["ECAL"]
        away = [np.abs(np.arange(6) - hit[:, [axis]]) for axis in (0, 1)]
        far = np.maximum(away[0][:, :, None], away[1][:, None, :])
        beside = away[0][:, :, None] + away[1][:, None, :] == 1
        masks = (far == 0, beside, (far == 1) & ~beside, far > 1)
        return np.stack([(cells * mask).reshape(n, -1).sum(axis=1) for mask in masks], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path, nargs="+", help="files of the library")
    parser.add_argument("reference", type=Path)
    parser.add_argument("--max-scale", type=float, default=2.0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    setup = load_setup("na64e_reference")
    showers = read_library(arguments.library)
    result = {
        "content_hash": [part.provenance["content_hash"] for part in showers.parts],
        "halves": halves(arguments.library, showers, setup, arguments.max_scale),
    }
    pairs = {}
    transport = Library(path=arguments.library, max_scale=arguments.max_scale).open(setup)
    for name in TREES:
        with uproot.open(arguments.reference) as file:
            tree = file[name].arrays(library="np")
        pairs[name] = again(transport, setup, tree), of_reference(tree)
    result["reference"] = {name: compare(name, *pair) for name, pair in pairs.items()}
    for part in ("halves", "reference"):
        for name, rows in result[part].items():
            print(f"{part} {name}")
            for key, value in rows.items():
                print(f"    {key:24}", value)
    (arguments.out / "library_showers.json").write_text(json.dumps(result, indent=1) + "\n")
    draw(pairs, arguments.out / "library_showers.png")


def halves(path: list[Path], showers: Showers, setup: Setup, max_scale: float) -> dict[str, dict[str, object]]:
    """Compare showers of odd id with what the even ones make of their primaries, from the front face of the ECAL."""
    transport = Library(path=path, pool={"of": 2, "use": 0}, max_scale=max_scale).open(setup)
    odd = (showers.shower % 2 == 1) & (showers.depth == 0)
    odd &= showers.entry == showers.detectors.index("ECAL")
    rows = {}
    for name, pdg in TREES.items():
        chosen = np.flatnonzero(odd & (showers.pdg == pdg))
        kinetic, n = showers.kinetic_energy[chosen], len(chosen)
        momentum = np.sqrt(kinetic * (kinetic + 2 * mass(pdg)))
        start = np.column_stack([showers.impact[chosen], np.full(n, -1.0)])
        particles = Particles.build(np.arange(n), pdg, start, np.column_stack([np.zeros((n, 2)), momentum]))
        made = transport.run(particles, n, SeedSequence(8))
        visible = {key: values.sum(axis=1, dtype=float) for key, values in made.visible.items()}
        placed = Placed(
            chosen, np.arange(n), np.ones(n, np.float32), np.zeros(n, np.int64), np.ones(n, bool),
            showers.impact[chosen], start, np.zeros((n, 2)),
        )  # fmt: skip
        truth = {
            key: Placer(tiled_detector(setup, key), showers.tiles[key]).place(placed, n).astype(float)
            for key in ("ECAL", "VETO", "HCAL")
        }
        impact = showers.impact[chosen] + 19.1
        ours = of_cells(kinetic, impact, visible, made.shower)
        rows[name] = compare(name, ours, of_cells(kinetic, impact, truth, None))
    return rows


def again(transport, setup: Setup, tree: Mapping[str, NDArray]) -> Cells:
    """Transport the primaries of the reference, which are given relative to the centre of the ECAL."""
    n, total = len(tree["energy"]), tree["energy"].astype(float)
    direction = np.column_stack([tree["tx"], tree["ty"], np.ones(n)])
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    masses = mass(tree["pdg"])
    momentum = np.sqrt(total**2 - masses**2)[:, None] * direction
    impact = np.column_stack([tree["x"], tree["y"]]).astype(float)
    start = np.column_stack([impact + np.array(setup.target_calorimeter.centre.value), np.full(n, -1.0)])
    made = transport.run(Particles.build(np.arange(n), tree["pdg"], start, momentum), n, SeedSequence(9))
    visible = {key: values.sum(axis=1, dtype=float) for key, values in made.visible.items()}
    return of_cells(total - masses, impact, visible, made.shower)


def of_cells(energy: Floats, impact: Floats, visible: Mapping[str, Floats], shower: NDArray[np.int64] | None) -> Cells:
    n = len(energy)
    hcal = visible["HCAL"].reshape(n, 4, 3, 3)[:, :3]
    return Cells(energy, impact, visible["ECAL"].reshape(n, 2, 6, 6), visible["VETO"][:, ::2], hcal, shower)


def of_reference(tree: Mapping[str, NDArray]) -> Cells:
    impact = np.column_stack([tree["x"], tree["y"]]).astype(float)
    energy = tree["energy"].astype(float) - mass(tree["pdg"])
    ecal, veto, hcal = (tree[key].astype(float) * MEV for key in ("ecal", "veto", "hcal"))
    return Cells(energy, impact, ecal, veto, hcal, None)


def compare(name: str, ours: Cells, theirs: Cells) -> dict[str, object]:
    """Return ratios and differences with errors; see `main`."""
    rows: dict[str, object] = {
        "showers": [len(ours.energy), len(theirs.energy)],
        "distinct": len(np.unique(ours.shower)),
    }
    if name in ("electron", "gamma"):
        curve = fitted(theirs, lambda one: preshower(one))
        rows["response_ratio"] = ratio(ours, theirs, lambda one: one.total / one.energy)
        rows["resolution_ratio"] = ratio(ours, theirs, lambda one: one.total / one.energy, spread_of_relative)
        rows["preshower_ratio"] = ratio(ours, theirs, lambda one: preshower(one) / curve(np.log(one.energy)))
        for index, key in enumerate(("hit_cell", "side_cells", "corner_cells", "rest")):
            rows[f"share_{key}"] = ratio(ours, theirs, lambda one, i=index: one.around()[:, i] / one.total)
        rows["wrong_side"] = difference(ours, theirs, wrong_side)
        rows["hit_cell_by_border"] = by_border(ours, theirs)
        rows["cell_spectra_p"] = spectra(ours, theirs)
        return rows
    rows["response_ratio"] = ratio(ours, theirs, lambda one: one.total / one.energy)
    rows["veto_ratio"] = ratio(ours, theirs, lambda one: one.veto.sum(axis=1))
    rows["hcal_ratio"] = ratio(ours, theirs, lambda one: one.hcal.sum(axis=(1, 2, 3)) / one.energy)
    if name == "muon":
        for key in ("ecal", "veto", "hcal"):
            summed = {"ecal": (1, 2, 3), "veto": (1,), "hcal": (2, 3)}[key]
            rows[f"median_{key}_ratio"] = ratio(
                ours, theirs, lambda one, k=key, s=summed: median_input(one, k, s), median
            )
        return rows
    rows["resolution_ratio"] = ratio(ours, theirs, lambda one: one.total / one.energy, spread)
    rows["crossing"] = difference(ours, theirs, lambda one: one.total < CROSSING)
    rows["leakage"] = difference(
        ours, theirs, lambda one: one.hcal[:, 1:].sum(axis=(1, 2, 3)) / SAMPLING["HCAL"] > 0.1 * one.energy
    )
    rows["preshower_ratio"] = ratio(ours, theirs, lambda one: one.ecal[:, 0].sum(axis=(1, 2)) / SAMPLING["ECAL"])
    rows["cell_spectra_p"] = spectra(ours, theirs)
    return rows


def median_input(one: Cells, key: str, summed: tuple[int, ...]) -> Floats:
    values = getattr(one, key).sum(axis=summed)
    return values[:, 0] if values.ndim > 1 else values


def wrong_side(one: Cells) -> NDArray[np.bool_]:
    """Return whether the centre of gravity and the impact are on different sides of the middle, in x or y."""
    cells, centre = one.ecal.sum(axis=1), (np.arange(6) - 2.5) * CELL
    moment = np.column_stack([(cells.sum(axis=2) * centre).sum(axis=1), (cells.sum(axis=1) * centre).sum(axis=1)])
    return (moment * one.impact < 0).any(axis=1)


def border(one: Cells) -> Floats:
    """Return the distance in mm of impacts from the nearest border of cells."""
    return (CELL / 2 - np.abs(np.mod(one.impact, CELL) - CELL / 2)).min(axis=1)


def by_border(ours: Cells, theirs: Cells) -> dict[str, list[list[float]]]:
    """Return mean and standard deviation of the share of the hit cell, ours and theirs, by distance from a border."""
    rows = {}
    for low, high in pairwise(BORDERS):
        pair = [one.around()[:, 0] / one.total for one in (ours, theirs)]
        near = [(low <= border(one)) & (border(one) < high) for one in (ours, theirs)]
        chosen = [values[which] for values, which in zip(pair, near, strict=True)]
        if min(len(one) for one in chosen) > 1:
            rows[f"{low} to {high} mm"] = [[round(float(f(one)), 4) for f in (np.mean, np.std)] for one in chosen]
    return rows


def preshower(one: Cells) -> Floats:
    return one.ecal[:, 0].sum(axis=(1, 2)) / one.ecal.sum(axis=(1, 2, 3))


def fitted(one: Cells, value: Callable[[Cells], Floats]) -> np.polynomial.Polynomial:
    return np.polynomial.Polynomial.fit(np.log(one.energy), value(one), 3)


def spectra(ours: Cells, theirs: Cells) -> dict[str, float]:
    """Return p-values of Kolmogorov-Smirnov tests of relative cell energies, of one primary per distinct shower."""
    first = np.unique(ours.shower, return_index=True)[1]
    names = ("hit_cell", "side_cells", "corner_cells", "rest")
    mine, other = (one.around()[first] / one.energy[first, None] for one in (ours, theirs))
    return {name: float(f"{ks_2samp(mine[:, i], other[:, i]).pvalue:.3g}") for i, name in enumerate(names)}


def mean(values: Floats, counts: Floats) -> float:
    return float(np.average(values, weights=counts))


def spread(values: Floats, counts: Floats) -> float:
    return float(np.sqrt(np.average((values - mean(values, counts)) ** 2, weights=counts)))


def median(values: Floats, counts: Floats) -> float:
    order = np.argsort(values)
    total = np.cumsum(counts[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def spread_of_relative(values: Floats, counts: Floats) -> float:
    """Return half of the central 68 %, which rare photo-nuclear losses do not move."""
    order = np.argsort(values)
    total = np.cumsum(counts[order]) / counts.sum()
    low, high = (values[order][np.searchsorted(total, q)] for q in (0.16, 0.84))
    return float(high - low) / 2


def ratio(
    ours: Cells,
    theirs: Cells,
    value: Callable[[Cells], Floats],
    statistic: Callable[[Floats, Floats], float] = mean,
) -> list[float]:
    """Return the ratio of a statistic, and its error."""
    (mine, my_error), (other, other_error) = (estimate(one, value, statistic) for one in (ours, theirs))
    error = mine / other * np.hypot(my_error / mine, other_error / other)
    return [round(mine / other, 4), round(float(error), 4)]


def difference(ours: Cells, theirs: Cells, value: Callable[[Cells], NDArray[np.bool_]]) -> dict[str, object]:
    """Return both shares, their difference and its error."""
    pair = [estimate(one, lambda c: value(c).astype(float), mean) for one in (ours, theirs)]
    gap, error = pair[0][0] - pair[1][0], np.hypot(pair[0][1], pair[1][1])
    return {"shares": [round(one[0], 4) for one in pair], "difference": [round(gap, 4), round(float(error), 4)]}


def estimate(
    one: Cells, value: Callable[[Cells], Floats], statistic: Callable[[Floats, Floats], float]
) -> tuple[float, float]:
    values = value(one)
    draws = [statistic(values, counts) for counts in resamples(len(values), N_RESAMPLES, 1, one.shower)]
    return statistic(values, np.ones(len(values))), float(np.std(draws))


def draw(pairs: Mapping[str, tuple[Cells, Cells]], path: Path) -> None:
    figure, axes = plt.subplots(1, 5, figsize=(18, 3.6))
    styles = ({"color": "C0", "label": "library"}, {"color": "k", "linestyle": ":", "label": "Geant4"})
    for one, style in zip(pairs["electron"], styles, strict=True):
        scaled = (one.total / one.energy - 1) * np.sqrt(one.energy)
        share = one.around()[:, 0] / one.total
        axes[0].hist(scaled, np.linspace(-0.4, 0.4, 41), density=True, histtype="step", **style)
        axes[1].hist(share, np.linspace(0, 1, 41), density=True, histtype="step", **style)
        axes[2].plot(border(one), share, ".", color=style["color"], markersize=2)
    for one, style in zip(pairs["pion"], styles, strict=True):
        axes[3].hist(one.total / one.energy, np.linspace(0, 1.2, 41), density=True, histtype="step", **style)
        leaked = one.hcal[:, 1:].sum(axis=(1, 2, 3)) / SAMPLING["HCAL"] / one.energy
        axes[4].hist(leaked, np.linspace(0, 1, 41), density=True, histtype="step", **style)
    axes[0].set(xlabel="(E / E true - 1) sqrt(E true / GeV)", title="electrons", ylabel="density")
    axes[1].set(xlabel="share of the hit cell", title="electrons")
    axes[2].set(xlabel="distance from a border of cells (mm)", ylabel="share of the hit cell", title="electrons")
    axes[3].set(xlabel="ECAL energy / energy", title="pions", yscale="log")
    axes[4].set(xlabel="energy behind the first HCAL module / energy", title="pions", yscale="log")
    axes[0].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
