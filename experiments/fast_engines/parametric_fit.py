"""Fit constants of the parametric engine to the even single showers, and print them beside those in use.

    python experiments/fast_engines/parametric_fit.py SHOWERS.root [depth ...]

Each stage compares features of Geant4 showers with those of parametric ones (means, widths and correlations in three
bins of energy) and moves its constants by least squares, the others being those in use. Errors are those of the Geant4
sample and of its description: 2 % of each feature, and 0.002.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray
from parametric_numbers import BINS
from parametric_samples import Showers, one_cell, read, with_segments
from scipy.optimize import least_squares

from na64ml.setups.setup import Setup, load_setup
from na64ml.simulation.engines.parametric.constants import Constants, load_constants
from na64ml.simulation.engines.parametric.transport import ParametricTransport
from na64ml.simulation.particles import Particles

Float = NDArray[np.float64]
EVEN = slice(0, None, 2)
FLOOR, LOWEST = 0.02, 0.002
"""Relative and absolute errors that every feature has at least."""

LEAST = 20.0
"""Visible MeV that a preshower or main part has at least to be compared."""

CELL_THRESHOLD = 3.3
"""Visible MeV of the cell threshold of the reference sample [card]."""

DISTANCES = (0, 2, 5, 9, 14, 22)
"""Edges in mm of the distance of the impact from the nearest border of cells, in one projection."""

RANKS = [0, 1, 2, 3, 5, 8, 12]
PARTS = 5
"""Parts of the sample from which the errors of the features are taken."""

STEP = 0.12
"""Relative step of the derivatives: large, since the features of a finite sample are noisy."""


@dataclass(frozen=True)
class Stage:
    """Constants that are fitted together.

    Parameters
    ----------
    constants
        Names.
    species
        Particles whose showers are compared.
    features
        Showers to a vector.
    groups
        Whether the ECAL is read in groups of layers, with one cell.
    repeat
        Parametric showers for each Geant4 shower.
    """

    constants: tuple[str, ...]
    species: tuple[str, ...]
    features: Callable[[Showers], Float]
    groups: bool
    repeat: int


def by_energy(showers: Showers, features: Callable[[Showers], list[Any]]) -> Float:
    """Return the features of the showers in each bin of energy."""
    chosen = (showers.select((showers.energy >= low) & (showers.energy < high)) for low, high in BINS)
    return np.concatenate([np.concatenate([np.ravel(value) for value in features(some)]) for some in chosen])


def depth_features(showers: Showers) -> Float:
    """Return mean and width of the share of each of the first 11 groups of layers, correlations, and the resolution."""

    def values(some: Showers) -> list[Any]:
        share = some.layers / some.energy[:, None]
        total = share.sum(axis=1)
        low, high = np.quantile(total, [0.02, 0.98])
        core = total[(total > low) & (total < high)]
        used = share[:, :11]
        near = np.array([np.corrcoef(used[:, i], used[:, i + 1])[0, 1] for i in range(8)])
        far = np.array([np.corrcoef(used[:, i], used[:, i + 4])[0, 1] for i in range(6)])
        return [used.mean(axis=0), used.std(axis=0), 0.5 + near, 0.5 + far, core.std() / core.mean()]

    return by_energy(showers, values)


def width_features(showers: Showers) -> Float:
    """Return what lies across a cell border, by distance from it, the shares of sorted cells, and their number."""

    def values(some: Showers) -> list[Any]:
        result: list[Any] = []
        for depth in (0, 1):
            cells = some.ecal[:, depth].reshape(-1, 6, 6)
            total = cells.sum(axis=(1, 2))
            bright = total > LEAST
            cells, total = cells[bright], total[bright]
            position = np.concatenate([some.x[bright], some.y[bright]])
            right = np.concatenate([cells[:, 3:].sum(axis=(1, 2)), cells[:, :, 3:].sum(axis=(1, 2))])
            across = np.where(position > 0, 1 - right / np.tile(total, 2), right / np.tile(total, 2))
            for low, high in pairwise(DISTANCES):
                here = across[(np.abs(position) >= low) & (np.abs(position) < high)]
                result += [here.mean(), here.std()]
            seen = np.where(cells > CELL_THRESHOLD, cells, 0).reshape(-1, 36)
            ranked = -np.sort(-seen, axis=1)[:, RANKS] / np.maximum(seen.sum(axis=1), LEAST / 2)[:, None]
            number = (seen > 0).sum(axis=1)
            result += [ranked.mean(axis=0), ranked.std(axis=0), number.mean(), number.std()]
        return result

    return by_energy(showers, values)


def veto_features(showers: Showers) -> Float:
    """Return how often each VETO strip has more than some energies, the outer ones by whether the impact is nearer."""
    right = showers.x > 0
    outer = np.where(right[:, None], showers.veto[:, [2, 0]], showers.veto[:, [0, 2]])
    strips = Showers(**(vars(showers) | {"veto": np.column_stack([outer, showers.veto[:, 1]])}))

    def values(some: Showers) -> list[Any]:
        return [0.05 + (some.veto > threshold).mean(axis=0) for threshold in (0.1, 1, 4, 20, 60)]

    return by_energy(strips, values)


STAGES = {
    "depth": Stage(
        ("sampling", "maximum_shift", "maximum_slope", "alpha_shift", "pair_logarithm", "maximum_spread",
         "alpha_spread", "correlation", "absorption", "depth_spots", "depth_power"),
        ("electron", "gamma"), depth_features, True, 3,
    ),
    "width": Stage(
        ("core_scale", "core_early", "tail_scale", "tail_early", "core_share_shift", "core_share_early", "wander",
         "lateral_spots", "tail_quantum"),
        ("electron", "gamma"), width_features, False, 2,
    ),
    "veto": Stage(
        ("halo_showers", "halo_length", "halo_nuclei", "halo_nuclei_length", "halo_energy", "soft_plastic"),
        ("electron", "gamma", "pion", "kaon0l", "neutron"), veto_features, False, 1,
    ),
}  # fmt: skip


def main() -> None:
    """Fit the chosen stages and print the constants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("showers", type=Path, help="single-shower sample")
    parser.add_argument("stages", nargs="*", default=list(STAGES), help=f"of {', '.join(STAGES)}")
    parser.add_argument("--constants", default="default", help="name or path of the constants to start from")
    parser.add_argument("--evaluations", type=int, default=5, help="iterations of the fit of each stage")
    arguments = parser.parse_args()
    constants = load_constants(arguments.constants)
    for name in arguments.stages:
        stage = STAGES[name]
        samples = [read(arguments.showers, species, EVEN) for species in stage.species]
        constants = fit(stage, samples, constants, arguments.evaluations, name)


def fit(
    stage: Stage, samples: list[tuple[Showers, Particles]], start: Constants, evaluations: int, name: str
) -> Constants:
    """Fit the constants of a stage, print them, and return all."""
    setup = one_cell(with_segments(load_setup("na64e_reference"))) if stage.groups else load_setup("na64e_reference")
    target = np.concatenate([stage.features(showers) for showers, _ in samples])
    error = np.concatenate([spread(stage, showers) for showers, _ in samples])
    error = np.sqrt(error**2 + (FLOOR * target) ** 2 + LOWEST**2)
    initial = np.array([getattr(start, constant).value for constant in stage.constants])
    scale = np.maximum(np.abs(initial), 0.3)

    def residual(steps: Float) -> Float:
        constants = changed(start, dict(zip(stage.constants, initial + steps * scale, strict=True)))
        ours = [stage.features(engine_showers(*sample, setup, constants, stage.repeat)) for sample in samples]
        return np.asarray((np.concatenate(ours) - target) / error)

    low, high = zip(*(limits(start, constant) for constant in stage.constants), strict=True)
    bounds = ((np.array(low) - initial) / scale - 1e-9, (np.array(high) - initial) / scale + 1e-9)
    before = residual(np.zeros(len(initial)))
    found = least_squares(
        residual, np.zeros(len(initial)), jac=lambda steps: derivatives(residual, steps, bounds), bounds=bounds,
        loss="soft_l1", max_nfev=evaluations,
    )  # fmt: skip
    values = initial + found.x * scale
    print(f"{name}: chi2 of {len(target)} features {(before**2).mean():.2f} -> {(found.fun**2).mean():.2f} each")
    for constant, used, best in zip(stage.constants, initial, values, strict=True):
        print(f"  {constant:20s} in use {used:10.4g}   fitted {best:10.4g}")
    return changed(start, dict(zip(stage.constants, values, strict=True)))


def derivatives(residual: Callable[[Float], Float], steps: Float, bounds: tuple[Float, Float]) -> Float:
    """Return central differences, one-sided where a bound is near."""
    columns = []
    for index in range(len(steps)):
        ends = [steps.copy(), steps.copy()]
        ends[0][index] = max(steps[index] - STEP, bounds[0][index])
        ends[1][index] = min(steps[index] + STEP, bounds[1][index])
        columns.append((residual(ends[1]) - residual(ends[0])) / (ends[1][index] - ends[0][index]))
    return np.column_stack(columns)


def spread(stage: Stage, showers: Showers) -> Float:
    """Return the statistical errors of the features, from parts of the sample."""
    parts = np.array([stage.features(showers.select(slice(part, None, PARTS))) for part in range(PARTS)])
    return np.asarray(parts.std(axis=0) / np.sqrt(PARTS))


def engine_showers(like: Showers, particles: Particles, setup: Setup, constants: Constants, repeat: int) -> Showers:
    """Return ``repeat`` showers of the engine for each particle."""
    n = len(particles) * repeat
    every = Particles.build(
        np.arange(n), np.tile(particles.pdg, repeat), np.tile(particles.position, (repeat, 1)),
        np.tile(particles.momentum, (repeat, 1)),
    )  # fmt: skip
    visible = ParametricTransport(setup, constants).run(every, n, SeedSequence(1)).visible
    ecal, veto, hcal = (1e3 * visible[name].sum(axis=1) for name in ("ECAL", "VETO", "HCAL"))
    energy, x, y = (np.tile(values, repeat) for values in (like.energy, like.x, like.y))
    layers = ecal if ecal.shape[1] == 15 else np.zeros((n, 0))
    cells = np.zeros((n, 2, 0)) if ecal.shape[1] == 15 else ecal.reshape(n, 2, 36)
    return Showers(energy, x, y, cells, veto[:, ::2], hcal.reshape(n, 4, 9)[:, :3], layers)


def changed(constants: Constants, values: dict[str, float]) -> Constants:
    """Return the constants with other values."""
    content = constants.model_dump()
    for name, value in values.items():
        content[name] |= {"value": float(value)}
    return Constants.model_validate(content)


def limits(constants: Constants, name: str) -> tuple[float, float]:
    """Return the allowed range of a constant."""
    schema = type(getattr(constants, name)).model_json_schema()["properties"]["value"]
    low = schema.get("minimum", schema.get("exclusiveMinimum", -np.inf))
    high = schema.get("maximum", schema.get("exclusiveMaximum", np.inf))
    return float(low) + 1e-6, float(high) - 1e-6


if __name__ == "__main__":
    main()
