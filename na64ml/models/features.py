"""From raw physical quantities to the numbers a network computes with; all of it is part of the exported graph."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from na64ml.errors import ConfigError
from na64ml.graphs.batch import PackedBatch
from na64ml.models.inputs import NetworkInputs
from na64ml.models.pooling import group_sum
from na64ml.setups.channels import AXIS_X, AXIS_Y

N_HIT_FEATURES = 12
N_SUMMARY_FEATURES = 9
N_TRACK_FEATURES = 7

_MEV = 1e-3
_LARGE = 1e6
_KINK = 1.0
"""Size in mm above which residuals are compressed."""


class Normalisation(nn.Module):
    """Subtracts the mean and divides by the spread of each feature, one set of constants per group.

    The constants are buffers, so they travel with the weights.

    Parameters
    ----------
    n_groups, n_features
        Groups (detectors, or 1) and features.
    """

    mean: Tensor
    scale: Tensor
    fitted: Tensor

    def __init__(self, n_groups: int, n_features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_groups, n_features))
        self.register_buffer("scale", torch.ones(n_groups, n_features))
        self.register_buffer("fitted", torch.tensor(False))

    def forward(self, values: Tensor, group: Tensor) -> Tensor:
        """Normalise ``[n_rows, n_features]``, clipped to ten standard deviations."""
        return ((values - self.mean[group]) / self.scale[group]).clamp(-10, 10)

    def fit(self, samples: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Set the constants from ``(values, group)`` samples; a constant feature keeps the scale 1."""
        count = torch.zeros(len(self.mean), 1, dtype=torch.float64)
        total = torch.zeros(self.mean.shape, dtype=torch.float64)
        square = torch.zeros_like(total)
        for values, group in samples:
            wide = values.double()
            count += group_sum(torch.ones(len(wide), 1, dtype=torch.float64), group, len(count))
            total += group_sum(wide, group, len(count))
            square += group_sum(wide * wide, group, len(count))
        mean = total / count.clamp(min=1)
        spread = (square / count.clamp(min=1) - mean**2).clamp(min=0).sqrt()
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(spread > 1e-6 * (1 + mean.abs()), spread, 1.0))
        self.fitted.fill_(True)


class EventFeatures(nn.Module):
    """Features of hits and of whole events.

    Coordinates are relative to the impact point of the track, so that a network does not depend on which cell
    the beam hits. A coordinate that a tracker projection does not measure, and everything that is missing,
    becomes 0.

    Hit features: offsets from the impact point and from the track line in x and y (mm), radius, z, logarithm of
    the energy, energy, share of the detector's energy in the event, time, and whether x or y is measured.

    Event features, for each detector: number of hits, logarithm of the energy sum, energy sum, centroid and
    width in x and y, depth centroid, and whether there is a hit; of the track: momentum, angles, logarithm of
    chi2, distance of the impact point from a cell boundary in x and y is left to the cells, whether measured.
    """

    def __init__(self, inputs: NetworkInputs) -> None:
        super().__init__()
        self.n_detectors = len(inputs.detectors)
        self.hit_norm = Normalisation(self.n_detectors, N_HIT_FEATURES)
        self.summary_norm = Normalisation(self.n_detectors, N_SUMMARY_FEATURES)
        self.track_norm = Normalisation(1, N_TRACK_FEATURES)

    @property
    def n_event_features(self) -> int:
        """Number of features of a whole event."""
        return self.n_detectors * N_SUMMARY_FEATURES + N_TRACK_FEATURES

    def forward(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> tuple[Tensor, Tensor]:
        """Compute features.

        Parameters
        ----------
        hits, detector, event, track
            As in `na64ml.graphs.batch.PackedBatch`.

        Returns
        -------
        Hit features ``[n_hits, 12]`` and event features ``[n_events, n_event_features]``, normalised.
        """
        hit, summary, beam = self.raw(hits, detector, event, track)
        owner = torch.arange(self.n_detectors, device=hits.device).repeat(track.shape[0])
        whole = torch.zeros(track.shape[0], dtype=torch.int64, device=hits.device)
        flat = self.summary_norm(summary, owner).reshape(track.shape[0], self.n_detectors * N_SUMMARY_FEATURES)
        return self.hit_norm(hit, detector), torch.cat([flat, self.track_norm(beam, whole)], dim=1)

    def raw(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Compute features before normalisation: of hits, of (event, detector) pairs and of tracks."""
        n_events = track.shape[0]
        beam = finite(track)
        x, y, z, energy, time, axis = finite(hits).unbind(1)
        _, theta_x, theta_y, x0, y0, _ = beam[event].unbind(1)
        sees_x, sees_y = (axis != AXIS_Y).to(hits.dtype), (axis != AXIS_X).to(hits.dtype)
        dx, dy = (x - x0) * sees_x, (y - y0) * sees_y
        line_x = _compress((x - x0 - theta_x * z) * sees_x)
        line_y = _compress((y - y0 - theta_y * z) * sees_y)
        pair = event * self.n_detectors + detector
        n_pairs = n_events * self.n_detectors
        positive = energy.clamp(min=0)
        total = group_sum(positive[:, None], pair, n_pairs)
        share = positive / total[pair, 0].clamp(min=1e-6)
        has_time = torch.isfinite(hits[:, 4]).to(hits.dtype)
        radius = torch.sqrt(dx * dx + dy * dy)
        hit = torch.stack(
            [
                dx,
                dy,
                line_x,
                line_y,
                radius,
                z,
                torch.log(positive + _MEV),
                energy,
                share,
                time,
                sees_x,
                has_time * sees_y,
            ],
            dim=1,
        )
        summary = self._summary(dx, dy, line_x, line_y, z, share, pair, n_pairs, total)
        known = torch.isfinite(track).to(hits.dtype)
        momentum, angle_x, angle_y, _, _, chi2 = beam.unbind(1)
        tracks = torch.stack(
            [
                momentum,
                angle_x,
                angle_y,
                torch.log1p(chi2.clamp(min=0)),
                known[:, 0],
                known[:, 1],
                known[:, 5],
            ],
            dim=1,
        )
        return hit, summary, tracks

    @staticmethod
    def _summary(
        dx: Tensor,
        dy: Tensor,
        line_x: Tensor,
        line_y: Tensor,
        z: Tensor,
        share: Tensor,
        pair: Tensor,
        n_pairs: int,
        total: Tensor,
    ) -> Tensor:
        """Count hits, sum energies and take first and second moments for each (event, detector) pair."""
        ones = torch.ones_like(dx)
        count = group_sum(ones[:, None], pair, n_pairs)
        # Hits without energy (trackers) count equally, hits with energy by their share of it.
        weight = torch.where(total[pair, 0] > 0, share, ones / count[pair, 0].clamp(min=1))[:, None]
        moments = group_sum(
            weight * torch.stack([dx, dy, dx * dx, dy * dy, z, line_x.abs(), line_y.abs()], dim=1),
            pair,
            n_pairs,
        )
        mx, my, mxx, myy, mz, lx, ly = moments.unbind(1)
        width_x = torch.sqrt((mxx - mx * mx).clamp(min=0) + 1e-6)
        width_y = torch.sqrt((myy - my * my).clamp(min=0) + 1e-6)
        return torch.stack(
            [
                torch.log1p(count[:, 0]),
                torch.log(total[:, 0] + _MEV),
                total[:, 0],
                mx,
                my,
                width_x,
                width_y,
                mz,
                lx + ly,
            ],
            dim=1,
        )

    def fit(self, batches: Iterable[PackedBatch]) -> None:
        """Fit the normalisation on a training sample.

        Raises
        ------
        ConfigError
            If the sample is empty.
        """
        raws = [(batch, self.raw(batch.hits, batch.detector, batch.event, batch.track)) for batch in batches]
        if not raws:
            raise ConfigError(
                "the training split is empty; no normalisation can be fitted (check data.files and splits)"
            )
        owner = torch.arange(self.n_detectors)
        self.hit_norm.fit((raw[0], batch.detector) for batch, raw in raws)
        self.summary_norm.fit((raw[1], owner.repeat(batch.n_events)) for batch, raw in raws)
        self.track_norm.fit((raw[2], torch.zeros(batch.n_events, dtype=torch.int64)) for batch, raw in raws)


def _compress(residual: Tensor) -> Tensor:
    """Resolve residuals of a millimetre (the kink of a decay) beside those of a metre (a secondary)."""
    return torch.asinh(residual / _KINK)


def finite(values: Tensor) -> Tensor:
    """Replace NaN by 0 and limit infinities, so that one bad event cannot touch another."""
    return torch.nan_to_num(values, nan=0.0, posinf=_LARGE, neginf=-_LARGE).clamp(-_LARGE, _LARGE)
