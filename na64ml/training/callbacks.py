"""What happens around a training run: configuration, provenance, best checkpoint and predictions."""

import logging
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jsonargparse import Namespace
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import BasePredictionWriter, ModelCheckpoint
from lightning.pytorch.cli import SaveConfigCallback
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor

from na64ml.events.writer import columns_of, write_tree
from na64ml.training.classifier import Classifier
from na64ml.training.provenance import code_version, environment
from na64ml.training.run_logger import RunLogger

_log = logging.getLogger(__name__)

RUN_ID_KEY = "tracking_run_id"


class LogRun(SaveConfigCallback):
    """Logs the resolved configuration, the environment, tags and the best checkpoint to the tracking store.

    Lightning's own callback writes the configuration to a folder that a sqlite-backed logger does not have.
    """

    def save_config(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Log what describes the run, at its start."""
        logger = trainer.logger
        if not isinstance(logger, RunLogger):
            return
        command = TrainerFn(stage).value
        logger.log_text(self.parser.dump(self.config, skip_none=False), f"config-{command}.yaml")
        logger.log_text(environment(), "environment.txt" if command == "fit" else f"environment-{command}.txt")
        if command != "fit":  # the tags of a run are those of its training
            return
        logger.log_hyperparams(_comparable(self.config))
        tags = {**code_version(), "host": platform.node(), "command": command}
        if isinstance(pl_module, Classifier):
            manifest = pl_module.data.manifest
            tags |= {
                "data_hash": manifest.data_hash,
                "n_events": str(manifest.n_events),
                "layout": manifest.layout,
            }
        logger.set_tags(tags)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the best checkpoint, chosen by its stored monitor value."""
        checkpoint = trainer.checkpoint_callback
        logger = trainer.logger
        if isinstance(logger, RunLogger) and isinstance(checkpoint, ModelCheckpoint) and checkpoint.best_model_path:
            logger.log_file(Path(checkpoint.best_model_path), "checkpoint")
            tags = {"best_checkpoint": checkpoint.best_model_path}
            if checkpoint.best_model_score is not None:
                tags[f"best_{checkpoint.monitor}"] = f"{checkpoint.best_model_score:.6g}"
            logger.set_tags(tags)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Remember the run, so that a resumed training continues it."""
        if isinstance(trainer.logger, RunLogger):
            checkpoint[RUN_ID_KEY] = trainer.logger.run_id


class LastEpoch(ModelCheckpoint):
    """Keeps the checkpoint of the last finished epoch, to resume from.

    Lightning's own ``save_last`` copies the last checkpoint that was *saved*, which is the best one so far.

    Parameters
    ----------
    filename
        Name of the checkpoint, without the suffix.
    """

    def __init__(self, filename: str = "last") -> None:
        super().__init__(filename=filename, save_top_k=1, every_n_epochs=1, enable_version_counter=False)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Say how a training that is interrupted goes on; Lightning ends the process."""
        super().on_exception(trainer, pl_module, exception)
        if isinstance(exception, KeyboardInterrupt):
            remedy = f"goes on with --ckpt_path {self.best_model_path}" if self.best_model_path else "has to start anew"
            _log.error("interrupted; the training %s", remedy)


class PredictionWriter(BasePredictionWriter):
    """Writes the predictions of the test split to a ROOT file, in the order of the cache.

    Parameters
    ----------
    path
        Output file; the training commands put it below their run root by default.
    """

    def __init__(self, path: str | None = None) -> None:
        super().__init__(write_interval="epoch")
        self.path = Path(path or "predictions.root")

    def write_on_epoch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        predictions: Sequence[tuple[Tensor, ...]],
        batch_indices: Sequence[Any],
    ) -> None:
        """Write one entry per event: identifiers, true class, class probabilities, score and status."""
        if not isinstance(pl_module, Classifier):
            return
        sample = pl_module.data.sample
        index, probability, score, status = (
            np.concatenate([part[i].numpy() for part in predictions]) for i in range(4)
        )
        columns = {
            **dict(zip(("run", "spill", "spillevent"), sample.events.ids[index].T, strict=True)),
            "label": sample.label[index],
            **{f"p_{name}": probability[:, i] for i, name in enumerate(sample.classes)},
            "score": score,
            "status": status.astype(np.int8),
        }
        with write_tree(self.path, "scores", columns_of(columns)) as tree:
            tree.extend(columns)
        _log.info("%d predictions written to %s", len(index), self.path)


def _comparable(config: Namespace) -> dict[str, str]:
    """Return the parameters in which runs are compared; everything else is in the configuration artifact."""
    network = config.model.network
    sizes = network.get("init_args")
    return {
        "seed": str(config.seed_everything),
        "network": network.class_path.rpartition(".")[2],
        **{f"network.{name}": str(value) for name, value in (vars(sizes) if sizes else {}).items()},
        **{name: str(config.model[name]) for name in ("learning_rate", "weight_decay", "label_smoothing", "focal")},
        **{name: str(config.data[name]) for name in ("layout", "mode", "fold", "batch_size")},
        "max_epochs": str(config.trainer.max_epochs),
    }
