"""The channels that augmentation works on, as tensors."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from na64ml.events.hits import blank_features
from na64ml.events.reader import EventReader

SIDE, CORNER = 0, 1
"""Kinds of neighbours in a grid of cells."""


@dataclass(frozen=True, eq=False)
class Readout:
    """Channels of all detectors of a reader, numbered through in the order of the detector ids.

    Parameters
    ----------
    is_tracker, is_calorimeter
        bool ``[n_detectors]``.
    noise, threshold
        float32 ``[n_detectors]`` in GeV, 0 where they have no meaning.
    first
        int64 ``[n_detectors]``: number of the first channel of each detector.
    blank
        float32 ``[n_channels, 6]``: a hit of each channel with no energy and no time.
    target
        Id of the detector that is the active target, -1 if it is not read cell by cell.
    neighbours
        int64 ``[n_channels_of_target, 2, 4]``: cells of the same depth that share a side or a corner with each, as
        channels of the target; the cell itself where the calorimeter ends.
    """

    is_tracker: Tensor
    is_calorimeter: Tensor
    noise: Tensor
    threshold: Tensor
    first: Tensor
    blank: Tensor
    target: int
    neighbours: Tensor

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.blank)


def readout_of(reader: EventReader) -> Readout:
    """Describe the channels of what a reader reads."""
    detectors = [reader.setup.detector(name) for name in reader.detectors]
    sizes = [detector.n_channels for detector in detectors]
    target = reader.setup.target_calorimeter
    by_cell = reader.contract.detectors.get(target.name) == target.kind
    return Readout(
        is_tracker=torch.tensor([detector.kind == "tracker" for detector in detectors]),
        is_calorimeter=torch.tensor([detector.kind == "calorimeter" for detector in detectors]),
        noise=torch.tensor([d.noise.value if d.noise else 0.0 for d in detectors]),
        threshold=torch.tensor([d.threshold.value if d.threshold else 0.0 for d in detectors]),
        first=torch.tensor([sum(sizes[:i]) for i in range(len(sizes))]),
        blank=torch.from_numpy(np.concatenate([blank_features(detector) for detector in detectors])),
        target=reader.detectors.index(target.name) if by_cell else -1,
        neighbours=_neighbours(target.shape),
    )


def _neighbours(shape: tuple[int, int, int]) -> Tensor:
    steps = {SIDE: ((1, 0), (-1, 0), (0, 1), (0, -1)), CORNER: ((1, 1), (1, -1), (-1, 1), (-1, -1))}
    segment, ix, iy = np.indices(shape).reshape(3, -1)
    found = np.empty((segment.size, len(steps), 4), dtype=np.int64)
    for kind, moves in steps.items():
        for i, (dx, dy) in enumerate(moves):
            x, y = ix + dx, iy + dy
            inside = (x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[2])
            other = (segment, np.where(inside, x, ix), np.where(inside, y, iy))
            found[:, kind, i] = np.ravel_multi_index(other, shape)
    return torch.from_numpy(found)
