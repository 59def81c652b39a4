"""Scoring files into a friend tree."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.events.writer import write_tree
from na64ml.inference.scorer import Scorer, Scores
from na64ml.inference.status import BLINDED

logger = logging.getLogger(__name__)

TREE = "scores"


def score_files(
    scorer: Scorer,
    reader: EventReader,
    files: str | Path | Sequence[str | Path],
    output: Path,
    hide: Callable[[EventBatch], NDArray[np.bool_]] | None = None,
    progress: Callable[[int], None] = lambda n_events: None,
) -> Counter[int]:
    """Write one entry per input event, in the order of the input, to the TTree ``scores`` of ``output``.

    Branches: run, spill, spillevent, ``p_<class>``, score and status. The output appears when it is complete.

    A friend tree is aligned with its input by position, so an event that occurs twice does no harm here. It is not
    searched for among all events, which would take memory for each of them, but a batch with duplicates is warned of.

    Parameters
    ----------
    hide
        Mask of events whose score must stay hidden (status 4).
    progress
        Called with the number of events of each batch written.

    Returns
    -------
    Number of events by status.

    Raises
    ------
    ContractError
        If the events do not fit the network.
    InputError
        If a file cannot be read; no output is left behind.
    """
    scorer.check(reader.contract, reader.conditions.hash)
    branches: dict[str, np.dtype[np.generic]] = {name: np.dtype(np.int64) for name in ("run", "spill", "spillevent")}
    branches |= {f"p_{name}": np.dtype(np.float32) for name in scorer.metadata.classes}
    branches |= {"score": np.dtype(np.float32), "status": np.dtype(np.int8)}
    counts: Counter[int] = Counter()
    with write_tree(output, TREE, branches) as tree:
        for events in reader.iterate(files):
            _warn_of_duplicates(events, output)
            scores = scorer.score(events)
            if hide is not None:
                scores = blind(scores, hide(events))
            tree.extend(
                {
                    **dict(zip(("run", "spill", "spillevent"), events.ids.T, strict=True)),
                    **{f"p_{name}": scores.probability[:, i] for i, name in enumerate(scorer.metadata.classes)},
                    "score": scores.score,
                    "status": scores.status,
                }
            )
            counts.update(scores.status.tolist())
            progress(len(events))
    return counts


def _warn_of_duplicates(events: EventBatch, output: Path) -> None:
    n_duplicates = len(events) - len(np.unique(events.ids, axis=0))
    if n_duplicates:
        logger.warning(
            "%s: %d events have the run, spill and event number of another one; evaluation and cut flows refuse them",
            output,
            n_duplicates,
        )


def blind(scores: Scores, hidden: NDArray[np.bool_]) -> Scores:
    """Return the scores with those of the hidden events removed."""
    nan = np.float32(np.nan)
    return Scores(
        logits=np.where(hidden[:, None], nan, scores.logits),
        probability=np.where(hidden[:, None], nan, scores.probability),
        score=np.where(hidden, nan, scores.score),
        status=np.where(hidden, np.int8(BLINDED), scores.status),
    )
