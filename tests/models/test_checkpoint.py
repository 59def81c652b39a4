from pathlib import Path

import pytest
import torch

from na64ml.errors import ConfigError
from na64ml.models.checkpoint import NetworkRecord, load_network
from na64ml.models.edge_conv_network import EdgeConvNetwork


def write(path: Path, network: EdgeConvNetwork, record: NetworkRecord) -> Path:
    state = {f"network.{name}": values for name, values in network.state_dict().items()}
    torch.save({"state_dict": state, "na64ml": record.model_dump(mode="json")}, path)
    return path


def test_a_network_is_rebuilt_with_its_normalisation(
    network: EdgeConvNetwork, record: NetworkRecord, tmp_path: Path
) -> None:
    rebuilt, found = load_network(write(tmp_path / "best.ckpt", network, record))
    assert found == record
    assert not rebuilt.training
    assert dict(rebuilt.hparams) == dict(network.hparams)
    state = network.state_dict()
    assert rebuilt.state_dict().keys() == state.keys()
    assert all(torch.equal(values, state[name]) for name, values in rebuilt.state_dict().items())
    assert rebuilt.features.hit_norm.mean.abs().max() > 1


def test_missing_and_foreign_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.ckpt: cannot be read"):
        load_network(tmp_path / "none.ckpt")
    (tmp_path / "text.ckpt").write_text("not a checkpoint")
    with pytest.raises(ConfigError, match=r"text\.ckpt: is not a checkpoint"):
        load_network(tmp_path / "text.ckpt")
    torch.save({"state_dict": {}}, tmp_path / "foreign.ckpt")
    with pytest.raises(ConfigError, match=r"foreign\.ckpt: has no network description"):
        load_network(tmp_path / "foreign.ckpt")
    torch.save([1, 2], tmp_path / "list.ckpt")
    with pytest.raises(ConfigError, match=r"list\.ckpt: is not a checkpoint"):
        load_network(tmp_path / "list.ckpt")


def test_a_damaged_description_is_an_error_of_the_file(
    network: EdgeConvNetwork, record: NetworkRecord, tmp_path: Path
) -> None:
    for key, value in (("class_path", "na64ml.models.nothing.Network"), ("inputs", {})):
        content = {**record.model_dump(mode="json"), key: value}
        torch.save({"state_dict": {}, "na64ml": content}, tmp_path / "broken.ckpt")
        with pytest.raises(ConfigError, match=r"broken\.ckpt"):
            load_network(tmp_path / "broken.ckpt")
    torch.save({"state_dict": {}, "na64ml": record.model_dump(mode="json")}, tmp_path / "broken.ckpt")
    with pytest.raises(ConfigError, match=r"broken\.ckpt"):
        load_network(tmp_path / "broken.ckpt")
