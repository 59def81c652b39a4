"""Picking rows and columns of a table, in the forms that the ONNX exporter translates to fast operators."""

import torch
from torch import Tensor
from torch.nn.functional import embedding


def take_rows(table: Tensor, index: Tensor) -> Tensor:
    """Return ``table[index]`` for a table ``[n_rows, n_columns]`` and any shape of index.

    Indexing with a tensor is exported as ``GatherND``, which is several times slower than the ``Gather`` of this.
    """
    return embedding(index, table)


def columns(table: Tensor) -> tuple[Tensor, ...]:
    """Return the columns of a table ``[n_rows, n_columns]``, each as ``[1, n_rows]``.

    The ONNX runtime moves a transposition through all that follows, so that it computes on narrow columns, which is
    slower than on rows.
    """
    return tuple(column.reshape(1, -1) for column in torch.split(table, 1, dim=1))
