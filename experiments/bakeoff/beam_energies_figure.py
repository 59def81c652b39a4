"""Draw the signal efficiency and the decays left of networks for several beam energies.

python experiments/bakeoff/beam_energies_figure.py
"""

import json
from pathlib import Path

import matplotlib.pyplot as plt

FOLDER = Path(__file__).parent
POINT, LEFT = "box_80/survivors_1", "box_50/signal_0.78"
ALONE = ("50 GeV", "100 GeV", "150 GeV")
STEP = 1.6
"""Distance in GeV between the points of two networks at the same beam energy."""


def main() -> None:
    found = json.loads((FOLDER / "beam_energies.json").read_text())
    figure, (efficiency, decays) = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
    for place, (name, tests) in enumerate(curves(found).items()):
        shifted = [energy + (place - 2) * STEP for energy in tests]
        points = [test[POINT] for test in tests.values()]
        value = [point["signal_efficiency"] for point in points]
        below = [at - point["lo"] for at, point in zip(value, points, strict=True)]
        above = [point["hi"] - at for at, point in zip(value, points, strict=True)]
        efficiency.errorbar(shifted, value, yerr=[below, above], fmt="o", capsize=2, markersize=4, label=name)
        left = [
            test[LEFT]["reducible"] + test[LEFT]["decays"] if LEFT in test else float("nan") for test in tests.values()
        ]
        decays.plot(shifted, left, "o", markersize=5)
    efficiency.set(xlabel="beam energy (GeV)", ylabel="signal at 1 reducible survivor, 80 % box")
    decays.set(xlabel="beam energy (GeV)", ylabel="background left at signal 0.78, 50 % box", yscale="log")
    figure.legend(loc="outside upper center", ncols=5, fontsize="small")
    figure.savefig(FOLDER / "beam_energies.png", dpi=150)


def curves(found: dict) -> dict[str, dict[int, dict]]:
    """Return tests by beam energy in GeV; those of networks of one energy, at their own energy, are one curve."""
    tests = {
        name: {int(key.split()[0]): test for key, test in result.items() if key.endswith(" GeV")}
        for name, result in found.items()
        if "validation_loss" in result
    }
    alone = {
        energy: tests[name][energy]
        for name in ALONE
        if name in tests
        for energy in tests[name]
        if name == f"{energy} GeV"
    }
    return {
        "all three": tests["all three"],
        "all three, momentum hidden": tests["all three, momentum hidden"],
        "each energy alone": alone,
        "100 GeV only": tests["100 GeV"],
        "100 GeV only, momentum hidden": tests["100 GeV, momentum hidden"],
    }


if __name__ == "__main__":
    main()
