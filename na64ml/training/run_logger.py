"""MLflow logging into one sqlite file under the run root."""

import fcntl
import logging
from collections.abc import Mapping
from itertools import chain, count
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import MLFlowLogger
from lightning.pytorch.utilities import rank_zero_only

from na64ml.training.tracking_store import DATABASE, EXPERIMENT, artifact_location, tracking_uri

logger = logging.getLogger(__name__)

LOCK = "mlflow.lock"


def _create_store(root: Path, experiment_name: str, location: str) -> None:
    """Create the database and the experiment, one process at a time: two at once break MLflow's migrations."""
    from mlflow import MlflowClient

    with (root / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        client = MlflowClient(tracking_uri(root))
        if client.get_experiment_by_name(experiment_name) is None:
            client.create_experiment(experiment_name, artifact_location=location)


class RunLogger(MLFlowLogger):
    """MLflow logger whose database and artifacts lie below one folder.

    Lightning's own default is a file store, which MLflow refuses since 3.13, and it takes the tracking address
    from the environment at import time; here both places are explicit and absolute.

    Parameters
    ----------
    root
        Folder of the tracking store; the training commands put their run root here.
    experiment_name, run_name, tags
        As in MLflow.
    run_id
        Continue this run.
    """

    def __init__(
        self,
        root: str | None = None,
        experiment_name: str = EXPERIMENT,
        run_name: str | None = None,
        tags: dict[str, Any] | None = None,
        run_id: str | None = None,
    ) -> None:
        self.root = Path(root or "runs").resolve()
        self.root.mkdir(parents=True, exist_ok=True)
        location = artifact_location(self.root, experiment_name)
        _create_store(self.root, experiment_name, location)
        super().__init__(
            experiment_name=experiment_name,
            run_name=run_name,
            tracking_uri=tracking_uri(self.root),
            tags=tags,
            artifact_location=location,
            run_id=run_id,
        )

    @rank_zero_only
    def log_hyperparams(self, params: Any) -> None:
        """Log short parameters; those that a continued run has already keep their values.

        The whole configuration is an artifact, because parameters are cut at 250 characters.
        """
        known = self.experiment.get_run(self.run_id).data.params
        super().log_hyperparams({name: value for name, value in dict(params).items() if name not in known})

    @rank_zero_only
    def log_text(self, text: str, file: str) -> None:
        """Store a text as an artifact of the run; what a continued run stored before keeps its name."""
        taken = {item.path for item in self.experiment.list_artifacts(self.run_id)}
        path = Path(file)
        names = chain([file], (f"{path.stem}-{number}{path.suffix}" for number in count(2)))
        self.experiment.log_text(self.run_id, text, next(name for name in names if name not in taken))

    @rank_zero_only
    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Store a file as an artifact of the run."""
        self.experiment.log_artifact(self.run_id, str(path), folder)

    @rank_zero_only
    def set_tags(self, tags: dict[str, str]) -> None:
        """Set tags of the run."""
        for key, value in tags.items():
            self.experiment.set_tag(self.run_id, key, value)


def log_evaluation(root: Path, run_id: str, folder: Path, metrics: Mapping[str, float | int | bool | None]) -> None:
    """Add the files of an evaluation and its overall metrics to a tracked run.

    Metrics get the prefix ``test/``, and ``@`` becomes ``_at_``, which MLflow allows in names; metrics per
    dark-photon mass are in the file ``metrics.json`` only.
    """
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(tracking_uri(root))
    try:
        client.get_run(run_id)
    except MlflowException:
        logger.warning("%s has no run %s; results are in %s only", root / DATABASE, run_id, folder)
        return
    for path in sorted(folder.iterdir()):
        if path.is_file():
            client.log_artifact(run_id, str(path), "evaluation")
    for name, value in metrics.items():
        if value is not None and "/mass_" not in name:
            client.log_metric(run_id, "test/" + name.replace("@", "_at_"), float(value))
