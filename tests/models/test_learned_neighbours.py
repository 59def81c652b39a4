import pytest
import torch

from na64ml.graphs.padding import Padding, padding
from na64ml.models.learned_neighbours import learned_neighbours

COUNTS = torch.tensor([9, 0, 1, 3, 12])
K = 4


@pytest.fixture
def places() -> Padding:
    event = torch.repeat_interleave(torch.arange(len(COUNTS)), COUNTS)
    return padding(event, COUNTS, K + 2, 512)


@pytest.fixture
def coordinates() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(int(COUNTS.sum()), 3)


def test_neighbours_are_the_nearest_of_the_event(places: Padding, coordinates: torch.Tensor) -> None:
    table, weight = learned_neighbours(coordinates, places, K)
    for hit in range(len(coordinates)):
        others = [j for j in range(len(coordinates)) if places.event[j] == places.event[hit] and j != hit]
        squares = {j: float(((coordinates[j] - coordinates[hit]) ** 2).sum()) for j in others}
        nearest = sorted(others, key=squares.__getitem__)
        assert table[hit].tolist() == (nearest + [-1] * K)[:K]
        cut = squares[nearest[K]] if len(nearest) > K else float("inf")
        expected = [torch.exp(torch.tensor(-squares[j])).item() * (1 - squares[j] / cut) for j in nearest[:K]]
        expected += [0.0] * (K - len(expected))
        torch.testing.assert_close(weight[hit], torch.tensor(expected), rtol=1e-4, atol=1e-5)


def test_a_hit_that_loses_its_place_had_no_weight(places: Padding, coordinates: torch.Tensor) -> None:
    """Moving one hit across the border of the neighbourhood changes the messages continuously."""

    def received(distance: float) -> torch.Tensor:
        moved = coordinates.clone()
        moved[0], moved[1] = 0.0, torch.tensor([distance, 0.0, 0.0])
        moved[2:9] = torch.eye(3).repeat(3, 1)[:7] * torch.arange(1.0, 8.0)[:, None] / 4
        table, weight = learned_neighbours(moved, places, K)
        values = torch.arange(len(moved), dtype=torch.float32) + 1
        return (values[table.clamp(min=0)] * weight)[0].sum()

    at = torch.linspace(0.9, 1.1, 201)
    steps = torch.stack([received(float(d)) for d in at]).diff().abs()
    assert steps.max() < 0.05
    assert steps.sum() > 0.05


def test_gradients_reach_the_coordinates(places: Padding, coordinates: torch.Tensor) -> None:
    moving = coordinates.clone().requires_grad_()
    learned_neighbours(moving, places, K)[1].sum().backward()
    assert torch.isfinite(moving.grad).all()
    assert (moving.grad[:9].abs().sum(dim=1) > 0).all()
    assert moving.grad[9].abs().sum() == 0  # alone in its event


def test_coinciding_hits_have_finite_weights_and_gradients(places: Padding) -> None:
    same = torch.zeros(int(COUNTS.sum()), 3, requires_grad=True)
    weight = learned_neighbours(same, places, K)[1]
    weight.sum().backward()
    assert torch.isfinite(weight).all()
    assert torch.isfinite(same.grad).all()
