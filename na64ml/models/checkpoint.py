"""Networks in checkpoints: enough is stored to rebuild them without the training configuration."""

from pathlib import Path
from typing import Any

import torch

from na64ml import __version__
from na64ml.errors import ConfigError
from na64ml.events.atomic import atomic_path
from na64ml.events.contract import Contract
from na64ml.graphs.sample import Split
from na64ml.models.class_path import import_class
from na64ml.models.inputs import NetworkInputs
from na64ml.models.network import EventNetwork
from na64ml.yaml_files import StrictModel

_PREFIX = "network."


class NetworkRecord(StrictModel):
    """A network and where it comes from.

    Parameters
    ----------
    class_path, init_args
        Class of the network and its keyword arguments.
    inputs
        Detectors and classes.
    contract
        Contract of the training events.
    conditions_hash, data_hash, layout, mode, split
        Provenance of the training events.
    run_id
        Tracking run that trained it.
    """

    class_path: str
    init_args: dict[str, Any]
    inputs: NetworkInputs
    contract: Contract
    conditions_hash: str
    data_hash: str
    layout: str
    mode: str
    split: Split
    run_id: str | None = None
    na64ml_version: str = __version__


def network_record(network: EventNetwork, **provenance: Any) -> NetworkRecord:
    """Describe a network."""
    kind = type(network)
    return NetworkRecord(
        class_path=f"{kind.__module__}.{kind.__qualname__}",
        init_args=dict(network.hparams),
        inputs=network.inputs,
        **provenance,
    )


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint file.

    Raises
    ------
    ConfigError
        If the file is missing or is not a checkpoint.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path of the checkpoint") from error
    except Exception as error:  # torch raises many kinds on foreign files
        raise ConfigError(
            f"{path}: is not a checkpoint ({type(error).__name__}); give a .ckpt file of 'na64ml fit'"
        ) from error
    if not isinstance(checkpoint, dict):
        raise ConfigError(
            f"{path}: is not a checkpoint (it holds {type(checkpoint).__name__}); give a .ckpt file of 'na64ml fit'"
        )
    return checkpoint


def write_checkpoint(path: Path, network: EventNetwork, record: NetworkRecord) -> None:
    """Write a network that was made from others; training cannot be resumed from it."""
    state = {_PREFIX + name: values for name, values in network.state_dict().items()}
    with atomic_path(path) as part:
        torch.save({"state_dict": state, "na64ml": record.model_dump(mode="json")}, part)


def load_network(path: Path) -> tuple[EventNetwork, NetworkRecord]:
    """Rebuild the network of a checkpoint, ready for inference.

    Raises
    ------
    ConfigError
        If the file is not a checkpoint of this package, or its network class or weights have changed.
    """
    checkpoint = read_checkpoint(path)
    if "na64ml" not in checkpoint:
        raise ConfigError(f"{path}: has no network description (key 'na64ml'); give a .ckpt file of 'na64ml fit'")
    weights = checkpoint["state_dict"].items()
    try:
        record = NetworkRecord.model_validate(checkpoint["na64ml"])
        network: EventNetwork = import_class(record.class_path, "class_path")(record.inputs, **record.init_args)
        network.load_state_dict({key.removeprefix(_PREFIX): value for key, value in weights if key.startswith(_PREFIX)})
    except (ConfigError, TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"{path}: the network cannot be rebuilt ({error}); use the version of the code that trained it"
        ) from error
    return network.eval(), record
