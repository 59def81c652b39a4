"""What a layout does not provide: a cut on it is not applicable, rather than undefined for an event."""

from na64ml.errors import InputError
from na64ml.events.batch import TRACK_FEATURES
from na64ml.events.layout import BranchesBlock, Layout, ProjectionsBlock
from na64ml.setups.setup import Setup


class AbsentInputError(InputError):
    """The events never carry what a variable needs, because their setup or layout does not have it."""


def absent_inputs(layout: Layout, setup: Setup) -> frozenset[str]:
    """Return the inputs a layout leaves out, for the ``absent`` argument of `EventView`.

    The names are ``track.p`` and the like for track features, ``HCAL.time`` for a detector without times,
    ``HCAL.cells`` for one of which only the sum of each segment is stored and ``ST03X`` for a tracker
    projection. A detector that is missing altogether needs no name: an event batch lists its detectors.
    """
    absent = {f"track.{feature}" for feature in TRACK_FEATURES if feature not in layout.track}
    for block in layout.detectors:
        if isinstance(block, ProjectionsBlock):
            given = {plane + axis for plane, sides in block.planes.items() for axis, _ in _branches(sides.x, sides.y)}
            absent |= set(setup.detector(block.detector).channels.label) - given
            continue
        if block.time is None:
            absent.add(f"{block.detector}.time")
        if isinstance(block, BranchesBlock) and block.granularity == "segment":
            absent.add(f"{block.detector}.cells")
    return frozenset(absent)


def _branches(x: str | None, y: str | None) -> list[tuple[str, str]]:
    return [(axis, branch) for axis, branch in (("X", x), ("Y", y)) if branch is not None]
