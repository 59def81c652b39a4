"""Figures of an evaluation, one file per figure; each returns a Matplotlib figure."""

from na64ml.evaluation.figures.save import save_figures
from na64ml.evaluation.figures.standard import standard_figures

__all__ = ["save_figures", "standard_figures"]
