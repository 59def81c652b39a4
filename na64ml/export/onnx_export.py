"""From a trained network to one ONNX file."""

import hashlib
import logging
import tempfile
import warnings
from pathlib import Path

import onnx
import torch

from na64ml.errors import ConfigError
from na64ml.events.atomic import atomic_path
from na64ml.events.batch import HIT_FEATURES, TRACK_FEATURES, EventBatch
from na64ml.export.parity import check_parity, neighbours_of
from na64ml.inference import metadata as meta
from na64ml.inference.metadata import ModelMetadata, WorkingPoint
from na64ml.inference.scorer import Scorer
from na64ml.models.checkpoint import NetworkRecord, load_network
from na64ml.models.delivered import Delivered, DeliveredNetwork
from na64ml.models.network import EventNetwork
from na64ml.yaml_files import content_hash

logger = logging.getLogger(__name__)
# It warns that torchvision, which is not used, is not installed.
logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)

OPSET = 18
"""Later opsets turn attention into an operator that the runtime rejects for some masks."""

INPUTS = ("hits", "detector", "event", "track")
OUTPUTS = ("logits", "probability", "score", "status")

_HIT_UNITS = dict(zip(HIT_FEATURES, ("mm", "mm", "mm", "GeV", "ns", "0 both, 1 x, 2 y"), strict=True))
_TRACK_UNITS = dict(zip(TRACK_FEATURES, ("GeV", "rad", "rad", "mm", "mm", ""), strict=True))


def export(
    network: EventNetwork,
    record: NetworkRecord,
    events: EventBatch,
    output: Path,
    working_points: tuple[WorkingPoint, ...] = (),
    code: dict[str, str] | None = None,
) -> ModelMetadata:
    """Write a network to ``output`` if the file gives the same answers as PyTorch.

    Parameters
    ----------
    network, record
        As from `na64ml.models.checkpoint.load_network`.
    events
        Real events for the parity check.
    working_points
        Named thresholds to store.
    code
        Versions to store.

    Raises
    ------
    ParityError
        If the exported file answers differently; nothing is written.
    ConfigError
        If the network uses operators that are not part of standard ONNX.
    """
    delivered = DeliveredNetwork(network).eval()
    metadata = describe(network, record, working_points, code or {})
    with atomic_path(output) as part:
        _write(delivered, part, metadata)
        check_parity(delivered, part, events, neighbours_of(network))
    logger.info("wrote %s (weights %s)", output, metadata.weights_hash)
    return metadata


def check_file(path: Path, checkpoint: Path, events: EventBatch) -> None:
    """Compare a network file with the checkpoint it was exported from, see `check_parity`.

    Raises
    ------
    ConfigError
        If the checkpoint is of another network.
    ParityError
        If they disagree.
    """
    network, _ = load_network(checkpoint)
    known, found = Scorer(path).metadata.weights_hash, weights_hash(network)
    if known != found:
        raise ConfigError(
            f"{checkpoint}: key 'weights_hash' is {found}, but the network of {path} has {known}; give the checkpoint "
            "that the file was exported from"
        )
    check_parity(DeliveredNetwork(network).eval(), path, events, neighbours_of(network))


def describe(
    network: EventNetwork,
    record: NetworkRecord,
    working_points: tuple[WorkingPoint, ...],
    code: dict[str, str],
) -> ModelMetadata:
    """Return the metadata of a network."""
    return describe_record(record, weights_hash(network), working_points, code, float(network.temperature))


def describe_record(
    record: NetworkRecord,
    weights: str,
    working_points: tuple[WorkingPoint, ...],
    code: dict[str, str],
    temperature: float = 1.0,
    further: tuple[meta.Tensor, ...] = (),
) -> ModelMetadata:
    """Return the metadata of what a record describes.

    Parameters
    ----------
    weights
        Hash of what decides its answers.
    further
        Inputs after those of a network.
    """
    inputs = record.inputs
    return ModelMetadata(
        inputs=(
            meta.Tensor(name="hits", dtype="float32", shape=("hits", len(HIT_FEATURES)), columns=_HIT_UNITS),
            meta.Tensor(name="detector", dtype="int64", shape=("hits",)),
            meta.Tensor(name="event", dtype="int64", shape=("hits",)),
            meta.Tensor(name="track", dtype="float32", shape=("events", len(TRACK_FEATURES)), columns=_TRACK_UNITS),
            *further,
        ),
        outputs=(
            meta.Tensor(name="logits", dtype="float32", shape=("events", len(inputs.classes))),
            meta.Tensor(name="probability", dtype="float32", shape=("events", len(inputs.classes))),
            meta.Tensor(name="score", dtype="float32", shape=("events",)),
            meta.Tensor(name="status", dtype="int64", shape=("events",)),
        ),
        detectors=inputs.detector_names,
        hit_cap=inputs.hit_cap,
        truncation_rule="an event with more hits than the cap is not scored (status 2)",
        contracts=(record.contract,),
        classes=inputs.classes,
        background_fractions=inputs.background_fractions,
        working_points=working_points,
        temperature=temperature,
        weights_hash=weights,
        conditions_hash=record.conditions_hash,
        data_hash=record.data_hash,
        layout=record.layout,
        mode=record.mode,
        split=record.split.model_dump(mode="json"),
        run_id=record.run_id,
        code=code,
    )


def weights_hash(network: EventNetwork) -> str:
    """Return a hash of what decides the answers of a network: its class, sizes, inputs, parameters and buffers.

    The inputs description holds the hit cap, the noise that the status needs and the fractions that the score needs.
    """
    kind = type(network)
    description = {
        "class_path": f"{kind.__module__}.{kind.__qualname__}",
        "init_args": dict(network.hparams),
        "inputs": network.inputs.model_dump(mode="json"),
    }
    digest = hashlib.sha256(content_hash(description).encode())
    for name, values in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(values.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _write(delivered: DeliveredNetwork, path: Path, metadata: ModelMetadata) -> None:
    write_model(to_onnx(delivered), path, metadata)


def write_model(model: onnx.ModelProto, path: Path, metadata: ModelMetadata) -> None:
    """Write a graph with its metadata."""
    entry = model.metadata_props.add()
    entry.key, entry.value = meta.PROPERTY, metadata.model_dump_json()
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def to_onnx(delivered: DeliveredNetwork, dynamo: bool = True, opset: int = OPSET) -> onnx.ModelProto:
    """Trace two events and return the graph.

    Parameters
    ----------
    dynamo
        Which of PyTorch's exporters to use. Only this one is right for all networks, see ``docs/export_matrix.md``.
    opset
        Version of the operators.

    Raises
    ------
    ConfigError
        If the network uses operators that are not part of standard ONNX.
    """
    example = example_events()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = with_dynamo(delivered, example, opset) if dynamo else _with_torch_script(delivered, example, opset)
    foreign = {node.op_type for node in model.graph.node if node.domain not in ("", "ai.onnx")}
    if foreign or model.functions:
        names = sorted(foreign | {function.name for function in model.functions})
        raise ConfigError(
            f"{type(delivered.network).__name__}: uses operators that are not standard ONNX: {', '.join(names)}"
        )
    return model


def example_events() -> tuple[torch.Tensor, ...]:
    """Return the inputs of a network for two events."""
    counts = torch.tensor([5, 12])
    n_hits = int(counts.sum())
    return (
        torch.rand(n_hits, len(HIT_FEATURES)),
        torch.zeros(n_hits, dtype=torch.int64),
        torch.repeat_interleave(torch.arange(2), counts),
        torch.zeros(2, len(TRACK_FEATURES)),
    )


def with_dynamo(
    delivered: Delivered, example: tuple[torch.Tensor, ...], opset: int, further: tuple[str, ...] = ()
) -> onnx.ModelProto:
    """Trace a delivered graph; ``further`` names inputs ``[n_events, n]`` after those of a network.

    Raises
    ------
    ConfigError
        If the exporter fails without a reason.
    """
    hits, events = torch.export.Dim("hits", min=0), torch.export.Dim("events", min=1)
    program = torch.onnx.export(
        delivered,
        example,
        dynamo=True,
        opset_version=opset,
        input_names=[*INPUTS, *further],
        output_names=list(OUTPUTS),
        dynamic_shapes=({0: hits}, {0: hits}, {0: hits}, {0: events}, *({0: events} for _ in further)),
        verbose=False,
    )
    if program is None:
        raise ConfigError(f"{type(delivered).__name__}: the ONNX exporter returned nothing")
    return _without_traces(program.model_proto)


def _without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Remove what the exporter notes of the source of each node and value: stack traces with paths of this machine."""
    for part in (model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        part.ClearField("metadata_props")
    return model


def _with_torch_script(delivered: DeliveredNetwork, example: tuple[torch.Tensor, ...], opset: int) -> onnx.ModelProto:
    axes = dict(zip((*INPUTS, *OUTPUTS), ("hits", "hits", "hits", *["events"] * 5), strict=True))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        torch.onnx.export(
            delivered,
            example,
            file,
            dynamo=False,
            opset_version=opset,
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes={name: {0: axis} for name, axis in axes.items()},
        )
        return onnx.load(file)
