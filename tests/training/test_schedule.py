import pytest

from na64ml.training.classifier import one_cycle


def test_the_learning_rate_rises_for_three_tenths_and_falls_to_zero() -> None:
    assert one_cycle(0) == 0
    assert one_cycle(0.15) == pytest.approx(0.5)
    assert one_cycle(0.3) == 1
    assert one_cycle(0.65) == pytest.approx(0.5)
    assert one_cycle(1) == pytest.approx(0)
    assert one_cycle(1.2) == pytest.approx(0)  # a resumed training may count further
