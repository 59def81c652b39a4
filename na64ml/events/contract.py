"""What a network and the events it scores must agree on."""

from na64ml.events.batch import HIT_FEATURES, TRACK_FEATURES
from na64ml.yaml_files import StrictModel, content_hash

UNITS = {"length": "mm", "energy": "GeV", "time": "ns", "angle": "rad", "momentum": "GeV"}
FRAME = "z along the beam, ECAL front face at z = 0, x horizontal, y vertical"


class Contract(StrictModel):
    """Detector names and kinds, input features, units and frame.

    Two setups with the same contract can be scored by the same network, whatever their cell numbers.
    """

    detectors: dict[str, str]
    """Detector name to kind; a calorimeter read out by module sums is ``calorimeter (segment sums)``."""
    hit_features: tuple[str, ...] = HIT_FEATURES
    track_features: tuple[str, ...] = TRACK_FEATURES
    units: dict[str, str] = UNITS
    frame: str = FRAME

    @property
    def hash(self) -> str:
        """Short hash of the content."""
        return content_hash(self.model_dump(mode="json"))

    def differences(self, other: "Contract") -> list[str]:
        """Return one line for everything in which ``other`` differs from this contract."""
        lines = []
        for name in sorted(self.detectors.keys() | other.detectors.keys()):
            mine, theirs = self.detectors.get(name, "absent"), other.detectors.get(name, "absent")
            if mine != theirs:
                lines.append(f"detector {name}: {mine} / {theirs}")
        for key in ("hit_features", "track_features", "units", "frame"):
            if getattr(self, key) != getattr(other, key):
                lines.append(f"{key}: {getattr(self, key)} / {getattr(other, key)}")
        return lines
