"""The Lightning data module: files in, packed batches out."""

from functools import cached_property
from pathlib import Path

import numpy as np
from lightning import LightningDataModule
from rich.progress import Progress
from torch.utils.data import DataLoader

from na64ml.errors import ConfigError
from na64ml.events.cache import Manifest, build_cache, open_cache, read_manifest
from na64ml.events.reader import EventReader
from na64ml.graphs.batch import PackedBatch
from na64ml.graphs.loader import Share, packed_loader
from na64ml.graphs.sample import Sample, Split
from na64ml.ranges import require
from na64ml.selection.mode import load_mode


class EventDataModule(LightningDataModule):
    """Reads events through a layout into the cache once, then serves batches from it.

    Parameters
    ----------
    files
        ROOT files or glob patterns.
    layout
        Layout name or path.
    mode
        Mode name or path; maps the processes to classes.
    cache
        Folder of the event cache; the training commands put ``cache`` below their run root here.
    dataset, n_folds, fold, validation
        The split, see `na64ml.graphs.sample.Split`.
    batch_size
        Events per training batch, of all processes together.
    eval_batch_size
        Events per batch elsewhere.
    event_weights
        Whether events of a class count by their weight; otherwise all alike. Rare, important corners (a decay
        that fakes the SRD response) often carry tiny weights, and a network trained with these never sees them.
    seed
        Of the order of the training events.

    Raises
    ------
    ConfigError
        If there is no such layout or mode, or a batch has no events.
    """

    def __init__(
        self,
        files: list[str],
        layout: str = "na64e_reference",
        mode: str = "na64e_invisible",
        cache: str | None = None,
        dataset: str = "na64e_reference",
        n_folds: int = 5,
        fold: int = 0,
        validation: float = 0.1,
        batch_size: int = 64,
        eval_batch_size: int = 256,
        event_weights: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        require("data.batch_size", batch_size, low=1)
        require("data.eval_batch_size", eval_batch_size, low=1)
        self.files = files
        self.reader = EventReader(layout)
        self.mode = load_mode(mode)
        self.mode.check_setup(self.reader.setup)
        self.cache = Path(cache or "runs/cache")
        self.split = Split(dataset=dataset, n_folds=n_folds, fold=fold, validation=validation)
        self.batch_size = batch_size
        self.eval_batch_size = eval_batch_size
        self.event_weights = event_weights
        self.seed = seed

    @cached_property
    def folder(self) -> Path:
        """Folder of the cached events; they are read from the files on first use."""
        with Progress(transient=True) as progress:
            task = progress.add_task("reading events", total=self.reader.count(self.files))
            return build_cache(self.reader, self.files, self.cache, lambda n: progress.advance(task, n))

    @cached_property
    def manifest(self) -> Manifest:
        """Provenance of the events."""
        return read_manifest(self.folder)

    @cached_property
    def sample(self) -> Sample:
        """Labelled and split events.

        Raises
        ------
        ConfigError
            If events have no truth.
        """
        events = open_cache(self.folder)
        label = self.mode.label(events).astype(np.int64)
        if (label < 0).any():
            raise ConfigError(
                f"{', '.join(self.files)}: {(label < 0).sum()} events have no simulation truth; training and testing "
                "need labelled events (score data with 'na64ml score')"
            )
        weight = events.weight if self.event_weights else np.ones(len(events))
        return Sample(events, label, np.asarray(weight), self.split.assign(events.ids), self.mode.classes)

    def prepare_data(self) -> None:
        """Build the cache, in one process."""
        _ = self.folder

    def setup(self, stage: str) -> None:
        """Check the training classes."""
        if stage == "fit":
            self.sample.require_classes()

    @property
    def share(self) -> Share:
        """What this process takes of every batch; all of it outside a trainer."""
        return Share(self.trainer.global_rank, self.trainer.world_size) if self.trainer else Share()

    def train_dataloader(self) -> DataLoader[PackedBatch]:
        """Return shuffled training batches."""
        return packed_loader(self.sample.part("train"), self.batch_size, shuffle=True, seed=self.seed, share=self.share)

    def val_dataloader(self) -> DataLoader[PackedBatch]:
        """Return validation batches."""
        return packed_loader(self.sample.part("validation"), self.eval_batch_size, share=self.share)

    def test_dataloader(self) -> DataLoader[PackedBatch]:
        """Return test batches."""
        return packed_loader(self.sample.part("test"), self.eval_batch_size, share=self.share)

    def predict_dataloader(self) -> DataLoader[PackedBatch]:
        """Return test batches.

        Raises
        ------
        ConfigError
            With several processes.
        """
        if self.share.n_ranks > 1:
            raise ConfigError("trainer.devices: predictions are written by one process; use --trainer.devices 1")
        return self.test_dataloader()
