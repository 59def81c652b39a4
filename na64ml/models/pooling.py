"""Sums, means and maxima over groups of rows, in forms that the ONNX exporter translates faithfully."""

import torch
from torch import Tensor

_LOWEST = -1e4


def group_sum(values: Tensor, group: Tensor, n_groups: int, dim: int = 0) -> Tensor:
    """Sum rows ``[n_rows, n_columns]`` by ``group`` ``[n_rows]`` to ``[n_groups, n_columns]``.

    With ``dim`` 1 columns are summed: ``[n_rows, n_columns]`` by ``[n_columns]`` to ``[n_rows, n_groups]``.
    """
    zeros = values.new_zeros(_shape(values, n_groups, dim))
    return zeros.scatter_add(dim, group.unsqueeze(1 - dim).expand_as(values), values)


def group_mean(values: Tensor, group: Tensor, n_groups: int) -> Tensor:
    """Average rows by group; an empty group gives 0."""
    count = group_sum(values.new_ones((values.shape[0], 1)), group, n_groups)
    return group_sum(values, group, n_groups) / count.clamp(min=1)


def group_max(values: Tensor, group: Tensor, n_groups: int, dim: int = 0) -> Tensor:
    """Take the largest of the rows of each group, or of the columns with ``dim`` 1; an empty group gives 0."""
    lowest = values.new_full(_shape(values, n_groups, dim), _LOWEST)
    index = group.unsqueeze(1 - dim).expand_as(values)
    largest = lowest.scatter_reduce(dim, index, values, reduce="amax", include_self=True)
    # Compared with the filled values: bfloat16 rounds the constant.
    return torch.where(largest > lowest, largest, 0)


def group_statistics(values: Tensor, group: Tensor, n_groups: int) -> Tensor:
    """Return mean, maximum and sum of the rows of each group, ``[n_groups, 3 * n_columns]``; 0 if it is empty."""
    count = values.new_ones((values.shape[0], 1))
    sums = group_sum(torch.cat([values, count], dim=1), group, n_groups)
    total, size = sums[:, :-1], sums[:, -1:]
    return torch.cat([total / size.clamp(min=1), group_max(values, group, n_groups), total], dim=1)


def _shape(values: Tensor, n_groups: int, dim: int) -> tuple[int, int]:
    return (n_groups, values.shape[1]) if dim == 0 else (values.shape[0], n_groups)
