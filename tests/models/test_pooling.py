import pytest
import torch

from na64ml.models.pooling import group_max, group_mean, group_sum

VALUES = torch.tensor([[1.0, -5.0], [2.0, -7.0], [10.0, 0.0]])
GROUP = torch.tensor([0, 0, 2])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_groups_are_pooled_and_empty_groups_give_zero(dtype: torch.dtype) -> None:
    values = VALUES.to(dtype)
    assert group_sum(values, GROUP, 4).tolist() == [[3, -12], [0, 0], [10, 0], [0, 0]]
    assert group_mean(values, GROUP, 4).tolist() == [[1.5, -6], [0, 0], [10, 0], [0, 0]]
    assert group_max(values, GROUP, 4).tolist() == [[2, -5], [0, 0], [10, 0], [0, 0]]
    for pool in (group_sum, group_max):
        assert torch.equal(pool(values.T, GROUP, 4, dim=1), pool(values, GROUP, 4).T)


def test_no_rows_at_all() -> None:
    for pool in (group_sum, group_mean, group_max):
        assert pool(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64), 2).tolist() == [[0, 0, 0]] * 2
