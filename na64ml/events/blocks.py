"""Choosing a decoder for every detector of a layout."""

from collections import defaultdict
from collections.abc import Sequence

from na64ml.errors import ConfigError
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
        If a block does not fit the setup, or two read the same channel.
    """
    readers: list[BlockReader] = []
    read: defaultdict[str, set[int]] = defaultdict(set)
    for number, block in enumerate(blocks):
        key = f"detectors[{number}]"
        with blaming(f"layout key {key}.detector"):
            detector = setup.detector(block.detector)
        if isinstance(block, ProjectionsBlock):
            readers.append(ProjectionReader(block, detector, key))
        else:
            reader = CellReader(block, detector, key)
            twice = sorted(read[detector.name].intersection(reader.channels.tolist()))
            if twice:
                raise ConfigError(
                    f"layout key {key}: an earlier block reads channel {twice[0]} of {detector.name}, too; its energy "
                    "would count twice, so leave one out"
                )
            read[detector.name].update(reader.channels.tolist())
            readers.append(reader)
    return readers
