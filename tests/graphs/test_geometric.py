from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest
import torch

from na64ml.events.batch import EventBatch
from na64ml.export.parity import first_hits
from na64ml.graphs.batch import PackedBatch
from na64ml.graphs.knn import edge_index
from na64ml.graphs.loader import PackedEvents, packed_loader
from na64ml.models.edge_conv import EdgeConv
from na64ml.models.edge_conv_network import EdgeConvNetwork

geometric_loader = pytest.importorskip("torch_geometric.loader")


def with_empty_events(events: EventBatch) -> EventBatch:
    n_hits = events.hits_per_event.copy()
    n_hits[[0, 5, 6, len(events) - 1]] = 0
    return first_hits(events, n_hits)


@pytest.mark.parametrize("batch_size", [1, 7])
def test_both_loaders_give_the_same_batches(few_events: EventBatch, batch_size: int) -> None:
    from na64ml.graphs.geometric import GeometricEvents, packed_from_geometric

    events = with_empty_events(few_events)
    sample = PackedEvents(
        events,
        np.arange(0, len(events), 3),
        np.arange(len(events)) % 7,
        np.linspace(0, 2, len(events), dtype=np.float32),
    )
    theirs = list(geometric_loader.DataLoader(GeometricEvents(sample), batch_size=batch_size))
    ours = list(packed_loader(sample, batch_size))
    assert len(ours) == len(theirs)
    for own, other in zip(ours, map(packed_from_geometric, theirs), strict=True):
        for item in fields(PackedBatch):
            mine, found = getattr(own, item.name), getattr(other, item.name)
            assert mine.dtype == found.dtype, item.name
            torch.testing.assert_close(found, mine, rtol=0, atol=0, equal_nan=True)


def test_edge_convolution_on_edges_equals_the_neighbour_table(
    network: EdgeConvNetwork, few_events: EventBatch, packed: Callable[[EventBatch], PackedBatch]
) -> None:
    """The messages of our layer, computed by torch_geometric's EdgeConv with the same weights."""
    from torch_geometric.nn import EdgeConv as GeometricEdgeConv

    batch = packed(with_empty_events(few_events))
    neighbours = network.neighbours(
        batch.hits, batch.detector, batch.track, network.places(batch.event, batch.track, network.k), network.k
    )
    torch.manual_seed(0)
    width = 8
    layer = EdgeConv(width).eval()
    nodes = torch.randn(len(batch.hits), width)

    class SameMessage(torch.nn.Module):
        def forward(self, pair: torch.Tensor) -> torch.Tensor:
            target, difference = pair[:, :width], pair[:, width:]
            return torch.relu(layer.edge(torch.relu(layer.centre(target) + layer.neighbour(target + difference))))

    recorded: list[torch.Tensor] = []
    layer.update.register_forward_pre_hook(lambda _, arguments: recorded.append(arguments[0]))
    with torch.inference_mode():
        layer(nodes, neighbours, network.places(batch.event, batch.track))
        inputs = layer.norm(nodes)
        expected = GeometricEdgeConv(SameMessage(), aggr="mean")(inputs, edge_index(neighbours))
    torch.testing.assert_close(recorded[0][:, width : 2 * width], expected, rtol=1e-5, atol=1e-6)
    assert expected.abs().max() > 0.1
