"""Draw the learning curves and the efficiencies of the ladder, with ParticleNet of weaver-core (dashed).

python experiments/bakeoff/figures.py
"""

import json
from pathlib import Path

import matplotlib.pyplot as plt

FOLDER = Path(__file__).parent
TESTED, POINT = "shipped:na64e_reference.root", "box_80/survivors_1"
PARTICLENET = "ParticleNet"


def main() -> None:
    ladder = json.loads((FOLDER / "ladder.json").read_text())
    for size, result in json.loads((FOLDER / "particlenet" / "results.json").read_text()).items():
        ladder[f"{PARTICLENET} {size}"] = result
    figure, (curves, points) = plt.subplots(1, 2, figsize=(9.5, 3.6), layout="constrained")
    for row, (name, result) in enumerate(reversed(ladder.items())):
        loss = result["validation_loss"]
        style = "--" if name.startswith(PARTICLENET) else "-"
        (line,) = curves.plot(range(1, len(loss) + 1), loss, style, marker=".")
        found = result[TESTED][POINT]
        value = found["signal_efficiency"]
        points.errorbar(
            value, row, xerr=[[value - found["lo"]], [found["hi"] - value]], fmt="o", color=line.get_color(), capsize=3
        )
    curves.set(xlabel="epoch", ylabel="validation loss", xlim=(0.5, None), yscale="log")
    points.set(xlabel="signal at 1 reducible survivor, 80 GeV box")
    points.set_yticks(range(len(ladder)), list(reversed(ladder)))
    figure.savefig(FOLDER / "ladder.png", dpi=150)


if __name__ == "__main__":
    main()
