"""Compare the limits of the suite with published ones, and measure what a network gains; see README.md."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyhf

from na64ml.evaluation.figures.save import save_figures
from na64ml.evaluation.figures.style import MARKERS, POINT_COLOURS, figure_style, new_figure
from na64ml.limits.comparison import compare
from na64ml.limits.config import LimitConfig, Masses, Period, load_limit
from na64ml.limits.curve import Curve, compute_curve
from na64ml.limits.output.figures import limit_figure, thermal_figure
from na64ml.limits.statistics.counting import Channel, workspace
from na64ml.limits.statistics.limit import strength_limit
from na64ml.setups.sourced import NonNegative, Positive, Share
from na64ml.simulation.class_path import ClassPath
from na64ml.simulation.processes.tree_level import cross_section

HERE = Path(__file__).parent
MIXING = 1e-4

BENCHMARKS = {
    100: {
        1: 2.124e5, 2: 9.128e4, 4: 3.507e4, 6: 1.908e4, 8: 1.216e4, 10: 8486, 20: 2621, 30: 1258, 50: 467, 100: 106,
        200: 20.7, 300: 7.37, 500: 1.80, 700: 0.645, 1000: 0.192,
    },
    80: {10: 8449, 20: 2589, 50: 449.6, 100: 99.7, 200: 19.0, 300: 6.65, 500: 1.57, 1000: 0.153},
    60: {1: 2.12e5, 10: 8390, 20: 2541, 50: 425.5, 100: 91.6, 200: 16.9, 300: 5.76, 500: 1.29, 1000: 0.111},
    150: {16.7: 3643},
}  # fmt: skip
"""Beam energy (GeV) to mass (MeV) to cross-section in lead (pb) for a mixing of 1e-4: physics.md 4.1 [V-code]."""

CHAIN = {
    "cut flow, E_ECAL < 50 GeV": (0.780, 0.831, 50.0),
    "network, E_ECAL < 50 GeV": (0.830, 0.831, 50.0),
    "network, E_ECAL < 80 GeV": (0.907, 0.916, 20.0),
}
"""Signal efficiency at five reducible survivors, efficiency of the box alone, and missing energy in GeV
(experiments/chain/README.md, run 6500)."""

GAIN_MASSES = (0.001, 0.01, 0.03, 0.1)


def main() -> None:
    result: dict[str, Any] = {"cross_sections": cross_sections(), "statistics": statistics()}
    figures = {}
    result["invisible"] = invisible()
    for name in ("na64e_invisible/bremsstrahlung_2016_2018", "na64e_invisible/annihilation_2016_2018"):
        curve = compute_curve(load_limit(f"shipped:{name}"))
        result[name.split("/")[1]] = ratios(curve)
        figures[name.split("/")[1]] = limit_figure(curve)
    figures["thermal"] = thermal_figure(curve)
    result["annihilation_scalar"] = ratios(compute_curve(scalar_matter()))
    result["threshold"], figures["threshold"] = threshold()
    for name in ("na64e_visible/visible_2017_2018", "na64e_alp/alp_2016_2018", "na64mu/lmu_ltau_2022"):
        curve = compute_curve(load_limit(f"shipped:{name}"))
        result[name.split("/")[1]] = ratios(curve)
        figures[name.split("/")[1]] = limit_figure(curve)
    result["visible_efficiency"] = {
        str(value): ratios(compute_curve(with_efficiency(load_limit("shipped:na64e_visible/visible_2017_2018"), value)))
        for value in (0.4, 0.8)
    }
    combined = compute_curve(load_limit("shipped:na64mu/lmu_ltau_combined"))
    figures["lmu_ltau_combined"] = limit_figure(combined)
    positrons = compute_curve(load_limit("shipped:na64e_positron/positrons_2022_2023"))
    figures["positrons_2022_2023"] = limit_figure(positrons)
    result["gain"], figures["gain"] = gain()
    result["cpu_seconds"] = cpu_time()
    (HERE / "sensitivity.json").write_text(json.dumps(result, indent=1, allow_nan=False))
    save_figures(figures, HERE)
    for path in HERE.glob("*.pdf"):
        path.unlink()


def cross_sections() -> dict[str, float]:
    """Return the ratio of each cross-section to its benchmark."""
    found = {}
    for energy, table in BENCHMARKS.items():
        for mass, value in table.items():
            sigma = float(cross_section(mass / 1e3, energy)) * MIXING**2
            found[f"{mass:g} MeV, {energy} GeV"] = sigma / value
    report("cross-sections over benchmark", f"{min(found.values()):.4f} to {max(found.values()):.4f}")
    return found


def statistics() -> dict[str, Any]:
    """Return limits on signal events without events seen, by method."""
    channel = (Channel("one", 1.0, 0.51, 0.0, 0),)
    exact = strength_limit(channel)
    model = pyhf.Model(workspace(channel, 0.0), poi_name="mu")
    asymptotic, _ = pyhf.infer.intervals.upper_limits.toms748_scan([0.0], model, 0.0, 10.0, level=0.1, rtol=1e-3)
    found = {"exact": exact.observed, "asymptotic": float(asymptotic)}
    report("signal events excluded, 0 observed, 0.51 expected", found)
    return found


def invisible() -> dict[str, dict[str, float | None]]:
    """Return ratios to the published points of bremsstrahlung, one refinement after the other."""
    base = load_limit("shipped:na64e_invisible/bremsstrahlung_2016_2018")
    bare = {"resolution": None, "least_deposit": None}
    plain = base.model_copy(
        update={"model": radiation(False), "yield_error": NonNegative(value=0, source="C: step without uncertainty")}
    )
    steps = {
        "closed form, sharp threshold": changed(plain, bare, background_error=False),
        "+ resolution": changed(plain, {"least_deposit": None}, background_error=False),
        "+ second generation": changed(
            plain.model_copy(update={"model": radiation(True)}), {"least_deposit": None}, background_error=False
        ),
        "+ trigger on the preshower": changed(
            plain.model_copy(update={"model": radiation(True)}), {}, background_error=False
        ),
        "+ 15 % uncertainty of the yield": base,
    }
    found = {name: ratios(compute_curve(config)) for name, config in steps.items()}
    report("A' invisible, bremsstrahlung", found)
    return found


def radiation(secondaries: bool) -> ClassPath:
    return ClassPath(
        class_path="na64ml.limits.models.invisible.InvisibleDarkPhoton",
        init_args={"annihilation": False, "secondaries": secondaries},
    )


def changed(config: LimitConfig, window: dict[str, None], background_error: bool) -> LimitConfig:
    period = config.periods[0]
    update: dict[str, object] = {"window": period.window.model_copy(update=window)}
    if not background_error:
        update["background"] = period.background.model_copy(
            update={"use": "given", "given": NonNegative(value=0.53, source="M-H: physics.md 3.1"), "published": None}
        )
    return config.model_copy(update={"periods": (period.model_copy(update=update),)})


def scalar_matter() -> LimitConfig:
    base = load_limit("shipped:na64e_invisible/annihilation_2016_2018")
    model = base.model.model_copy(update={"init_args": {**base.model.init_args, "matter": "scalar"}})
    return base.model_copy(update={"model": model, "compare": ("annihilation_scalar",)})


def ratios(curve: Curve) -> dict[str, float | None]:
    """Return the ratios of a curve to the published points, by mass (MeV) and edge."""
    found = {f"{1e3 * one.mass:g} {one.edge}": one.ratio for all_ in compare(curve).values() for one in all_}
    report(curve.config.name, {key: value and round(value, 3) for key, value in found.items()})
    return found


def threshold() -> tuple[dict[str, Any], Any]:
    """Return the limit around the resonance at the threshold, with a sharp and a smeared cut."""
    base = load_limit("shipped:na64e_invisible/annihilation_2016_2018")
    masses = Masses(values=tuple(np.arange(0.190, 0.2601, 0.001).round(4).tolist()))
    smeared = base.model_copy(update={"masses": masses, "compare": ("annihilation_dirac",)})
    sharp = changed(smeared, {"resolution": None}, background_error=True)
    curves = {"smeared": compute_curve(smeared), "sharp": compute_curve(sharp)}
    found: dict[str, Any] = {}
    with figure_style():
        figure = new_figure(7.4, 5.0)
        axes = figure.subplots()
        for colour, (name, curve) in zip(POINT_COLOURS[::3], curves.items(), strict=True):
            points = np.array([(1e3 * point.mass, edges[0]) for point in curve.points if (edges := point.central())])
            axes.plot(*points.T, color=colour, label=f"{name} threshold of 50 GeV")
            steepest = float(np.abs(np.diff(np.log(points[:, 1])) / np.diff(points[:, 0])).max())
            found[name] = {"limits": points.tolist(), "steepest_percent_per_mev": 100 * steepest}
        published = np.array(
            [(1e3 * one.mass, one.published) for one in compare(curves["smeared"])["annihilation_dirac"]]
        )
        axes.plot(
            *published.T, "o", color="black", markerfacecolor="white", label="published, Dirac [V-code, physics.md 4.8]"
        )
        axes.set(yscale="log", xlim=(189, 261), ylim=(1.8e-4, 1e-3), xlabel="mass (MeV)", ylabel=r"$\epsilon$, 90 % CL")
        axes.legend(fontsize=9)
    report("threshold, steepest change in % per MeV", {name: found[name]["steepest_percent_per_mev"] for name in found})
    return found, figure


def with_efficiency(config: LimitConfig, value: float) -> LimitConfig:
    share = Share(value=value, source="?: physics.md 2.2, scan")
    periods = tuple(
        period.model_copy(update={"efficiency": period.efficiency.model_copy(update={"constant": share})})
        for period in config.periods
    )
    return config.model_copy(update={"periods": periods})


def gain() -> tuple[dict[str, Any], Any]:
    """Return the expected limits of the cut flow and of the network, for the same background."""
    base = load_limit("shipped:na64e_invisible/bremsstrahlung_2016_2018")
    found: dict[str, Any] = {}
    for name, (efficiency, box, missing) in CHAIN.items():
        period = base.periods[0]
        config = base.model_copy(
            update={
                "masses": Masses(values=GAIN_MASSES),
                "compare": (),
                "periods": (box_period(period, efficiency / box, missing),),
            }
        )
        medians = [point.expected[2] for point in compute_curve(config).points]
        found[name] = {
            f"{1e3 * mass:g}": edges[0] if edges else None for mass, edges in zip(GAIN_MASSES, medians, strict=True)
        }
    reference = found["cut flow, E_ECAL < 50 GeV"]
    result = {
        name: {mass: {"epsilon": value, "over_cut_flow": value / reference[mass]} for mass, value in values.items()}
        for name, values in found.items()
    }
    report("gain", result)
    with figure_style():
        figure = new_figure(7.0, 4.6)
        axes = figure.subplots()
        for i, (name, values) in enumerate(result.items()):
            y = [one["over_cut_flow"] for one in values.values()]
            axes.plot([float(mass) for mass in values], y, marker=MARKERS[i], color=POINT_COLOURS[i], label=name)
        axes.set(
            xscale="log", ylim=(0.5, 1.05), xlabel="mass (MeV)", ylabel=r"expected $\epsilon$ over that of the cut flow"
        )
        axes.legend(fontsize=9, loc="lower right")
    return result, figure


def box_period(period: Period, efficiency: float, missing: float) -> Period:
    """Return the period with another threshold; the 0.5 of the published analysis stands for all but the selection."""
    threshold = Positive(value=missing, source="C: experiments/chain")
    constant = Share(value=efficiency, source="C: experiments/chain, of the signal in the box")
    return period.model_copy(
        update={
            "observed": None,
            "window": period.window.model_copy(update={"missing_energy": threshold}),
            "efficiency": period.efficiency.model_copy(update={"constant": constant}),
        }
    )


def cpu_time() -> dict[str, float]:
    """Return the CPU time of curves of 50 masses."""
    found = {}
    for name in (
        "na64e_invisible/annihilation_2016_2018",
        "na64e_visible/visible_2017_2018",
        "na64mu/lmu_ltau_combined",
    ):
        config = load_limit(f"shipped:{name}")
        masses = config.masses.model_copy(update={"n": 50})
        start = time.process_time()
        compute_curve(config.model_copy(update={"masses": masses, "compare": ()}))
        found[name] = time.process_time() - start
    report("CPU seconds of 50 masses", found)
    return found


def report(title: str, content: object) -> None:
    print(f"## {title}")
    for line in content.items() if isinstance(content, dict) else [content]:
        print(line)


if __name__ == "__main__":
    main()
