"""What a trained ParticleNet rejects: the study that all networks of the bake-off get, on the same events.

    python experiments/bakeoff/particlenet/study.py lite=runs/particlenet/lite full=runs/particlenet/full

Run in the environment of na64ml, after score.py. A network already in results.json stays there unless it is given.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np
import torch
import uproot
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[2] / "chain"))
from chain.run import OTHER, TESTED, Sample, study

from na64ml.events.reader import EventReader
from na64ml.models.inputs import network_inputs
from na64ml.models.outputs import Discriminant

RESULTS = Path(__file__).parent / "results.json"
LOSS = re.compile(r"Eval AvgLoss: ([\d.]+)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="+", help="NAME=FOLDER, the folder of score.py")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    tested = {file: Sample.read(file) for file in (TESTED, OTHER)}
    results = json.loads(arguments.out.read_text()) if arguments.out.is_file() else {}
    for network in arguments.networks:
        name, _, folder = network.partition("=")
        results[name] = result(Path(folder), tested)
    arguments.out.write_text(json.dumps(results, indent=1) + "\n")


def result(work: Path, tested: dict[str, Sample]) -> dict[str, object]:
    """Return the learning curve and the rejection of the reference events."""
    epochs = int((work / "scored_epochs").read_text())
    return {
        "epochs": epochs,
        "validation_loss": losses(work)[:epochs],
        **{file: study(scores(work, file, sample), sample) for file, sample in tested.items()},
    }


def losses(work: Path) -> list[float]:
    """Return the loss of the validation events after each epoch."""
    return [float(value) for value in LOSS.findall((work / "weaver.log").read_text())]


def scores(work: Path, file: str, sample: Sample) -> NDArray[np.float64]:
    """Return the scores of the events of a sample, computed from class probabilities as our networks do.

    Raises
    ------
    ValueError
        If the scored events are not those of the sample, in its order.
    """
    path = work / f"scored_{Path(file.partition(':')[2]).stem}.root"
    with uproot.open(path) as scored:
        columns = scored["Events"].arrays(library="np")
    ids = np.stack([columns[name] for name in ("run", "spill", "spillevent")], axis=1)
    if not np.array_equal(ids, sample.view.batch.ids):
        raise ValueError(f"{path}: its events are not those of {file} in its order; run convert.py and score.py again")
    probability = np.stack([columns[f"score_label_{name}"] for name in sample.mode.classes], axis=1)
    discriminant = Discriminant(network_inputs(EventReader("na64e_reference"), sample.mode)).double()
    _, score = discriminant(torch.from_numpy(probability.astype(np.float64)).log())
    return score.numpy()


if __name__ == "__main__":
    main()
