"""The survivors that ``na64ml display`` draws are those of the cut flow."""

from types import SimpleNamespace

import numpy as np

from na64ml.cli.display import _Chooser
from na64ml.selection.selection import Selection


def test_background_without_a_score_is_drawn(make_view, hit):
    view = make_view([[hit("ECAL", (1, 3, 3), energy)] for energy in (10, 10, np.nan, 60, np.nan)])
    cuts = [
        {"name": "ECAL", "require": {"variable": "ecal_energy", "below": 50}},
        {"name": "score", "require": {"variable": "score", "working_point": "signal_90"}},
    ]
    selection = Selection.model_validate({"name": "test", "cuts": cuts})
    chooser = _Chooser(identity=None, selection=selection, classes=np.array([0, 1, -1]), thresholds={"signal_90": 0.0})
    score, status = np.array([1.0, -1.0, np.nan, 2.0, np.nan]), np.array([0, 0, 3, 0, 3])
    scores = SimpleNamespace(variables={"score": score, "status": status})
    drawn = chooser.choose(view, np.array([1, 1, 1, 1, 0], dtype=np.int16), scores)
    assert drawn.tolist() == [True, False, True, False, False]
