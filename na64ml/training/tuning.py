"""Search for hyperparameters: one training per trial, tracked below one parent run."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from na64ml.errors import ConfigError
from na64ml.training.command import RUN_LOGGER, run
from na64ml.training.run_logger import RunLogger
from na64ml.training.search_space import SearchSpace

if TYPE_CHECKING:
    import optuna

logger = logging.getLogger(__name__)

DATABASE = "tuning.db"
"""File with the studies, below the run root."""

_PARENT = "mlflow.parentRunId"
_PARENT_OF_STUDY = "parent_run"
_AIM = "aim"


class Prune(Callback):
    """Reports a metric after each validation and stops a trial that is worse than the median of the others.

    Parameters
    ----------
    trial
        The trial.
    metric
        Name of the metric.
    """

    def __init__(self, trial: "optuna.Trial", metric: str) -> None:
        self.trial = trial
        self.metric = metric
        self.values: list[float] = []

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Report the metric.

        Raises
        ------
        ConfigError
            If the training does not log it.
        optuna.TrialPruned
            If the trial is not worth going on.
        """
        import optuna

        if trainer.sanity_checking:
            return
        if self.metric not in trainer.callback_metrics:
            raise ConfigError(
                f"search space: key 'metric': the training logs no '{self.metric}'; it logs "
                f"{', '.join(sorted(trainer.callback_metrics))}"
            )
        self.values.append(float(trainer.callback_metrics[self.metric]))
        self.trial.report(self.values[-1], trainer.current_epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned(f"pruned after epoch {trainer.current_epoch}")


def tune(space: SearchSpace, arguments: Sequence[str], root: Path, name: str, n_trials: int) -> "optuna.Study":
    """Run trials and return the study; a study of this name under the same root goes on.

    Parameters
    ----------
    space
        What may change, and the metric.
    arguments
        Command line of ``na64ml fit`` without the verb, the root and what the space sets.
    root
        Run root.
    name
        Name of the study.
    n_trials
        Trials that the study shall have at the end, finished or pruned; those that failed do not count.

    Raises
    ------
    ConfigError
        If there is a study of this name with another metric.
    """
    import optuna
    from optuna.trial import TrialState

    root.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=name,
        storage=f"sqlite:///{(root / DATABASE).resolve()}",
        direction=space.direction,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=3),
        load_if_exists=True,
    )
    aim = f"{space.direction} {space.metric}"
    known = study.user_attrs.get(_AIM, f"{study.direction.name.lower()} {space.metric}")
    if known != aim:
        raise ConfigError(f"--study {name}: is there already, to {known}, not to {aim}; give another --study")
    # A study that goes on draws other numbers than it did before.
    study.sampler = optuna.samplers.TPESampler(seed=1 + len(study.trials))
    parent = _parent_run(study, root)
    best = max if space.direction == "maximize" else min

    def objective(trial: optuna.Trial) -> float:
        values = {key: parameter.suggest(trial, key) for key, parameter in space.parameters.items()}
        logger.info("trial %d: %s", trial.number, ", ".join(f"{key} {value}" for key, value in values.items()))
        prune = Prune(trial, space.metric)
        tracking = [
            *("--trainer.logger", RUN_LOGGER, "--trainer.logger.init_args.run_name", f"{name}-{trial.number}"),
            *("--trainer.logger.init_args.tags", f"{{{_PARENT}: {parent}, trial: '{trial.number}'}}"),
        ]
        chosen = [word for key, value in values.items() for word in (f"--{key}", str(value))]
        run(["fit", *arguments, "--root", str(root), *tracking, *chosen], callbacks=[prune])
        study.set_user_attr(_AIM, aim)
        return best(prune.values)

    done = len(study.get_trials(states=[TrialState.COMPLETE, TrialState.PRUNED]))
    logger.info("study %s has %d of %d trials", name, done, n_trials)
    study.optimize(objective, n_trials=max(n_trials - done, 0))
    return study


def _parent_run(study: "optuna.Study", root: Path) -> str:
    """Return the tracking run of the whole study, which is made once."""
    known = study.user_attrs.get(_PARENT_OF_STUDY)
    if known is None:
        tracked = RunLogger(root=str(root), run_name=study.study_name, tags={"command": "tune"})
        known = str(tracked.run_id)
        tracked.finalize("success")
        study.set_user_attr(_PARENT_OF_STUDY, known)
    return str(known)
