"""A curve as CSV and JSON."""

import csv
import io
import json
import math
from typing import Any

from na64ml.limits.comparison import compare
from na64ml.limits.curve import Curve, Edges, PeriodInputs
from na64ml.limits.models.invisible import InvisibleDarkPhoton
from na64ml.limits.planes import BANDS, THERMAL_SOURCE, DarkSector
from na64ml.limits.projection import RULE, future_exposure, projection_factor
from na64ml.limits.what_if import Alternative

QUANTILES = ("-2 sigma", "-1 sigma", "median", "+1 sigma", "+2 sigma")


def rows(curve: Curve) -> list[dict[str, float | str]]:
    """Return one row per mass; a cell is empty where nothing is excluded."""
    name = curve.coupling.name
    table = []
    for point in curve.points:
        row: dict[str, float | str] = {"mass_GeV": point.mass}
        row[f"observed_{name}"] = _cell(point.observed, 0)
        row[f"observed_{name}_upper"] = _cell(point.observed, 1)
        for quantile, edges in zip(QUANTILES, point.expected, strict=True):
            key = quantile.replace(" sigma", "sigma")
            row[f"expected_{key}_{name}"] = _cell(edges, 0)
            row[f"expected_{key}_{name}_upper"] = _cell(edges, 1)
        row["signal_events_at_limit"] = point.limit_events
        sector = dark_sector(curve)
        if sector and point.central():
            edges = point.central()
            assert edges is not None
            row["chi_mass_GeV"], row["y"] = point.mass * sector.mass_ratio, sector.y(edges[0])
        elif sector:
            row["chi_mass_GeV"], row["y"] = point.mass * sector.mass_ratio, ""
        table.append(row)
    return table


def dark_sector(curve: Curve) -> DarkSector | None:
    """Return dark coupling and mass ratio where the plane of y is asked for and the model has them."""
    if "y" in curve.config.planes and isinstance(curve.model, InvisibleDarkPhoton):
        return DarkSector(curve.model.alpha_dark, curve.model.mass_ratio)
    return None


def to_csv(curve: Curve) -> str:
    """Return the table as CSV."""
    table = rows(curve)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


def to_json(curve: Curve, changes: tuple[Alternative, ...] = ()) -> str:
    """Return everything as JSON; no value is NaN or infinite."""
    return json.dumps(content(curve, changes), indent=1, allow_nan=False)


def content(curve: Curve, changes: tuple[Alternative, ...]) -> dict[str, Any]:
    """Return the result with everything that went in."""
    significance = curve.significance
    return {
        "name": curve.config.name,
        "description": curve.config.description,
        "model": curve.config.model.model_dump(mode="json"),
        "coupling": curve.coupling.name,
        "unit": curve.coupling.unit,
        "confidence_level": curve.config.confidence_level,
        "methods": list(curve.methods),
        "yield_error": curve.config.yield_error.model_dump(mode="json"),
        "periods": [_period(one) for one in curve.inputs],
        "background_p_value": significance[0] if significance else None,
        "significance": significance[1] if significance and math.isfinite(significance[1]) else None,
        "points": [
            {
                "mass": point.mass,
                "observed": _interval(point.observed),
                "expected": {key: _interval(edges) for key, edges in zip(QUANTILES, point.expected, strict=True)},
                "signal_events_at_limit": point.limit_events,
                "most_signal_events": point.most_events,
            }
            for point in curve.points
        ],
        "not_excluded": [point.mass for point in curve.points if point.central() is None],
        "comparison": {
            name: [
                {"mass": one.mass, "edge": one.edge, "published": one.published, "value": one.value, "ratio": one.ratio}
                for one in ratios
            ]
            for name, ratios in compare(curve).items()
        },
        "projections": projections(curve),
        "what_if": [one.__dict__ for one in changes],
        "planes": {
            **({"y": {"thermal_targets": THERMAL_SOURCE}} if dark_sector(curve) else {}),
            **{
                plane: {name: band.model_dump(mode="json") for name, band in BANDS[plane].items()}
                for plane in curve.config.planes
                if plane in BANDS
            },
        },
    }


def projections(curve: Curve) -> dict[str, Any]:
    """Return the curve scaled to the exposures that the configuration names, and the rule."""
    exposure = sum(one.period.exposure.value for one in curve.inputs)
    background = sum(one.background.value for one in curve.inputs)
    result: dict[str, Any] = {}
    for name in curve.config.projections:
        future = future_exposure(name)
        factor = projection_factor(exposure, background, future.value)
        result[name] = {
            "exposure": future.value,
            "source": future.source,
            "rule": RULE,
            "factor": factor,
            "points": [
                [point.mass, edges[0] * factor] for point in curve.points if (edges := point.expected[2]) is not None
            ],
        }
    return result


def _period(one: PeriodInputs) -> dict[str, Any]:
    return {
        "name": one.period.name,
        "beam": one.period.beam.model_dump(mode="json"),
        "exposure": one.period.exposure.model_dump(mode="json"),
        "window": one.period.window.model_dump(mode="json"),
        "flight": one.period.flight.model_dump(mode="json") if one.period.flight else None,
        "observed": one.period.observed,
        "efficiency": {
            "label": one.efficiency.label,
            "mass": one.efficiency.mass.tolist(),
            "energy_edges": one.efficiency.edges.tolist(),
            "value": one.efficiency.value.tolist(),
            "lo": one.efficiency.lo.tolist(),
            "hi": one.efficiency.hi.tolist(),
        },
        "background_used": one.background.origin,
        "backgrounds": {origin: estimate.__dict__ for origin, estimate in one.backgrounds.items()},
    }


def _cell(edges: Edges | None, index: int) -> float | str:
    if edges is None:
        return ""
    value = edges[index]
    return "" if value is None else value


def _interval(edges: Edges | None) -> list[float | None] | None:
    return None if edges is None else list(edges)
