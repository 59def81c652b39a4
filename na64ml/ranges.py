"""Values of a configuration that must lie in a range."""

import math

from na64ml.errors import ConfigError


def require(key: str, value: float, low: float = 0.0, high: float = math.inf) -> None:
    """Refuse a value outside ``[low, high]``.

    Raises
    ------
    ConfigError
        Naming the key, the value and the range.
    """
    if not low <= value <= high:
        bounds = f"from {low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or above"
        raise ConfigError(f"{key}: {value:g} is out of range; give a value {bounds}")
