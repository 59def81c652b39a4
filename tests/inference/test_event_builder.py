"""Events filled hit by hit; that they get the scores of the reader is tested with the C++ builder in tests/parity."""

import math
from pathlib import Path
from types import SimpleNamespace

import pytest

from na64ml.errors import ConfigError, ContractError, InputError
from na64ml.inference import Scorer
from na64ml.inference.event_builder import EventBuilder


@pytest.fixture
def builder(onnx_file: Path) -> EventBuilder:
    return EventBuilder(Scorer(onnx_file, micro_batch=3), "na64e_reference")


def fill(builder: EventBuilder, spillevent: int) -> None:
    builder.begin(run=6500, spill=2, spillevent=spillevent)
    builder.set_track(p=100, chi2=1.2)
    builder.add("ECAL", 1, 3, 3, energy=40.0 + spillevent, time=0.2)
    builder.add("HCAL", 0, 1, 1, energy=3.0)


def test_scores_come_a_micro_batch_at_a_time_and_in_order(builder: EventBuilder) -> None:
    given = []
    for spillevent in range(8):
        fill(builder, spillevent)
        given.append(builder.end())
    assert [len(scored) for scored in given] == [0, 0, 3, 0, 0, 3, 0, 0]
    rest = builder.flush()
    assert builder.flush() == []
    scored = [event for part in given for event in part] + rest
    assert [(e.run, e.spill, e.spillevent) for e in scored] == [(6500, 2, i) for i in range(8)]
    assert {e.status for e in scored} == {0}
    assert len({round(e.score, 6) for e in scored}) > 1
    for event in scored:
        assert sum(event.probability.values()) == pytest.approx(1, rel=1e-5)
        assert list(event.probability) == list(builder.scorer.metadata.classes)
        threshold = builder.scorer.metadata.thresholds["signal_90"]
        assert event.passed["signal_90"] is (event.score >= threshold)


def test_an_event_without_hits_has_no_score(builder: EventBuilder) -> None:
    builder.begin(run=6500)
    assert builder.end() == []
    (scored,) = builder.flush()
    assert scored.status == 1
    assert math.isnan(scored.score)
    assert scored.passed["signal_90"] is False


def test_an_unfinished_event_is_discarded(builder: EventBuilder) -> None:
    fill(builder, 1)
    fill(builder, 2)
    builder.end()
    (scored,) = builder.flush()
    assert scored.spillevent == 2
    builder.begin(run=6500, spill=2, spillevent=2)
    builder.set_track(p=100, chi2=1.2)
    builder.add("HCAL", 0, 1, 1, energy=3.0)  # in another order
    builder.add("ECAL", 1, 3, 3, energy=42.0, time=0.2)
    builder.end()
    (again,) = builder.flush()
    assert again.score == pytest.approx(scored.score, abs=1e-6)


@pytest.mark.parametrize(
    ("detector", "index", "same"),
    [("VHCAL", (2, 1), (0, 2, 1)), ("VHCAL", (9,), (0, 2, 1)), ("ECAL", (57,), (1, 3, 3))],
)
def test_indices_may_leave_out_axes_of_length_one_or_count_all(
    builder: EventBuilder, detector: str, index: tuple[int, ...], same: tuple[int, ...]
) -> None:
    for i in (index, same):
        fill(builder, 1)
        builder.add(detector, *i, energy=1.0)
        builder.end()
    first, second = builder.flush()
    assert first.score == pytest.approx(second.score, abs=1e-5)
    fill(builder, 1)
    builder.end()
    assert abs(builder.flush()[0].score - first.score) > 1e-4


def test_mistakes_are_named(builder: EventBuilder) -> None:
    with pytest.raises(InputError, match="call 'begin' first"):
        builder.add("ECAL", 0, 0, 0, energy=1)
    with pytest.raises(ConfigError, match="no range has run 7"):
        builder.begin(run=7)
    builder.begin(run=6500)
    for index in ((0, 6, 0), (0, 0, -1), (72,), (0, 0), (0, 0, 0, 0), ()):
        with pytest.raises(InputError, match=r"ECAL has no channel \[.*its shape is \[2, 6, 6\]"):
            builder.add("ECAL", *index, energy=1)
    with pytest.raises(ContractError, match="does not know detector WCAL"):
        builder.add("WCAL", 0, energy=1)
    with pytest.raises(InputError, match="a track has no 'pt'"):
        builder.set_track(pt=3)
    with pytest.raises(InputError, match="MM has no channel 'MM7X'"):
        builder.add_coordinate("MM", "MM7X", 1.0)


def test_a_setup_without_the_detectors_of_the_network_is_refused(onnx_file: Path) -> None:
    with pytest.raises(ContractError, match="do not fit the network"):
        EventBuilder(Scorer(onnx_file), "na64e_2018")


def test_a_loop_in_the_shape_of_p348reco(builder: EventBuilder) -> None:
    """Cells as objects with energy, hasDigit and t0ns(), indexed [depth][x][y]."""

    def cell(energy: float) -> SimpleNamespace:
        return SimpleNamespace(energy=energy, hasDigit=energy > 0, t0ns=lambda: 0.1)

    ecal = [[[cell(5.0 * d * (x == 3) * (y == 3)) for y in range(6)] for x in range(6)] for d in range(2)]
    e = SimpleNamespace(run=6500, spill=1, spillevent=4, ECAL=ecal, VETO=[cell(0.01) for _ in range(6)])
    builder.begin(e.run, e.spill, e.spillevent)
    for depth in range(2):
        for x in range(6):
            for y in range(6):
                found = e.ECAL[depth][x][y]
                if found.hasDigit:
                    builder.add("ECAL", depth, x, y, energy=found.energy, time=found.t0ns())
    for i, counter in enumerate(e.VETO):
        builder.add("VETO", i, energy=counter.energy)
    builder.end()
    (scored,) = builder.flush()
    assert scored.status == 0
