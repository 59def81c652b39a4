"""Curves at future exposures, by the rule of physics.md 4.7."""

from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from na64ml.errors import ConfigError
from na64ml.setups.sourced import Positive
from na64ml.yaml_files import read_yaml

RULE = (
    "coupling ~ N^(-1/2) while fewer than one background event is expected, N^(-1/4) beyond (physics.md 4.7); "
    "background grows with the exposure, efficiency stays"
)


@cache
def future_exposures() -> dict[str, Positive]:
    """Return the named exposures."""
    path = Path(__file__).parent / "catalog" / "exposures.yaml"
    return TypeAdapter(dict[str, Positive]).validate_python(read_yaml(path))


def future_exposure(name: str) -> Positive:
    """Return a named exposure.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    known = future_exposures()
    if name not in known:
        raise ConfigError(f"key 'projections': unknown exposure '{name}'; known are {', '.join(known)}")
    return known[name]


def projection_factor(exposure: float, background: float, future: float) -> float:
    """Return the coupling limit at an exposure ``future`` over that at ``exposure``.

    Parameters
    ----------
    background
        Events expected at ``exposure``.
    """
    growth = future / exposure
    free = growth if background * growth <= 1 else max(1.0, 1 / background) if background > 0 else growth
    free = min(free, growth) if growth > 1 else growth
    return float(free**-0.5 * (growth / free) ** -0.25)
