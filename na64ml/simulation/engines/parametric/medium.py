"""What a homogenised sandwich does to particles: lengths, energy loss, and the share of energy that is visible."""

import math
from dataclasses import dataclass

from na64ml.setups.materials import MATERIALS, MaterialName, Sandwich
from na64ml.simulation.engines.parametric.constants import Constants
from na64ml.simulation.particles import MEV

MM_PER_CM = 10.0

SCALE_ENERGY = 21.2
"""Scale energy of multiple scattering E_s in MeV (physics.md 5.1)."""

RISE = 1.12
"""Mean ionisation loss of fast particles over that at the minimum [M-M]."""


@dataclass(frozen=True)
class Element:
    """Atomic number, mass number, and minimum ionisation loss in MeV cm²/g."""

    z: float
    a: float
    loss: float


ELEMENTS: dict[MaterialName, Element] = {
    "Pb": Element(82, 207.2, 1.122),
    "W": Element(74, 183.84, 1.145),
    "Cu": Element(29, 63.55, 1.403),
    "Fe": Element(26, 55.85, 1.451),
    "polystyrene": Element(5.6, 11.2, 1.956),
}
"""Values of the PDG [M-H]; plastic: polyvinyltoluene, Z and A by mass fraction [C]."""


@dataclass(frozen=True)
class Medium:
    """A homogenised sandwich, or plastic alone.

    Parameters
    ----------
    radiation, interaction, loss, plastic
        For each mm of depth: radiation lengths, nuclear interaction lengths, ionisation loss of a minimum-ionising
        particle in GeV (a little more, `RISE`), and mm of scintillator.
    mip_share, em_share
        Visible share of the energy of a minimum-ionising particle and of an electromagnetic shower.
    sampling
        Sampling resolution of 1 GeV of electromagnetic energy.
    z, critical, moliere
        Effective atomic number, critical energy in GeV, and Molière radius in mm.
    inverse_frequency, e_hat
        1/F_S and e_hat of GFlash; 0 and 1 for plastic alone.
    tracks
        Minimum-ionising tracks that a shower has for each GeV it loses in one radiation length.
    track_response
        Visible energy of fast tracks over that of a Landau distribution: electrons from the absorber add to it.
    """

    radiation: float
    interaction: float
    loss: float
    plastic: float
    mip_share: float
    em_share: float
    sampling: float
    z: float
    critical: float
    moliere: float
    inverse_frequency: float
    e_hat: float
    tracks: float
    track_response: float


def medium(parts: dict[MaterialName, float], active: MaterialName, layers: int, depth: float, c: Constants) -> Medium:
    """Return the medium of ``layers`` layers spread over ``depth`` in mm.

    Parameters
    ----------
    parts
        Thickness in mm of each material of one layer.
    active
        The material whose energy is visible.
    layers, depth
        Number of layers and length in mm they are spread over, gaps included.
    c
        Constants of the engine.
    """
    density = {name: MATERIALS[name].density / MM_PER_CM for name in parts}
    mass = {name: density[name] * mm for name, mm in parts.items()}
    total, thickness = sum(mass.values()), sum(parts.values())
    weight = {name: value / total for name, value in mass.items()}
    loss = {name: mass[name] * ELEMENTS[name].loss * MEV for name in parts}
    x0 = 1 / sum(weight[name] / MATERIALS[name].radiation_length for name in parts)
    z = sum(weight[name] * ELEMENTS[name].z for name in parts)
    a = sum(weight[name] * ELEMENTS[name].a for name in parts)
    x0_mm = x0 * thickness / total
    inverse_moliere = sum(
        weight[name] * _critical(name) / (MATERIALS[name].radiation_length * SCALE_ENERGY) for name in parts
    )
    mip_share = loss[active] / sum(loss.values())
    passive = [name for name in parts if name != active]
    difference = ELEMENTS[passive[0]].z - ELEMENTS[active].z if passive else 0.0
    absorber = mass[passive[0]] / MATERIALS[passive[0]].radiation_length if passive else 0.0
    ratio = e_mip(difference, absorber, c)
    critical = 2.66 * (x0 * z / a) ** 1.1
    per_mm = layers / depth
    return Medium(
        radiation=total / x0 * per_mm,
        interaction=sum(mass[name] / MATERIALS[name].interaction_length for name in parts) * per_mm,
        loss=RISE * sum(loss.values()) * per_mm,
        plastic=parts[active] * per_mm,
        mip_share=mip_share,
        em_share=mip_share * ratio,
        sampling=_sampling(sum(loss.values()) / MEV, critical, ratio, c) if passive else 0.0,
        z=z,
        critical=critical * MEV,
        moliere=thickness / total / inverse_moliere,
        inverse_frequency=thickness / x0_mm if passive else 0.0,
        e_hat=1 / (1 + 0.007 * difference),
        tracks=ratio * total / x0 / sum(loss.values()),
        track_response=c.track_response.value * absorber**c.track_power.value if passive else 1.0,
    )


def sandwich_medium(sandwich: Sandwich, layers: int, depth: float, constants: Constants) -> Medium:
    """Return the medium of a calorimeter segment."""
    parts = {
        sandwich.absorber: sandwich.absorber_thickness.value,
        sandwich.scintillator: sandwich.scintillator_thickness.value,
    }
    return medium(parts, sandwich.scintillator, layers, depth, constants)


def plastic_medium(depth: float, constants: Constants) -> Medium:
    """Return the medium of a plastic counter."""
    return medium({"polystyrene": depth}, "polystyrene", 1, depth, constants)


def e_mip(difference: float, absorber: float, c: Constants) -> float:
    """Return the response to electromagnetic showers over that to minimum-ionising particles.

    GFlash has 1 / (1 + 0.007 (Z_p - Z_a)) for all plates (physics.md 5.1). Thin plates lose less of the soft electrons,
    so that here the term grows with the thickness of the absorber: 1 / (1 + k (ΔZ/70)^q d^p).

    Parameters
    ----------
    difference
        Z of the absorber less that of the scintillator.
    absorber
        Thickness of one absorber plate in radiation lengths.
    """
    charge = (difference / 70) ** c.plate_charge_power.value
    return float(1 / (1 + c.plate_strength.value * charge * absorber**c.plate_power.value))


def _sampling(loss: float, critical: float, ratio: float, c: Constants) -> float:
    """Return the sampling resolution of 1 GeV.

    Tracks that cross a layer and are seen are counted: there are e/mip / ΔE of them for each GeV, ΔE what a fast
    particle loses in a layer. They are not parallel, the mean cosine is cos(E_s / π E_c) (Amaldi, Phys. Scr. 23 (1981)
    409 [M-H]), so that the resolution is c sqrt(ΔE / (e/mip <cos>)).

    Parameters
    ----------
    loss, critical
        ΔE and critical energy in MeV.
    ratio
        e/mip.
    """
    cosine = math.cos(SCALE_ENERGY / (math.pi * critical))
    return float(c.sampling.value * math.sqrt(loss / (ratio * cosine)))


def _critical(name: MaterialName) -> float:
    """Return the critical energy of a material in MeV (physics.md 5.1)."""
    element = ELEMENTS[name]
    return float(2.66 * (MATERIALS[name].radiation_length * element.z / element.a) ** 1.1)
