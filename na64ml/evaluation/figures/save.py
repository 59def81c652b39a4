"""Save figures for screen and print."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure


def save_figures(figures: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Write each figure as ``folder/name.png`` and ``folder/name.pdf`` and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, figure in figures.items():
        for kind in ("png", "pdf"):
            path = folder / f"{name}.{kind}"
            figure.savefig(path, dpi=160)
            paths.append(path)
    return paths
