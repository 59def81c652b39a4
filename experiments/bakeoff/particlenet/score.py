"""Score the reference files with a trained ParticleNet and weaver-core's own command; same environment as train.py.

    python score.py lite --data runs/particlenet --work runs/particlenet/lite

Writes the class probabilities and identifiers of all events, in order, to WORK/scored_FILE.root; study.py reads them.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from train import BATCH, HERE, finished_epochs

TESTED = ("na64e_reference", "na64e_reference_b")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", choices=["lite", "full"])
    parser.add_argument("--data", type=Path, required=True, help="folder that convert.py wrote")
    parser.add_argument("--work", type=Path, required=True, help="folder of the networks")
    parser.add_argument("--epochs", type=int, help="score with the network after so many epochs (default: all)")
    parser.add_argument("--bfloat16", action="store_true", help="multiply matrices in bfloat16, as in training")
    arguments = parser.parse_args()
    epochs = arguments.epochs or finished_epochs(arguments.work)
    if epochs == 0:
        parser.error(f"{arguments.work} has no network: train one with train.py")
    state = arguments.work / f"network_epoch-{epochs - 1}_state.pt"
    if not state.is_file():
        parser.error(f"{state} is missing: choose --epochs from 1 to {finished_epochs(arguments.work)}")
    subprocess.run(command(arguments, state), check=True)
    (arguments.work / "scored_epochs").write_text(f"{epochs}\n")


def command(arguments: argparse.Namespace, state: Path) -> list[str]:
    """Return weaver's command line."""
    line = [str(Path(sys.executable).with_name("weaver")), "--predict", "--gpus", "", "--num-workers", "0"]
    line += ["--data-config", str(HERE / "data.yaml"), "--network-config", str(HERE / "network.py")]
    line += ["--network-option", "size", repr(arguments.size)]
    line += ["--network-option", "bfloat16", str(arguments.bfloat16)]
    line += ["--model-prefix", str(state), "--batch-size", str(BATCH)]
    line += ["--predict-output", str((arguments.work / "scored.root").absolute())]
    return [*line, "--data-test", *(f"{name}:{(arguments.data / name).with_suffix('.root')}" for name in TESTED)]


if __name__ == "__main__":
    main()
