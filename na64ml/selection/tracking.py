"""The beam track and the hits of the tracker projections.

A projection is named by its label in the setup, for instance ``hits:ST03X``.
"""

import numpy as np

from na64ml.selection.view import EventView, Floats


def hits(view: EventView, projection: str) -> Floats:
    """Hit multiplicity of one tracker projection (``hits:ST03X``) (physics.md 2.1 step 3 [V-code])."""
    tracker, channel = view.tracker_channel(projection)
    counts = view.hit_counts(tracker.name).reshape(len(view), tracker.n_channels)
    return counts[:, channel].astype(np.float64)


def spread(view: EventView, projection: str) -> Floats:
    """Largest minus smallest coordinate in one projection (``spread:ST03X``), mm; undefined without hits."""
    event, coordinate = view.coordinates(projection)
    low, high = np.full(len(view), np.inf), np.full(len(view), -np.inf)
    np.minimum.at(low, event, coordinate)
    np.maximum.at(high, event, coordinate)
    return np.where(np.isinf(low), np.nan, high - low)


def rms(view: EventView, projection: str) -> Floats:
    """Rms deviation of the coordinates in one projection (``rms:ST03X``), mm; undefined without hits."""
    event, coordinate = view.coordinates(projection)
    count = np.bincount(event, minlength=len(view))
    safe = np.maximum(count, 1)
    mean = np.bincount(event, weights=coordinate, minlength=len(view)) / safe
    square = np.bincount(event, weights=(coordinate - mean[event]) ** 2, minlength=len(view)) / safe
    return np.where(count > 0, np.sqrt(square), np.nan)


def residual(view: EventView, projection: str) -> Floats:
    """Distance of the nearest hit of one projection from the track line (``residual:ST03X``), mm.

    The line is x(z) = x_impact + theta_x z with the ECAL front face at z = 0, same in y. Undefined without
    hits or without a track.
    """
    tracker, channel = view.tracker_channel(projection)
    axis = "x" if channel % 2 == 0 else "y"
    z = tracker.channels.position[channel, 2]
    line = view.track(axis) + view.track(f"theta_{axis}") * z
    event, coordinate = view.coordinates(projection)
    nearest = np.full(len(view), np.inf)
    np.minimum.at(nearest, event, np.abs(coordinate - line[event]))
    return np.where(np.isinf(nearest), np.nan, nearest)


def track_momentum(view: EventView) -> Floats:
    """Momentum of the beam track, GeV (physics.md 2.1 step 2 [V-seed])."""
    return view.track("p")


def track_angle(view: EventView) -> Floats:
    """Angle of the beam track, sqrt(theta_x^2 + theta_y^2), rad (physics.md 2.1 step 2 [V-seed])."""
    return np.hypot(view.track("theta_x"), view.track("theta_y"))


def track_chi2(view: EventView) -> Floats:
    """Fit quality of the beam track as the layout stores it (physics.md 2.1 step 2)."""
    return view.track("chi2")
