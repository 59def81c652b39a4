"""Whether the measured momenta fit the beam energy that the conditions have for the runs."""

import logging

import numpy as np

from na64ml.events.batch import TRACK_FEATURES, EventBatch
from na64ml.setups.conditions import Conditions
from na64ml.setups.setup import Setup

logger = logging.getLogger(__name__)

TOLERANCE = 0.1
"""Largest relative deviation of the median momentum of a run: ten times the spread of the beam (setup [M-M])."""

FEWEST = 20
"""Tracks of a run below which its median says nothing."""


def warn_of_other_energies(events: EventBatch, setup: Setup, conditions: Conditions) -> None:
    """Warn of runs whose median track momentum is far from their beam energy; runs without momenta are left out."""
    momentum = events.track[:, TRACK_FEATURES.index("p")]
    run = np.asarray(events.ids[:, 0])
    known = np.isfinite(momentum)
    order = np.argsort(run[known], kind="stable")
    runs, first = np.unique(run[known][order], return_index=True)
    parts = np.split(momentum[known][order], first[1:])
    medians = np.array([np.median(part) if len(part) >= FEWEST else np.nan for part in parts if len(part)])
    expected = conditions.beam_energies(setup, runs)
    wrong = np.flatnonzero(np.abs(medians / expected - 1) > TOLERANCE)
    if len(wrong):
        worst = wrong[0]
        logger.warning(
            "run %d%s: the median track momentum is %.3g GeV, the conditions of setup '%s' have a beam of %g GeV; give "
            "these runs their own 'beam_energy', or correct the scale of track.p in the layout",
            runs[worst],
            f" and {len(wrong) - 1} more" if len(wrong) > 1 else "",
            medians[worst],
            setup.name,
            expected[worst],
        )
