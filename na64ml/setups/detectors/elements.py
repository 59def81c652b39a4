"""Detectors made of separate elements: plastic counters and synchrotron-radiation modules."""

from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from na64ml.setups.channels import AXIS_BOTH, AXIS_X, AXIS_Y, Channels
from na64ml.setups.detectors.base import DetectorBase, spacing
from na64ml.setups.materials import Sandwich
from na64ml.setups.sourced import BoxWidths, Count, Share, Triple
from na64ml.yaml_files import StrictModel

_AXES = {"both": AXIS_BOTH, "x": AXIS_X, "y": AXIS_Y}


class Element(StrictModel):
    """One separately read element.

    Parameters
    ----------
    name
        Label of its channel, for example ``VETO[0]``.
    position, size
        Centre and full widths in mm.
    measures
        The coordinate that a strip measures.
    """

    name: str
    position: Triple
    size: BoxWidths
    measures: Literal["both", "x", "y"] = "both"


class ElementDetector(DetectorBase):
    """A detector with the channel shape ``(n_elements,)``.

    Parameters
    ----------
    elements
        In channel order. Two photomultipliers of one strip are two elements at one place.
    """

    elements: Annotated[tuple[Element, ...], Field(min_length=1)]

    @property
    def shape(self) -> tuple[int]:
        """``(n_elements,)``."""
        return (len(self.elements),)

    @property
    def pitch(self) -> tuple[float, float, float]:
        """Mean distance of the elements along each axis (the element size where they line up)."""
        position, size = self.channels.position, self.channels.size[0]
        x, y, z = (spacing(position[:, i].tolist(), otherwise=float(size[i])) for i in range(3))
        return x, y, z

    @cached_property
    def channels(self) -> Channels:
        """One channel for each element."""
        return Channels(
            position=np.array([element.position.value for element in self.elements]),
            size=np.array([element.size.value for element in self.elements]),
            axis=np.array([_AXES[element.measures] for element in self.elements], dtype=np.int8),
            segment=np.zeros(self.n_channels, dtype=np.int16),
            label=tuple(element.name for element in self.elements),
        )


class Counter(ElementDetector):
    """Plastic counters, veto strips or hodoscope strips.

    Parameters
    ----------
    share
        Share of the deposit that each of the two photomultipliers of a strip stores: 0.5 where they sum to the
        deposit, 1 where each is calibrated to the whole of it.
    """

    kind: Literal["counter"]
    share: Share | None = None


class SRD(ElementDetector):
    """Synchrotron-radiation detector: sandwich modules beside the beam.

    Parameters
    ----------
    sandwich
        The repeated layer.
    layers
        Number of layers of each module.
    """

    kind: Literal["srd"]
    sandwich: Sandwich
    layers: Count

    @property
    def layer_counts(self) -> tuple[int, ...]:
        """Number of layers of each module."""
        return (self.layers.value,) * len(self.elements)
