from collections import Counter

from na64ml.cli.score import summary
from na64ml.inference.status import BAD_INPUT, BLINDED, SCORED


def test_the_summary_counts_every_status() -> None:
    assert summary(Counter({SCORED: 1200})) == "1,200 events (scored 1,200)"
    text = summary(Counter({SCORED: 7, BAD_INPUT: 2}))
    assert text.startswith("9 events (scored 7, bad input")
    assert text.endswith(" 2)")


def test_the_number_of_blinded_data_cannot_be_computed_from_the_summary() -> None:
    assert summary(Counter({SCORED: 90, BLINDED: 10})) == "100 events"
    text = summary(Counter({SCORED: 90, BLINDED: 10, BAD_INPUT: 3}))
    assert text.startswith("103 events (bad input")
    assert text.endswith(" 3)")
    assert "90" not in text
