from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from na64ml.events.batch import EventBatch
from na64ml.export.parity import first_hits
from na64ml.graphs.batch import PackedBatch
from na64ml.models.edge_conv_network import EdgeConvNetwork

Pack = Callable[[EventBatch], PackedBatch]


def logits(network: EdgeConvNetwork, batch: PackedBatch) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = network(batch.hits, batch.detector, batch.event, batch.track)
    return found


def poisoned(events: EventBatch, which: slice) -> EventBatch:
    """Return the events with everything that is measured of the chosen ones replaced by NaN."""
    hits, track = events.hits.copy(), events.track.copy()
    chosen = np.zeros(len(events), dtype=bool)
    chosen[which] = True
    hits[np.repeat(chosen, events.hits_per_event)] = np.nan
    track[chosen] = np.nan
    return replace(events, hits=hits, track=track)


def test_an_event_does_not_depend_on_the_others(network: EdgeConvNetwork, few_events: EventBatch, packed: Pack) -> None:
    together = logits(network, packed(few_events))
    assert together.std(dim=0).min() > 1e-3  # the network does tell events apart
    for index in (0, 17, len(few_events) - 1):
        alone = logits(network, packed(few_events.select([index])))
        torch.testing.assert_close(alone[0], together[index], rtol=1e-5, atol=1e-5)


def test_a_broken_event_does_not_touch_the_others(
    network: EdgeConvNetwork, few_events: EventBatch, packed: Pack
) -> None:
    clean = logits(network, packed(few_events))
    broken = logits(network, packed(poisoned(few_events, slice(3, 5))))
    assert torch.isfinite(broken).all()
    untouched = torch.ones(len(few_events), dtype=torch.bool)
    untouched[3:5] = False
    torch.testing.assert_close(broken[untouched], clean[untouched], rtol=1e-5, atol=1e-5)
    assert not torch.allclose(broken[3:5], clean[3:5], atol=1e-3)


def without_ties(batch: PackedBatch) -> PackedBatch:
    """Move each hit by a distance of its own, so that no two neighbours are equally far."""
    torch.manual_seed(1)
    hits = batch.hits.clone()
    hits[:, 2] += torch.rand(len(hits)) * 1e4 * (hits[:, 2] > -1e9)
    hits[:, :2] += torch.randn(len(hits), 2) * 40
    return replace(batch, hits=hits)


def test_the_order_of_hits_within_an_event_does_not_matter(
    network: EdgeConvNetwork, few_events: EventBatch, packed: Pack
) -> None:
    # With at most k + 1 hits every hit neighbours every other, so that ties cannot change the graph.
    events = first_hits(few_events, np.full(len(few_events), network.k + 1))
    batch = packed(events)
    order = torch.randperm(len(batch.hits), generator=torch.Generator().manual_seed(0))
    order = order[torch.argsort(batch.event[order], stable=True)]
    shuffled = replace(batch, hits=batch.hits[order], detector=batch.detector[order], event=batch.event[order])
    assert not torch.equal(order, torch.arange(len(order)))
    torch.testing.assert_close(logits(network, shuffled), logits(network, batch), rtol=1e-5, atol=1e-5)


def test_whole_events_are_permutation_invariant_up_to_ties(
    network: EdgeConvNetwork, few_events: EventBatch, packed: Pack
) -> None:
    batch = without_ties(packed(few_events))
    order = torch.randperm(len(batch.hits), generator=torch.Generator().manual_seed(0))
    order = order[torch.argsort(batch.event[order], stable=True)]
    shuffled = replace(batch, hits=batch.hits[order], detector=batch.detector[order], event=batch.event[order])
    neighbours = network.neighbours(batch.hits, batch.detector, batch.event, batch.track, network.k)
    again = network.neighbours(shuffled.hits, shuffled.detector, shuffled.event, shuffled.track, network.k)
    present = again >= 0
    back = torch.where(present, order[again.clamp(min=0)], -1)
    same = (back == neighbours[order]).all(dim=1)
    events_without_ties = torch.ones(batch.n_events, dtype=torch.bool).scatter(0, shuffled.event[~same], False)
    assert events_without_ties.sum() >= 10
    difference = (logits(network, shuffled) - logits(network, batch)).abs().max(dim=1).values
    assert difference[events_without_ties].max() < 2e-5


def test_events_without_hits_have_finite_logits(network: EdgeConvNetwork, few_events: EventBatch, packed: Pack) -> None:
    counts = few_events.hits_per_event.copy()
    counts[::3] = 0
    found = logits(network, packed(first_hits(few_events, counts)))
    assert torch.isfinite(found).all()
    nothing = logits(network, packed(first_hits(few_events, np.zeros(len(few_events), dtype=np.int64))))
    assert nothing.shape == found.shape
    torch.testing.assert_close(nothing[::3], found[::3], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n_hits", [1, 2, 3, 4, 5])
def test_events_with_few_hits_are_classified(
    network: EdgeConvNetwork, few_events: EventBatch, packed: Pack, n_hits: int
) -> None:
    events = first_hits(few_events, np.full(len(few_events), n_hits))
    assert torch.isfinite(logits(network, packed(events))).all()


def test_moving_an_event_sideways_by_a_cell_changes_nothing(
    network: EdgeConvNetwork, few_events: EventBatch, packed: Pack
) -> None:
    batch = packed(few_events)
    hits, track = batch.hits.clone(), batch.track.clone()
    hits[:, 0] += 38.2 * (hits[:, 5] != 2)
    hits[:, 1] -= 38.2 * (hits[:, 5] != 1)
    track[:, 3] += 38.2
    track[:, 4] -= 38.2
    moved = replace(batch, hits=hits, track=track)
    same_graph = (
        network.neighbours(batch.hits, batch.detector, batch.event, batch.track, network.k)
        == network.neighbours(hits, batch.detector, batch.event, track, network.k)
    ).all(dim=1)
    assert same_graph.float().mean() > 0.99  # the rest sits on a rounding boundary of the grid
    clean = torch.ones(batch.n_events, dtype=torch.bool).scatter(0, batch.event[~same_graph], False)
    torch.testing.assert_close(logits(network, moved)[clean], logits(network, batch)[clean], rtol=1e-4, atol=1e-4)
    not_moved = replace(batch, hits=hits)
    assert not torch.allclose(logits(network, not_moved), logits(network, batch), atol=1e-2)


def test_unmeasured_axes_do_not_enter(network: EdgeConvNetwork, few_events: EventBatch, packed: Pack) -> None:
    batch = packed(few_events)
    hits = batch.hits.clone()
    hits[:, 0] += 55.0 * (hits[:, 5] == 2)
    hits[:, 1] -= 55.0 * (hits[:, 5] == 1)
    assert not torch.equal(hits[:, :2], batch.hits[:, :2])
    torch.testing.assert_close(logits(network, replace(batch, hits=hits)), logits(network, batch), rtol=0, atol=0)


def test_neighbours_are_sought_in_the_own_detector_first(
    network: EdgeConvNetwork, few_events: EventBatch, packed: Pack
) -> None:
    batch = packed(few_events)
    table = network.neighbours(batch.hits, batch.detector, batch.event, batch.track, network.k)
    pair = batch.event * 7 + batch.detector
    many = torch.bincount(pair, minlength=700)[pair] > network.k
    ecal = (batch.detector == few_events.detector_index("ECAL")) & many
    assert ecal.sum() > 100
    own = batch.detector[table[ecal]] == batch.detector[ecal][:, None]
    assert own.float().mean() > 0.95


def test_gradients_reach_every_parameter(network: EdgeConvNetwork, few_events: EventBatch, packed: Pack) -> None:
    batch = packed(few_events)
    network.zero_grad()
    network(batch.hits, batch.detector, batch.event, batch.track).square().sum().backward()
    without = [
        name for name, values in network.named_parameters() if values.grad is None or not values.grad.abs().max() > 0
    ]
    network.zero_grad(set_to_none=True)
    assert without == []
