"""Train ParticleNet with weaver-core's own command; run in the environment of environment.sh.

    python train.py lite --data runs/particlenet --work runs/particlenet/lite --rate 0.005 --epochs 10

A training that was interrupted goes on after its last epoch.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BATCH = 128
"""Events of a step: weaver's default."""
KEEP_MEMORY = "glibc.malloc.mmap_threshold=8000000000:glibc.malloc.trim_threshold=16000000000:glibc.malloc.hugetlb=1"
"""Tunables of the C library that keep the memory of large tensors from step to step, in large pages.

Without them every tensor of more than 32 MB is given back and cleared anew, which takes longer than the computation.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", choices=["lite", "full"])
    parser.add_argument("--data", type=Path, required=True, help="folder that convert.py wrote")
    parser.add_argument("--work", type=Path, required=True, help="folder for the networks")
    parser.add_argument("--rate", type=float, required=True, help="learning rate")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--constant", action="store_true", help="keep the learning rate as it is, for a search")
    parser.add_argument("--bfloat16", action="store_true", help="multiply matrices in bfloat16")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    subprocess.run(command(arguments), check=True, env={"GLIBC_TUNABLES": KEEP_MEMORY, **os.environ})


def command(arguments: argparse.Namespace) -> list[str]:
    """Return weaver's command line."""
    weights = json.loads((arguments.data / "classes.json").read_text())["weights"]
    options = {"size": repr(arguments.size), "bfloat16": arguments.bfloat16, "class_weights": weights}
    given = {
        "--data-config": HERE / "data.yaml",
        "--network-config": HERE / "network.py",
        "--data-train": arguments.data / "train.root",
        "--data-val": arguments.data / "validation.root",
        "--model-prefix": arguments.work / "network",
        "--log-file": arguments.work / "weaver.log",
        "--num-epochs": arguments.epochs,
        "--start-lr": arguments.rate,
        "--lr-scheduler": "none" if arguments.constant else "flat+decay",
        "--batch-size": BATCH,
        "--num-workers": 0,
        "--fetch-step": 1,
        "--gpus": "",
    }
    done = finished_epochs(arguments.work)
    if done:
        given["--load-epoch"] = done - 1
    line = [str(Path(sys.executable).with_name("weaver")), "--run-mode", "train,val"]
    line += [str(text) for item in given.items() for text in item]
    return line + [text for name, value in options.items() for text in ("--network-option", name, str(value))]


def finished_epochs(work: Path) -> int:
    """Return how many epochs are done."""
    found = [re.fullmatch(r"network_epoch-(\d+)_optimizer", path.stem) for path in work.glob("*.pt")]
    return max((int(match[1]) + 1 for match in found if match), default=0)


if __name__ == "__main__":
    main()
