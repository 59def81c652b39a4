"""The sections of a report that describe an evaluation."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from na64ml.evaluation.figures.style import class_title
from na64ml.evaluation.metrics import Metrics
from na64ml.evaluation.report import Section, Table
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.working_points import SIGNAL_EFFICIENCIES

CAPTIONS = {
    "rejection": "Rejection of each background at the working points.",
    "roc": "Rejection against signal efficiency.",
    "score": "Score of each class, with the thresholds of the working points.",
    "energy_plane": "Energy plane with regions I to III and signal box, before and after the score cut.",
    "confusion": "Most probable class against true class, weighted.",
    "signal_efficiency_by_energy": "Signal efficiency in bins of the ECAL energy at common thresholds.",
    "signal_efficiency_by_mass": "Signal efficiency of each dark-photon mass at common thresholds.",
}
"""Captions of the figures of `na64ml.evaluation.figures.standard_figures`."""


def evaluation_sections(
    scored: ScoredEvents,
    metrics: Metrics,
    figures: Mapping[str, Figure | Path],
    targets: Sequence[float] = SIGNAL_EFFICIENCIES,
) -> list[Section]:
    """Return the report sections of an evaluation.

    Parameters
    ----------
    scored
        The scored events.
    metrics
        What `na64ml.evaluation.metrics.evaluate` returned for them.
    figures
        What `na64ml.evaluation.figures.standard_figures` returned for them, or the PNG files of these figures.
    targets
        Signal efficiencies of the working points, as given to both.
    """
    captioned = {CAPTIONS.get(name, name): figure for name, figure in figures.items()}
    level = f"{metrics['confidence_level']:.0%}"
    counting = "Events count with their weight." if metrics["weighted"] else "All events count alike, without weights."
    return [
        Section(
            "Rejection",
            f"Rejection is 1 / background efficiency, with {level} intervals. Where no event survives, "
            f"'>' marks the one-sided {level} lower limit. Signal without a score is lost and background "
            f"without a score survives. {counting}",
            [_rejections(scored, metrics, targets)],
        ),
        Section("Figures", figures=captioned),
        Section(
            "Events and signal efficiency",
            "Events that could not be scored are counted, never dropped. Events of one leading shower of a library are "
            "one independent event.\n\n"
            "A signal efficiency that is flat in energy and mass does not depend on the model of the signal. The "
            "spread is the largest difference of two bins; p is the probability of differences as large if it is flat.",
            [_events(scored, metrics), _flatness(metrics, targets), *_masses(scored, metrics, targets)],
        ),
    ]


def _rejections(scored: ScoredEvents, metrics: Metrics, targets: Sequence[float]) -> Table:
    rows = [
        [class_title(name), *(_rejection(metrics, f"rejection/{name}@{target:g}") for target in targets)]
        for name in scored.backgrounds
    ]
    columns = ["signal efficiency", *(f"{target:.3g}" for target in targets)]
    reached = [
        "reached",
        *(_interval(metrics, f"signal_efficiency@{t:g}", ".3f") for t in targets),
    ]
    threshold = ["score threshold", *(f"{metrics[f'threshold@{target:g}']:.4g}" for target in targets)]
    return Table("Background rejection at the working points", columns, [*rows, reached, threshold])


def _events(scored: ScoredEvents, metrics: Metrics) -> Table:
    rows = [
        [
            class_title(name),
            f"{metrics[f'events/{name}']}",
            f"{metrics[f'independent/{name}']}",
            f"{metrics[f'weight/{name}']:.6g}",
            f"{metrics[f'not_scored/{name}']}",
            _interval(metrics, f"auc/{name}", ".4f") if f"auc/{name}" in metrics else "",
        ]
        for name in scored.classes
    ]
    return Table("Events by class", ["class", "events", "independent", "weight", "not scored", "area under ROC"], rows)


def _flatness(metrics: Metrics, targets: Sequence[float]) -> Table:
    rows = [
        [title, *(_spread(metrics, f"spread/{name}@{target:g}") for target in targets)]
        for name, title in (("ecal_energy", "ECAL energy"), ("mass", "dark-photon mass"))
        if f"spread/{name}@{targets[0]:g}" in metrics
    ]
    columns = ["spread over", *(f"{target:.3g} overall" for target in targets)]
    return Table("Spread of the signal efficiency", columns, rows)


def _spread(metrics: Metrics, name: str) -> str:
    return f"{metrics[name]:.3f} (p = {metrics[f'{name}_probability']:.2g})"


def _masses(scored: ScoredEvents, metrics: Metrics, targets: Sequence[float]) -> list[Table]:
    rows = [
        [
            f"{mass:g}",
            *(_interval(metrics, f"signal_efficiency/mass_{mass:g}@{target:g}", ".3f") for target in targets),
        ]
        for mass in scored.masses
    ]
    columns = ["mass [GeV]", *(f"{target:.3g} overall" for target in targets)]
    return [Table("Signal efficiency by dark-photon mass", columns, rows)] if rows else []


def _interval(metrics: Metrics, name: str, form: str) -> str:
    return f"{metrics[name]:{form}} ({metrics[f'{name}_lo']:{form}} - {metrics[f'{name}_hi']:{form}})"


def _rejection(metrics: Metrics, name: str) -> str:
    if metrics[f"{name}_is_limit"]:
        return f"> {_rounded(metrics[name])}"
    hi = metrics[f"{name}_hi"]
    upper = "unbounded" if hi is None else _rounded(hi)
    return f"{_rounded(metrics[name])} ({_rounded(metrics[f'{name}_lo'])} - {upper})"


def _rounded(value: float | None) -> str:
    """Return three significant digits, without an exponent below a million."""
    return f"{float(f'{value:.3g}'):g}"
