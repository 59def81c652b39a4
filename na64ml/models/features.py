"""From raw physical quantities to the numbers a network computes with; all of it is part of the exported graph."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from na64ml.errors import ConfigError
from na64ml.graphs.batch import PackedBatch
from na64ml.graphs.rows import columns, take_rows
from na64ml.models.energy_scale import EnergyScale
from na64ml.models.inputs import NetworkInputs
from na64ml.models.layers import LayerFinder
from na64ml.models.normalisation import Normalisation
from na64ml.models.pooling import group_max, group_sum
from na64ml.models.shower_profile import ShowerProfile
from na64ml.setups.channels import AXIS_X, AXIS_Y

N_HIT_FEATURES = 12
N_TRACK_FEATURES = 7
_N_AMOUNTS = 3
_N_SHAPES = 8

_MEV = 1e-3
_MM = 1.0
_KINK = 2.0
"""Distance in mm from the track line that is rare for a beam particle: about three times the resolution of the
extrapolated track in the reference events."""
_LARGE = 1e6
_SMALL = 1e-3
"""Added in mm to distances under a square root, whose slope at 0 is infinite."""


class EventFeatures(nn.Module):
    """Features of hits, of detector layers and of the track.

    Positions are relative to the track line, so that a network does not depend on which cell the beam hits. A
    coordinate that a tracker projection does not measure, and everything that is missing, becomes 0. Distances are
    compressed to resolve a millimetre (the kink of a decay) beside a metre (a secondary).

    Of a hit: distances from the track line in x and y, the same compressed, whether it is off the line, logarithm of
    the energy, energy, share of the layer's energy in the event, time, whether there is a time; and of a cell of a
    calorimeter the share that a shower on the track line would have there, and by how much the energy differs from it
    (`na64ml.models.shower_profile.ShowerProfile`).

    Of a layer: the number of hits, the energy sum and its logarithm; and the shape of its hits: largest share of one
    hit, distance of the nearest hit from the track line and whether it is off the line, distance of the centroid,
    widths in x and y, average distance of the hits, and how much they differ together from a shower on the track line.
    A layer without hits has the average shape.

    Of the track: momentum, angles, logarithm of chi2, and whether momentum, angle and chi2 are known.
    """

    other_axis: Tensor
    """What a hit measures that has no x, and no y; every hit has z, ``[3, 1]``."""

    def __init__(self, inputs: NetworkInputs) -> None:
        super().__init__()
        self.layers = LayerFinder(inputs)
        self.energy = EnergyScale(inputs)
        self.profile = ShowerProfile(inputs, self.layers)
        self.hit_norm = Normalisation(len(self.layers), N_HIT_FEATURES)
        self.amount_norm = Normalisation(len(self.layers), _N_AMOUNTS)
        self.shape_norm = Normalisation(len(self.layers), _N_SHAPES)
        self.track_norm = Normalisation(1, N_TRACK_FEATURES)
        self.register_buffer("other_axis", torch.tensor([[AXIS_Y], [AXIS_X], [torch.nan]]), persistent=False)

    @property
    def n_event_features(self) -> int:
        """Number of features of a whole event."""
        return len(self.layers) * (_N_AMOUNTS + _N_SHAPES) + N_TRACK_FEATURES

    def forward(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Compute normalised features.

        Parameters
        ----------
        hits, detector, event, track
            As in `na64ml.graphs.batch.PackedBatch`.

        Returns
        -------
        Hit features ``[n_hits, 12]``, layer of each hit ``[n_hits]`` and event features
        ``[n_events, n_event_features]``.
        """
        raw = self.raw(hits, detector, event, track)
        by_layer = (track.shape[0], len(self.layers))
        amounts = self.amount_norm(raw.amounts.reshape(*by_layer, _N_AMOUNTS))
        shapes = self.shape_norm(raw.shapes.reshape(*by_layer, _N_SHAPES)) * raw.present.reshape(*by_layer, 1)
        per_layer = torch.cat([amounts, shapes], dim=2).flatten(1)
        return (
            self.hit_norm(raw.hits, raw.layer),
            raw.layer,
            torch.cat([per_layer, self.track_norm(raw.track)], dim=1),
        )

    def raw(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> "RawFeatures":
        """Compute features before normalisation.

        Quantities of hits are rows ``[n, n_hits]`` in here: the ONNX runtime splits and joins rows faster than columns,
        and one operator on several rows is faster than several operators.
        """
        beam, known = finite(track), (~torch.isnan(track)).to(hits.dtype)
        x, y, z, energy, time, axis = columns(finite(hits))
        layer = self.layers(z[0], axis[0], detector)
        pair, n_pairs = event * len(self.layers) + layer, track.shape[0] * len(self.layers)
        _, slope_x, slope_y, x0, y0, _ = columns(take_rows(beam, event))
        place = torch.cat([x - x0, y - y0]) - torch.cat([slope_x, slope_y]) * z
        place = place * (axis != self.other_axis[:2]).to(hits.dtype)
        radius = torch.sqrt((place * place).sum(dim=0, keepdim=True))
        has_time = (~torch.isnan(hits[:, 4:5])).to(hits.dtype).reshape(1, -1)
        energy = self.energy(energy, detector, event, track.shape[0]).clamp(min=0)
        sums = group_sum(torch.cat([energy, torch.ones_like(energy)]), pair, n_pairs, dim=1)
        total_of_hit, count_of_hit = torch.split(sums.index_select(1, pair), 1)
        share = energy / total_of_hit.clamp(min=1e-6)
        expected, pull = self.profile(place, layer, energy, total_of_hit)
        small_place, small_radius, small_pull = torch.split(compress(torch.cat([place, radius, pull])), [2, 1, 1])
        hit = [place, small_place, kink(radius), *_energies(energy), share, time, has_time, expected, small_pull]
        # Hits with energy count by their share of it, hits without (trackers) equally.
        weight = torch.where(total_of_hit > 0, share, 1 / count_of_hit)
        weighted = torch.cat([weight * torch.cat([place, radius]), pull * pull])
        centroid, distance, chi2_of_profile = torch.split(group_sum(weighted, pair, n_pairs, dim=1), [2, 1, 1])
        from_mean = place - centroid.index_select(1, pair)
        widths = torch.sqrt(group_sum(weight * from_mean * from_mean, pair, n_pairs, dim=1) + _SMALL**2)
        largest, closest = torch.split(group_max(torch.cat([share, -small_radius]), pair, n_pairs, dim=1), 1)
        off_centre = torch.sqrt((centroid * centroid).sum(dim=0, keepdim=True) + _SMALL**2)
        nearest = kink(torch.sinh(-closest) * _MM)
        distances = compress(torch.cat([off_centre, widths, distance]))
        total, count = torch.split(sums, 1)
        quality = torch.log1p(beam[:, 5:].clamp(min=0))
        return RawFeatures(
            hits=torch.cat(hit).t(),
            layer=layer,
            amounts=torch.cat([torch.log1p(count), *_energies(total)]).t(),
            shapes=torch.cat([largest, closest, nearest, distances, torch.log1p(chi2_of_profile)]).t(),
            present=(count > 0).to(hits.dtype).t(),
            track=torch.cat([beam[:, :3], quality, known[:, :2], known[:, 5:]], dim=1),
        )

    @torch.no_grad()
    def fit(self, batches: Iterable[PackedBatch]) -> None:
        """Fit the normalisation on a training sample.

        Raises
        ------
        ConfigError
            If the sample is empty.
        """
        norms = (self.hit_norm, self.amount_norm, self.shape_norm, self.track_norm)
        hits, amounts, shapes, track = sums = [norm.moments() for norm in norms]
        layers = torch.arange(len(self.layers))
        for batch in batches:
            raw = self.raw(batch.hits, batch.detector, batch.event, batch.track)
            owner, seen = layers.repeat(len(raw.track)), raw.present[:, 0] > 0
            hits.add(raw.hits, raw.layer)
            amounts.add(raw.amounts, owner)
            shapes.add(raw.shapes[seen], owner[seen])
            track.add(raw.track, torch.zeros(len(raw.track), dtype=torch.int64))
        if not track.count.any():
            raise ConfigError(
                "the training split is empty; no normalisation can be fitted (check data.files and split)"
            )
        for norm, moments in zip(norms, sums, strict=True):
            norm.set_from(moments)


@dataclass(frozen=True)
class RawFeatures:
    """Features before normalisation.

    Parameters
    ----------
    hits, layer
        ``[n_hits, 12]`` and the layer of each hit ``[n_hits]``.
    amounts, shapes, present
        Of (event, layer) pairs, event by event: ``[n_events * n_layers, n]``; whether the layer has hits.
    track
        ``[n_events, 7]``.
    """

    hits: Tensor
    layer: Tensor
    amounts: Tensor
    shapes: Tensor
    present: Tensor
    track: Tensor


def finite(values: Tensor) -> Tensor:
    """Replace NaN by 0 and limit infinities, so that one bad event cannot touch another."""
    return torch.where(torch.isnan(values), 0.0, values).clamp(-_LARGE, _LARGE)


def compress(length: Tensor) -> Tensor:
    """Return a length in mm on a scale that is linear below a millimetre and logarithmic above.

    This is asinh, written for the absolute value: the operator of the ONNX runtime loses precision below 0.
    """
    size = (length / _MM).abs()
    return torch.sign(length) * torch.log(size + torch.sqrt(size * size + 1))


def kink(distance: Tensor) -> Tensor:
    """Return 0 for a distance in mm that the track resolution explains, 1 for one that it does not."""
    return torch.tanh(distance / _KINK)


def _energies(energy: Tensor) -> tuple[Tensor, Tensor]:
    """Return the logarithm of an energy, flat below 1 MeV, and the energy itself."""
    return torch.log(energy + _MEV), energy
