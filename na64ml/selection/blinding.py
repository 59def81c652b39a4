"""The signal region of data stays hidden until somebody decides otherwise."""

import logging

import numpy as np

from na64ml.selection.cuts import Mask
from na64ml.selection.mode import DATA_LABEL, Mode
from na64ml.selection.view import EventView

logger = logging.getLogger(__name__)


class Blinding:
    """Decides which events may be looked at.

    Parameters
    ----------
    mode
        Defines the blinded region.
    unblind
        Whether to show it all the same; this is logged.
    """

    def __init__(self, mode: Mode, unblind: bool = False) -> None:
        self.mode = mode
        self.unblind = unblind
        if unblind:
            logger.warning(
                "UNBLINDED: data inside the blinded region of mode '%s' (%s) are shown",
                mode.name,
                "; ".join(region.source for region in (mode.blinded, *mode.blinded_by_setup.values())),
            )

    def hidden(self, view: EventView) -> Mask:
        """Return which events must stay hidden, bool ``[n_events]``.

        These are events without truth that are inside the blinded region of their setup, or cannot be shown to
        be outside.
        """
        data = self.mode.label(view.batch) == DATA_LABEL
        if self.unblind or not data.any():
            return np.zeros(len(view), dtype=bool)
        hidden: Mask = data & ~self.mode.blinded_in(view.setup).evaluate(view).false
        return hidden
