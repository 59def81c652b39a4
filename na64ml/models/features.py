"""From raw physical quantities to the numbers a network computes with; all of it is part of the exported graph."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from na64ml.errors import ConfigError
from na64ml.graphs.batch import PackedBatch
from na64ml.graphs.rows import take_rows
from na64ml.models.inputs import NetworkInputs
from na64ml.models.layers import LayerFinder
from na64ml.models.normalisation import Normalisation
from na64ml.models.pooling import group_max, group_sum
from na64ml.setups.channels import AXIS_X, AXIS_Y

N_HIT_FEATURES = 10
N_LAYER_FEATURES = 10
N_TRACK_FEATURES = 7

_MEV = 1e-3
_MM = 1.0
_LARGE = 1e6


class EventFeatures(nn.Module):
    """Features of hits, of detector layers and of the track.

    Coordinates are relative to the impact point of the track, so that a network does not depend on which cell
    the beam hits. A coordinate that a tracker projection does not measure, and everything that is missing,
    becomes 0. Residuals and widths are compressed to resolve a millimetre (the kink of a decay) beside a metre (a
    secondary).

    Of a hit: offsets from the impact point in x and y, residuals to the track line in x and y, radius, logarithm of
    the energy, energy, share of the layer's energy in the event, time, and whether there is a time.

    Of a layer: number of hits, logarithm of the energy sum, energy sum, largest share of one hit, centroid and width
    in x and y, smallest and mean residual to the track line.

    Of the track: momentum, angles, logarithm of chi2, and whether momentum, angle and chi2 are known.
    """

    def __init__(self, inputs: NetworkInputs) -> None:
        super().__init__()
        self.layers = LayerFinder(inputs)
        self.hit_norm = Normalisation(len(self.layers), N_HIT_FEATURES)
        self.layer_norm = Normalisation(len(self.layers), N_LAYER_FEATURES)
        self.track_norm = Normalisation(1, N_TRACK_FEATURES)

    @property
    def n_event_features(self) -> int:
        """Number of features of a whole event."""
        return len(self.layers) * N_LAYER_FEATURES + N_TRACK_FEATURES

    def forward(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Compute normalised features.

        Parameters
        ----------
        hits, detector, event, track
            As in `na64ml.graphs.batch.PackedBatch`.

        Returns
        -------
        Hit features ``[n_hits, 10]``, layer of each hit ``[n_hits]`` and event features
        ``[n_events, n_event_features]``.
        """
        hit, layer, summary, beam = self.raw(hits, detector, event, track)
        n_events = track.shape[0]
        owner = torch.arange(len(self.layers), device=hits.device).repeat(n_events)
        flat = self.layer_norm(summary, owner).reshape(n_events, len(self.layers) * N_LAYER_FEATURES)
        whole = torch.zeros(n_events, dtype=torch.int64, device=hits.device)
        return self.hit_norm(hit, layer), layer, torch.cat([flat, self.track_norm(beam, whole)], dim=1)

    def raw(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> tuple[Tensor, ...]:
        """Compute features before normalisation: of hits, their layers, of (event, layer) pairs and of tracks."""
        beam = finite(track)
        x, y, z, energy, time, axis = finite(hits).unbind(1)
        layer = self.layers(z, axis, detector)
        _, theta_x, theta_y, x0, y0, _ = take_rows(beam, event).unbind(1)
        sees_x, sees_y = (axis != AXIS_Y).to(hits.dtype), (axis != AXIS_X).to(hits.dtype)
        dx, dy = (x - x0) * sees_x, (y - y0) * sees_y
        line_x, line_y = (x - x0 - theta_x * z) * sees_x, (y - y0 - theta_y * z) * sees_y
        pair, n_pairs = event * len(self.layers) + layer, track.shape[0] * len(self.layers)
        positive = energy.clamp(min=0)
        total = group_sum(positive[:, None], pair, n_pairs)
        total_of_hit = take_rows(total, pair)
        share = positive / total_of_hit[:, 0].clamp(min=1e-6)
        radius = torch.sqrt(dx * dx + dy * dy)
        has_time = torch.isfinite(hits[:, 4]).to(hits.dtype)
        hit = torch.stack(
            [dx, dy, compress(line_x), compress(line_y), radius, *_energies(positive), share, time, has_time], dim=1
        )
        count = group_sum(torch.ones_like(total_of_hit), pair, n_pairs)
        # Hits with energy count by their share of it, hits without (trackers) equally.
        weight = torch.where(total_of_hit > 0, share[:, None], 1 / take_rows(count, pair))
        off_line = torch.sqrt(line_x * line_x + line_y * line_y)
        moments = group_sum(weight * torch.stack([dx, dy, off_line], dim=1), pair, n_pairs)
        extremes = group_max(torch.stack([share, -compress(off_line)], dim=1), pair, n_pairs)
        mean_x, mean_y, mean_off = moments.unbind(1)
        from_mean = torch.stack([dx, dy], dim=1) - take_rows(moments[:, :2], pair)
        variance = group_sum(weight * from_mean * from_mean, pair, n_pairs)
        largest, nearest = extremes.unbind(1)
        summary = torch.stack(
            [
                torch.log1p(count[:, 0]),
                *_energies(total[:, 0]),
                largest,
                compress(mean_x),
                compress(mean_y),
                compress(torch.sqrt(variance[:, 0] + 1e-6)),
                compress(torch.sqrt(variance[:, 1] + 1e-6)),
                nearest,
                compress(mean_off),
            ],
            dim=1,
        )
        known = torch.isfinite(track).to(hits.dtype)
        momentum, angle_x, angle_y, _, _, chi2 = beam.unbind(1)
        tracks = torch.stack(
            [momentum, angle_x, angle_y, torch.log1p(chi2.clamp(min=0)), known[:, 0], known[:, 1], known[:, 5]], dim=1
        )
        return hit, layer, summary, tracks

    def fit(self, batches: Iterable[PackedBatch]) -> None:
        """Fit the normalisation on a training sample.

        Raises
        ------
        ConfigError
            If the sample is empty.
        """
        raws = [self.raw(batch.hits, batch.detector, batch.event, batch.track) for batch in batches]
        if not raws:
            raise ConfigError(
                "the training split is empty; no normalisation can be fitted (check data.files and split)"
            )
        owner = torch.arange(len(self.layers))
        self.hit_norm.fit((hit, layer) for hit, layer, _, _ in raws)
        self.layer_norm.fit((summary, owner.repeat(len(tracks))) for _, _, summary, tracks in raws)
        self.track_norm.fit((tracks, torch.zeros(len(tracks), dtype=torch.int64)) for _, _, _, tracks in raws)


def finite(values: Tensor) -> Tensor:
    """Replace NaN by 0 and limit infinities, so that one bad event cannot touch another."""
    return torch.nan_to_num(values, nan=0.0, posinf=_LARGE, neginf=-_LARGE).clamp(-_LARGE, _LARGE)


def compress(length: Tensor) -> Tensor:
    """Return a length in mm on a scale that is linear below a millimetre and logarithmic above."""
    return torch.asinh(length / _MM)


def _energies(energy: Tensor) -> tuple[Tensor, Tensor]:
    """Return the logarithm of an energy, flat below 1 MeV, and the energy itself."""
    return torch.log(energy + _MEV), energy
