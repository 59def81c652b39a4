"""From boosted trees to one ONNX file that is scored like that of a network."""

import hashlib
import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch

from na64ml.errors import ConfigError
from na64ml.events.atomic import atomic_path
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.export.onnx_export import OPSET, describe_record, example_events, with_dynamo, write_model
from na64ml.export.parity import ABSOLUTE, DEFAULT_NEIGHBOURS, compare_file, example_inputs
from na64ml.export.tree_node import DOMAIN, DOMAIN_VERSION, tree_node
from na64ml.inference import metadata as meta
from na64ml.inference.metadata import VARIABLES, ModelMetadata
from na64ml.inference.scorer import Scorer, Scores
from na64ml.models.boosted_trees import Trees, lightgbm, predicted
from na64ml.models.checkpoint import NetworkRecord
from na64ml.models.delivered import DeliveredLogits
from na64ml.models.inputs import NetworkInputs
from na64ml.selection.table import variable_table
from na64ml.selection.variables import unit
from na64ml.selection.viewer import make_viewer
from na64ml.yaml_files import content_hash

logger = logging.getLogger(__name__)

_LOGITS = "raw_logits"


def export_trees(
    trees: Trees,
    record: NetworkRecord,
    reader: EventReader,
    events: EventBatch,
    output: Path,
    code: dict[str, str] | None = None,
) -> ModelMetadata:
    """Write trees to ``output`` if the file gives the same answers as LightGBM.

    Parameters
    ----------
    record
        Where the trees come from.
    reader, events
        Real events for the parity check and the reader that read them.
    code
        Versions to store.

    Raises
    ------
    ParityError
        If the exported file answers differently; nothing is written.
    ConfigError
        If the trees were grown with settings that have no counterpart in ONNX.
    """
    columns = {name: unit(name) for name in trees.variables}
    table = meta.Tensor(name=VARIABLES, dtype="float32", shape=("events", len(columns)), columns=columns)
    metadata = describe_record(record, trees_hash(trees), (), code or {}, further=(table,))
    with atomic_path(output) as part:
        write_model(to_onnx(trees), part, metadata)
        check_trees(trees, reader, part, events)
    logger.info("wrote %s (weights %s)", output, metadata.weights_hash)
    return metadata


def check_trees(trees: Trees, reader: EventReader, path: Path, events: EventBatch) -> None:
    """Compare a file with LightGBM, in the cases of `na64ml.export.parity.check_parity`.

    Statuses are those of PyTorch. Probabilities must agree within 1e-5.

    Raises
    ------
    ParityError
        Naming the first case that disagrees and by how much.
    """
    inputs = trees.inputs
    delivered, make_view = DeliveredLogits(inputs).eval(), make_viewer(reader)

    def reference(batch: EventBatch, size: int) -> Scores:
        batch = batch.with_detectors(inputs.detector_names)
        logits, probability = predicted(trees.booster, variable_table(trees.variables, make_view(batch)))
        tensors = {name: torch.from_numpy(values) for name, values in example_inputs(batch).items()}
        with torch.inference_mode():
            _, _, score, status = delivered(**tensors, raw_logits=torch.from_numpy(logits))
        return Scores(
            logits.astype(np.float32),
            probability.astype(np.float32),
            score.numpy().astype(np.float32),
            status.numpy().astype(np.int8),
        )

    compare_file(path, events, DEFAULT_NEIGHBOURS, inputs, reference, reader, probability_within=ABSOLUTE)


def check_trees_file(path: Path, model: Path, inputs: NetworkInputs, reader: EventReader, events: EventBatch) -> None:
    """Compare a file with the model of LightGBM it was exported from, see `check_trees`.

    Parameters
    ----------
    model
        Text file that ``na64ml fit-trees`` wrote beside the ONNX file.
    inputs
        Detectors and classes of the training.

    Raises
    ------
    ConfigError
        If the text is no model of LightGBM, or of other trees.
    ParityError
        If they disagree.
    """
    library, known = lightgbm(), Scorer(path).metadata
    try:
        booster = library.Booster(model_file=model)
    except library.basic.LightGBMError as error:
        raise ConfigError(
            f"{model}: is no model of LightGBM ({error}); give the text file that 'na64ml fit-trees' wrote"
        ) from error
    trees = Trees(booster, known.variables, inputs)
    found = trees_hash(trees)
    if found != known.weights_hash:
        raise ConfigError(
            f"{model}: key 'weights_hash' is {found}, but the trees of {path} have {known.weights_hash}; give the "
            "model that the file was exported from, and the layout of the training"
        )
    check_trees(trees, reader, path, events)


def trees_hash(trees: Trees) -> str:
    """Return a hash of what decides the answers: the trees, the variables, and the inputs of status and score."""
    description = {"variables": trees.variables, "inputs": trees.inputs.model_dump(mode="json")}
    digest = hashlib.sha256(content_hash(description).encode())
    digest.update(tree_node(trees.booster, VARIABLES, _LOGITS).SerializeToString(deterministic=True))
    return digest.hexdigest()[:16]


def to_onnx(trees: Trees) -> onnx.ModelProto:
    """Return the graph: the trees, then discriminant and status as PyTorch exports them."""
    example = (*example_events(), torch.zeros(2, len(trees.inputs.classes)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = with_dynamo(DeliveredLogits(trees.inputs).eval(), example, OPSET, (_LOGITS,))
    (place,) = [index for index, value in enumerate(model.graph.input) if value.name == _LOGITS]
    events = model.graph.input[place].type.tensor_type.shape.dim[0].dim_param
    del model.graph.input[place]
    shape = (events, len(trees.variables))
    model.graph.input.append(onnx.helper.make_tensor_value_info(VARIABLES, onnx.TensorProto.FLOAT, shape))
    model.graph.node.insert(0, tree_node(trees.booster, VARIABLES, _LOGITS))
    model.opset_import.append(onnx.helper.make_opsetid(DOMAIN, DOMAIN_VERSION))
    return model
