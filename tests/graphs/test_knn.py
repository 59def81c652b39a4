import numpy as np
import pytest
import torch

from na64ml.graphs.knn import MAX_HITS, edge_index, grid_coordinates, hits_per_event, neighbour_table
from na64ml.graphs.padding import padding

K = 4


def brute_force(grid: np.ndarray, event: np.ndarray, k: int) -> np.ndarray:
    """The rule of knn.py written as loops over Python integers."""
    table = np.full((len(grid), k), -1)
    for i in range(len(grid)):
        members = np.flatnonzero(event == event[i])
        ranked = sorted(
            (sum((int(a) - int(b)) ** 2 for a, b in zip(grid[i], grid[j], strict=True)) * MAX_HITS + slot, j)
            for slot, j in enumerate(members)
            if j != i
        )
        table[i, : len(ranked[:k])] = [j for _, j in ranked[:k]]
    return table


def table(grid: np.ndarray, counts: list[int], k: int = K, cap: int = 512) -> np.ndarray:
    event = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    count = hits_per_event(event, len(counts))
    assert count.tolist() == counts
    return neighbour_table(torch.from_numpy(grid).float(), padding(event, count, k + 1, cap), k).numpy()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_equals_brute_force_on_grids_full_of_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = [*rng.integers(0, 60, 12).tolist(), 0, 1, 70]
    # Six positions per axis: nearly every distance is shared by many pairs, and many hits coincide.
    grid = rng.integers(0, 6, (sum(counts), 3)) * 8
    event = np.repeat(np.arange(len(counts)), counts)
    found = table(grid, counts)
    np.testing.assert_array_equal(found, brute_force(grid, event, K))


@pytest.mark.parametrize("n_hits", [0, 1, K - 1, K, K + 1, K + 2])
def test_events_with_few_hits_have_missing_neighbours(n_hits: int) -> None:
    grid = np.arange(n_hits)[:, None] * np.ones((1, 3))
    found = table(grid, [n_hits])
    assert found.shape == (n_hits, K)
    present = found >= 0
    assert (present.sum(axis=1) == min(K, max(n_hits - 1, 0))).all()
    assert np.array_equal(np.sort(~present, axis=1), ~present)  # neighbours first, then the missing
    assert not (found == np.arange(n_hits)[:, None]).any()


def test_all_empty_events() -> None:
    assert table(np.zeros((0, 3)), [0, 0, 0]).shape == (0, K)


def test_neighbours_never_cross_events() -> None:
    counts = [3, 0, 10, 1, 7]
    grid = np.zeros((sum(counts), 3))  # hits of all events coincide
    event = np.repeat(np.arange(len(counts)), counts)
    found = table(grid, counts)
    rows, columns = np.nonzero(found >= 0)
    assert (event[found[rows, columns]] == event[rows]).all()


def test_ties_go_to_the_hit_that_comes_first() -> None:
    grid = np.array([[0, 0, 0], [8, 0, 0], [-8, 0, 0], [0, 8, 0], [0, -8, 0], [0, 0, 8]])
    assert table(grid, [6])[0].tolist() == [1, 2, 3, 4]
    assert table(grid, [6])[3].tolist() == [0, 1, 2, 5]


def test_hits_beyond_the_cap_are_nobodys_neighbours() -> None:
    grid = np.arange(12)[:, None] * np.ones((1, 3))
    found = table(grid, [12], k=3, cap=8)
    assert found.max() == 7
    assert found[7].tolist() == [6, 5, 4]
    assert found[11].tolist() == [7, 6, 5]


def test_distances_beyond_the_largest_are_ties() -> None:
    position = torch.tensor([[-1e9, -1e9, -1e9], [-1e9, -1e9, 50.0], [1e9, 1e9, 1e9]])
    grid = grid_coordinates(position, torch.ones(3, 3)).numpy()
    assert grid.tolist() == [[-511, -511, -511], [-511, -511, 400], [511, 511, 511]]
    # Seen from the third hit both squared distances exceed 2^21 - 1: the first comes first, though it is further.
    assert table(grid, [3], k=2).tolist() == [[1, 2], [0, 2], [0, 1]]


def test_coordinates_count_in_eighths_of_a_pitch() -> None:
    position = torch.tensor([[38.2, 0.0], [4.7, -4.8], [torch.nan, torch.inf]])
    assert grid_coordinates(position, torch.full((3, 2), 38.2)).tolist() == [[8, 0], [1, -1], [0, 511]]


def test_memory_is_that_of_the_largest_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """The candidate table is [n_hits, largest event], so it does not grow with the number of events squared."""
    widths = []
    topk = torch.topk

    def recording(values: torch.Tensor, *arguments: object, **options: object) -> object:
        widths.append(tuple(values.shape))
        return topk(values, *arguments, **options)

    monkeypatch.setattr(torch, "topk", recording)
    for n_events in (10, 100):
        counts = [5] * n_events + [9]
        table(np.zeros((sum(counts), 3)), counts)
    assert widths == [(59, 9), (509, 9)]


def test_edges_of_a_neighbour_table() -> None:
    edges = edge_index(torch.tensor([[1, 2], [0, -1], [-1, -1]]))
    assert edges.tolist() == [[1, 2, 0], [0, 0, 1]]
    assert edge_index(torch.full((2, 3), -1)).shape == (2, 0)


def test_mixed_precision_leaves_the_neighbours_alone() -> None:
    torch.manual_seed(0)
    grid = torch.randint(-500, 500, (200, 3)).float()
    event = torch.arange(4).repeat_interleave(50)
    places = padding(event, hits_per_event(event, 4), 9, 64)
    exact = neighbour_table(grid, places, k=8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(neighbour_table(grid, places, k=8), exact)
