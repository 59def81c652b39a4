"""The friend tree: one entry per input event, in the order of the input."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from na64ml.events.writer import TreeWriter, write_ntuple, write_tree
from na64ml.inference.scorer import Scores
from na64ml.inference.status import BLINDED

TREE = "scores"
IDENTIFIERS = ("run", "spill", "spillevent")

Format = Literal["ttree", "rntuple"]


def friend_columns(ids: NDArray[np.int64], scores: Scores, classes: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """Return the columns of events: run, spill, spillevent, ``p_<class>``, score and status."""
    return {
        **dict(zip(IDENTIFIERS, ids.T, strict=True)),
        **{f"p_{name}": scores.probability[:, index] for index, name in enumerate(classes)},
        "score": scores.score,
        "status": scores.status,
    }


def write_friend(
    path: Path, classes: Sequence[str], kind: Format, notes: Mapping[str, str]
) -> AbstractContextManager[TreeWriter]:
    """Create a file with the tree ``scores``; see `na64ml.events.writer.write_tree`."""
    branches: dict[str, np.dtype[Any]] = dict.fromkeys(IDENTIFIERS, np.dtype(np.int64))
    branches |= {f"p_{name}": np.dtype(np.float32) for name in classes}
    branches |= {"score": np.dtype(np.float32), "status": np.dtype(np.int8)}
    write = write_ntuple if kind == "rntuple" else write_tree
    return write(path, TREE, branches, notes)


def blind(scores: Scores, hidden: NDArray[np.bool_]) -> Scores:
    """Return the scores with those of the hidden events removed."""
    nan = np.float32(np.nan)
    return Scores(
        logits=np.where(hidden[:, None], nan, scores.logits),
        probability=np.where(hidden[:, None], nan, scores.probability),
        score=np.where(hidden, nan, scores.score),
        status=np.where(hidden, np.int8(BLINDED), scores.status),
    )
