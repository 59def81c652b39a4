"""What holds for every network of the package, found and not listed, with small sizes."""

from collections.abc import Callable
from dataclasses import replace
from inspect import Parameter, signature
from pathlib import Path
from pkgutil import resolve_name, walk_packages

import numpy as np
import pytest
import torch

import na64ml.models
from na64ml.events.batch import EventBatch
from na64ml.export.parity import ParityError, check_parity, first_hits
from na64ml.graphs.batch import PackedBatch
from na64ml.models.delivered import DeliveredNetwork
from na64ml.models.edge_conv_network import EdgeConvNetwork
from na64ml.models.inputs import NetworkInputs
from na64ml.models.network import EventNetwork

Pack = Callable[[EventBatch], PackedBatch]

K = 4
SMALL = {"width": 8, "n_blocks": 2, "k": K, "pool_width": 4, "head_width": 16, "n_heads": 2, "global_width": 8}


def stands_alone(kind: object) -> bool:
    """Whether it is a network that can be built from a description of the inputs alone."""
    if not (isinstance(kind, type) and issubclass(kind, EventNetwork)) or kind is EventNetwork:
        return False
    _, *others = signature(kind).parameters.values()
    return all(parameter.default is not Parameter.empty for parameter in others)


NETWORKS = sorted(
    {
        kind
        for info in walk_packages(na64ml.models.__path__, "na64ml.models.")
        for kind in vars(resolve_name(info.name)).values()
        if stands_alone(kind)
    },
    key=lambda kind: kind.__name__,
)


def small(kind: type[EventNetwork], inputs: NetworkInputs) -> EventNetwork:
    torch.manual_seed(3)
    return kind(inputs, **{name: size for name, size in SMALL.items() if name in signature(kind).parameters})


@pytest.fixture(scope="module", params=NETWORKS, ids=lambda kind: kind.__name__)
def model(
    request: pytest.FixtureRequest, inputs: NetworkInputs, reference_events: EventBatch, packed: Pack
) -> EventNetwork:
    """An untrained network with fitted normalisation."""
    made = small(request.param, inputs)
    made.fit_normalisation([packed(reference_events.select(slice(0, None, 5)))])
    return made.eval()


def test_networks_are_found() -> None:
    assert EdgeConvNetwork in NETWORKS
    assert len(NETWORKS) >= 8


def logits(network: EventNetwork, batch: PackedBatch) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = network(batch.hits, batch.detector, batch.event, batch.track)
    return found


def neighbours_of(network: EventNetwork, batch: PackedBatch) -> torch.Tensor:
    places = network.places(batch.event, batch.track, K)
    return network.neighbours(batch.hits, batch.detector, batch.track, places, K)


def poisoned(events: EventBatch, which: slice) -> EventBatch:
    """Return the events with everything that is measured of the chosen ones replaced by NaN."""
    hits, track = events.hits.copy(), events.track.copy()
    chosen = np.zeros(len(events), dtype=bool)
    chosen[which] = True
    hits[np.repeat(chosen, events.hits_per_event)] = np.nan
    track[chosen] = np.nan
    return replace(events, hits=hits, track=track)


def test_an_event_does_not_depend_on_the_others(model: EventNetwork, few_events: EventBatch, packed: Pack) -> None:
    together = logits(model, packed(few_events))
    assert together.std(dim=0).min() > 1e-3  # the network does tell events apart
    for index in (0, 17, len(few_events) - 1):
        alone = logits(model, packed(few_events.select([index])))
        torch.testing.assert_close(alone[0], together[index], rtol=1e-5, atol=1e-5)


def test_a_broken_event_does_not_touch_the_others(model: EventNetwork, few_events: EventBatch, packed: Pack) -> None:
    clean = logits(model, packed(few_events))
    broken = logits(model, packed(poisoned(few_events, slice(3, 5))))
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
    model: EventNetwork, few_events: EventBatch, packed: Pack
) -> None:
    # With at most k + 1 hits every hit neighbours every other, so that ties cannot change the graph.
    events = first_hits(few_events, np.full(len(few_events), K + 1))
    batch = packed(events)
    order = torch.randperm(len(batch.hits), generator=torch.Generator().manual_seed(0))
    order = order[torch.argsort(batch.event[order], stable=True)]
    shuffled = replace(batch, hits=batch.hits[order], detector=batch.detector[order], event=batch.event[order])
    assert not torch.equal(order, torch.arange(len(order)))
    torch.testing.assert_close(logits(model, shuffled), logits(model, batch), rtol=1e-5, atol=1e-5)


def test_whole_events_are_permutation_invariant_up_to_ties(
    model: EventNetwork, few_events: EventBatch, packed: Pack
) -> None:
    batch = without_ties(packed(few_events))
    order = torch.randperm(len(batch.hits), generator=torch.Generator().manual_seed(0))
    order = order[torch.argsort(batch.event[order], stable=True)]
    shuffled = replace(batch, hits=batch.hits[order], detector=batch.detector[order], event=batch.event[order])
    neighbours, again = neighbours_of(model, batch), neighbours_of(model, shuffled)
    present = again >= 0
    back = torch.where(present, order[again.clamp(min=0)], -1)
    same = (back == neighbours[order]).all(dim=1)
    events_without_ties = torch.ones(batch.n_events, dtype=torch.bool).scatter(0, shuffled.event[~same], False)
    assert events_without_ties.sum() >= 10
    difference = (logits(model, shuffled) - logits(model, batch)).abs().max(dim=1).values
    assert difference[events_without_ties].max() < 2e-5


def test_events_without_hits_have_finite_logits(model: EventNetwork, few_events: EventBatch, packed: Pack) -> None:
    counts = few_events.hits_per_event.copy()
    counts[::3] = 0
    found = logits(model, packed(first_hits(few_events, counts)))
    assert torch.isfinite(found).all()
    nothing = logits(model, packed(first_hits(few_events, np.zeros(len(few_events), dtype=np.int64))))
    assert nothing.shape == found.shape
    torch.testing.assert_close(nothing[::3], found[::3], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n_hits", [1, 2, 3, 4, 5])
def test_events_with_few_hits_are_classified(
    model: EventNetwork, few_events: EventBatch, packed: Pack, n_hits: int
) -> None:
    events = first_hits(few_events, np.full(len(few_events), n_hits))
    assert torch.isfinite(logits(model, packed(events))).all()


def test_moving_an_event_sideways_by_a_cell_changes_nothing(
    model: EventNetwork, few_events: EventBatch, packed: Pack
) -> None:
    batch = packed(few_events)
    hits, track = batch.hits.clone(), batch.track.clone()
    hits[:, 0] += 38.2 * (hits[:, 5] != 2)
    hits[:, 1] -= 38.2 * (hits[:, 5] != 1)
    track[:, 3] += 38.2
    track[:, 4] -= 38.2
    moved = replace(batch, hits=hits, track=track)
    same_graph = (neighbours_of(model, batch) == neighbours_of(model, moved)).all(dim=1)
    assert same_graph.float().mean() > 0.99  # the rest sits on a rounding boundary of the grid
    clean = torch.ones(batch.n_events, dtype=torch.bool).scatter(0, batch.event[~same_graph], False)
    torch.testing.assert_close(logits(model, moved)[clean], logits(model, batch)[clean], rtol=1e-4, atol=1e-4)
    not_moved = replace(batch, hits=hits)
    assert not torch.allclose(logits(model, not_moved), logits(model, batch), atol=1e-2)


def test_unmeasured_axes_do_not_enter(model: EventNetwork, few_events: EventBatch, packed: Pack) -> None:
    batch = packed(few_events)
    hits = batch.hits.clone()
    hits[:, 0] += 55.0 * (hits[:, 5] == 2)
    hits[:, 1] -= 55.0 * (hits[:, 5] == 1)
    assert not torch.equal(hits[:, :2], batch.hits[:, :2])
    torch.testing.assert_close(logits(model, replace(batch, hits=hits)), logits(model, batch), rtol=0, atol=0)


def test_neighbours_are_sought_in_the_own_detector_first(
    model: EventNetwork, few_events: EventBatch, packed: Pack
) -> None:
    batch = packed(few_events)
    table = neighbours_of(model, batch)
    pair = batch.event * 7 + batch.detector
    many = torch.bincount(pair, minlength=700)[pair] > K
    ecal = (batch.detector == few_events.detector_index("ECAL")) & many
    assert ecal.sum() > 100
    own = batch.detector[table[ecal]] == batch.detector[ecal][:, None]
    assert own.float().mean() > 0.95


def test_gradients_reach_every_parameter(model: EventNetwork, few_events: EventBatch, packed: Pack) -> None:
    batch = packed(few_events)
    model.zero_grad()
    model(batch.hits, batch.detector, batch.event, batch.track).square().sum().backward()
    without = [
        name for name, values in model.named_parameters() if values.grad is None or not values.grad.abs().max() > 0
    ]
    model.zero_grad(set_to_none=True)
    assert without == []


@pytest.mark.slow
def test_the_exported_file_gives_the_same_answers(
    model: EventNetwork, few_events: EventBatch, export_small: Callable[[EventNetwork], Path]
) -> None:
    """On real events and on events of 0, 1, k-1, k and k+1 hits; the exporter itself checks it before it writes."""
    file = export_small(model)
    delivered = DeliveredNetwork(model).eval()
    check_parity(delivered, file, few_events, K)
    first = next(values for name, values in model.named_parameters() if name.endswith("weight"))
    with torch.no_grad():
        first.add_(0.01)  # the file does not have the changed weights
    with pytest.raises(ParityError, match="differ"):
        check_parity(delivered, file, few_events, K)
    with torch.no_grad():
        first.sub_(0.01)
