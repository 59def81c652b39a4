"""What a network must know about the detector and the classes."""

from na64ml.errors import ConfigError
from na64ml.events.reader import EventReader
from na64ml.selection.mode import Mode
from na64ml.setups.setup import Setup
from na64ml.yaml_files import StrictModel

HIT_CAP = 512
"""Events with more hits are not scored (status 2)."""

_ISLAND_GAP = 3.0
"""Distance in pitches put between detectors, so that neighbours are sought in the own detector first."""


class Layer(StrictModel):
    """Channels of a detector at one depth ``z`` (mm) that measure the same ``axis``."""

    z: float
    axis: int


class DetectorInput(StrictModel):
    """One detector as the network sees it.

    ``layers`` are its depth segments or, of a tracker, its planes, once for each projection.
    ``pitch`` (mm) is the length scale of neighbour finding, ``depth_offset`` (pitches) places the detector behind
    the one before it; ``noise`` and readout ``threshold`` are in GeV per channel, None where they have no meaning.
    """

    name: str
    kind: str
    layers: tuple[Layer, ...]
    pitch: tuple[float, float, float]
    depth_offset: float
    noise: float | None
    threshold: float | None


class NetworkInputs(StrictModel):
    """Detectors in the order of their ids, classes in the order of the outputs (signal first).

    ``energy_blind`` names detectors of which a network sees how the energy is shared among the hits of an event, but
    not how much it is.
    """

    detectors: tuple[DetectorInput, ...]
    classes: tuple[str, ...]
    background_fractions: dict[str, float]
    hit_cap: int = HIT_CAP
    energy_blind: tuple[str, ...] = ()

    @property
    def detector_names(self) -> tuple[str, ...]:
        """Names in the order of the detector ids."""
        return tuple(detector.name for detector in self.detectors)


def network_inputs(
    reader: EventReader, mode: Mode, hit_cap: int = HIT_CAP, energy_blind: tuple[str, ...] = ()
) -> NetworkInputs:
    """Describe the events of a reader and the classes of a mode.

    Raises
    ------
    ConfigError
        If the reader has no detector that is to be blind.
    """
    unknown = sorted(set(energy_blind) - set(reader.detectors))
    if unknown:
        raise ConfigError(
            f"model.energy_blind: no detector {', '.join(unknown)}; the layout '{reader.layout.name}' has "
            f"{', '.join(reader.detectors)}"
        )
    return NetworkInputs(
        detectors=detector_inputs(reader.setup, reader.detectors),
        classes=mode.classes,
        background_fractions=dict(zip(mode.classes[1:], mode.fractions.tolist(), strict=True)),
        hit_cap=hit_cap,
        energy_blind=energy_blind,
    )


def detector_inputs(setup: Setup, names: tuple[str, ...]) -> tuple[DetectorInput, ...]:
    """Describe detectors; those further along the beam get the larger depths."""
    found = [setup.detector(name) for name in names]
    described: dict[str, DetectorInput] = {}
    depth = 0.0
    for detector in sorted(found, key=lambda d: float(d.channels.position[:, 2].min())):
        z, axes = detector.channels.position[:, 2], detector.channels.axis.tolist()
        first, last = float(z.min()) / detector.pitch[2], float(z.max()) / detector.pitch[2]
        described[detector.name] = DetectorInput(
            name=detector.name,
            kind=detector.kind,
            layers=tuple(Layer(z=z, axis=axis) for z, axis in sorted(set(zip(z.tolist(), axes, strict=True)))),
            pitch=detector.pitch,
            depth_offset=depth - first,
            noise=detector.noise.value if detector.noise else None,
            threshold=detector.threshold.value if detector.threshold else None,
        )
        depth += last - first + _ISLAND_GAP
    return tuple(described[name] for name in names)
