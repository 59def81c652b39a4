"""What is delivered for each event: class probabilities, the score and the status."""

import torch
from torch import Tensor, nn

from na64ml.events.batch import HIT_FEATURES, TRACK_FEATURES
from na64ml.graphs.knn import hits_per_event
from na64ml.inference.status import BAD_INPUT, NO_CALORIMETER_HITS, SCORED, TRUNCATED
from na64ml.models.inputs import DetectorInput, NetworkInputs
from na64ml.models.pooling import group_max

_NOISE_SIGMAS = 5.0
_IMPACT_POINT = slice(TRACK_FEATURES.index("x"), TRACK_FEATURES.index("y") + 1)


class Discriminant(nn.Module):
    """Class probabilities and the score of logits.

    The score is the logarithm of p(signal) over the sum of the p(background), weighted with the background
    fractions. A temperature other than 1 calibrates the probabilities, see `na64ml.models.calibration`.
    """

    log_fractions: Tensor

    def __init__(self, inputs: NetworkInputs) -> None:
        super().__init__()
        fractions = [inputs.background_fractions[name] for name in inputs.classes[1:]]
        total = sum(fractions)
        self.register_buffer("log_fractions", torch.log(torch.tensor([f / total for f in fractions])))

    def forward(self, logits: Tensor, temperature: Tensor | float = 1.0) -> tuple[Tensor, Tensor]:
        """Return probabilities ``[n_events, n_classes]`` and the score ``[n_events]``."""
        log_p = torch.log_softmax(logits / temperature, dim=1)
        return torch.exp(log_p), log_p[:, 0] - torch.logsumexp(log_p[:, 1:] + self.log_fractions, dim=1)


class Status(nn.Module):
    """Whether an event can be scored, see `na64ml.inference.status`."""

    lowest: Tensor
    is_calorimeter: Tensor
    is_needed: Tensor

    def __init__(self, inputs: NetworkInputs) -> None:
        super().__init__()
        self.hit_cap = inputs.hit_cap
        lowest = torch.tensor([_lowest_energy(d) for d in inputs.detectors])
        is_calorimeter = torch.tensor([float(d.kind == "calorimeter") for d in inputs.detectors])
        # They follow from the inputs description, so checkpoints need not hold them.
        self.register_buffer("lowest", lowest, persistent=False)
        self.register_buffer("is_calorimeter", is_calorimeter, persistent=False)
        is_needed = torch.tensor([name != "time" for name in HIT_FEATURES])
        self.register_buffer("is_needed", is_needed, persistent=False)

    def forward(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> Tensor:
        """Return the status int64 ``[n_events]``; bad input outranks truncation, truncation an empty calorimeter.

        The track may lack momentum, angles and chi2, but not the impact point: all positions are relative to it.
        """
        n_events = track.shape[0]
        bad = (torch.isinf(hits) | (torch.isnan(hits) & self.is_needed)).any(dim=1)
        wrong = bad | (hits[:, 3] < self.lowest.index_select(0, detector))
        flags = torch.stack([wrong.to(hits.dtype), self.is_calorimeter.index_select(0, detector)])
        bad_hit, seen = group_max(flags, event, n_events, dim=1).unbind(0)
        no_impact_point = torch.isnan(track[:, _IMPACT_POINT]).any(dim=1)
        bad = (bad_hit > 0) | torch.isinf(track).any(dim=1) | no_impact_point
        status = torch.where(seen > 0, SCORED, NO_CALORIMETER_HITS)
        status = torch.where(hits_per_event(event, n_events) > self.hit_cap, TRUNCATED, status)
        return torch.where(bad, BAD_INPUT, status)


def only_scored(status: Tensor, *columns: Tensor) -> tuple[Tensor, ...]:
    """Return columns ``[n_events]`` or ``[n_events, n]`` with NaN where the ``status`` is not 0."""
    scored = status == SCORED
    return tuple(torch.where(scored.reshape(-1, *[1] * (values.dim() - 1)), values, torch.nan) for values in columns)


def _lowest_energy(detector: DetectorInput) -> float:
    return -torch.inf if detector.noise is None else -_NOISE_SIGMAS * detector.noise
