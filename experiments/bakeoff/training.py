"""One training of the bake-off, made once, and its test on the reference events."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import mlflow
from chain.run import Sample, command, in_order, study

from na64ml.errors import ConfigError
from na64ml.evaluation.scored import ScoredEvents
from na64ml.events.cache import sha256
from na64ml.events.layout import layout_beside

DATASET = "bakeoff"
"""Name that enters the split of the training events: 72 % train, 8 % validate, 20 % are left for tests."""


@dataclass(frozen=True)
class Training:
    """A training with options of ``na64ml fit``, kept in a folder.

    Parameters
    ----------
    folder
        Where it lives. A finished training there is not repeated and an interrupted one goes on after its last epoch;
        a finished one of other samples or options is an error.
    samples
        ROOT files, with the layout beside the first one.
    options
        Keys of the configuration and their values.
    config
        The configuration that they change.
    cache
        Folder of cached events that trainings share.
    """

    folder: Path
    samples: Sequence[Path]
    options: Mapping[str, object] = field(default_factory=dict)
    config: str = "na64e_invisible/train_large.yaml"
    cache: Path = Path("runs/bakeoff/cache")

    @property
    def is_finished(self) -> bool:
        """Whether the training is there.

        Raises
        ------
        ConfigError
            If one of other samples or options is.
        """
        if not self._record.is_file():
            return False
        found, mine = json.loads(self._record.read_text()), self._identity
        for key, value in mine.items():
            if found.get(key) != value:
                raise ConfigError(
                    f"{self._record}: key '{key}': {found.get(key)}, not {value}; give another --work folder"
                )
        return True

    @property
    def _record(self) -> Path:
        return self.folder / "finished.json"

    @property
    def _identity(self) -> dict[str, object]:
        """What a training is made of, as it is in its record."""
        return {
            "samples": {sample.name: sha256(sample) for sample in self.samples},
            "options": dict(self.options),
            "config": self.config,
        }

    @property
    def checkpoint(self) -> Path:
        """The network after the last epoch."""
        return max(self._checkpoints(), key=lambda path: path.stat().st_mtime)

    def _checkpoints(self) -> list[Path]:
        return list(self.folder.glob("runs/*/*/checkpoints/last.ckpt"))

    def run(self) -> None:
        """Train, unless it is done."""
        if self.is_finished:
            return
        first = self.samples[0]
        data = {
            "data.files": json.dumps([str(sample) for sample in self.samples]),
            "data.layout": layout_beside(first),
            "data.dataset": DATASET,
            "data.cache": self.cache,
        }
        before = {"ckpt_path": self.checkpoint} if self._checkpoints() else {}
        keys = {**data, **self.options, **before}
        given = [text for key, value in keys.items() for text in (f"--{key}", str(value))]
        wall, cpu = time.perf_counter(), time.process_time()
        command("fit", "--config", self.config, *given, "--root", str(self.folder / "runs"))
        seconds = {"wall": round(time.perf_counter() - wall, 1), "cpu": round(time.process_time() - cpu, 1)}
        record = {**self._identity, "seconds": None if before else seconds}  # of an interrupted one they are not known
        self._record.write_text(json.dumps(record) + "\n")

    def curve(self, metric: str = "validation/loss") -> list[float]:
        """Return a metric after each epoch."""
        client = mlflow.MlflowClient(f"sqlite:///{(self.folder / 'runs' / 'mlflow.db').resolve()}")
        history = client.get_metric_history(self.checkpoint.parents[1].name, metric)
        return [round(point.value, 5) for point in sorted(history, key=lambda point: point.step)]

    def scored(self, file: str) -> ScoredEvents:
        """Return the events of a reference file, scored."""
        out = self.folder / "scored" / Path(file.partition(":")[2]).stem
        if not (out / "scored.npz").is_file():
            model = ["--model", str(self.checkpoint), "--layout", "na64e_reference"]
            where = ["--root", str(self.folder / "runs"), "--out", str(out)]
            command("evaluate", file, *model, "--events", "all", *where)
        return ScoredEvents.read(out / "scored.npz")

    def results(self, tested: Mapping[str, Sample]) -> dict[str, object]:
        """Return what the training cost, its learning curve and its rejection of the reference events."""
        return {
            "options": dict(self.options),
            "seconds": json.loads(self._record.read_text())["seconds"],
            "validation_loss": self.curve(),
            **{file: study(in_order(self.scored(file), sample), sample) for file, sample in tested.items()},
        }
