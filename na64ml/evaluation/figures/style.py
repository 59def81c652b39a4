"""Style of all figures: mplhep, one colour-blind-safe colour per class."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import matplotlib.style
from matplotlib.figure import Figure

CLASS_COLOURS = {
    "dark_photon": "#bd1f01",
    "electroproduction": "#3f90da",
    "target_electroproduction": "#92dadd",
    "neutral_punch_through": "#832db6",
    "decay_in_flight": "#ffa90e",
    "dimuon": "#94a4a2",
    "beam_electron": "#a96b59",
    "beam_hadron": "#e76300",
    "pileup": "#717581",
}
"""Colour of each class: the ten-colour sequence of Petroff, arXiv:2107.02270."""

OTHER_COLOURS = ("#b9ac70", "#000000", "#0072b2", "#009e73", "#cc79a7")
"""Colours of classes that are not in `CLASS_COLOURS`, in their order."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "h")
"""Markers of classes by position, so that a print in grey can be read."""

POINT_COLOURS = ("#0d0887", "#7201a8", "#bd3786", "#ed7953", "#e8b000")
"""Colours of the working points, dark to light in print (Matplotlib's plasma)."""

_STYLE: dict[str, Any] = {
    **import_module("mplhep").style.ATLAS,  # mplhep ships no types
    "font.size": 12,
    "font.sans-serif": ["TeX Gyre Heros", "DejaVu Sans"],
    "figure.figsize": (8.0, 5.6),
    "figure.constrained_layout.use": True,
    "axes.titlesize": "medium",
    "axes.labelsize": "large",
    "axes.labelpad": 5,
    "axes.autolimit_mode": "data",
    "axes.axisbelow": True,
    "axes.formatter.limits": (-3, 4),
    "mathtext.fontset": "dejavusans",
    "mathtext.default": "regular",
    "xtick.labelsize": "medium",
    "ytick.labelsize": "medium",
    "ytick.major.size": 6,
    "ytick.minor.size": 3,
    "legend.fontsize": "small",
    "legend.borderpad": 0.4,
    "lines.linewidth": 1.6,
    "lines.markersize": 6,
    "savefig.dpi": 160,
    "pdf.fonttype": 42,
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw with the style of the suite inside this context; nothing is changed outside."""
    with matplotlib.style.context(_STYLE):
        yield


def new_figure(width: float = 8.0, height: float = 5.6) -> Figure:
    """Return an empty figure, size in inches; pyplot does not know it, so that nobody has to close it."""
    return Figure(figsize=(width, height), layout="constrained")


def class_colours(classes: Sequence[str]) -> dict[str, str]:
    """Return the fixed colour of each class."""
    unknown = [name for name in classes if name not in CLASS_COLOURS]
    other = {name: OTHER_COLOURS[i % len(OTHER_COLOURS)] for i, name in enumerate(unknown)}
    return {name: CLASS_COLOURS.get(name) or other[name] for name in classes}


def class_markers(classes: Sequence[str]) -> dict[str, str]:
    """Return the marker of each class."""
    return {name: MARKERS[i % len(MARKERS)] for i, name in enumerate(classes)}


def class_title(name: str) -> str:
    """Return the name of a class as it is printed."""
    return name.replace("_", " ")
