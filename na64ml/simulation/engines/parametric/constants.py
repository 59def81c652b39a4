"""Constants of the engine: those of the literature are in the code that uses them, those that were fitted are here."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from na64ml.setups.sourced import Sourced
from na64ml.yaml_files import StrictModel, find_named, load_model

_FOLDER = Path(__file__).parent / "constants"

Factor = Sourced[Annotated[float, Field(ge=0.2, le=5.0)]]
Small = Sourced[Annotated[float, Field(ge=-2.0, le=2.0)]]
Share = Sourced[Annotated[float, Field(ge=0.0, le=1.0)]]
Energy = Sourced[Annotated[float, Field(gt=0.0, le=10.0)]]
Number = Sourced[Annotated[float, Field(gt=0.0, le=1000.0)]]


class Constants(StrictModel):
    """Fitted constants.

    Parameters
    ----------
    sampling
        Sampling resolution of 1 GeV for each root of a MeV that a fast particle loses in a layer, if all tracks were
        parallel and all of them seen, see `~.medium`.
    constant
        Constant term of the resolution of electromagnetic showers.
    absorption
        Longest absorption length of photons in lead in radiation lengths; showers do not fall faster.
    plate_strength, plate_charge_power, plate_power
        k, q and p of the response to electromagnetic showers, see `~.medium.e_mip`.
    maximum_shift, maximum_slope, alpha_shift
        Added to the depth of the shower maximum (radiation lengths), the slope times ln(E / 20 GeV), and to alpha.
    pair_logarithm
        Logarithm of the energy of a photon over that of an electron with the same profile behind the conversion; ln 2
        if each of the pair had half of it.
    maximum_spread, alpha_spread, correlation
        Factors of the GFlash fluctuations of ln T and ln alpha and of their correlation.
    core_scale, tail_scale, core_share_shift
        Factors of the radii of core and tail, and what is added to the share of the core.
    core_early, tail_early, core_share_early
        By which share the radii of core and tail, and what is added to the share of the core, are less early in the
        shower.
    wander
        Standard deviation in x and y of the centre of a shower of 1 GeV from the line of the particle in mm; it falls
        with the root of the energy.
    depth_spots, depth_power
        Number of independent spots of the longitudinal fluctuations of a shower of 1 GeV beyond those of its profile,
        and the power of the energy it grows with.
    leak_radius, leak_angle
        What is added to the radii behind a gap: a length in mm, and its growth with the gap in mm for each mm.
    lateral_spots, lateral_power
        Number of independent spots of the lateral fluctuations of the core of a shower of 1 GeV, and the power of the
        energy it grows with.
    tail_quantum
        Energy in GeV of an independent spot of the tail.
    analytic_from
        Energy in GeV above which showers are integrated over cells; softer ones are spots.
    spots
        Number of spots of a shower of 1 GeV; it grows with the square root of the energy.
    soft_sampling
        Factor of the sampling resolution of spots.
    track_response, track_power
        Visible energy of fast tracks in a sandwich over that of the Landau distribution of its scintillator, for an
        absorber of one radiation length, and the power of the thickness it grows with.
    hard_loss_from
        Energy in GeV above which losses of muons make showers.
    pairs
        Hard losses of muons above E in GeV for each radiation length and GeV of muon energy, times E.
    nucleon_cross_section, pion_cross_section, kaon_cross_section, soft_cross_section
        Interactions of nucleons, pions, kaons, and of soft neutrons of excited nuclei for each interaction length.
    branches_least, branches
        Mean number of branches of an interaction, beyond two, at 1 GeV, and its growth with ln E.
    branch_shape
        Shape of the gamma distribution of the energy of a branch.
    branch_from
        Energy in GeV below which an interaction leaves everything to the nucleus.
    pi0_share, pi0_share_nucleon, neutral_share
        Share of pi0 among the branches of mesons and of nucleons, and of neutral hadrons.
    transverse
        Mean transverse momentum of branches in GeV.
    nucleus_share, nucleus_power, nucleus_shape
        Mean share of the nucleus at 1 GeV, the power with which it falls, and the sharpness of its beta distribution.
    halo_showers, halo_nuclei
        Soft particles around showers: their number for each GeV of a shower, and of an excited nucleus.
    halo_length, halo_nuclei_length
        Their absorption length in radiation lengths around showers, and in interaction lengths around nuclei.
    halo_plastic, halo_energy
        Absorption length in mm in plastic counters, and mean energy in GeV that one leaves where it is seen.
    halo_seen, halo_sandwich
        Probability that one is seen in a calorimeter over the visible share of minimum-ionising particles, and energy
        that one leaves in a plate there over that in a plastic counter.
    soft_response, soft_plastic, soft_spots
        Response to the energy of excited nuclei over that to minimum-ionising particles, its factor in plastic
        counters, and the mean number of spots beyond one at 1 GeV.
    """

    sampling: Sourced[Annotated[float, Field(gt=0, le=0.2)]]
    constant: Sourced[Annotated[float, Field(ge=0, le=0.1)]]
    absorption: Sourced[Annotated[float, Field(ge=1.0, le=10.0)]]
    plate_strength: Share
    plate_charge_power: Factor
    plate_power: Share
    maximum_shift: Small
    maximum_slope: Small
    alpha_shift: Small
    pair_logarithm: Small
    maximum_spread: Factor
    alpha_spread: Factor
    correlation: Share
    core_scale: Factor
    tail_scale: Factor
    core_share_shift: Sourced[Annotated[float, Field(ge=-0.5, le=0.5)]]
    core_early: Share
    tail_early: Share
    core_share_early: Small
    wander: Sourced[Annotated[float, Field(ge=0, le=20)]]
    leak_radius: Sourced[Annotated[float, Field(ge=0, le=500)]]
    leak_angle: Share
    depth_spots: Number
    depth_power: Share
    lateral_spots: Number
    lateral_power: Share
    tail_quantum: Energy
    analytic_from: Energy
    spots: Number
    soft_sampling: Factor
    track_response: Factor
    track_power: Share
    hard_loss_from: Energy
    pairs: Sourced[Annotated[float, Field(ge=0, le=1e-4)]]
    nucleon_cross_section: Factor
    pion_cross_section: Factor
    kaon_cross_section: Factor
    soft_cross_section: Factor
    branches_least: Sourced[Annotated[float, Field(ge=0, le=10)]]
    branches: Sourced[Annotated[float, Field(ge=0, le=5)]]
    branch_shape: Factor
    branch_from: Energy
    pi0_share: Share
    pi0_share_nucleon: Share
    neutral_share: Share
    transverse: Energy
    nucleus_share: Share
    nucleus_power: Share
    nucleus_shape: Number
    halo_showers: Sourced[Annotated[float, Field(ge=0, le=1000)]]
    halo_nuclei: Sourced[Annotated[float, Field(ge=0, le=1000)]]
    halo_length: Sourced[Annotated[float, Field(gt=0, le=20)]]
    halo_nuclei_length: Factor
    halo_plastic: Number
    halo_energy: Energy
    halo_seen: Factor
    halo_sandwich: Factor
    soft_response: Sourced[Annotated[float, Field(ge=0, le=5)]]
    soft_plastic: Share
    soft_spots: Number


def load_constants(name_or_path: str) -> Constants:
    """Load shipped constants by name, or any by the path of a YAML file.

    Raises
    ------
    ConfigError
        If there are none, or a value is missing or absurd; the message names file, key and value.
    """
    return load_model(Constants, find_named(_FOLDER, name_or_path, "constants of the parametric engine"))
