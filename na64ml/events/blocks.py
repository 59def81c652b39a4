"""Choosing a decoder for every detector of a layout."""

from collections.abc import Sequence

from na64ml.events.cells import CellReader
from na64ml.events.hits import BlockReader
from na64ml.events.layout import Block, ProjectionsBlock, blaming
from na64ml.events.projections import ProjectionReader
from na64ml.setups.setup import Setup


def block_readers(blocks: Sequence[Block], setup: Setup) -> list[BlockReader]:
    """Return a reader for every detector of a layout, in its order.

    Raises
    ------
    ConfigError
        If a block does not fit the setup.
    """
    readers: list[BlockReader] = []
    for number, block in enumerate(blocks):
        key = f"detectors[{number}]"
        with blaming(f"layout key {key}.detector"):
            detector = setup.detector(block.detector)
        if isinstance(block, ProjectionsBlock):
            readers.append(ProjectionReader(block, detector, key))
        else:
            readers.append(CellReader(block, detector, key))
    return readers
