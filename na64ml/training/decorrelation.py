"""Penalty on a score that follows the energy, so that the signal efficiency is flat in the missing energy."""

import torch
from torch import Tensor, nn

from na64ml.errors import ConfigError
from na64ml.events.batch import HIT_FEATURES
from na64ml.graphs.batch import PackedBatch
from na64ml.models.inputs import NetworkInputs
from na64ml.models.pooling import group_sum
from na64ml.ranges import require

_ENERGY = HIT_FEATURES.index("energy")
_SMALL = 1e-9


def distance_correlation(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    """Return the squared distance correlation of two variables, 0 if they are independent, 1 if linearly related.

    The weighted sample form (Szekely, Rizzo and Bakirov, Ann. Stat. 35 (2007) 2769; as a penalty in training: Kasieczka
    and Shih, arXiv:2001.05310). Time and memory grow with the square of the number of events.

    Parameters
    ----------
    x, y
        ``[n]``.
    weight
        ``[n]``, not negative, with a positive sum.
    """
    share = weight / weight.sum()
    a, b = (_centred_distances(values, share) for values in (x, y))
    pairs = share[:, None] * share
    covariance, of_x, of_y = ((pairs * product).sum() for product in (a * b, a * a, b * b))
    return covariance / torch.sqrt(of_x * of_y + _SMALL)


def _centred_distances(values: Tensor, share: Tensor) -> Tensor:
    distance = (values[:, None] - values).abs()
    mean = distance @ share
    return distance - mean[:, None] - mean + mean @ share


class Decorrelation(nn.Module):
    """Adds the squared distance correlation of score and energy to the loss.

    Taken over events of one class, by default the signal: its efficiency at a threshold then depends less on the
    energy that is left in the detector, so on the mass and spectrum of the model that made it.

    Parameters
    ----------
    strength
        Factor of the penalty.
    detector
        Detector whose energy sum is meant.
    of_class
        Class of the events; the signal if not given.
    """

    def __init__(self, strength: float = 1.0, detector: str = "ECAL", of_class: str | None = None) -> None:
        super().__init__()
        require("model.decorrelation.strength", strength)
        self.strength = strength
        self.detector = detector
        self.of_class = of_class

    def forward(self, score: Tensor, batch: PackedBatch, inputs: NetworkInputs) -> Tensor:
        """Return the penalty of a batch; 0 with fewer than two events of the class.

        Raises
        ------
        ConfigError
            If there is no such detector or class.
        """
        number = _position(self.detector, inputs.detector_names, "detector")
        label = 0 if self.of_class is None else _position(self.of_class, inputs.classes, "of_class")
        chosen = batch.label == label
        if int(chosen.sum()) < 2:
            return score.new_zeros(())
        inside = batch.hits[:, _ENERGY : _ENERGY + 1] * (batch.detector == number)[:, None]
        energy = group_sum(inside, batch.event, batch.n_events)[:, 0]
        found = distance_correlation(score[chosen], energy[chosen], batch.weight[chosen] + _SMALL)
        return self.strength * found


def _position(name: str, names: tuple[str, ...], key: str) -> int:
    if name not in names:
        raise ConfigError(f"model.decorrelation.{key}: there is no {name}; give one of {', '.join(names)}")
    return names.index(name)
