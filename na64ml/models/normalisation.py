"""Input normalisation whose constants travel with the weights."""

import torch
from torch import Tensor, nn

from na64ml.graphs.rows import take_rows
from na64ml.models.pooling import group_sum

_LARGEST = 10.0
_CONSTANT = 1e-2
_ZERO = 1e-6


class Moments:
    """Sums over a sample that is given in parts, by group.

    Parameters
    ----------
    n_groups, n_features
        As of the normalisation that is set from them.
    """

    def __init__(self, n_groups: int, n_features: int) -> None:
        self.count = torch.zeros(n_groups, 1, dtype=torch.float64)
        self.total = torch.zeros(n_groups, n_features, dtype=torch.float64)
        self.square = torch.zeros_like(self.total)

    def add(self, values: Tensor, group: Tensor) -> None:
        """Add rows ``[n_rows, n_features]`` and their groups ``[n_rows]``."""
        wide, n_groups = values.double(), len(self.count)
        self.count += group_sum(torch.ones(len(wide), 1, dtype=torch.float64), group, n_groups)
        self.total += group_sum(wide, group, n_groups)
        self.square += group_sum(wide * wide, group, n_groups)


class Normalisation(nn.Module):
    """Subtracts the mean and divides by the spread of each feature, one set of constants per group.

    Parameters
    ----------
    n_groups, n_features
        Groups (detector layers, or 1) and features.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, n_groups: int, n_features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_groups, n_features))
        self.register_buffer("scale", torch.ones(n_groups, n_features))

    def forward(self, values: Tensor, group: Tensor | None = None) -> Tensor:
        """Normalise ``[n_rows, n_features]``, clipped to ten standard deviations.

        Without ``group`` ``[n_rows]`` the values are of all groups in order, ``[..., n_groups, n_features]``.
        """
        mean, scale = self.mean, self.scale
        if group is not None:
            mean, scale = take_rows(mean, group), take_rows(scale, group)
        return ((values - mean) / scale).clamp(-_LARGEST, _LARGEST)

    def moments(self) -> Moments:
        """Return empty sums of the right size."""
        return Moments(*self.mean.shape)

    def set_from(self, moments: Moments) -> None:
        """Set the constants from the sums over a sample; a constant feature keeps the scale 1.

        Constant is what varies by less than a hundredth of its mean, such as a saturated hyperbolic tangent: divided
        by this spread, the rounding errors in which two runtimes differ would become visible.
        """
        count = moments.count.clamp(min=1)
        mean = moments.total / count
        spread = (moments.square / count - mean**2).clamp(min=0).sqrt()
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(spread > _CONSTANT * mean.abs() + _ZERO, spread, 1.0))
