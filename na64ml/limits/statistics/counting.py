"""Counting experiments as pyhf models: one channel for each period, systematics as nuisance parameters."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyhf

from na64ml.errors import ConfigError
from na64ml.limits.production.target import Array

logging.getLogger("pyhf.pdf").setLevel(logging.ERROR)  # it warns of every model that its rates are clipped

LEAST = 1e-6
"""Events that stand for none: pyhf needs rates above zero."""


@dataclass(frozen=True)
class Channel:
    """One counting experiment.

    Parameters
    ----------
    name
        Of the period.
    signal
        Expected signal events for a signal strength of 1.
    background, background_error
        Expected background events and their uncertainty.
    observed
        Events seen; None for a projection.
    efficiency_error
        Relative uncertainty of the signal that only this channel has.
    """

    name: str
    signal: float
    background: float
    background_error: float = 0.0
    observed: int | None = None
    efficiency_error: float = 0.0

    def __post_init__(self) -> None:
        for key in ("signal", "background", "background_error", "efficiency_error"):
            value = getattr(self, key)
            if not (np.isfinite(value) and value >= 0):
                raise ConfigError(f"period '{self.name}': {key} is {value}; a finite number of 0 or more is needed")
        if self.observed is not None and self.observed < 0:
            raise ConfigError(f"period '{self.name}': observed is {self.observed}; 0 or more is needed")


def workspace(channels: tuple[Channel, ...], yield_error: float) -> dict[str, Any]:
    """Return the pyhf specification: log-normal uncertainties of the signal, Gaussian ones of the background.

    A model of it needs ``clip_sample_data=LEAST``, so that no rate is negative.

    Parameters
    ----------
    yield_error
        Relative uncertainty of the signal that all channels share.
    """
    return {"channels": [_channel(channel, yield_error) for channel in channels]}


def _channel(channel: Channel, yield_error: float) -> dict[str, Any]:
    signal = [{"name": "mu", "type": "normfactor", "data": None}]
    signal += _log_normal("yield", yield_error)
    signal += _log_normal(f"efficiency {channel.name}", channel.efficiency_error)
    rate = max(channel.background, LEAST)
    background = _additive(f"background {channel.name}", rate, channel.background_error)
    return {
        "name": channel.name,
        "samples": [
            {"name": "signal", "data": [max(channel.signal, LEAST)], "modifiers": signal},
            {"name": "background", "data": [rate], "modifiers": background},
        ],
    }


def _log_normal(name: str, relative: float) -> list[dict[str, Any]]:
    """Return the modifier of an uncertainty, none if it is 0."""
    if relative <= 0:
        return []
    return [{"name": name, "type": "normsys", "data": {"hi": 1 + relative, "lo": 1 / (1 + relative)}}]


def _additive(name: str, rate: float, error: float) -> list[dict[str, Any]]:
    """Return the modifier of a Gaussian uncertainty, which may exceed the rate; none if it is 0."""
    if error <= 0:
        return []
    return [{"name": name, "type": "histosys", "data": {"hi_data": [rate + error], "lo_data": [rate - error]}}]


def rates(specification: dict[str, Any], shifts: Array) -> tuple[Array, Array]:
    """Return signal (strength 1) and background of each channel for shifted nuisance parameters, from pyhf.

    Parameters
    ----------
    specification
        As `workspace` returns it.
    shifts
        Standard normal variates, ``[n, n_nuisances]`` with at least as many columns as there are nuisances.

    Returns
    -------
    tuple of ndarray
        ``[n, n_channels]`` each.
    """
    # Checking the schema takes longer than the limit, and `_channel` writes what it asks for.
    model = pyhf.Model(specification, batch_size=len(shifts), poi_name="mu", validate=False, clip_sample_data=LEAST)
    points = np.tile(model.config.suggested_init(), (len(shifts), 1)).astype(float)
    nuisances = [i for i in range(model.config.npars) if i != model.config.poi_index]
    points[:, nuisances] = shifts[:, : len(nuisances)]
    points[:, model.config.poi_index] = 0.0
    background = np.asarray(model.expected_actualdata(points), dtype=np.float64)
    points[:, model.config.poi_index] = 1.0
    both = np.asarray(model.expected_actualdata(points), dtype=np.float64)
    return both - background, background
