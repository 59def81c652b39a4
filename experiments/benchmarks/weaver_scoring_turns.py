"""Passes of ParticleNet over prepared events, for weaver_scoring.py; runs in the environment of weaver-core.

Weights are random: the speed does not depend on them.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from weaver.utils.data.config import DataConfig
from weaver.utils.dataset import SimpleIterDataset
from weaver.utils.import_tools import import_module

TORCH_BATCHES = (16, 64)
ONNX_BATCH = 16
ONNX_OPSET = 15
"""Weaver's own choice, as is the exporter."""

Inputs = list[Tensor]
Forward = Callable[[Inputs], object]


def main() -> None:
    settings = json.loads(sys.argv[1])
    study = Path(settings["study"])
    inputs = prepared(settings["tree"], study / "data.yaml", settings["step"])
    ways = forwards(study, inputs)
    n_events = len(inputs[0])
    for line in sys.stdin:
        name = line.strip()
        if name == "versions":
            versions = {key: version(key) for key in ("weaver-core", "torch", "onnx", "onnxruntime")}
            answer = {"ways": list(ways), "n_events": n_events, **versions}
        else:
            forward, batch_size = ways[name]
            start = time.process_time()
            for first in range(0, n_events, batch_size):
                forward([values[first : first + batch_size] for values in inputs])
            answer = {"cpu": time.process_time() - start, "n_events": n_events}
        print(json.dumps(answer), flush=True)


def prepared(tree: str, config: Path, step: int) -> Inputs:
    """Return points, features and mask of every so many events, padded as in training."""
    events = SimpleIterDataset(
        {"events": [tree]}, str(config), for_training=False, fetch_by_files=True, fetch_step=1, name="test"
    )
    inputs, _, _ = next(iter(DataLoader(events, batch_size=1_000_000)))
    return [inputs[name][::step].contiguous() for name in events.config.input_names]


def forwards(study: Path, inputs: Inputs) -> dict[str, tuple[Forward, int]]:
    """Return the ways to run both sizes, with their batch sizes."""
    config = DataConfig.load(str(study / "data.yaml"), load_observers=False)
    module = import_module(str(study / "network.py"), name="network")
    ways: dict[str, tuple[Forward, int]] = {}
    for size, (blocks, _) in module.SIZES.items():
        onnx, info = module.get_model(config, size=size, for_inference=True)
        single, _ = module.get_model(config, size=size)
        single.load_state_dict(onnx.state_dict())
        run = exported(onnx.eval(), info, [values[:2] for values in inputs], 1 + max(k for k, _ in blocks))
        check(run, single.eval(), inputs)
        ways[f"{size}, ONNX, batch {ONNX_BATCH}"] = (run, ONNX_BATCH)
        ways |= {f"{size}, torch, batch {n}": (eager(single), n) for n in TORCH_BATCHES}
    half, _ = module.get_model(config, size="full", bfloat16=True)
    ways |= {f"full, torch bfloat16, batch {n}": (eager(half.eval()), n) for n in TORCH_BATCHES}
    return ways


def eager(network: nn.Module) -> Forward:
    """Return the network as it is; it trims the padding of each batch itself, but not that of its first five."""
    network.get_submodule("mod.trimmer" if hasattr(network, "mod") else "trimmer").warmup_steps = 0

    def run(inputs: Inputs) -> Tensor:
        with torch.inference_mode():
            return network(*inputs)

    return run


def exported(network: nn.Module, info: dict, example: Inputs, fewest: int) -> Forward:
    """Return the exported network, given batches without padding but with no fewer hits than it needs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        names = {key: info[key] for key in ("input_names", "output_names", "dynamic_axes")}
        torch.onnx.export(network, tuple(example), str(path), opset_version=ONNX_OPSET, dynamo=False, **names)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(inputs: Inputs) -> np.ndarray:
        longest = max(int(inputs[-1].sum(dim=-1).max()), fewest)
        arrays = [np.ascontiguousarray(values[:, :, :longest].numpy()) for values in inputs]
        return session.run(None, dict(zip(info["input_names"], arrays, strict=True)))[0]

    return run


def check(run: Forward, network: nn.Module, inputs: Inputs) -> None:
    """Raise an error if the exported network gives other probabilities."""
    with torch.inference_mode():
        expected = torch.softmax(network(*inputs), dim=1).numpy()
    np.testing.assert_allclose(run(inputs), expected, atol=1e-4)


if __name__ == "__main__":
    main()
