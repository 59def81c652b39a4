from pathlib import Path

import pytest
import torch

from na64ml.models.checkpoint import NetworkRecord
from na64ml.models.edge_conv_network import EdgeConvNetwork


@pytest.fixture(scope="session")
def checkpoint(network: EdgeConvNetwork, record: NetworkRecord, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network of the exported file as a checkpoint, with what is needed to rebuild it."""
    path = tmp_path_factory.mktemp("checkpoint") / "best.ckpt"
    weights = {f"network.{name}": values for name, values in network.state_dict().items()}
    torch.save({"state_dict": weights, "na64ml": record.model_dump(mode="json")}, path)
    return path
