"""Energy of any detector, segment or channel of the setup."""

import numpy as np

from na64ml.selection.absent import AbsentInputError
from na64ml.selection.view import EventView, Floats, sum_cells
from na64ml.setups.detectors import Calorimeter


def energy(view: EventView, parts: str) -> Floats:
    """Energy of detectors, segments or channels joined by + (``energy:WCAL+ECAL``, ``energy:WCAL.catcher``), GeV.

    A segment is ``DETECTOR.SEGMENT``, a channel is given by its label (``energy:S3``).
    """
    return np.asarray(np.sum([_part(view, name) for name in parts.split("+")], axis=0))


def _part(view: EventView, name: str) -> Floats:
    detector_name, _, segment_name = name.partition(".")
    for detector in view.setup.detectors:
        if detector.name == detector_name and not segment_name:
            return sum_cells(view.cells(detector.name))
        if detector.name == detector_name and isinstance(detector, Calorimeter):
            names = [segment.name for segment in detector.segments]
            if segment_name in names:
                return sum_cells(view.cells(detector.name)[:, names.index(segment_name)])
        if detector.kind != "tracker" and name in detector.channels.label:
            cells = view.cells(detector.name).reshape(len(view), detector.n_channels)
            return cells[:, detector.channels.label.index(name)]
    raise AbsentInputError(
        f"setup '{view.setup.name}' has no detector, segment or channel '{name}' with an energy; its detectors are "
        f"{', '.join(view.setup.detector_names)}; correct the name, or mark the cut that needs it 'optional: true'"
    )
