import pytest

from na64ml.errors import ConfigError
from na64ml.simulation.changes import shared_out


def test_events_are_shared_out_exactly():
    assert shared_out(100, [30, 10, 10]) == [59, 21, 20]
    assert sum(shared_out(1_000_003, [12500, 11250, 2500, 7])) == 1_000_003
    assert min(shared_out(10, [100000, 1, 1])) == 1
    with pytest.raises(ConfigError, match="--events 2: the recipe has 3 processes"):
        shared_out(2, [1, 1, 1])
