"""How many events of each process a recipe makes when asked for another total."""

from collections.abc import Sequence

import numpy as np

from na64ml.errors import ConfigError


def shared_out(total: int, parts: Sequence[int]) -> list[int]:
    """Return ``total`` split in the proportions of ``parts``, each at least 1, rounded so that the sum is exact.

    Raises
    ------
    ConfigError
        If there are fewer than parts.
    """
    if total < len(parts):
        raise ConfigError(f"--events {total}: the recipe has {len(parts)} processes, each needs one event at least")
    upper = np.round(np.cumsum(parts) * ((total - len(parts)) / sum(parts))).astype(int)
    return [1 + int(n) for n in np.diff(upper, prepend=0)]
