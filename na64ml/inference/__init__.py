"""Scoring events with an exported network, without torch."""

from na64ml.inference.scorer import Scorer, Scores

__all__ = ["Scorer", "Scores"]
