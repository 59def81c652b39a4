"""How the readout turns deposits into measured values, in simulation; every parameter can be shifted."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from na64ml.errors import ConfigError
from na64ml.setups.sourced import Fraction, NonNegative, Pair, Positive, Share
from na64ml.yaml_files import StrictModel, content_hash, find_named, load_model, validate

_FOLDER = Path(__file__).parent / "catalog" / "digitisation"


class CalorimeterReadout(StrictModel):
    """Readout of a calorimeter.

    Parameters
    ----------
    sampling
        Visible share of the energy of an electromagnetic shower; visible energy is divided by it.
    gain_spread
        Relative spread of the gain errors of the channels; they are fixed for one file.
    noise, threshold
        Electronic noise of a channel and the energy above which it is read out, in GeV.
    photoelectrons
        Photoelectrons per GeV of visible energy; without it there are no photo-statistics.
    time_sigma, time_noise
        Time resolution sqrt(time_sigma² + (time_noise / E)²), in ns and ns GeV; without it there is no time.
    """

    sampling: Share
    gain_spread: NonNegative
    noise: NonNegative
    threshold: NonNegative
    photoelectrons: Positive | None = None
    time_sigma: Positive | None = None
    time_noise: NonNegative | None = None


class CounterReadout(StrictModel):
    """Readout of counters: relative resolution and noise (GeV) of each photomultiplier, and the threshold in GeV."""

    resolution: NonNegative
    noise: NonNegative
    threshold: NonNegative


class SRDReadout(StrictModel):
    """Response of one SRD module to synchrotron radiation, a compound Poisson distribution (physics.md 5.7).

    Parameters
    ----------
    photons
        Mean number of photons that a beam electron leaves in one module.
    visible
        Mean visible energy of a photon in GeV at the nominal beam energy.
    shape
        Shape parameter of the gamma distribution of the visible energy of a photon.
    noise
        Electronic noise of a module in GeV.
    """

    photons: Positive
    visible: Positive
    shape: Positive
    noise: NonNegative


class TrackReadout(StrictModel):
    """Measurement of the beam track.

    Parameters
    ----------
    momentum_resolution
        Relative resolution.
    wrong_fraction, wrong_momentum
        Share of wrong momenta, and the range in GeV in which these lie.
    position, angle
        Resolutions at the target in mm and rad.
    """

    momentum_resolution: NonNegative
    wrong_fraction: Fraction
    wrong_momentum: Pair
    position: NonNegative
    angle: NonNegative


class Digitisation(StrictModel):
    """Readout of all detectors of one or several setups, by name of the detector.

    Parameters
    ----------
    calorimeters, counters, srd, track
        The readout of each.
    gate
        Time in ns after which nothing of a second particle is inside the gate; its share falls linearly to that.
    """

    description: str = ""
    calorimeters: dict[str, CalorimeterReadout]
    counters: dict[str, CounterReadout]
    srd: dict[str, SRDReadout]
    track: TrackReadout
    gate: Positive

    @property
    def hash(self) -> str:
        """Hash of the content."""
        return content_hash(self.model_dump(mode="json", exclude={"description"}))


def load_digitisation(name_or_path: str) -> Digitisation:
    """Load a shipped digitisation by name, or any by the path of its YAML file.

    Raises
    ------
    ConfigError
        If there is none or the file is wrong.
    """
    return load_model(Digitisation, find_named(_FOLDER, name_or_path, "digitisation"))


def shifted(digitisation: Digitisation, shifts: Mapping[str, float | Mapping[str, float]]) -> Digitisation:
    """Return the digitisation with some parameters changed, for systematic uncertainties.

    Parameters
    ----------
    shifts
        By parameter, such as ``ECAL.noise``, ``track.angle`` or ``gate``: a new value, or ``{"scale": factor}``.

    Raises
    ------
    ConfigError
        If there is no such parameter (the nearest ones are named) or the new value is not allowed.
    """
    content = digitisation.model_dump(mode="json")
    known = _parameters(content)
    for key, change in shifts.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=3, cutoff=0.5) or sorted(known)
            raise ConfigError(f"shifts: there is no parameter '{key}'; did you mean {' or '.join(near)}?")
        entry = known[key]
        if isinstance(change, Mapping):
            if set(change) != {"scale"}:
                raise ConfigError(f"shifts: {key}: give a value or 'scale: FACTOR', not {dict(change)}")
            entry["value"] = entry["value"] * change["scale"]
        else:
            entry["value"] = change
        entry["source"] = f"?: shifted from {entry['source']}"
    return validate(Digitisation, content, Path("shifts"))


def _parameters(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the sourced values by their short names; pairs cannot be scaled and are left out."""
    groups = {
        **{name: part for kind in ("calorimeters", "counters", "srd") for name, part in content[kind].items()},
        "track": content["track"],
    }
    found = {f"{name}.{key}": value for name, part in groups.items() for key, value in part.items() if value}
    found["gate"] = content["gate"]
    return {key: value for key, value in found.items() if not isinstance(value["value"], list)}
