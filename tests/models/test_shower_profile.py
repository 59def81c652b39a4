from collections.abc import Callable

import numpy as np
import pytest
import torch

from na64ml.events.batch import EventBatch
from na64ml.graphs.batch import PackedBatch
from na64ml.models.features import EventFeatures
from na64ml.models.inputs import NetworkInputs
from na64ml.models.shower_profile import ShowerProfile, cell_share

Pack = Callable[[EventBatch], PackedBatch]
CELL, RADIUS = 38.2, 4.0


def grid(n: int) -> torch.Tensor:
    """Return the centres ``[n * n, 2]`` of square cells around the origin."""
    centres = (torch.arange(n) - (n - 1) / 2) * CELL
    return torch.cartesian_prod(centres, centres)


def share(centre: torch.Tensor, radius: float = RADIUS) -> torch.Tensor:
    place = centre.T
    return cell_share(place, torch.full_like(place, CELL / 2), torch.full_like(place[:1], radius))[0]


def test_shares_are_integrals_of_the_surface_density() -> None:
    n = 400
    step = (np.arange(n) + 0.5) / n * CELL - CELL / 2
    for centre in ([3.0, -7.0], [19.1, 19.1], [30.0, 5.0], [-80.0, 44.0]):
        r2 = (centre[0] + step)[:, None] ** 2 + (centre[1] + step) ** 2
        numerical = (RADIUS / (2 * np.pi * (r2 + RADIUS**2) ** 1.5)).sum() * (CELL / n) ** 2
        assert share(torch.tensor([centre])).item() == pytest.approx(numerical, rel=1e-3)


def test_a_shower_on_a_border_or_a_corner_is_shared_evenly() -> None:
    cells = grid(2)
    torch.testing.assert_close(share(cells), share(cells)[:1].expand(4))
    assert share(grid(1000)).sum().item() == pytest.approx(1, abs=1e-3)


def test_shares_in_single_precision_are_those_in_double_precision() -> None:
    torch.manual_seed(1)
    centres = torch.cat([torch.randn(2000, 2) * 40, torch.randn(2000, 2) * 1000])
    torch.testing.assert_close(share(centres).double(), share(centres.double()), rtol=0, atol=3e-7)


def test_cells_that_hold_their_share_have_no_pull_and_a_shifted_shower_has(inputs: NetworkInputs) -> None:
    features = EventFeatures(inputs)
    profile: ShowerProfile = features.profile
    ecal = inputs.detector_names.index("ECAL")
    layer = torch.full((36,), int((features.layers.detector == ecal).nonzero()[0]))
    cells, total = grid(6).T, torch.full((1, 36), 40.0)
    expected, _ = profile(cells, layer, total, total)
    _, none = profile(cells, layer, expected * total, total)
    assert none.abs().max() < 1e-3
    _, pull = profile(cells + torch.tensor([[10.0], [0]]), layer, expected * total, total)
    assert pull.abs().max() > 3


def test_only_calorimeters_have_a_profile(inputs: NetworkInputs, few_events: EventBatch, packed: Pack) -> None:
    batch = packed(few_events)
    raw = EventFeatures(inputs).raw(batch.hits, batch.detector, batch.event, batch.track)
    kinds = [inputs.detectors[index].kind for index in batch.detector.tolist()]
    is_calorimeter = torch.tensor([kind == "calorimeter" for kind in kinds])
    assert (raw.hits[~is_calorimeter, 10:] == 0).all()
    assert (raw.hits[is_calorimeter, 10] > 0).all()


def test_a_calorimeter_without_known_noise_has_finite_pulls(
    inputs: NetworkInputs, few_events: EventBatch, packed: Pack
) -> None:
    batch = packed(few_events)
    silent = inputs.model_copy(
        update={"detectors": tuple(d.model_copy(update={"noise": None}) for d in inputs.detectors)}
    )
    raw = EventFeatures(silent).raw(batch.hits, batch.detector, batch.event, batch.track)
    assert torch.isfinite(raw.hits[:, 11]).all()


def test_the_radius_learns(inputs: NetworkInputs, few_events: EventBatch, packed: Pack) -> None:
    batch = packed(few_events)
    features = EventFeatures(inputs)
    hits, _, event = features(batch.hits, batch.detector, batch.event, batch.track)
    (hits.square().sum() + event.square().sum()).backward()
    slope = features.profile.log_radius.grad
    assert slope is not None
    assert torch.isfinite(slope).all()
    assert (slope != 0).any()
