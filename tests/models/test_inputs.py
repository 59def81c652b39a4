from itertools import pairwise

import numpy as np
import pytest

from na64ml.events.reader import EventReader
from na64ml.graphs.knn import STEPS_PER_PITCH
from na64ml.models.inputs import NetworkInputs, network_inputs
from na64ml.selection.mode import Mode

LARGEST_STEP = 511


def test_detectors_and_classes_keep_their_order(inputs: NetworkInputs, reader: EventReader, mode: Mode) -> None:
    assert inputs.detector_names == reader.detectors
    assert inputs.classes == mode.classes
    assert list(inputs.background_fractions.values()) == mode.fractions.tolist()
    assert network_inputs(reader, mode, hit_cap=7).hit_cap == 7


@pytest.mark.parametrize("layout", ["na64e_reference", "reco2018tree"])
def test_detectors_are_apart_in_depth_and_on_the_grid_of_the_neighbour_search(layout: str, mode: Mode) -> None:
    """Depths in pitches, after the offsets: in beam order, three apart, none beyond the largest coordinate."""
    reader = EventReader(layout)
    ranges = []
    for detector in network_inputs(reader, mode).detectors:
        z = reader.setup.detector(detector.name).channels.position[:, 2]
        depth = z / detector.pitch[2] + detector.depth_offset
        ranges.append((float(z.min()), depth.min(), depth.max()))
        assert np.abs(depth).max() * STEPS_PER_PITCH <= LARGEST_STEP
    ranges.sort()
    for (_, _, last), (_, first, _) in pairwise(ranges):
        assert first - last == pytest.approx(3)
