import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from na64ml.evaluation.metrics import evaluate
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.working_points import working_point


def test_metrics_are_strict_json(scored: ScoredEvents) -> None:
    metrics: dict[str, Any] = evaluate(scored)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    for efficiency in ("0.5", "0.8", "0.9", "0.95", "0.99"):
        for name in scored.backgrounds:
            assert metrics[f"rejection/{name}@{efficiency}_lo"] <= metrics[f"rejection/{name}@{efficiency}"]


def test_counts_rejection_and_efficiency_agree(scored: ScoredEvents) -> None:
    metrics: dict[str, Any] = evaluate(scored)
    background = scored.of_class("electroproduction")
    survivors = np.count_nonzero(background.decision_score >= metrics["threshold@0.95"])
    assert metrics["background_efficiency/electroproduction@0.95_survivors"] == survivors > 0
    assert metrics["rejection/electroproduction@0.95"] == pytest.approx(len(background) / survivors)
    assert metrics["rejection/electroproduction@0.95_is_limit"] is False
    assert metrics["not_scored/electroproduction"] == np.count_nonzero(background.status)


def test_zero_survivors_are_flagged(scored: ScoredEvents) -> None:
    rejected = replace(scored, score=scored.score - 50.0 * (scored.label == 4))
    metrics: dict[str, Any] = evaluate(rejected.select(scored.status == 0))
    assert metrics["rejection/dimuon@0.5_is_limit"] is True
    assert metrics["rejection/dimuon@0.5_hi"] is None
    assert metrics["background_efficiency/dimuon@0.5"] == 0.0
    assert metrics["rejection/dimuon@0.5"] == pytest.approx(1 / metrics["background_efficiency/dimuon@0.5_hi"])


def test_each_mass_has_its_own_threshold(scored: ScoredEvents) -> None:
    heavy = replace(scored, score=scored.score - 2.0 * (scored.mass == 1.0))
    metrics: dict[str, Any] = evaluate(heavy)
    assert metrics["threshold/mass_1@0.9"] < metrics["threshold/mass_0.001@0.9"]
    assert metrics["threshold/mass_1@0.9"] == working_point(heavy.of_mass(1.0), 0.9).threshold
    assert metrics["signal_efficiency/mass_1@0.9"] < metrics["signal_efficiency/mass_0.01@0.9"]
    assert metrics["rejection/electroproduction/mass_1@0.9"] < metrics["rejection/electroproduction/mass_0.001@0.9"]


def test_a_background_without_events_is_counted_and_left_out(scored: ScoredEvents) -> None:
    metrics: dict[str, Any] = evaluate(scored.select(scored.label != 4))
    assert metrics["events/dimuon"] == 0
    assert not [name for name in metrics if name.startswith(("rejection/dimuon", "auc/dimuon"))]


def test_events_counted_alike_say_so(scored: ScoredEvents) -> None:
    heavy = replace(scored, weight=np.linspace(0.1, 5, len(scored)))
    alike = evaluate(heavy, weighted=False)
    assert alike["weighted"] is False
    assert alike["weight/dimuon"] == alike["events/dimuon"]
    ones = replace(scored, weight=np.ones(len(scored)))
    assert alike == evaluate(ones) | {"weighted": False}
    assert evaluate(heavy)["weighted"] is True
