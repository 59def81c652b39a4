"""The Lightning module that trains an event network."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from lightning import LightningModule
from lightning.pytorch.trainer.states import TrainerFn
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.classification import BinaryAUROC

from na64ml.errors import ConfigError
from na64ml.graphs.batch import PackedBatch
from na64ml.graphs.datamodule import EventDataModule
from na64ml.graphs.loader import batches
from na64ml.graphs.sample import Part, Split
from na64ml.models.checkpoint import network_record
from na64ml.models.inputs import NetworkInputs, network_inputs
from na64ml.models.network import EventNetwork
from na64ml.models.outputs import Discriminant, Status, only_scored
from na64ml.ranges import require
from na64ml.training.augmentation import Augmentation
from na64ml.training.decorrelation import Decorrelation
from na64ml.training.losses import event_losses
from na64ml.training.readout import readout_of
from na64ml.training.rejection_metric import RejectionMetric

_FIT_BATCH = 512
_WARM_UP = 0.3


def one_cycle(progress: float) -> float:
    """Return the share of the top learning rate after a share ``progress`` of the training (arXiv:1708.07120).

    It rises for the first 30 % and falls to 0 at the end, both along half a cosine. Computed from the progress,
    not from a fixed number of steps, so that a finished training can be resumed with more epochs.
    """
    rising = progress < _WARM_UP
    phase = progress / _WARM_UP if rising else (min(progress, 1) - _WARM_UP) / (1 - _WARM_UP)
    falling = (1 + math.cos(math.pi * phase)) / 2
    return 1 - falling if rising else falling


class Classifier(LightningModule):
    """Trains a network with class-balanced cross-entropy and a one-cycle learning rate.

    Parameters
    ----------
    network
        Network class; it receives the detectors and classes of the data.
    learning_rate, weight_decay
        Of AdamW (arXiv:1711.05101); the learning rate is the top of the cycle (arXiv:1708.07120).
    label_smoothing
        Of the cross-entropy.
    focal
        Exponent of the focal loss, see `na64ml.training.losses.event_losses`.
    augmentation
        Random changes of training events, none by default.
    decorrelation
        Penalty on a score that follows the energy, none by default.
    energy_blind
        Detectors whose energy sum is hidden from the network, see `na64ml.models.energy_scale`.
    signal_efficiency
        Of the working point of the metric ``rejection``.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    network: EventNetwork

    def __init__(
        self,
        network: Callable[[NetworkInputs], EventNetwork],
        learning_rate: float = 3e-3,
        weight_decay: float = 1.0,
        label_smoothing: float = 0.0,
        focal: float = 0.0,
        augmentation: Augmentation | None = None,
        decorrelation: Decorrelation | None = None,
        energy_blind: tuple[str, ...] = (),
        signal_efficiency: float = 0.9,
    ) -> None:
        super().__init__()
        require("model.label_smoothing", label_smoothing, high=1)
        require("model.focal", focal)
        require("model.weight_decay", weight_decay)
        require("model.signal_efficiency", signal_efficiency, high=1)
        self._make_network = network
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.focal = focal
        self.augmentation = augmentation
        self.decorrelation = decorrelation
        self.energy_blind = energy_blind
        parts = ("validation", "test")
        self.auc = torch.nn.ModuleDict({part: BinaryAUROC() for part in parts})
        self.rejection = torch.nn.ModuleDict({part: RejectionMetric(signal_efficiency) for part in parts})

    @property
    def data(self) -> EventDataModule:
        """The data module of the trainer.

        Raises
        ------
        ConfigError
            If it is of another kind.
        """
        data = getattr(self.trainer, "datamodule", None)
        if not isinstance(data, EventDataModule):
            raise ConfigError(f"data: {type(data).__name__} is not an EventDataModule; leave out 'data.class_path'")
        return data

    def configure_model(self) -> None:
        """Build the network for the detectors and classes of the data, and fit its input normalisation."""
        if hasattr(self, "network"):
            return
        inputs = network_inputs(self.data.reader, self.data.mode, energy_blind=self.energy_blind)
        self.network = self._make_network(inputs)
        self.discriminant = Discriminant(inputs)
        self.status = Status(inputs)
        self.readout = readout_of(self.data.reader)
        if self.trainer.state.fn == TrainerFn.FITTING:
            self.network.fit_normalisation(batches(self.data.sample.part("train"), _FIT_BATCH))

    def forward(self, batch: PackedBatch) -> Tensor:
        """Return logits ``[n_events, n_classes]``."""
        return cast(Tensor, self.network(batch.hits, batch.detector, batch.event, batch.track))

    def on_before_batch_transfer(self, batch: PackedBatch, dataloader_idx: int) -> PackedBatch:
        """Augment training batches while they are on the CPU, where the constants of the readout are."""
        if self.augmentation is None or not self.trainer.training:
            return batch
        augmented: PackedBatch = self.augmentation(batch, self.network.inputs, self.readout)
        return augmented

    def training_step(self, batch: PackedBatch, batch_idx: int) -> Tensor:
        """Return the weighted loss of a batch, with the penalty if there is one."""
        if batch.n_events == 0:  # of several processes, some have nothing left of a last batch
            return self._shared(torch.stack([0 * values.sum() for values in self.network.parameters()]).sum(), batch)
        logits = self(batch).float()
        loss = (event_losses(logits, batch.label, self.label_smoothing, self.focal) * batch.weight).mean()
        if self.decorrelation is not None:
            penalty = self.decorrelation(self.discriminant(logits)[1], batch, self.network.inputs)
            self._log({"train/penalty": penalty}, batch)
            loss = loss + penalty
        self._log({"train/loss": loss}, batch)
        return self._shared(loss, batch)

    def validation_step(self, batch: PackedBatch, batch_idx: int) -> None:
        """Measure loss, accuracy, AUC and rejection."""
        self._evaluate(batch, "validation")

    def test_step(self, batch: PackedBatch, batch_idx: int) -> None:
        """Measure loss, accuracy, AUC and rejection."""
        self._evaluate(batch, "test")

    def predict_step(self, batch: PackedBatch, batch_idx: int) -> tuple[Tensor, ...]:
        """Return dataset positions ``[n]``, class probabilities ``[n, n_classes]``, scores ``[n]`` and status ``[n]``.

        Probabilities and scores are NaN where the status is not 0.
        """
        status = self.status(batch.hits, batch.detector, batch.event, batch.track)
        probability, score = only_scored(status, *self.discriminant(self._delivered(batch), self.network.temperature))
        return batch.index, probability, score, status

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return AdamW with one learning-rate cycle over the whole training."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay)
        steps = int(self.trainer.estimated_stepping_batches)
        cycle = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: one_cycle(step / steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": cycle, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what is needed to rebuild the network without the training configuration."""
        data = self.data
        checkpoint["na64ml"] = network_record(
            self.network,
            contract=data.manifest.contract,
            conditions_hash=data.manifest.conditions_hash,
            data_hash=data.manifest.data_hash,
            layout=data.reader.layout.name,
            mode=data.mode.name,
            split=data.split,
            run_id=str(self.logger.version) if self.logger else None,
        ).model_dump(mode="json")

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse weights of a network that saw other detectors, classes or energies, or trained on the test events.

        Raises
        ------
        ConfigError
            If the checkpoint was not written by this package or does not fit the data.
        """
        record = checkpoint.get("na64ml")
        if record is None:
            raise ConfigError("ckpt_path: has no network description (key 'na64ml'); give a .ckpt file of 'na64ml fit'")
        trained, inputs = NetworkInputs.model_validate(record["inputs"]), self.network.inputs
        compared: list[tuple[str, str, Sequence[str], Sequence[str]]] = [
            ("detectors", "data.layout", trained.detector_names, inputs.detector_names),
            ("classes", "data.mode", trained.classes, inputs.classes),
            ("energy_blind", "model.energy_blind", trained.energy_blind, inputs.energy_blind),
        ]
        if record["data_hash"] == self.data.manifest.data_hash:
            split = _values(Split.model_validate(record["split"]))
            compared.append(("split", "data.dataset, n_folds, fold and validation", split, _values(self.data.split)))
        for name, keys, of_checkpoint, of_data in compared:
            if of_checkpoint != of_data:
                raise ConfigError(
                    f"ckpt_path: the network was trained with {name} {', '.join(of_checkpoint) or 'none'}, this is "
                    f"{', '.join(of_data) or 'none'}; give {keys} of the training"
                )

    def _delivered(self, batch: PackedBatch) -> Tensor:
        """Return logits as the exported network gives them: in 32 bits, also if the training is in mixed precision."""
        with torch.autocast(batch.hits.device.type, enabled=False):
            return cast(Tensor, self(batch).float())

    def _evaluate(self, batch: PackedBatch, part: Part) -> None:
        if batch.n_events == 0:
            return
        logits = self._delivered(batch) / self.network.temperature
        score, is_signal = self.discriminant(logits)[1], batch.label == 0
        auc, rejection = cast(BinaryAUROC, self.auc[part]), cast(RejectionMetric, self.rejection[part])
        auc.update(torch.sigmoid(score.double()), is_signal.long())  # torchmetrics would do so in 32 bits
        rejection.update(score, is_signal, batch.weight)
        values: dict[str, Tensor | Metric] = {
            "loss": (event_losses(logits, batch.label) * batch.weight).mean(),
            "accuracy": (logits.argmax(dim=1) == batch.label).float().mean(),
            "auc": auc,
            "rejection": rejection,
        }
        self._log({f"{part}/{name}": value for name, value in values.items()}, batch)

    def _log(self, values: Mapping[str, Tensor | Metric], batch: PackedBatch) -> None:
        """Log averages over the events of an epoch, of all processes."""
        # Lightning takes the integer mean of the batch sizes of the processes; in this unit it is exact.
        size = batch.n_events * self.trainer.world_size
        self.log_dict(values, prog_bar=True, on_step=False, on_epoch=True, sync_dist=True, batch_size=size)

    def _shared(self, loss: Tensor, batch: PackedBatch) -> Tensor:
        """Return the loss with the weight that makes the mean over processes the mean over their events."""
        n_events = torch.tensor(float(batch.n_events), device=loss.device)
        n_of_all = self.trainer.strategy.reduce(n_events.clone(), reduce_op="sum")
        return loss * (n_events * self.trainer.world_size / n_of_all)


def _values(split: Split) -> tuple[str, ...]:
    return tuple(f"{name} {value}" for name, value in split.model_dump().items())
