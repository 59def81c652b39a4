"""The training commands: fit, validate, test and predict on the Lightning command line."""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jsonargparse import Namespace
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.cli import ArgsType, LightningArgumentParser, LightningCLI

from na64ml.errors import ConfigError
from na64ml.graphs.datamodule import EventDataModule
from na64ml.models.checkpoint import read_checkpoint
from na64ml.resources import shipped
from na64ml.training.callbacks import RUN_ID_KEY, LastEpoch, LogRun, PredictionWriter
from na64ml.training.classifier import Classifier
from na64ml.training.output_folder import check_folder

SUBCOMMANDS = ("fit", "validate", "test", "predict")

RUN_LOGGER = "na64ml.training.run_logger.RunLogger"

_CHECKPOINT_KEYWORDS = ("best", "last", "hpc", "registry")
"""Values of ``ckpt_path`` that Lightning resolves itself."""

_USAGE = "na64ml {} --config FILE [--KEY VALUE ...]"
"""Stands before an error; all keys are listed by ``--help``."""

_DEFAULTS = {
    "logger": {"class_path": RUN_LOGGER},
    "gradient_clip_val": 1.0,
    "max_epochs": 30,
    "log_every_n_steps": 20,
    "use_distributed_sampler": False,  # the data module shares the batches among processes
}

_CHECKPOINT_DEFAULTS = {
    "checkpoint.monitor": "validation/loss",
    "checkpoint.filename": "best",
}


class TrainingCLI(LightningCLI):
    """Lightning command line with the tracking store of this package."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add options that are not the trainer's, the model's or the data's."""
        parser.add_argument("--root", default="runs", help="run root: tracking store, checkpoints and event cache")
        parser.add_argument("--threads", type=int, default=1, help="CPU threads of PyTorch")
        parser.add_lightning_class_args(ModelCheckpoint, "checkpoint")
        parser.set_defaults(_CHECKPOINT_DEFAULTS)
        parser.add_lightning_class_args(LastEpoch, "last_epoch")
        parser.add_lightning_class_args(PredictionWriter, "predictions")

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """Parse the arguments and read the checkpoint first, because Lightning's errors do not name its file.

        Raises
        ------
        ConfigError
            If the checkpoint is missing or is none.
        """
        super().parse_arguments(parser, args)
        verb = self.config["subcommand"]
        path = self.config[verb].ckpt_path
        if path is None and verb != "fit":
            raise ConfigError(
                f"{verb}: key 'ckpt_path' is missing, so the network would be untrained; "
                "give the checkpoint of a fit with --ckpt_path"
            )
        self.continued_run = run_of_checkpoint(path)

    def before_instantiate_classes(self) -> None:
        """Put everything below the run root; let what uses a checkpoint continue its tracking run.

        Raises
        ------
        InputError
            If the run root cannot be written to.
        """
        config = self.config[self.subcommand]
        check_folder(Path(config.root), "--root")
        torch.set_num_threads(config.threads)
        if config.trainer.default_root_dir is None:
            config.trainer.default_root_dir = config.root
        if config.data.cache is None:
            config.data.cache = str(Path(config.root) / "cache")
        if config.predictions.path is None:
            config.predictions.path = str(Path(config.root) / "predictions.root")
        logger = config.trainer.logger
        if isinstance(logger, Namespace) and logger.class_path == RUN_LOGGER:
            logger.init_args.root = logger.init_args.root or config.root
            logger.init_args.run_id = logger.init_args.run_id or self.continued_run


def run_of_checkpoint(path: str | None) -> str | None:
    """Return the tracking run that wrote a checkpoint; None if it was not tracked."""
    if path is None or path in _CHECKPOINT_KEYWORDS:
        return None
    run_id = read_checkpoint(Path(path)).get(RUN_ID_KEY)
    return None if run_id is None else str(run_id)


def run(args: Sequence[str], callbacks: Sequence[Callback] = ()) -> TrainingCLI:
    """Run ``fit``, ``validate``, ``test`` or ``predict`` with Lightning command-line arguments.

    The value of ``--config`` may be a path or the name of a shipped configuration such as
    ``na64e_invisible/train.yaml``. ``callbacks`` are added to those of the configuration.
    """
    logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(
        lambda record: "Tip:" not in record.getMessage()
    )
    for harmless in (
        ".*does not have many workers.*",
        ".*args parameter is intended to run.*",
        ".*LeafSpec.*",
        ".*dirpath has changed.*",
        ".*overridden `on_before_batch_transfer`.*",  # by the model, not by the data module, as it should be
    ):
        warnings.filterwarnings("ignore", message=harmless)
    arguments: ArgsType = _with_shipped_configs(args)
    return TrainingCLI(
        Classifier,
        EventDataModule,
        save_config_callback=LogRun,
        save_config_kwargs={"save_to_log_dir": False},
        trainer_defaults=_DEFAULTS | {"callbacks": list(callbacks)},
        seed_everything_default=1,
        parser_kwargs={name: {"default_env": False, "usage": _USAGE.format(name)} for name in SUBCOMMANDS},
        args=arguments,
    )


def _with_shipped_configs(args: Sequence[str]) -> list[Any]:
    resolved = list(args)
    for i in range(1, len(resolved)):
        candidate = shipped("configs") / resolved[i]
        if resolved[i - 1] in ("--config", "-c") and not Path(resolved[i]).exists() and candidate.is_file():
            resolved[i] = str(candidate)
    return resolved
