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

from na64ml.errors import ConfigError, Na64mlError
from na64ml.graphs.datamodule import EventDataModule
from na64ml.models.checkpoint import read_checkpoint
from na64ml.resources import config_path
from na64ml.training.callbacks import RUN_ID_KEY, LastEpoch, LogRun, PredictionWriter
from na64ml.training.classifier import Classifier
from na64ml.training.output_folder import check_folder

SUBCOMMANDS = ("fit", "validate", "test", "predict")

RUN_LOGGER = "na64ml.training.run_logger.RunLogger"

_CONFIG_OPTIONS = ("--config", "-c")

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

_BETTER = {"loss": "min", "accuracy": "max", "auc": "max", "rejection": "max"}
"""Which way the metrics of the validation are better."""


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
            If the checkpoint is missing or is none of a training.
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
        ConfigError
            If the worst network would be kept as the best.
        """
        config = self.config[self.subcommand]
        check_folder(Path(config.root), "--root")
        monitor, mode = config.checkpoint.monitor, config.checkpoint.mode
        better = _BETTER.get(str(monitor).rpartition("/")[2], mode)
        if mode != better:
            raise ConfigError(
                f"checkpoint.mode: {mode} would keep the network with the worst {monitor}; "
                f"give --checkpoint.mode {better}"
            )
        torch.set_num_threads(config.threads)
        if config.trainer.default_root_dir is None:
            # Lightning finds the best network so far of a resumed training only under the very same path.
            config.trainer.default_root_dir = str(Path(config.root).resolve())
        if config.ckpt_path is not None:  # the best network so far is replaced by a better one
            config.checkpoint.enable_version_counter = False
        if config.data.cache is None:
            config.data.cache = str(Path(config.root) / "cache")
        if config.predictions.path is None:
            config.predictions.path = str(Path(config.root) / "predictions.root")
        logger = config.trainer.logger
        if isinstance(logger, Namespace) and logger.class_path == RUN_LOGGER:
            logger.init_args.root = logger.init_args.root or config.root
            logger.init_args.run_id = logger.init_args.run_id or self.continued_run

    def instantiate_classes(self) -> None:
        """Build what the configuration names.

        Raises
        ------
        Na64mlError
            If a value is wrong; jsonargparse wraps it where a key may hold several types.
        """
        try:
            super().instantiate_classes()
        except ValueError as error:
            cause: BaseException | None = error
            while cause is not None and not isinstance(cause, Na64mlError):
                cause = cause.__cause__ or cause.__context__
            if cause is None:
                raise
            raise cause from None


def run_of_checkpoint(path: str | None) -> str | None:
    """Return the tracking run that wrote a checkpoint; None if it was not tracked.

    Raises
    ------
    ConfigError
        If the checkpoint is missing, is none or has no state of a training.
    """
    if path is None or path in _CHECKPOINT_KEYWORDS:
        return None
    checkpoint = read_checkpoint(Path(path))
    if "na64ml" in checkpoint and "loops" not in checkpoint:
        raise ConfigError(
            f"{path}: is a calibrated or joined network without the state of a training; give the .ckpt file of "
            "'na64ml fit', or measure this one with 'na64ml evaluate'"
        )
    run_id = checkpoint.get(RUN_ID_KEY)
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
    for i, word in enumerate(resolved):
        option, equals, value = word.partition("=")
        if option in _CONFIG_OPTIONS and equals:
            resolved[i] = f"{option}={config_path(value)}"
        elif i > 0 and resolved[i - 1] in _CONFIG_OPTIONS:
            resolved[i] = str(config_path(word))
    return resolved
