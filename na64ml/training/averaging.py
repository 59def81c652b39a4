"""Exponential average of the weights."""

import warnings

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks.weight_averaging import EMAWeightAveraging


class AverageWeights(EMAWeightAveraging):
    """Validates and keeps the exponential average of the weights of past steps.

    Lightning's callback, for a network whose buffers are constants (normalisation, geometry): they are copied, not
    averaged. Checkpoints hold the average; a resumed training goes on from the weights themselves.

    Parameters
    ----------
    decay
        Share of the old average that is kept in a step; 0.99 averages over about 100 steps.
    """

    def __init__(self, decay: float = 0.99) -> None:
        super().__init__(use_buffers=False, decay=decay)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Build the network and copy it."""
        with warnings.catch_warnings():  # it warns of sharded models, which these are not
            warnings.filterwarnings("ignore", message=".*overrides the configure_model.*")
            super().setup(trainer, pl_module, stage)
