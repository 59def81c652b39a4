"""The model registry: networks that passed the parity check, by name, version and alias."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from na64ml.errors import ConfigError
from na64ml.inference.metadata import ModelMetadata, Tensor
from na64ml.training.tracking_store import DATABASE, EXPERIMENT, artifact_location, tracking_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature

PREFIX = "models:/"
"""What names of registered networks start with."""

logger = logging.getLogger(__name__)


def tracking_address(tracking: str) -> str:
    """Return the address of a tracking store, given itself or as a run root.

    Raises
    ------
    ConfigError
        If the folder has no tracking store.
    """
    if "://" in tracking:
        return tracking
    if not (Path(tracking) / DATABASE).is_file():
        raise ConfigError(
            f"--tracking {tracking}: has no tracking store {DATABASE}; give a run root of 'na64ml fit', or an address "
            "such as https://HOST or sqlite:///FILE"
        )
    return tracking_uri(Path(tracking))


def register(
    model: Path,
    metadata: ModelMetadata,
    example: dict[str, Any],
    name: str,
    alias: str,
    tracking: str,
) -> str:
    """Add a network file as the newest version of a registered model and give it an alias.

    The file must have passed the parity check. It is stored in the tracking run that trained it where there is one, in
    MLflow's ONNX flavour, with signature and an input example.

    Parameters
    ----------
    example
        Inputs of the network, by name.

    Returns
    -------
    Number of the version.

    Raises
    ------
    ConfigError
        If the store refuses.
    """
    import mlflow
    import onnx

    with _store(tracking) as client:
        run_id = metadata.run_id if _has_run(client, metadata.run_id) else None
        experiment = None if run_id else _experiment(client, tracking)
        with mlflow.start_run(run_id, experiment, None if run_id else f"register {name}"):
            logged = mlflow.onnx.log_model(
                onnx.load(model),
                name="network",
                signature=_signature(metadata),
                input_example=example,
                registered_model_name=name,
                save_as_external_data=False,
                onnx_execution_providers=["CPUExecutionProvider"],
                pip_requirements=["na64ml", "onnxruntime"],
            )
        version = str(logged.registered_model_version)
        tags = {"weights_hash": metadata.weights_hash, "data_hash": metadata.data_hash, "layout": metadata.layout}
        for key, value in tags.items():
            client.set_model_version_tag(name, version, key, value)
        client.set_registered_model_alias(name, alias, version)
    logger.info("%s: version %s of %s, alias %s (weights %s)", model, version, name, alias, metadata.weights_hash)
    return version


def give_alias(address: str, alias: str, tracking: str) -> str:
    """Give an alias to a version that is registered; whoever had it loses it. Return the version.

    Raises
    ------
    ConfigError
        If there is no such version.
    """
    with _store(tracking) as client:
        name, version = _resolve(client, address)
        client.set_registered_model_alias(name, alias, version)
    logger.info("version %s of %s has the alias %s", version, name, alias)
    return version


def registered_file(address: str, tracking: str) -> Path:
    """Return the network file of ``models:/NAME@ALIAS`` or ``models:/NAME/VERSION``.

    From a store on this machine, it is the stored file itself; from a server, it is downloaded.

    Raises
    ------
    ConfigError
        If there is no such version, or it holds no ONNX file.
    """
    import mlflow

    with _store(tracking) as client:
        name, version = _resolve(client, address)
        folder = Path(mlflow.artifacts.download_artifacts(f"{PREFIX}{name}/{version}"))
    file = folder / "model.onnx"
    if not file.is_file():
        raise ConfigError(f"{address}: version {version} holds no ONNX network; register one with 'na64ml register'")
    logger.info("%s: version %s, %s", address, version, file)
    return file


@contextmanager
def _store(tracking: str) -> Iterator["MlflowClient"]:
    """Open a tracking store; its refusals become errors that name it."""
    import mlflow
    from mlflow.exceptions import MlflowException

    address = tracking_address(tracking)
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    mlflow.set_tracking_uri(address)
    mlflow.set_registry_uri(address)
    try:
        yield mlflow.MlflowClient(address, address)
    except MlflowException as error:
        raise ConfigError(f"--tracking {tracking}: {error.message}; check the name, the alias and the store") from error
    finally:
        mlflow.set_tracking_uri(before[0])
        mlflow.set_registry_uri(before[1])


def _resolve(client: "MlflowClient", address: str) -> tuple[str, str]:
    """Return name and version of an address."""
    text = address.removeprefix(PREFIX)
    name, at, alias = text.partition("@")
    if at and name and alias:
        return name, str(client.get_model_version_by_alias(name, alias).version)
    name, slash, version = text.partition("/")
    if not (slash and name and version.isdecimal()):
        raise ConfigError(f"{address}: write models:/NAME@ALIAS or models:/NAME/VERSION")
    return name, str(client.get_model_version(name, version).version)


def _experiment(client: "MlflowClient", tracking: str) -> str:
    """Return the experiment of networks without a run; its artifacts lie below the run root if there is one."""
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    location = None if "://" in tracking else artifact_location(Path(tracking))
    return str(client.create_experiment(EXPERIMENT, artifact_location=location))


def _has_run(client: "MlflowClient", run_id: str | None) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        return run_id is not None and client.get_run(run_id) is not None
    except MlflowException:
        return False


def _signature(metadata: ModelMetadata) -> "ModelSignature":
    """Describe inputs and outputs; lengths that vary are -1."""
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    def schema(tensors: tuple[Tensor, ...]) -> Schema:
        return Schema(
            [
                TensorSpec(
                    np.dtype(tensor.dtype), tuple(n if isinstance(n, int) else -1 for n in tensor.shape), tensor.name
                )
                for tensor in tensors
            ]
        )

    return ModelSignature(inputs=schema(metadata.inputs), outputs=schema(metadata.outputs))
