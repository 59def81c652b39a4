import numpy as np
import pytest

from na64ml.errors import ConfigError
from na64ml.events.batch import EventBatch
from na64ml.graphs.sample import Sample, Split

PARTS = ("train", "validation", "test")


def test_parts_are_disjoint_and_complete(reference_events: EventBatch) -> None:
    parts = Split(dataset="a").assign(reference_events.ids)
    assert tuple(parts) == ("train", "validation", "test")
    assert (np.sum([parts[name] for name in PARTS], axis=0) == 1).all()
    n = len(reference_events)
    # binomial: five standard deviations around the shares 0.72, 0.08 and 0.2
    for name, share in zip(PARTS, (0.72, 0.08, 0.2), strict=True):
        assert abs(parts[name].sum() - share * n) < 5 * np.sqrt(share * (1 - share) * n)


def test_parts_do_not_depend_on_the_order_of_events(reference_events: EventBatch) -> None:
    split = Split(dataset="a", fold=2)
    order = np.random.default_rng(0).permutation(len(reference_events))
    parts, shuffled = split.assign(reference_events.ids), split.assign(reference_events.ids[order])
    for name in PARTS:
        np.testing.assert_array_equal(parts[name][order], shuffled[name])


def test_the_test_folds_cover_every_event_once(reference_events: EventBatch) -> None:
    tested = sum(Split(dataset="a", fold=fold).assign(reference_events.ids)["test"].astype(int) for fold in range(5))
    assert (tested == 1).all()


@pytest.mark.parametrize(
    ("wrong", "message"), [({"fold": 5}, "data.fold: 5"), ({"fold": -1}, "data.fold: -1"), ({"validation": 1.0}, "1")]
)
def test_impossible_splits_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Split(dataset="a", **wrong).assign(np.zeros((1, 3), dtype=np.int64))


def sample(events: EventBatch, weight: np.ndarray, classes: tuple[str, ...]) -> Sample:
    return Sample(events, events.process.astype(np.int64), weight, Split(dataset="a").assign(events.ids), classes)


@pytest.mark.parametrize("weighted", [False, True])
def test_classes_have_equal_weight_sums_and_mean_one(reference_events: EventBatch, weighted: bool) -> None:
    weight = reference_events.weight if weighted else np.ones(len(reference_events))
    events = sample(reference_events, weight, reference_events.processes)
    for name in PARTS:
        part = events.part(name)
        balanced, label = part.weight[part.members].astype(np.float64), part.label[part.members]
        sums = np.bincount(label, balanced, minlength=7)
        np.testing.assert_allclose(sums, len(part) / 7, rtol=1e-5)
        assert balanced.mean() == pytest.approx(1, rel=1e-5)
        if weighted:  # within a class, events keep their relative weights
            decay = part.members[label == 3]
            ratio = part.weight[decay] / weight[decay]
            np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)
            assert len(np.unique(weight[decay])) > 1


def test_a_class_without_training_events_is_named(reference_events: EventBatch) -> None:
    without = reference_events.select((reference_events.process != 4) & (reference_events.process != 5))
    with pytest.raises(ConfigError, match="no events of dimuon, beam_electron"):
        sample(without, np.ones(len(without)), without.processes).require_classes()
    sample(reference_events, np.ones(len(reference_events)), reference_events.processes).require_classes()
