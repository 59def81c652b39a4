"""Short trainings through the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.graphs.batch import PackedBatch
from na64ml.training.command import TrainingCLI, run
from na64ml.training.readout import Readout, readout_of

Train = Callable[..., TrainingCLI]

SMALL = (
    *("--model.network.init_args.width", "8"),
    *("--model.network.init_args.n_blocks", "1"),
    *("--model.network.init_args.k", "4"),
    *("--model.network.init_args.dropout", "0.0"),
)
BRIEF = (
    *("--trainer.limit_train_batches", "3"),
    *("--trainer.limit_val_batches", "2"),
    *("--trainer.max_epochs", "1"),
)
QUIET = (
    *("--trainer.enable_progress_bar", "false"),
    *("--trainer.enable_model_summary", "false"),
    *("--trainer.num_sanity_val_steps", "0"),
    *("--trainer.log_every_n_steps", "1"),
)


@pytest.fixture
def batch(few_events: EventBatch, packed: Callable[[EventBatch], PackedBatch]) -> PackedBatch:
    return packed(few_events)


@pytest.fixture(scope="session")
def readout(reader: EventReader) -> Readout:
    return readout_of(reader)


@pytest.fixture
def train(run_root: Path, cache_folder: Path) -> Train:
    """Run a training command on the embedded sample; later options win."""

    def command(*options: str, verb: str = "fit", root: Path = run_root) -> TrainingCLI:
        limits = BRIEF if verb == "fit" else ()
        quiet = QUIET if verb == "fit" else QUIET[:4]
        return run(
            [
                verb,
                *("--config", "na64e_invisible/train.yaml"),
                *("--root", str(root), "--data.cache", str(cache_folder)),
                *SMALL,
                *quiet,
                *limits,
                *options,
            ]
        )

    return command
