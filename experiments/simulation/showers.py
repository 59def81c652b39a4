"""Compare single showers of the geant4 engine with the reference showers: response, resolution, PRS, profile, MIPs.

    python experiments/simulation/showers.py na64e_showers_geant4.root --out FOLDER

Our particles are the first of the reference file, with the same energies, impacts and angles; they are compared with
all of its particles. What depends on energy is divided by a curve in ln E that is fitted to the reference alone. Pions
that cross the ECAL are counted with the ECAL alone in the world, which is cheaper.
"""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import uproot
from numpy.random import SeedSequence
from numpy.typing import NDArray
from scipy.stats import chi2

from na64ml.setups.detectors import Calorimeter
from na64ml.setups.setup import Setup, load_setup
from na64ml.simulation.engines.geant4 import Geant4
from na64ml.simulation.particles import MEV, Particles, mass

SAMPLING = 0.1087
"""Visible share of electromagnetic showers in the ECAL, by which the sample's card divides."""

CROSSING = 1.5
"""GeV in the ECAL below which a pion has crossed it as a minimum-ionising particle, which leaves 0.5 GeV."""

PRESHOWER_LAYERS, GROUP = 16, 10


class Showers(NamedTuple):
    """Showers of one species: energy ``[n]``, visible ECAL layers ``[n, 150]``, VETO strips, HCAL modules, in GeV."""

    energy: NDArray[np.float64]
    layers: NDArray[np.float64]
    veto: NDArray[np.float64]
    hcal: NDArray[np.float64]

    @property
    def ecal(self) -> NDArray[np.float64]:
        return self.layers.sum(axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--electrons", type=int, default=400)
    parser.add_argument("--pions", type=int, default=400, help="pions with all detectors")
    parser.add_argument("--crossing", type=int, default=2000, help="pions with the ECAL alone")
    parser.add_argument("--muons", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    whole = by_layers(load_setup("na64e_reference"), ("ECAL", "VETO", "HCAL"))
    alone = by_layers(load_setup("na64e_reference"), ("ECAL",))
    transports = {setup.name: Geant4().open(setup) for setup in (whole, alone)}

    def both(name: str, count: int, setup: Setup) -> tuple[Showers, Showers]:
        with uproot.open(arguments.reference) as file:
            tree = file[name].arrays(library="np")
        primaries = {key: values[:count] for key, values in tree.items()}
        return simulated(setup, transports[setup.name], primaries), reference(tree)

    muons = both("muon", arguments.muons, whole)
    electrons = both("electron", arguments.electrons, whole)
    crossing = both("pion", arguments.crossing, alone)
    pions = both("pion", arguments.pions, whole)
    result = {
        **compare_electrons(*electrons),
        **compare_crossing(*crossing),
        **compare_pions(*pions),
        **compare_muons(*muons),
    }
    for name, value in result.items():
        print(f"{name:28}", value)
    (arguments.out / "showers.json").write_text(json.dumps(result, indent=1) + "\n")
    draw(electrons, crossing, arguments.out / "showers.png")


def by_layers(setup: Setup, names: tuple[str, ...]) -> Setup:
    """Return a setup of the named detectors whose ECAL has every layer as a segment of its own, as the reference."""
    content = setup.model_dump(mode="json", exclude_none=True)
    content["detectors"] = [one for one in content["detectors"] if one["name"] in names]
    content["name"] = " ".join(names)
    ecal = content["detectors"][0]
    layers = [
        {
            "name": f"{segment['name']}{i}",
            "z": {"value": [low, low + step], "source": segment["z"]["source"]},
            "layers": {"value": 1, "source": "card"},
        }
        for segment in ecal["segments"]
        for step in [np.diff(segment["z"]["value"])[0] / segment["layers"]["value"]]
        for i, low in enumerate(segment["z"]["value"][0] + step * np.arange(segment["layers"]["value"]))
    ]
    return Setup.model_validate({**content, "detectors": [{**ecal, "segments": layers}, *content["detectors"][1:]]})


def simulated(setup: Setup, transport, primaries: dict[str, NDArray]) -> Showers:
    """Transport the particles of the reference, which are given relative to the centre of the ECAL."""
    energy, n = primaries["energy"].astype(float), len(primaries["energy"])
    direction = np.column_stack([primaries["tx"], primaries["ty"], np.ones(n)])
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    momentum = np.sqrt(energy**2 - mass(primaries["pdg"]) ** 2)[:, None] * direction
    centre = np.array(setup.target_calorimeter.centre.value)
    position = np.column_stack([np.column_stack([primaries["x"], primaries["y"]]) + centre, np.full(n, -1.0)])
    particles = Particles.build(np.arange(n), primaries["pdg"], position, momentum)
    visible = transport.run(particles, n, SeedSequence(64)).visible

    def segments(name: str) -> NDArray[np.float64]:
        detector = setup.detector(name)
        assert isinstance(detector, Calorimeter)
        return visible[name].sum(axis=1, dtype=float).reshape(n, len(detector.segments), -1).sum(axis=2)

    if "HCAL" not in setup.detector_names:
        return Showers(energy, segments("ECAL"), np.zeros((n, 3)), np.zeros((n, 3)))
    veto = visible["VETO"].sum(axis=1, dtype=float)[:, ::2]
    return Showers(energy, segments("ECAL"), veto, segments("HCAL")[:, :3])


def reference(tree: dict[str, NDArray]) -> Showers:
    hcal = tree["hcal"].astype(float).sum(axis=(2, 3))
    return Showers(
        *(tree["energy"].astype(float), *(v.astype(float) * MEV for v in (tree["ecal_layer"], tree["veto"], hcal)))
    )


def compare_electrons(ours: Showers, theirs: Showers) -> dict[str, object]:
    response = ratio(ours.ecal / ours.energy, theirs.ecal / theirs.energy)
    widths, errors = [], []
    for one in (ours, theirs):
        scaled = (one.ecal / (SAMPLING * one.energy) - 1) * np.sqrt(one.energy)
        draws = np.random.default_rng(0).integers(0, len(scaled), (400, len(scaled)))
        widths.append(scaled.std())
        errors.append(scaled[draws].std(axis=1).std())
    width_ratio = widths[0] / widths[1]
    shares = [one.layers[:, :PRESHOWER_LAYERS].sum(axis=1) / one.ecal for one in (ours, theirs)]
    curve = np.polynomial.Polynomial.fit(np.log(theirs.energy), shares[1], 3)
    preshower = ratio(*(share / curve(np.log(one.energy)) for share, one in zip(shares, (ours, theirs), strict=True)))
    difference, covariance = profile_difference(ours, theirs)
    value = float(difference @ np.linalg.solve(covariance, difference))
    return {
        "electrons": [len(ours.energy), len(theirs.energy)],
        "response_ratio": response,
        "resolution_gev": [round(float(width), 4) for width in widths],
        "resolution_ratio": value_and_error(width_ratio, width_ratio * np.hypot(*(np.array(errors) / widths))),
        "preshower_ratio": preshower,
        "profile_chi2": round(value, 2),
        "profile_degrees": len(difference),
        "profile_p_value": float(f"{chi2.sf(value, len(difference)):.3g}"),
    }  # fmt: skip


def profile_difference(ours: Showers, theirs: Showers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the difference of the mean shares of groups of 10 layers, and its covariance.

    Each share is freed of its dependence on energy by a cubic in ln E. The shares sum to one, so the last group follows
    from the others and is left out. The covariance of one shower is that of the reference, which has more of them.
    """
    groups = [np.add.reduceat(one.layers, np.arange(0, 150, GROUP), axis=1)[:, :-1] for one in (ours, theirs)]
    shares = [group / one.ecal[:, None] for group, one in zip(groups, (ours, theirs), strict=True)]
    design = [np.vander(np.log(one.energy), 4) for one in (ours, theirs)]
    fit = np.linalg.lstsq(design[1], shares[1], rcond=None)[0]
    residuals = [share - matrix @ fit for share, matrix in zip(shares, design, strict=True)]
    covariance = np.cov(residuals[1].T) * sum(1 / len(residual) for residual in residuals)
    return residuals[0].mean(axis=0) - residuals[1].mean(axis=0), covariance


def compare_crossing(ours: Showers, theirs: Showers) -> dict[str, object]:
    crossed = [one.ecal / SAMPLING < CROSSING for one in (ours, theirs)]
    shares = [float(one.mean()) for one in crossed]
    error = np.sqrt(sum(share * (1 - share) / len(one) for share, one in zip(shares, crossed, strict=True)))
    return {
        "crossing_pions": [len(ours.energy), len(theirs.energy)],
        "crossing": [round(share, 4) for share in shares],
        "crossing_difference": value_and_error(shares[0] - shares[1], float(error)),
        "pion_response_ratio": ratio(ours.ecal / ours.energy, theirs.ecal / theirs.energy),
    }


def compare_pions(ours: Showers, theirs: Showers) -> dict[str, object]:
    return {
        "pions": [len(ours.energy), len(theirs.energy)],
        "pion_veto_ratio": ratio(ours.veto.sum(axis=1), theirs.veto.sum(axis=1)),
        "pion_hcal_ratio": ratio(ours.hcal.sum(axis=1) / ours.energy, theirs.hcal.sum(axis=1) / theirs.energy),
    }


def compare_muons(ours: Showers, theirs: Showers) -> dict[str, object]:
    """Compare medians; those of single layers are the sharpest, the sums fluctuate by rare hard radiation."""
    pairs = {
        "ecal": (ours.ecal, theirs.ecal),
        "ecal_layer": (ours.layers, theirs.layers),
        "veto": (ours.veto.sum(axis=1), theirs.veto.sum(axis=1)),
        "hcal_module": (ours.hcal, theirs.hcal),
    }
    rows: dict[str, object] = {"muons": [len(ours.energy), len(theirs.energy)]}
    for name, pair in pairs.items():
        rows[f"muon_{name}_mev"] = [round(float(np.median(values)) / MEV, 4) for values in pair]
        rows[f"muon_{name}_ratio"] = median_ratio(*pair)
    return rows


def median_ratio(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> list[float]:
    """Return the ratio of two medians and its error from a bootstrap over showers."""
    rng = np.random.default_rng(0)
    draws = [
        np.median(ours[rng.integers(0, len(ours), len(ours))])
        / np.median(theirs[rng.integers(0, len(theirs), len(theirs))])
        for _ in range(100)
    ]
    return value_and_error(float(np.median(ours) / np.median(theirs)), float(np.std(draws)))


def ratio(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> list[float]:
    """Return the ratio of two means and its error."""
    relative = np.hypot(*(one.std() / one.mean() / np.sqrt(len(one)) for one in (ours, theirs)))
    value = float(ours.mean() / theirs.mean())
    return value_and_error(value, value * float(relative))


def value_and_error(value: float, error: float) -> list[float]:
    return [round(float(value), 4), round(float(error), 4)]


def draw(electrons: tuple[Showers, Showers], pions: tuple[Showers, Showers], path: Path) -> None:
    figure, (profile, response, crossing) = plt.subplots(1, 3, figsize=(12, 3.4))
    styles = ({"color": "C0", "label": "simulated"}, {"color": "k", "linestyle": ":", "label": "reference"})
    for showers, style in zip(electrons, styles, strict=True):
        groups = np.add.reduceat(showers.layers / showers.energy[:, None], np.arange(0, 150, GROUP), axis=1)
        profile.stairs(groups.mean(axis=0) / SAMPLING, np.arange(0, 151, GROUP), **style)
        scaled = (showers.ecal / (SAMPLING * showers.energy) - 1) * np.sqrt(showers.energy)
        response.hist(scaled, np.linspace(-0.4, 0.4, 33), density=True, histtype="step", **style)
    for showers, style in zip(pions, styles, strict=True):
        edges = np.linspace(0, 1.2, 41)
        crossing.hist(showers.ecal / SAMPLING / showers.energy, edges, density=True, histtype="step", **style)
    profile.set(xlabel="ECAL layer", ylabel="share of the energy", yscale="log", title="electrons")
    response.set(xlabel="(E / E true - 1) sqrt(E true / GeV)", ylabel="density", title="electrons")
    crossing.set(xlabel="ECAL energy / pion energy", ylabel="density", yscale="log", title="pions")
    profile.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
