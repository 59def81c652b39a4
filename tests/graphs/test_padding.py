import torch

from na64ml.graphs.padding import padding

COUNTS = torch.tensor([3, 0, 5, 1])
EVENT = torch.repeat_interleave(torch.arange(4), COUNTS)


def test_values_go_there_and_back() -> None:
    values = torch.arange(1.0, 19.0).reshape(9, 2)
    places = padding(EVENT, COUNTS, 1, 512)
    padded = places.pad(values)
    assert padded.shape == (4, 5, 2)
    assert torch.equal(places.pack(padded), values)
    assert torch.equal(padded[0, :3], values[:3])
    assert padded[0, 3:].abs().sum() == padded[1].abs().sum() == 0
    expected = torch.stack([values[index == EVENT].mean(dim=0) for index in (0, 2, 3)])
    torch.testing.assert_close(places.mean(values)[[0, 2, 3]], expected)
    assert torch.equal(places.mean(values)[1], torch.zeros(2))


def test_candidates_are_the_hits_of_the_own_event() -> None:
    values = torch.arange(9.0)[:, None]
    places = padding(EVENT, COUNTS, 1, 512)
    candidates = places.candidates(values)[:, :, 0]
    for hit in range(9):
        others = candidates[hit][places.is_other[hit]].tolist()
        assert others == [j for j in range(9) if EVENT[j] == EVENT[hit] and j != hit]


def test_the_width_is_bounded_and_no_hit_is_fine() -> None:
    assert padding(EVENT, COUNTS, 7, 512).width == 7
    places = padding(EVENT, COUNTS, 1, 4)
    assert places.width == 4
    assert places.pack(places.pad(torch.ones(9, 1))).shape == (9, 1)
    nothing = padding(torch.empty(0, dtype=torch.int64), torch.zeros(2, dtype=torch.int64), 1, 512)
    assert nothing.pad(torch.empty(0, 3)).shape == (2, 1, 3)
    assert nothing.pack(torch.zeros(2, 1, 3)).shape == (0, 3)
    assert torch.equal(nothing.mean(torch.empty(0, 3)), torch.zeros(2, 3))
