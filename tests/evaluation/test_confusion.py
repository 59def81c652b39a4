import numpy as np

from na64ml.evaluation.confusion import confusion_matrix
from na64ml.evaluation.scored import ScoredEvents


def test_rows_hold_all_weight_and_unscored_events_have_their_column(scored: ScoredEvents) -> None:
    matrix = confusion_matrix(scored)
    for row, name in enumerate(scored.classes):
        events = scored.of_class(name)
        assert np.isclose(matrix.weight[row].sum(), events.weight.sum())
        assert np.isclose(matrix.weight[row, -1], events.weight[events.status != 0].sum())
        predicted = np.argmax(events.probability, axis=1)
        right = events.weight[(predicted == row) & (events.status == 0)].sum()
        assert np.isclose(matrix.fraction[row, row], right / events.weight.sum())


def test_a_class_without_events_is_not_a_number(scored: ScoredEvents) -> None:
    fraction = confusion_matrix(scored.select(scored.label != 2)).fraction
    assert np.isnan(fraction[2]).all()
    assert not np.isnan(np.delete(fraction, 2, axis=0)).any()
