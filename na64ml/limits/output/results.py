"""All files of a result, and its tables on a terminal."""

import json
import logging
from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from na64ml.evaluation.figures.save import save_figures
from na64ml.events.atomic import atomic_path
from na64ml.limits.curve import Curve
from na64ml.limits.output.figures import limit_figures
from na64ml.limits.output.hepdata import write_hepdata
from na64ml.limits.output.tables import to_csv, to_json
from na64ml.limits.what_if import alternatives
from na64ml.limits.working_point import WorkingPointChoice, best, scan, to_file

logger = logging.getLogger(__name__)

N_ROWS = 12


def write_results(curve: Curve, out: Path) -> None:
    """Write tables, HEPData record, figures and, if the configuration asks for it, the chosen working point."""
    config = curve.config
    changes = alternatives(config)
    for name, text in (("limit.csv", to_csv(curve)), ("limit.json", to_json(curve, changes))):
        with atomic_path(out / name) as part:
            part.write_text(text, encoding="utf-8")
    if config.working_point:
        _choose(config.working_point, out, config.confidence_level)
    write_hepdata(curve, out / "hepdata")
    save_figures(limit_figures(curve, changes), out)


def _choose(choice: WorkingPointChoice, out: Path, cl: float) -> None:
    """Scan score thresholds and write the best one."""
    points = scan(choice, cl)
    chosen = best(points)
    with atomic_path(out / "working_points.json") as part:
        part.write_text(to_file(choice, chosen, cl).model_dump_json(indent=1), encoding="utf-8")
    with atomic_path(out / "working_point_scan.json") as part:
        part.write_text(json.dumps([asdict(point) for point in points], indent=1, allow_nan=False), encoding="utf-8")
    logger.info(
        "working point '%s': score >= %.4g, signal efficiency %.3f, %s%.3g background events",
        choice.name,
        chosen.threshold,
        chosen.signal_efficiency,
        "<= " if chosen.is_limit else "",
        chosen.background,
    )


def result_tables(curve: Curve) -> list[Table]:
    """Return what went in and the curve, for a terminal."""
    return [_inputs(curve), _points(curve)]


def _inputs(curve: Curve) -> Table:
    table = Table(title=f"{curve.config.name}: what went in ({'; '.join(curve.methods)})")
    for column in ("period", "exposure", "efficiency", "background", "used", "observed"):
        table.add_column(column)
    for one in curve.inputs:
        for origin, estimate in one.backgrounds.items():
            bounds = " (with upper limits)" if estimate.is_limit else ""
            table.add_row(
                one.period.name,
                f"{one.period.exposure.value:.3g}",
                one.efficiency.label,
                f"{origin}: {estimate.value:.3g} ± {estimate.error:.2g}{bounds}; {estimate.note}",
                "yes" if origin == one.background.origin else "",
                "-" if one.period.observed is None else str(one.period.observed),
            )
    return table


def _points(curve: Curve) -> Table:
    table = Table(title=f"excluded {curve.coupling.name}, {curve.config.confidence_level:.0%} CL")
    for column in ("mass (MeV)", "observed", "expected -1 sd", "median", "+1 sd", "signal events"):
        table.add_column(column, justify="right")
    step = max(1, len(curve.points) // N_ROWS)
    for point in curve.points[::step]:
        cells = [point.observed, *(point.expected[i] for i in (1, 2, 3))]
        shown = ["-" if edges is None else _interval(*edges) for edges in cells]
        table.add_row(f"{1e3 * point.mass:.4g}", *shown, f"{point.limit_events:.3g}")
    return table


def _interval(low: float, high: float | None) -> str:
    return f"{low:.3g}" if high is None else f"{low:.3g} - {high:.3g}"
