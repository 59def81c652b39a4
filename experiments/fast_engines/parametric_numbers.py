"""Numbers that compare showers of Geant4 and of the parametric engine."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from parametric_samples import DUMP_EACH, SOFT_EACH, SOFT_ENERGIES, SOFT_SPECIES, Showers

ECAL_SHARE, HCAL_SHARE = 108.7, 25.4
"""Visible MeV for each GeV of an electromagnetic shower [card]."""

BINS = ((5.0, 15.0), (15.0, 40.0), (40.0, 160.0))
MIP = 1.5
"""ECAL energy in GeV below which a hadron has crossed it without interacting."""

CELL_EDGES = np.array([0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 200.0])
"""Edges in GeV of the cell spectra."""


def electromagnetic(reference: Showers, ours: Showers) -> dict[str, Any]:
    """Return response, resolution, preshower share, largest cell and number of cells, by energy."""
    return {"bins": [_electromagnetic(*pair) for pair in _by_energy(reference, ours)], **_cells(reference, ours)}


def muonic(reference: Showers, ours: Showers) -> dict[str, Any]:
    """Return medians and tails of the deposits of muons, by energy."""
    rows = []
    for one, other in _by_energy(reference, ours):
        row: dict[str, Any] = _energies(one, other)
        for name, sums in (
            ("ecal", _ecal),
            ("hcal0", lambda s: s.hcal[:, 0].sum(axis=1) / HCAL_SHARE),
            ("veto", _veto),
        ):
            for q in (50, 90):
                row[f"{name}_q{q}"] = [_round(np.percentile(sums(s), q)) for s in (one, other)]
        row["ecal_above_5_gev"] = [_round((_ecal(s) > 5).mean()) for s in (one, other)]
        rows.append(row)
    return {"bins": rows, **_cells(reference, ours)}


def hadronic(reference: Showers, ours: Showers) -> dict[str, Any]:
    """Return what hadrons leave where, by energy."""
    rows = []
    for one, other in _by_energy(reference, ours):
        row: dict[str, Any] = _energies(one, other)
        for name, value in {
            "sum_over_energy": lambda s: (_ecal(s) + _hcal(s)) / s.energy,
            "ecal_over_energy": lambda s: _ecal(s) / s.energy,
            "preshower_over_energy": lambda s: s.ecal[:, 0].sum(axis=1) / ECAL_SHARE / s.energy,
            "veto_mev": _veto,
            "hcal0_over_energy": lambda s: s.hcal[:, 0].sum(axis=1) / HCAL_SHARE / s.energy,
            "cells": _number,
        }.items():
            row[name] = [[_round(value(s).mean()), _round(value(s).std())] for s in (one, other)]
        row["crossing"] = [_round((_ecal(s) < MIP).mean()) for s in (one, other)]
        row["beyond_first_module"] = [_round(_late(s).mean()) for s in (one, other)]
        rows.append(row)
    crossing = [float((_ecal(s) < MIP).mean()) for s in (reference, ours)]
    late = [float(_late(s).mean()) for s in (reference, ours)]
    return {
        "bins": rows,
        "crossing": [_round(value) for value in crossing],
        "beyond_first_module": [_round(value) for value in late],
        **_cells(reference, ours),
    }


def profile_numbers(reference: Showers, ours: Showers) -> dict[str, Any]:
    """Return chi2 of the mean share of each group of 10 layers, and its largest relative deviation."""
    n_groups = reference.layers.shape[1]
    values = []
    for one, other in _by_energy(reference, ours):
        share = [s.layers / s.energy[:, None] for s in (one, other)]
        mean = [v.mean(axis=0) for v in share]
        error = [v.std(axis=0) / np.sqrt(len(v)) for v in share]
        variance = error[0] ** 2 + error[1] ** 2
        used = (mean[0] > 0) & (variance > 0)
        chi2 = float(((mean[1] - mean[0])[used] ** 2 / variance[used]).sum() / used.sum())
        large = mean[0] > 0.01 * mean[0].sum()
        deviation = float(np.abs(mean[1][large] / mean[0][large] - 1).max())
        values.append({"chi2_per_group": _round(chi2), "largest_deviation": _round(deviation), "groups": n_groups})
    return {"profile": values}


def soft_numbers(reference: dict[str, NDArray[Any]], ours: dict[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """Return visible over kinetic energy, its width, cells above threshold and the share without energy."""
    rows = []
    kinds = [(pdg, kinetic) for pdg in SOFT_SPECIES for kinetic in SOFT_ENERGIES]
    for index, (pdg, kinetic) in enumerate(kinds):
        row: dict[str, Any] = {"pdg": pdg, "kinetic": kinetic}
        for name, visible in (("geant4", reference), ("parametric", ours)):
            ecal = visible["ECAL"].reshape(-1, len(kinds), SOFT_EACH, 72)[:, index].reshape(-1, 72)
            share = ecal.sum(axis=1) / kinetic
            row[name] = {
                "visible": _round(share.mean()),
                "width": _round(share.std()),
                "cells": _round((ecal > 0.03 * ECAL_SHARE / 1e3).sum(axis=1).mean()),
                "preshower": _round(ecal[:, :36].sum() / max(ecal.sum(), 1e-9)),
                "nothing": _round((share == 0).mean()),
            }
        rows.append(row)
    return rows


def dump_numbers(
    energy: float, reference: dict[str, NDArray[Any]], ours: dict[str, NDArray[Any]]
) -> dict[str, dict[str, float]]:
    """Return response, resolution, preshower share and leakage of electrons in the WCAL, with statistical errors."""
    table = {}
    for name, visible in (("geant4", reference), ("parametric", ours)):
        wcal = visible["WCAL"]
        total = wcal.sum(axis=1)
        share = wcal / total[:, None]
        table[name] = {
            "electrons": len(total),
            "visible_share": _round(total.mean() / energy),
            "visible_share_error": _round(total.std() / energy / np.sqrt(len(total))),
            "resolution": _round(total.std() / total.mean()),
            "resolution_error": _round(total.std() / total.mean() / np.sqrt(2 * len(total))),
            "preshower": _round(share[:, 0].mean()),
            "preshower_error": _round(share[:, 0].std() / np.sqrt(len(total))),
            "catcher": _round(share[:, 2].mean()),
            "catcher_error": _round(share[:, 2].std() / np.sqrt(len(total))),
            "v2_mev": _round(1e3 * visible["V2"].sum(axis=1).mean()),
            "v2_mev_error": _round(1e3 * visible["V2"].sum(axis=1).std() / np.sqrt(len(total))),
            "ecal_visible_mev": _round(1e3 * visible["ECAL"].sum(axis=1).mean()),
        }
    if table["geant4"]["electrons"] != DUMP_EACH:
        raise SystemExit(f"{DUMP_EACH} Geant4 electrons expected; delete the files in --work")
    return table


def _electromagnetic(one: Showers, other: Showers) -> dict[str, Any]:
    row: dict[str, Any] = _energies(one, other)
    for name, value in {
        "response": lambda s: _ecal(s) / s.energy,
        "preshower": lambda s: s.ecal[:, 0].sum(axis=1) / s.ecal.sum(axis=(1, 2)),
        "largest_cell": lambda s: s.ecal.sum(axis=1).max(axis=1) / s.ecal.sum(axis=(1, 2)),
        "cells": _number,
        "veto_mev": _veto,
    }.items():
        row[name] = [[_round(value(s).mean()), _round(value(s).std())] for s in (one, other)]
    # Without the half per cent at either end: showers that lose energy to hadrons.
    row["resolution_times_sqrt_e"] = [
        _round(_trimmed((_ecal(s) / s.energy - 1) * np.sqrt(s.energy)).std()) for s in (one, other)
    ]
    return row


def _trimmed(values: NDArray[Any]) -> NDArray[Any]:
    low, high = np.percentile(values, [0.5, 99.5])
    return values[(values >= low) & (values <= high)]


def _cells(reference: Showers, ours: Showers) -> dict[str, Any]:
    """Return the mean number of cells in each range of energy."""
    counts = [np.histogram(s.ecal / ECAL_SHARE, CELL_EDGES)[0] / len(s.energy) for s in (reference, ours)]
    return {"cell_spectrum": {"edges_gev": CELL_EDGES.tolist(), "cells": [[_round(v) for v in c] for c in counts]}}


def _by_energy(reference: Showers, ours: Showers) -> list[tuple[Showers, Showers]]:
    chosen = [(reference.energy >= low) & (reference.energy < high) for low, high in BINS]
    return [(reference.select(which), ours.select(which)) for which in chosen]


def _energies(one: Showers, other: Showers) -> dict[str, Any]:
    return {"mean_energy": _round(one.energy.mean()), "showers": [len(one.energy), len(other.energy)]}


def _ecal(s: Showers) -> NDArray[Any]:
    return np.asarray(s.ecal.sum(axis=(1, 2)) / ECAL_SHARE)


def _hcal(s: Showers) -> NDArray[Any]:
    return np.asarray(s.hcal.sum(axis=(1, 2)) / HCAL_SHARE)


def _veto(s: Showers) -> NDArray[Any]:
    return np.asarray(s.veto.sum(axis=1))


def _number(s: Showers) -> NDArray[Any]:
    return np.asarray((s.ecal > 0.03 * ECAL_SHARE).sum(axis=(1, 2)).astype(float))


def _late(s: Showers) -> NDArray[np.bool_]:
    """Return which showers have more than 10 % of their HCAL energy behind the first module."""
    modules = s.hcal.sum(axis=2)
    return np.asarray(modules[:, 1:].sum(axis=1) > 0.1 * modules.sum(axis=1))


def _round(value: Any) -> float:
    return float(f"{float(value):.4g}")
