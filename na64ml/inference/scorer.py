"""The scorer: events in, class probabilities, score and status out."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from na64ml.errors import ConfigError, ContractError
from na64ml.events.batch import EventBatch
from na64ml.events.contract import Contract
from na64ml.inference.compatibility import check_contract
from na64ml.inference.metadata import PROPERTY, SCHEMA, VARIABLES, ModelMetadata
from na64ml.inference.status import SCORED

if TYPE_CHECKING:
    import onnxruntime

    from na64ml.events.layout import Layout
    from na64ml.events.reader import EventReader
    from na64ml.selection.view import EventView

MICRO_BATCH = 16
"""Events per call of the runtime; more do not fit the processor's cache."""

PROVIDER = "CPUExecutionProvider"
"""Part of the ONNX runtime that computes."""


@dataclass(frozen=True, eq=False)
class Scores:
    """What the network says about each event.

    Parameters
    ----------
    logits, probability
        float32 ``[n_events, n_classes]``, NaN where not scored.
    score
        float32 ``[n_events]``: log of p(signal) over the weighted sum of p(background), NaN where not scored.
    status
        int8 ``[n_events]``, see `na64ml.inference.status`.
    """

    logits: NDArray[np.float32]
    probability: NDArray[np.float32]
    score: NDArray[np.float32]
    status: NDArray[np.int8]

    @property
    def variables(self) -> dict[str, NDArray[Any]]:
        """Score and status as a selection wants them."""
        return {"score": self.score.astype(np.float64), "status": self.status}

    @classmethod
    def concatenate(cls, parts: "Sequence[Scores]") -> "Scores":
        """Return the scores of all parts, in order; there must be one."""
        return cls(**{item.name: np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(cls)})


class Scorer:
    """Scores events with an exported network. Threads may share one.

    Parameters
    ----------
    model
        ONNX file written by ``na64ml export`` or ``na64ml fit-trees``.
    threads
        Threads of the runtime.
    micro_batch
        Events per call of the runtime.
    layout
        How arrays and trees are read: a layout, its name or file, or a reader. The default is the layout that the
        network was trained with. Event batches do not need it, unless the file takes analysis variables.
    provider
        Execution provider of the runtime.

    Raises
    ------
    ConfigError
        If the file is no such network, the runtime lacks the provider, or ``micro_batch`` is below 1.
    """

    def __init__(
        self,
        model: str | Path,
        threads: int = 1,
        micro_batch: int = MICRO_BATCH,
        layout: "Layout | EventReader | str | None" = None,
        provider: str = PROVIDER,
    ) -> None:
        if micro_batch < 1:
            raise ConfigError(f"micro_batch is {micro_batch}; at least one event is scored at a time")
        self.model = Path(model)
        self.micro_batch = micro_batch
        self._threads, self._provider = threads, provider
        self._session = _open(self.model, threads, provider)
        self.metadata = _metadata(self._session, self.model)
        self._outputs = [tensor.name for tensor in self.metadata.outputs]
        self._layout = self.metadata.layout if layout is None else layout

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as what opens the file again, for the workers of coffea and Dask."""
        return type(self), (self.model.absolute(), self._threads, self.micro_batch, self._layout, self._provider)

    @cached_property
    def reader(self) -> "EventReader":
        """The reader of arrays and trees; made and checked when the first are scored.

        Raises
        ------
        ConfigError
            If there is no such layout.
        ContractError
            If its events do not fit the network.
        """
        from na64ml.events.reader import EventReader  # slow to import, and event batches do not need it

        reader = self._layout if isinstance(self._layout, EventReader) else EventReader(self._layout)
        self.check(reader.contract, reader.conditions.hash)
        return reader

    def check(self, contract: Contract, conditions_hash: str | None = None) -> None:
        """Check that events of a contract may be scored; warn if the run conditions differ.

        Raises
        ------
        ContractError
            Listing everything that differs from the nearest contract of the network.
        """
        known = self.metadata
        check_contract(self.model, known.contracts, known.conditions_hash, contract, conditions_hash)

    def score(self, events: Any, view: "EventView | None" = None) -> Scores:
        """Score events, in order; none is left out.

        Parameters
        ----------
        events
            An `EventBatch`, or an awkward array, a dictionary of arrays or an uproot tree that the layout describes
            (see `na64ml.inference.sources.batches`). A tree is read in steps: only its scores are held in memory.
        view
            View of an event batch, from which a file that takes analysis variables gets them. The default is that of
            events which the reader of the layout has read.

        Raises
        ------
        ContractError
            If the events do not fit the network.
        InputError
            If they are not as the layout says, or do not have what an analysis variable needs.
        """
        if isinstance(events, EventBatch):
            return self._score(events, view)
        from na64ml.inference.sources import batches

        return Scores.concatenate(
            [self._score(batch) for batch in batches(events, self.reader)] or [self._no_scores(0)]
        )

    def columns(self, events: Any) -> dict[str, NDArray[Any]]:
        """Return what `score` does as columns ``[n_events]`` named as in the friend tree: p_CLASS, score, status."""
        scores = self.score(events)
        probabilities = {f"p_{name}": scores.probability[:, i] for i, name in enumerate(self.metadata.classes)}
        return {**probabilities, "score": scores.score, "status": scores.status}

    def passed(self, scores: Scores, working_point: str) -> NDArray[np.bool_]:
        """Return which events are scored and not below the threshold of a working point, ``[n_events]``.

        Raises
        ------
        ConfigError
            If the file has no such working point.
        """
        known = self.metadata.thresholds
        if working_point not in known:
            hint = f"use one of {', '.join(known)}" if known else "it has none, export it with --working-points"
            raise ConfigError(f"{self.model}: has no working point '{working_point}'; {hint}")
        # In double precision, as selections and the C++ scorer compare: NumPy would round the threshold to float32.
        above = scores.score.astype(np.float64) >= known[working_point]
        return np.asarray(above & (scores.status == SCORED))

    def _score(self, events: EventBatch, view: "EventView | None" = None) -> Scores:
        ids = self._detector_ids(events)
        further = self.further_inputs(events, view)
        scores = self._no_scores(len(events))
        detector = ids[events.detector]
        for start in range(0, len(events), self.micro_batch):
            stop = min(start + self.micro_batch, len(events))
            first, last = int(events.offsets[start]), int(events.offsets[stop])
            counts = np.diff(events.offsets[start : stop + 1])
            inputs = {
                "hits": np.ascontiguousarray(events.hits[first:last]),
                "detector": detector[first:last],
                "event": np.repeat(np.arange(stop - start, dtype=np.int64), counts),
                "track": np.ascontiguousarray(events.track[start:stop]),
                **{name: values[start:stop] for name, values in further.items()},
            }
            for name, values in zip(self._outputs, self._session.run(self._outputs, inputs), strict=True):
                getattr(scores, name)[start:stop] = values
        return scores

    def further_inputs(self, events: EventBatch, view: "EventView | None" = None) -> dict[str, NDArray[np.float32]]:
        """Return the inputs ``[n_events, n]`` besides hits and track: analysis variables; networks have none.

        Raises
        ------
        InputError
            If the events do not have what a variable needs.
        """
        names = self.metadata.variables
        if not names:
            return {}
        from na64ml.selection.table import variable_table  # slow to import, and networks do not need it
        from na64ml.selection.viewer import make_viewer

        return {VARIABLES: variable_table(names, make_viewer(self.reader)(events) if view is None else view)}

    def _no_scores(self, n_events: int) -> Scores:
        """Return room for the scores of ``n_events``."""
        n_classes = len(self.metadata.classes)
        return Scores(
            logits=np.empty((n_events, n_classes), dtype=np.float32),
            probability=np.empty((n_events, n_classes), dtype=np.float32),
            score=np.empty(n_events, dtype=np.float32),
            status=np.empty(n_events, dtype=np.int8),
        )

    def _detector_ids(self, events: EventBatch) -> NDArray[np.int64]:
        ids, unknown = events.detector_ids(self.metadata.detectors)
        if unknown:
            raise ContractError(
                f"{self.model}: does not know detector {', '.join(unknown)}; it was trained with "
                f"{', '.join(self.metadata.detectors)}. Use a layout with these detectors"
            )
        return ids


def _open(model: Path, threads: int, provider: str) -> "onnxruntime.InferenceSession":
    import onnxruntime

    if not model.is_file():
        raise ConfigError(f"{model}: no such file; give an ONNX file written by 'na64ml export'")
    available = onnxruntime.get_available_providers()
    if provider not in available:
        raise ConfigError(
            f"execution provider '{provider}': this onnxruntime has {', '.join(available)}; use one of these, or "
            "install an onnxruntime that has it"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=[provider])
    except Exception as error:  # the runtime's own kinds share no base class
        if type(error).__name__ == "InvalidProtobuf":
            raise ConfigError(
                f"{model}: is not an ONNX network file, or a damaged one; give a file written by 'na64ml export'"
            ) from error
        raise ConfigError(
            f"{model}: cannot be loaded ({type(error).__name__}: {error}); export the network again"
        ) from error


def _metadata(session: "onnxruntime.InferenceSession", model: Path) -> ModelMetadata:
    text = session.get_modelmeta().custom_metadata_map.get(PROPERTY)
    if text is None:
        raise ConfigError(f"{model}: has no metadata property '{PROPERTY}'; give a file written by 'na64ml export'")
    try:
        metadata = ModelMetadata.model_validate_json(text)
    except ValidationError as error:
        raise ConfigError(
            f"{model}: its metadata are not of schema {SCHEMA}: {error}; export the network again with this version"
        ) from error
    if metadata.schema_version != SCHEMA:
        raise ConfigError(
            f"{model}: its metadata are of schema {metadata.schema_version}, schema {SCHEMA} is needed; "
            "export the network again with this version"
        )
    for nodes, tensors in ((session.get_inputs(), metadata.inputs), (session.get_outputs(), metadata.outputs)):
        found, described = [node.name for node in nodes], [tensor.name for tensor in tensors]
        if found != described:
            raise ConfigError(
                f"{model}: has the tensors {', '.join(found)}, its metadata describe {', '.join(described)}; "
                "export the network again"
            )
    return metadata
