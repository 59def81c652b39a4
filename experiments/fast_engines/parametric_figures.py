"""Figures: profiles and spectra of Geant4 (dots) and of the parametric engine (line)."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from parametric_numbers import ECAL_SHARE, HCAL_SHARE
from parametric_samples import GROUP, Showers

Pairs = dict[str, tuple[Showers, Showers]]


def draw_profiles(pairs: Pairs, path: Path) -> None:
    """Draw mean and standard deviation of the visible energy in groups of 10 layers."""
    figure, axes = plt.subplots(2, 3, figsize=(11, 6))
    for axis, (name, pair) in zip(axes.flat, pairs.items(), strict=True):
        layer = (np.arange(pair[0].layers.shape[1]) + 0.5) * GROUP
        for values, style in zip((s.layers / s.energy[:, None] for s in pair), ("k.", "C0-"), strict=True):
            axis.plot(layer, np.maximum(values.mean(axis=0), 1e-4), style)
            axis.plot(layer, np.maximum(values.std(axis=0), 1e-4), style, alpha=0.4)
        axis.set_yscale("log")
        axis.set_title(name, fontsize=9)
        axis.set_xlabel("ECAL layer")
        axis.set_ylabel("visible MeV / GeV")
    _save(figure, path, "mean (dark) and standard deviation (light) of 10 layers; dots Geant4, line parametric")


def draw_spectra(pairs: Pairs, path: Path) -> None:
    """Draw ECAL energy, preshower energy, VETO, HCAL modules and cell energies."""
    figure, axes = plt.subplots(len(pairs), 5, figsize=(15, 2.3 * len(pairs)))
    for row, (name, pair) in zip(axes, pairs.items(), strict=True):
        columns = {
            "ECAL / E": [s.ecal.sum(axis=(1, 2)) / ECAL_SHARE / s.energy for s in pair],
            "preshower / E": [s.ecal[:, 0].sum(axis=1) / ECAL_SHARE / s.energy for s in pair],
            "log10 VETO (MeV)": [np.log10(np.maximum(s.veto.sum(axis=1), 0.05)) for s in pair],
            "HCAL / E": [s.hcal.sum(axis=(1, 2)) / HCAL_SHARE / s.energy for s in pair],
            "log10 ECAL cell (GeV)": [np.log10(s.ecal[s.ecal > 0.03 * ECAL_SHARE] / ECAL_SHARE) for s in pair],
        }
        for axis, (label, values) in zip(row, columns.items(), strict=True):
            both = np.concatenate(values)
            edges = np.linspace(both.min(), np.quantile(both, 0.999) + 1e-6, 41)
            for one, shower, style in zip(values, pair, ("k:", "C0-"), strict=True):
                height = np.histogram(one, edges)[0] / len(shower.energy)
                axis.stairs(height, edges, color=style[:-1], linestyle=style[-1])
            axis.set_yscale("log")
            axis.set_xlabel(label, fontsize=7)
            axis.tick_params(labelsize=6)
        row[0].set_ylabel(name)
    _save(figure, path, "dots Geant4, line parametric; entries for each shower")


def _save(figure: plt.Figure, path: Path, title: str) -> None:
    figure.suptitle(title, fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
