"""The decay volume of the visible mode: between the dump and the ECAL."""

from na64ml.errors import ConfigError
from na64ml.simulation.beamline import Beamline


def decay_volume(beamline: Beamline, process: str) -> tuple[float, float]:
    """Return first and last z in mm of the decay volume.

    Raises
    ------
    ConfigError
        If there is none between the target and an ECAL behind it.
    """
    dump, setup = beamline.setup.target_calorimeter, beamline.setup
    first = dump.segments[-1].z_max
    ecal = next((detector for detector in setup.detectors if detector.name == "ECAL"), None)
    last = float((ecal.channels.position - ecal.channels.size / 2)[:, 2].min()) if ecal else first
    if not last > first:
        raise ConfigError(
            f"{process}: setup '{setup.name}' has no decay volume, its target {dump.name} ends at {first:g} mm and no "
            "ECAL is behind it; use a setup of the visible mode such as na64e_visible_2018"
        )
    return first, last
