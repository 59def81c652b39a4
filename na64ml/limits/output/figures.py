"""Figures of a limit, with published points and their sources."""

from collections.abc import Sequence
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from na64ml.evaluation.figures.style import MARKERS, OTHER_COLOURS, POINT_COLOURS, figure_style, new_figure
from na64ml.limits.curve import Curve, Edges
from na64ml.limits.models.gauge import CHARGE
from na64ml.limits.models.invisible import InvisibleBoson, InvisibleDarkPhoton
from na64ml.limits.output.tables import dark_sector, projections
from na64ml.limits.planes import BANDS, THERMAL, Spin, moment, thermal_target
from na64ml.limits.production.target import Array
from na64ml.limits.published import published_limit
from na64ml.limits.what_if import Alternative

COLOUR = "#bd1f01"
BAND_COLOURS = ("#ffcc5c", "#88c999")
MEV = 1e3
LEGEND_WIDTH, NARROW = 100, 100
MOMENTS = {"delta_a_e": r"$\Delta a_e$", "delta_a_mu": r"$\Delta a_\mu$"}


def limit_figures(curve: Curve, changes: Sequence[Alternative] = ()) -> dict[str, Figure]:
    """Return all figures of a curve by name."""
    if not curve.excluded:
        return {}
    figures = {"limit": limit_figure(curve)}
    if dark_sector(curve):
        figures["limit_y"] = thermal_figure(curve)
    for what in dict.fromkeys(one.what for one in changes):
        figures[f"what_if_{what}"] = what_if_figure(curve, [one for one in changes if one.what == what])
    return figures


def limit_figure(curve: Curve) -> Figure:
    """Draw excluded couplings against mass, with expected bands, published points, projections and moments."""
    with figure_style():
        figure = new_figure(8.4, 6.2)
        axes = figure.subplots()
        _bands(axes, curve)
        if curve.has_observation:
            _outline(axes, curve, [point.observed for point in curve.points], COLOUR, "-", "observed")
        for i, (name, projected) in enumerate(projections(curve).items()):
            points = np.array(projected["points"])
            axes.plot(
                points[:, 0] * MEV, points[:, 1], color=OTHER_COLOURS[i + 1], linestyle=":", label=f"projection {name}"
            )
        for i, name in enumerate(curve.config.compare):
            _published(axes, name, i)
        _moment_bands(axes, curve)
        axes.set(xscale="log", yscale="log", xlabel="mass (MeV)", ylabel=_coupling_label(curve))
        masses = np.array([point.mass for point in curve.points]) * MEV
        axes.set_xlim(masses.min() * 0.9, masses.max() * 1.1)
        axes.set_ylim(*_range(curve))
        _plain_masses(axes)
        axes.legend(loc="upper left", bbox_to_anchor=(0.0, -0.11), ncols=1, fontsize=9, frameon=False)
        axes.set_title(_title(curve), loc="left", fontsize=11)
    return figure


def thermal_figure(curve: Curve) -> Figure:
    """Draw y against the mass of χ, with thermal targets."""
    sector = dark_sector(curve)
    assert sector is not None
    points = curve.excluded
    chi = np.array([point.mass for point in points]) * sector.mass_ratio
    limit = np.array([sector.y(edges[0]) for point in points if (edges := point.central())])
    with figure_style():
        figure = new_figure(8.4, 5.8)
        axes = figure.subplots()
        axes.plot(chi * MEV, limit, color=COLOUR, label=rf"limit, $\alpha_D$ = {sector.alpha_dark:g}")
        for i, kind in enumerate(THERMAL):
            target = thermal_target(kind, chi)
            axes.plot(chi * MEV, target, color=OTHER_COLOURS[i + 1], linestyle="--", label=f"thermal target, {kind}")
            axes.fill_between(
                chi * MEV, target / 2.5, target * 2.5, color=OTHER_COLOURS[i + 1], alpha=0.12, linewidth=0
            )
        axes.set(
            xscale="log", yscale="log", xlabel=r"$m_\chi$ (MeV)", ylabel=r"$y = \alpha_D\,\epsilon^2 (m_\chi/m_{A'})^4$"
        )
        title = "targets: [C, factor 2-3], band a factor 2.5; electron channel only"
        axes.legend(loc="lower right", title=title, fontsize=9, title_fontsize=9)
        axes.set_title(_title(curve), loc="left", fontsize=11)
    return figure


def what_if_figure(curve: Curve, changes: Sequence[Alternative]) -> Figure:
    """Draw the expected limit against what was changed, one line per mass."""
    labels = {
        "exposure": "exposure over that of the configuration",
        "missing_energy": "missing-energy threshold (GeV)",
        "background": "expected background events",
    }
    with figure_style():
        figure = new_figure(7.4, 5.0)
        axes = figure.subplots()
        for i, mass in enumerate(changes[0].masses):
            pairs = [(one.value, one.expected[i]) for one in changes if one.expected[i] is not None]
            if pairs:
                x, y = np.array(pairs, dtype=float).T
                axes.plot(
                    x,
                    y,
                    marker=MARKERS[i % len(MARKERS)],
                    color=POINT_COLOURS[i % len(POINT_COLOURS)],
                    label=f"{mass * MEV:g} MeV",
                )
        axes.set(yscale="log", xlabel=labels[changes[0].what], ylabel=f"median expected {_coupling_label(curve)}")
        if changes[0].what == "exposure":
            axes.set_xscale("log")
        axes.legend(fontsize=9)
        axes.set_title(f"{curve.config.name}: efficiency and all else kept", loc="left", fontsize=11)
    return figure


def _bands(axes: Axes, curve: Curve) -> None:
    labels = (r"expected, $\pm 2\,\sigma$", r"expected, $\pm 1\,\sigma$")
    for (strong, weak), colour, label in zip(((0, 4), (1, 3)), BAND_COLOURS, labels, strict=True):
        pairs = [(point.mass * MEV, point.expected[strong], point.expected[weak]) for point in curve.points]
        known = [(mass, first, second) for mass, first, second in pairs if first and second]
        lower = [(mass, first[0], second[0]) for mass, first, second in known]
        upper = [(mass, second[1], first[1]) for mass, first, second in known if first[1] and second[1]]
        for place, edges in enumerate((lower, upper)):
            if edges:
                masses, low, high = np.array(edges, dtype=float).T
                axes.fill_between(masses, low, high, color=colour, linewidth=0, label=None if place else label)
    medians = [point.expected[2] for point in curve.points]
    _outline(axes, curve, medians, "black", "--", "expected, median")


def _outline(axes: Axes, curve: Curve, edges: Sequence[Edges | None], colour: str, style: str, label: str) -> None:
    """Draw the border of an excluded region; a closed one is joined where the curve ends inside it."""
    kept = [(point.mass * MEV, edge) for point, edge in zip(curve.points, edges, strict=True) if edge is not None]
    if not kept:
        return
    masses, lower = [mass for mass, _ in kept], [edge[0] for _, edge in kept]
    upper = [(mass, edge[1]) for mass, edge in kept if edge[1] is not None]
    if upper and len(kept) < len(curve.points) and kept[-1][1][1] is not None:
        masses, lower = (
            masses + [mass for mass, _ in upper[::-1]],
            lower + [float(value or 0) for _, value in upper[::-1]],
        )
        upper = []
    axes.plot(masses, lower, color=colour, linestyle=style, label=label)
    if upper:
        axes.plot(*zip(*upper, strict=True), color=colour, linestyle=style)


def _published(axes: Axes, name: str, place: int) -> None:
    """Draw published points with their source."""
    limit = published_limit(name)
    masses, colour = np.array(limit.mass) * MEV, OTHER_COLOURS[(place + 2) % len(OTHER_COLOURS)]
    label = fill(f"{limit.title}  [{limit.source}]", LEGEND_WIDTH)
    for values, text in ((limit.lower, label), (limit.upper, None)):
        if values:
            axes.plot(
                masses,
                values,
                color=colour,
                marker=MARKERS[place],
                linestyle="none",
                markersize=4.5,
                markerfacecolor="white",
                label=text,
            )


def _moment_bands(axes: Axes, curve: Curve) -> None:
    """Draw the couplings that would explain a deviation of a magnetic moment within one standard deviation."""
    for plane in curve.config.planes:
        if plane not in BANDS:
            continue
        masses = np.array([point.mass for point in curve.points])
        unit = moments(curve, masses, 11 if plane == "delta_a_e" else 13)
        for i, (name, band) in enumerate(BANDS[plane].items()):
            value, error = band.value
            ends = [(value + shift * error) / unit for shift in (-1, 1)]
            low, high = (np.sqrt(np.clip(end, 1e-40, None)) for end in (np.minimum(*ends), np.maximum(*ends)))
            if (np.maximum(*ends) <= 0).all():
                continue
            colour = OTHER_COLOURS[i]
            label = rf"{MOMENTS[plane]}, {name} $\pm 1\,\sigma$  [{band.source}]"
            axes.fill_between(masses * MEV, low, high, color=colour, alpha=0.25, linewidth=0, label=label)


def moments(curve: Curve, masses: Array, pdg: int) -> Array:
    """Return the anomalous moment for a coupling of 1 in the units of the curve, ``[n_masses]``."""
    spin: Spin = "vector"
    if isinstance(curve.model, InvisibleBoson) and curve.model.kind != "axial":
        spin = curve.model.kind
    per_charge = 1.0 if isinstance(curve.model, InvisibleBoson | InvisibleDarkPhoton) else 1 / CHARGE
    return np.array([moment(spin, float(one), pdg) * per_charge for one in masses])


def _range(curve: Curve) -> tuple[float, float]:
    values = [
        value for point in curve.points for edges in (point.observed, *point.expected) if edges for value in edges
    ]
    known = [value for value in values if value is not None]
    known += [point[1] for projected in projections(curve).values() for point in projected["points"]]
    return min(known) / 2, max(known) * 2


def _plain_masses(axes: Axes) -> None:
    """Write masses as plain numbers, at decades, or at 1, 2 and 5 where there are few decades."""
    low, high = axes.get_xlim()
    if high < NARROW * low:
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _coupling_label(curve: Curve) -> str:
    unit = "" if curve.coupling.unit == "1" else " (GeV$^{-1}$)"
    return f"{curve.coupling.symbol}{unit}"


def _title(curve: Curve) -> str:
    exposure = sum(one.period.exposure.value for one in curve.inputs)
    return f"{curve.config.name}: {curve.config.confidence_level:.0%} CL, {exposure:.3g} particles on target"
