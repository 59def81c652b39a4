"""How the readout turns deposits into measured values, in simulation; every parameter can be shifted."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

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
    crosstalk
        Share of the energy of a segment that every one of its cells sees; the energy of the segment stays what it is.
    dead
        Share of the channels that are dead beyond those of the conditions, chosen at random for one file.
    """

    sampling: Share
    gain_spread: NonNegative
    noise: NonNegative
    threshold: NonNegative
    photoelectrons: Positive | None = None
    time_sigma: Positive | None = None
    time_noise: NonNegative | None = None
    crosstalk: Fraction | None = None
    dead: Fraction | None = None


class CounterReadout(StrictModel):
    """Readout of counters.

    Parameters
    ----------
    resolution, noise, threshold
        Relative resolution of each photomultiplier, its noise and its threshold in GeV.
    dead
        As of a calorimeter.
    """

    resolution: NonNegative
    noise: NonNegative
    threshold: NonNegative
    dead: Fraction | None = None


class SRDReadout(StrictModel):
    """Response of one SRD module to synchrotron radiation, a compound Poisson distribution (physics.md 5.7).

    Parameters
    ----------
    photons
        Mean number of photons that a beam electron leaves in one module.
    visible
        Mean visible energy of a photon in GeV at the beam energy of the setup.
    shape
        Shape parameter of the gamma distribution of the visible energy of a photon.
    noise
        Electronic noise of a module in GeV.
    dead
        As of a calorimeter.
    """

    photons: Positive
    visible: Positive
    shape: Positive
    noise: NonNegative
    dead: Fraction | None = None


class PlaneShift(StrictModel):
    """A change of a parameter of a tracker plane, which the setup has: a new value, or a factor."""

    value: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    scale: float = Field(default=1.0, ge=0, allow_inf_nan=False)

    def of(self, nominal: float) -> float:
        """Return the changed value."""
        return nominal * self.scale if self.value is None else self.value


class PlaneShifts(StrictModel):
    """Changes of a tracker plane, for systematic uncertainties."""

    efficiency: PlaneShift = PlaneShift()
    sigma: PlaneShift = PlaneShift()
    noise_hits: PlaneShift = PlaneShift()


class TrackReadout(StrictModel):
    """Measurement of the beam track.

    Parameters
    ----------
    momentum_resolution
        Relative resolution.
    wrong_fraction, wrong_momentum
        Share of wrong momenta, and the range in GeV in which these lie at the beam energy of the setup; it scales with
        that of the run.
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
    planes
        Changes of tracker planes, by name; efficiency, resolution and noise are those of the setup.
    """

    description: str = ""
    calorimeters: dict[str, CalorimeterReadout]
    counters: dict[str, CounterReadout]
    srd: dict[str, SRDReadout]
    track: TrackReadout
    gate: Positive
    planes: dict[str, PlaneShifts] = Field(default_factory=dict)

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
        By parameter, such as ``ECAL.noise``, ``track.angle``, ``gate``, ``HCAL.dead`` or, of a tracker plane,
        ``ST03.efficiency``, ``ST03.sigma`` or ``ST03.noise_hits``: a new value, or ``{"scale": factor}``.

    Raises
    ------
    ConfigError
        If there is no such parameter (the nearest ones are named) or the new value is not allowed.
    """
    content = digitisation.model_dump(mode="json")
    known = _parameters(content)
    for key, change in shifts.items():
        if isinstance(change, Mapping) and set(change) != {"scale"}:
            raise ConfigError(f"shifts: {key}: give a value or 'scale: FACTOR', not {dict(change)}")
        plane, _, name = key.partition(".")
        if key in known:
            group, name = known[key]
            group[name] = _changed(key, group[name], change)
        elif name in PlaneShifts.model_fields:
            shift = dict(change) if isinstance(change, Mapping) else {"value": change}
            content["planes"].setdefault(plane, {})[name] = shift
        else:
            near = difflib.get_close_matches(key, known, n=3, cutoff=0.5) or sorted(known)
            raise ConfigError(f"shifts: there is no parameter '{key}'; did you mean {' or '.join(near)}?")
    return validate(Digitisation, content, Path("shifts"))


def _changed(key: str, entry: dict[str, Any] | None, change: float | Mapping[str, float]) -> dict[str, Any]:
    """Return a sourced value after a shift."""
    if not isinstance(change, Mapping):
        return {"value": change, "source": f"?: shifted from {entry['source'] if entry else 'none'}"}
    if entry is None:
        raise ConfigError(f"shifts: {key}: there is no value to scale; give one")
    return {"value": entry["value"] * change["scale"], "source": f"?: shifted from {entry['source']}"}


def _parameters(content: dict[str, Any]) -> dict[str, tuple[dict[str, Any], str]]:
    """Return where the sourced values are by their short names; pairs cannot be scaled and are left out."""
    groups = {
        **{name: part for kind in ("calorimeters", "counters", "srd") for name, part in content[kind].items()},
        "track": content["track"],
    }
    found = {f"{name}.{key}": (part, key) for name, part in groups.items() for key in part}
    found["gate"] = (content, "gate")
    return {key: (part, name) for key, (part, name) in found.items() if not _is_pair(part[name])}


def _is_pair(entry: dict[str, Any] | None) -> bool:
    return entry is not None and isinstance(entry["value"], list)
