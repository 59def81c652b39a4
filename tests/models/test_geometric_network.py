from collections.abc import Callable

import pytest
import torch

from na64ml.errors import ConfigError
from na64ml.events.batch import EventBatch
from na64ml.graphs.batch import PackedBatch
from na64ml.graphs.knn import edge_index
from na64ml.models.edge_conv_network import EdgeConvNetwork
from na64ml.models.geometric_network import GeometricNetwork
from na64ml.models.inputs import NetworkInputs

Pack = Callable[[EventBatch], PackedBatch]

LAYERS = {
    "torch_geometric.nn.GATv2Conv": {"heads": 2},
    "torch_geometric.nn.TransformerConv": {"heads": 2, "concat": False},
    "torch_geometric.nn.SAGEConv": {},
    "torch_geometric.nn.GraphConv": {"aggr": "max"},
    "torch_geometric.nn.ResGatedGraphConv": {},
}


def test_edges_are_those_of_the_neighbour_table(network: EdgeConvNetwork, few_events: EventBatch, packed: Pack) -> None:
    batch = packed(few_events)
    table = network.neighbours(batch.hits, batch.detector, batch.track, network.places(batch.event, batch.track, 4), 4)
    found = GeometricNetwork.edges(table)
    n_hits = len(batch.hits)
    assert found.shape == (2, 4 * n_hits + 1)
    own = (found == n_hits).all(dim=0)
    assert not ((found == n_hits) & ~own).any()
    assert torch.equal(found[:, ~own], edge_index(table))
    assert own[-1]


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_take_events_without_edges(
    layer: str, inputs: NetworkInputs, few_events: EventBatch, packed: Pack
) -> None:
    torch.manual_seed(1)
    network = GeometricNetwork(inputs, width=8, k=3, layer=layer, layer_args=LAYERS[layer]).eval()
    batch = packed(few_events)
    network.fit_normalisation([batch])
    nothing = slice(0, 0)
    with torch.inference_mode():
        found = network(batch.hits, batch.detector, batch.event, batch.track)
        empty = network(batch.hits[nothing], batch.detector[nothing], batch.event[nothing], batch.track)
    assert torch.isfinite(found).all()
    assert torch.isfinite(empty).all()
    assert found.std(dim=0).min() > 1e-4


@pytest.mark.parametrize(
    ("layer", "arguments", "reason"),
    [
        ("torch_geometric.nn.NoSuchConv", {}, "cannot be imported"),
        ("torch_geometric.nn.conv.gatv2_conv.softmax", {}, "is not a class"),
        ("torch_geometric.nn.GATv2Conv", {"heads": 2, "concat": True}, r"turns 8 features into \(16,\)"),
        ("torch_geometric.nn.SAGEConv", {"nonsense": 1}, "cannot be built"),
        ("torch_geometric.nn.NNConv", {}, "cannot be built"),
    ],
)
def test_layers_that_do_not_fit_are_named(
    layer: str, arguments: dict[str, object], reason: str, inputs: NetworkInputs
) -> None:
    with pytest.raises(ConfigError, match=rf"init_args\.layer: .*{reason}"):
        GeometricNetwork(inputs, width=8, layer=layer, layer_args=arguments)
