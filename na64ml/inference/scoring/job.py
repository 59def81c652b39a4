"""How events are scored: with which network, read in which way, and what stays hidden."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import ConfigError
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.inference.scorer import MICRO_BATCH, PROVIDER, Scorer
from na64ml.yaml_files import content_hash


class Hide(Protocol):
    """Decides which events keep no score (status 4); must be picklable."""

    @property
    def hash(self) -> str:
        """Hash of what the decision depends on."""
        ...

    def __call__(self, events: EventBatch) -> NDArray[np.bool_]:
        """Return the mask of the hidden events."""
        ...


@dataclass(frozen=True)
class Job:
    """Everything but the events.

    Parameters
    ----------
    model
        ONNX file written by ``na64ml export``; workers must see it too.
    reader
        Reads the events.
    hide
        Which events keep no score.
    threads, micro_batch, provider
        As of the `Scorer`.
    """

    model: Path
    reader: EventReader
    hide: Hide | None = None
    threads: int = 1
    micro_batch: int = MICRO_BATCH
    provider: str = PROVIDER

    @cached_property
    def model_hash(self) -> str:
        """SHA-256 of the network file.

        Raises
        ------
        ConfigError
            If it cannot be read.
        """
        return _hash(self.model)

    @cached_property
    def hash(self) -> str:
        """Hash of everything that scores depend on besides the events."""
        reader = self.reader
        return content_hash(
            {
                "model": self.model_hash,
                "layout": reader.layout.hash,
                "setup": content_hash(reader.setup.model_dump(mode="json")),
                "conditions": reader.conditions.hash,
                "hidden": self.hide.hash if self.hide else None,
            }
        )

    def open_scorer(self) -> Scorer:
        """Return the scorer, opened once in each process, and check that it fits the events.

        Raises
        ------
        ConfigError
            If the file is no network of this package, or has been replaced since the job was made.
        ContractError
            If the events do not fit the network.
        """
        return _open(self.model, self.model_hash, self.threads, self.micro_batch, self.provider)


@lru_cache(maxsize=1)
def _open(model: Path, model_hash: str, threads: int, micro_batch: int, provider: str) -> Scorer:
    found = _hash(model)
    if found != model_hash:
        raise ConfigError(
            f"{model}: has changed since the command was started (SHA-256 {found[:16]}, it was {model_hash[:16]}); run "
            "the command again, the shards of the other network are not used"
        )
    return Scorer(model, threads=threads, micro_batch=micro_batch, provider=provider)


def _hash(model: Path) -> str:
    try:
        return sha256(model.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError(f"{model}: cannot be read ({error.strerror}); check the path of the network") from error
