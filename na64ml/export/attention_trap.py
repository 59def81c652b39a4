"""What becomes of PyTorch's attention with a mask, opset by opset; why the networks here write attention out.

From opset 23 on, the exporter translates ``scaled_dot_product_attention`` to the operator Attention instead of products
and a softmax. The ONNX runtime must then accept a mask with one row for all queries of an event, ``[n, 1, 1, m]``.
"""

import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from na64ml.export.parity import ABSOLUTE
from na64ml.inference.scorer import PROVIDER

_EVENTS, _SLOTS, _WIDTH = 3, 5, 8


class MaskedAttention(nn.Module):
    """Attention between the hits of padded events."""

    def forward(self, hits: Tensor, present: Tensor) -> Tensor:
        """Return ``[n_events, n_slots, width]`` for such hits; ``present [n_events, n_slots]`` are those that exist."""
        one_head = hits.unsqueeze(1)
        mask = present[:, None, None, :]
        return nn.functional.scaled_dot_product_attention(one_head, one_head, one_head, attn_mask=mask).squeeze(1)


def attention_outcomes(opsets: Iterable[int]) -> dict[int, str]:
    """Return for each opset the largest difference of the runtime from PyTorch, or why there is none."""
    random = torch.Generator().manual_seed(3)
    hits = torch.randn(_EVENTS, _SLOTS, _WIDTH, generator=random)
    present = torch.arange(_SLOTS).expand(_EVENTS, _SLOTS) <= torch.arange(2, 2 + _EVENTS)[:, None]
    block = MaskedAttention().eval()
    expected = block(hits, present).numpy()
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 4
    outcomes = {}
    with tempfile.TemporaryDirectory() as folder:
        for opset in opsets:
            path = Path(folder) / f"{opset}.onnx"
            try:
                _export(block, hits, present, opset, path)
                session = onnxruntime.InferenceSession(str(path), quiet, providers=[PROVIDER])
                (found,) = session.run(None, {"hits": hits.numpy(), "present": present.numpy()})
            except Exception as error:  # exporter and runtime raise many kinds; the message is the result
                outcomes[opset] = "fails: " + str(error).strip().splitlines()[0].rpartition("was false. ")[2][:120]
            else:
                difference = np.abs(found - expected).max()
                outcomes[opset] = f"{difference:.0e}" if difference <= ABSOLUTE else f"**{difference:.0e}**"
    return outcomes


def _export(block: nn.Module, hits: Tensor, present: Tensor, opset: int, path: Path) -> None:
    sizes = {0: torch.export.Dim("n_events"), 1: torch.export.Dim("n_slots")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            block,
            (hits, present),
            dynamo=True,
            opset_version=opset,
            input_names=["hits", "present"],
            dynamic_shapes=(sizes, sizes),
            verbose=False,
        )
    assert program is not None
    program.save(path)
