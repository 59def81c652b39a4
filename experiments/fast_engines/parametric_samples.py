"""Showers to compare: Geant4 from files or made here, and the parametric engine for the same particles."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import uproot
from numpy.random import SeedSequence
from numpy.typing import NDArray

from na64ml.setups.setup import Setup, load_setup
from na64ml.simulation.engines.base import Engine
from na64ml.simulation.engines.geant4 import Geant4
from na64ml.simulation.engines.parametric import Parametric
from na64ml.simulation.particles import Particles, mass

SPECIES = {"electron": 11, "gamma": 22, "muon": 13, "pion": -211, "kaon0l": 130, "neutron": 2112}
CENTRE = -19.1
"""x and y in mm of the ECAL centre in the reference setup; the sample has the beam there."""

FRONT = -1.0
GROUP = 10
"""Layers of one group of the longitudinal profile."""

SOFT_SPECIES = (11, 22, 211, -211, 2212, 2112, 130, 321)
SOFT_ENERGIES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
SOFT_EACH = 40
DUMPS = {
    f"{setup} {energy:g} GeV": (setup, energy)
    for energy in (100.0, 150.0)
    for setup in ("na64e_visible_2017", "na64e_visible_2018")
}
DUMP_EACH = 60


@dataclass
class Showers:
    """Visible energy in MeV of ``n`` showers of one kind.

    Parameters
    ----------
    energy, x, y
        Total energy in GeV and impact in mm from the ECAL centre, ``[n]``.
    ecal, veto, hcal
        ``[n, 2, 36]``, ``[n, 3]``, ``[n, 3, 9]``.
    layers
        ECAL in groups of 10 layers, ``[n, 15]``.
    """

    energy: NDArray[Any]
    x: NDArray[Any]
    y: NDArray[Any]
    ecal: NDArray[Any]
    veto: NDArray[Any]
    hcal: NDArray[Any]
    layers: NDArray[Any]

    def select(self, which: Any) -> "Showers":
        """Return the chosen showers."""
        return Showers(**{name: values[which] for name, values in vars(self).items()})


def read(path: Path, species: str, which: slice) -> tuple[Showers, Particles]:
    """Return the Geant4 showers of one species from the single-shower file, and the particles they come from."""
    with uproot.open(path) as file:
        columns = {name: values[which] for name, values in file[species].arrays(library="np").items()}
    n = len(columns["energy"])
    energy = columns["energy"].astype(np.float64)
    direction = np.column_stack([columns["tx"], columns["ty"], np.ones(n)])
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    momentum = np.sqrt(energy**2 - mass(np.full(n, SPECIES[species])) ** 2)
    position = np.column_stack([columns["x"] + CENTRE, columns["y"] + CENTRE, np.full(n, FRONT)])
    particles = Particles.build(np.arange(n), SPECIES[species], position, direction * momentum[:, None])
    showers = Showers(
        energy,
        columns["x"],
        columns["y"],
        columns["ecal"].reshape(n, 2, 36),
        columns["veto"],
        columns["hcal"].reshape(n, 3, 9),
        columns["ecal_layer"].reshape(n, -1, GROUP).sum(axis=2),
    )
    return showers, particles


def parametrised(particles: Particles, like: Showers, engine: Parametric) -> Showers:
    """Return showers of the engine for the same particles; groups of layers are segments of a setup of their own."""
    n = len(particles)
    cells = engine.open(load_setup("na64e_reference")).run(particles, n, SeedSequence(1)).visible
    groups = one_cell(with_segments(load_setup("na64e_reference")))
    deep = engine.open(groups).run(particles, n, SeedSequence(2)).visible
    ecal, veto, hcal, layers = (
        1e3 * values.sum(axis=1) for values in (cells["ECAL"], cells["VETO"], cells["HCAL"], deep["ECAL"])
    )
    return Showers(
        like.energy,
        like.x,
        like.y,
        ecal.reshape(n, 2, 36),
        veto[:, ::2],
        hcal.reshape(n, 4, 9)[:, :3],
        layers,
    )


def with_segments(setup: Setup) -> Setup:
    """Return the setup with its ECAL read in groups of 10 layers."""
    content = setup.model_dump(mode="json", exclude_none=True)
    ecal = next(detector for detector in content["detectors"] if detector["name"] == "ECAL")
    ecal["segments"] = [
        {
            "name": f"group {index}",
            "z": {"value": [3.0 * GROUP * index, 3.0 * GROUP * (index + 1)], "source": "card"},
            "layers": {"value": GROUP, "source": "card"},
        }
        for index in range(15)
    ]
    return Setup.model_validate(content)


def one_cell(setup: Setup) -> Setup:
    """Return the setup with one cell for each segment of its ECAL, which is faster."""
    content = setup.model_dump(mode="json", exclude_none=True)
    ecal = next(detector for detector in content["detectors"] if detector["name"] == "ECAL")
    n, size = ecal["cells"]["value"], ecal["cell_size"]["value"]
    ecal["cells"]["value"] = [1, 1]
    ecal["cell_size"]["value"] = [n[0] * size[0], n[1] * size[1]]
    return Setup.model_validate(content)


def soft_particles(repeat: int = 1) -> Particles:
    """Return particles of low energy on the ECAL: kinetic energies within 10 % of `SOFT_ENERGIES`."""
    rng = np.random.default_rng(5)
    pdg = np.repeat(SOFT_SPECIES, len(SOFT_ENERGIES) * SOFT_EACH).astype(np.int32)
    kinetic = np.tile(np.repeat(SOFT_ENERGIES, SOFT_EACH), len(SOFT_SPECIES))
    kinetic = kinetic * np.exp(rng.uniform(-0.1, 0.1, len(kinetic)))
    momentum = np.sqrt((kinetic + mass(pdg)) ** 2 - mass(pdg) ** 2)
    position = np.column_stack([rng.normal(CENTRE, 12, (len(pdg), 2)), np.full(len(pdg), FRONT)])
    return _repeated(pdg, position, momentum, repeat)


def dump_particles(name: str, repeat: int = 1) -> Particles:
    """Return electrons in front of the tungsten dump of a visible-mode setup."""
    setup, energy = DUMPS[name]
    front = load_setup(setup).target_calorimeter.segments[0].z_min - 1
    rng = np.random.default_rng(5)
    position = np.column_stack([rng.normal(0, 8, (DUMP_EACH, 2)), np.full(DUMP_EACH, front)])
    return _repeated(np.full(DUMP_EACH, 11, np.int32), position, np.full(DUMP_EACH, energy), repeat)


def visible(engine: Engine, setup: str, particles: Particles) -> dict[str, NDArray[Any]]:
    """Return visible energy in GeV by detector, ``[n, n_channels]``, one particle for each event."""
    deposits = engine.open(load_setup(setup)).run(particles, len(particles), SeedSequence(1))
    return {name: values.sum(axis=1) for name, values in deposits.visible.items()}


def geant4(work: Path, name: str, setup: str, particles: Particles) -> dict[str, NDArray[Any]]:
    """Return what `visible` returns for Geant4, from a file in ``work`` if it was made before."""
    path = work / f"geant4 {name}.npz".replace(" ", "_")
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **visible(Geant4(), setup, particles))
    with np.load(path) as file:
        return dict(file)


def _repeated(pdg: NDArray[Any], position: NDArray[Any], momentum: NDArray[Any], repeat: int) -> Particles:
    along = np.column_stack([np.zeros((len(pdg), 2)), momentum])
    n = len(pdg) * repeat
    return Particles.build(
        np.arange(n), np.tile(pdg, repeat), np.tile(position, (repeat, 1)), np.tile(along, (repeat, 1))
    )
