import numpy as np
import pytest

from na64ml.errors import ConfigError
from na64ml.selection.absent import AbsentInputError
from na64ml.selection.mode import load_mode
from na64ml.selection.selection import Selection, load_selection


def selection(*cuts: dict) -> Selection:
    return Selection.model_validate(
        {"name": "test", "cuts": [{"name": f"cut {i}", **cut} for i, cut in enumerate(cuts)]}
    )


def test_decisions(make_view, hit):
    view = make_view([[hit("ECAL", (1, 3, 3), 40.0)], [hit("ECAL", (1, 3, 3), 60.0)], []])
    decisions = selection(
        {"require": {"variable": "ecal_energy", "below": 50}},
        {"require": {"variable": "prs_fraction", "max": 1}},
    ).apply(view)
    assert decisions.kept.tolist() == [[True, False, True], [True, True, False]]
    assert decisions.undefined.tolist() == [[False] * 3, [False, False, True]]
    assert decisions.passed.tolist() == [True, False, False]
    assert decisions.applicable.all()


def test_absent_input_is_an_error_unless_the_cut_is_optional(make_view):
    view = make_view([[], []], absent=("track.p",))
    cut = {"require": {"variable": "track_momentum", "min": 90}}
    with pytest.raises(AbsentInputError, match=r"cut 'cut 0'.*track\.p.*optional"):
        selection(cut).apply(view)
    decisions = selection({**cut, "optional": True}).apply(view)
    assert not decisions.applicable[0]
    assert decisions.kept.all()


def test_unmeasured_track_is_undefined_not_absent(make_view):
    view = make_view([[]], track=(np.nan,) * 6)
    decisions = selection({"require": {"variable": "track_momentum", "min": 90}, "optional": True}).apply(view)
    assert decisions.applicable[0]
    assert decisions.undefined[0, 0]
    assert not decisions.kept[0, 0]


def test_events_without_a_score_never_pass(make_view):
    cuts = selection({"require": {"variable": "score", "min": 0}})
    extra = {"score": np.array([1.0, np.nan, 2.0]), "status": np.array([0, 1, 2])}
    decisions = cuts.apply(make_view([[], [], []]), extra)
    assert decisions.scored.tolist() == [True, False, False]
    assert decisions.passed.tolist() == [True, False, False]
    with pytest.raises(ConfigError, match="give a model"):
        cuts.apply(make_view([[]]))


def test_survivors_are_what_passed_and_background_without_a_score(make_view, hit):
    view = make_view([[hit("ECAL", (1, 3, 3), energy)] for energy in (10, 10, 10, 60, np.nan, np.nan)])
    cuts = selection(
        {"name": "ECAL", "require": {"variable": "ecal_energy", "below": 50}},
        {"name": "score", "require": {"variable": "score", "min": 0}},
    )
    status = np.array([0, 1, 1, 1, 3, 3])
    # a score beside a bad status must not count
    decisions = cuts.apply(view, {"score": np.array([1.0, 9.0, np.nan, np.nan, 9.0, np.nan]), "status": status})
    assert decisions.passed.tolist() == [True] + [False] * 5
    signal = np.array([True, True, False, False, True, False])
    assert decisions.surviving(signal).tolist() == [True, False, True, False, False, True]


@pytest.mark.parametrize(
    ("comparison", "message"),
    [
        ({"variable": "score", "working_point": "signal_9"}, "selection 'test', cut 'odd': .*signal_9.*signal_90"),
        ({"variable": "hcal_module:9", "min": 1}, "selection 'test', cut 'odd': .*no module '9'"),
    ],
)
def test_what_only_shows_on_events_names_selection_and_cut(make_view, comparison, message):
    odd = selection({"name": "odd", "require": comparison})
    with pytest.raises(ConfigError, match=message):
        odd.apply(make_view([[]]), {"score": np.ones(1)}, {"signal_90": 1.0})


def test_wrong_files(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\ncuts:\n  - {name: a, require: {variable: ecal_enrgy, min: 1}}\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml.*ecal_enrgy.*ecal_energy"):
        load_selection(str(path))
    path.write_text("name: mine\ncuts:\n" + 2 * "  - {name: a, require: {variable: ecal_energy, min: 1}}\n")
    with pytest.raises(ConfigError, match="repeated: a"):
        load_selection(str(path))
    with pytest.raises(ConfigError, match="simple"):
        load_selection("no_such_selection")


def test_shipped_selections_load_and_name_their_sources():
    mode = load_mode("na64e_invisible")
    for name in mode.selections:
        loaded = mode.selection(name)
        assert loaded.name == name
        assert all(cut.source for cut in loaded.cuts)
    assert mode.selection("simple_with_score").uses_score
    assert not mode.selection("reference").uses_score
    steps = {int(cut.name.split()[0]) for cut in mode.selection("reference").cuts}
    assert steps == set(range(13))


def test_reference_selection_tolerates_a_bare_layout(make_view):
    view = make_view(
        [[]], absent=("track.p", "track.theta_x", "track.chi2", "HCAL.cells", "HCAL.time", "ST03X", "ST03Y")
    )
    chosen = load_selection("reference")
    skipped = {cut.name for cut, used in zip(chosen.cuts, chosen.apply(view).applicable, strict=True) if not used}
    assert {
        "0 on spill",
        "2 momentum",
        "2 angle",
        "3 straws x",
        "9 HCAL muon veto",
        "10 HCAL topology",
    } <= skipped
    assert not {"4 ECAL max cell", "6 PRS", "12 HCAL box"} & skipped
