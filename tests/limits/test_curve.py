"""Curves: against published points, their outputs, projections, and configurations that are refused."""

import csv
import io
import json
import math
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from na64ml.cli import main
from na64ml.errors import ConfigError
from na64ml.evaluation.delivered import WorkingPointFile
from na64ml.evaluation.scored import ScoredEvents
from na64ml.limits.comparison import compare
from na64ml.limits.config import LimitConfig, load_limit
from na64ml.limits.curve import compute_curve
from na64ml.limits.output.tables import to_csv, to_json
from na64ml.limits.projection import projection_factor
from na64ml.limits.what_if import alternatives
from na64ml.limits.working_point import WorkingPointChoice, best, scan, to_file
from na64ml.resources import shipped
from na64ml.setups.sourced import NonNegative
from na64ml.yaml_files import validate

SHIPPED = sorted(shipped("configs").glob("*/limits/*.yaml"))


def ratios(name: str, masses: list[float]) -> dict[tuple[float, str], float | None]:
    """Compare a shipped limit with the published points at some of their masses."""
    config = load_limit(f"shipped:{name}")
    chosen = config.masses.model_copy(update={"low": None, "high": None, "values": tuple(masses)})
    curve = compute_curve(config.model_copy(update={"masses": chosen}))
    return {(one.mass, one.edge): one.ratio for all_ in compare(curve).values() for one in all_ if one.mass in masses}


def test_bremsstrahlung_meets_the_published_points() -> None:
    for (mass, _), ratio in ratios(
        "na64e_invisible/bremsstrahlung_2016_2018", [0.001, 0.00205, 0.0103, 0.030, 0.0997, 0.296, 0.707]
    ).items():
        assert ratio == pytest.approx(1.0, abs=0.25 if mass >= 0.01 else 0.35), mass


def test_resonance_meets_the_published_points_without_an_edge() -> None:
    found = ratios("na64e_invisible/annihilation_2016_2018", [0.21, 0.22, 0.23, 0.24, 0.25, 0.27, 0.3])
    for (mass, _), ratio in found.items():
        assert ratio == pytest.approx(1.0, abs=0.10 if 0.23 <= mass <= 0.26 else 0.25), mass


def test_visible_decays_meet_both_published_edges() -> None:
    found = ratios("na64e_visible/visible_2017_2018", [0.005, 0.010, 0.0167, 0.020])
    assert len(found) == 8
    for place, ratio in found.items():
        assert ratio == pytest.approx(1.0, abs=0.25), place


def test_alps_meet_the_published_edge() -> None:
    for place, ratio in ratios("na64e_alp/alp_2016_2018", [0.001, 0.0053, 0.0166, 0.0344, 0.0494]).items():
        assert ratio == pytest.approx(1.0, abs=0.25), place


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parents[1].name}/{path.stem}")
def test_shipped_limits_have_finite_curves(path: Path) -> None:
    config = load_limit(str(path))
    few = config.masses.model_copy(update={"n": 3})
    curve = compute_curve(config.model_copy(update={"masses": few, "compare": ()}))
    assert len(curve.points) == 3
    assert curve.excluded
    text = to_json(curve)
    assert "NaN" not in text
    assert json.loads(text)["periods"][0]["background_used"] == config.periods[0].background.use


def test_combination_is_stronger_than_each_part() -> None:
    combined = load_limit("shipped:na64mu/dark_photon_combined")
    few = combined.masses.model_copy(update={"low": None, "high": None, "values": (0.5, 1.0)})
    limits = []
    for periods in (combined.periods, combined.periods[:1], combined.periods[1:]):
        curve = compute_curve(combined.model_copy(update={"masses": few, "periods": periods}))
        limits.append([edges[0] for point in curve.points if (edges := point.central())])
    assert (np.array(limits[0]) < np.minimum(limits[1], limits[2])).all()


def test_limit_scales_with_the_root_of_the_exposure(content: dict[str, Any]) -> None:
    curves = []
    for exposure in (1e11, 4e11):
        content["periods"][0]["exposure"]["value"] = exposure
        content["periods"][0]["background"] = {"use": "given", "given": {"value": 0.5, "source": "C"}}
        curves.append(compute_curve(LimitConfig.model_validate(content)))
    first, second = (np.array([point.central()[0] for point in curve.points]) for curve in curves)  # type: ignore[index]
    assert second / first == pytest.approx([0.5, 0.5], rel=1e-3)


def test_what_excludes_nothing_is_named_and_leaves_no_number(content: dict[str, Any]) -> None:
    content |= {
        "model": {"class_path": "na64ml.limits.models.photons.TwoPhotons"},
        "masses": {"values": [0.03, 0.15]},
        "planes": [],
        "projections": [],
    }
    source = {"value": 1900, "source": "C"}
    content["periods"][0]["flight"] = {"shield": source, "region": source}
    curve = compute_curve(LimitConfig.model_validate(content))
    assert [point.observed is None for point in curve.points] == [False, True]
    loaded = json.loads(to_json(curve))
    assert loaded["not_excluded"] == [0.15]
    rows = list(csv.DictReader(io.StringIO(to_csv(curve))))
    assert rows[1]["observed_g_agg"] == ""
    assert all(math.isfinite(float(value)) for row in rows for value in row.values() if value)


def test_projection_follows_the_rule() -> None:
    assert projection_factor(1e12, 0.001, 1e14) == pytest.approx(0.1)
    assert projection_factor(1e12, 2.0, 1.6e13) == pytest.approx(0.5)
    assert projection_factor(1e12, 0.25, 1.6e13) == pytest.approx(4**-0.5 * 4**-0.25)
    assert projection_factor(1e12, 0.5, 1e12) == pytest.approx(1.0)


def test_what_if(content: dict[str, Any]) -> None:
    content["model"]["init_args"] |= {"secondaries": False}  # as the table of physics.md 4.2
    content["what_if"] = {
        "masses": [0.03], "exposure_factors": [1, 4], "missing_energy": [40], "background": [0, 3]
    }  # fmt: skip
    found = {(one.what, one.value): one.expected[0] for one in alternatives(LimitConfig.model_validate(content))}
    assert None not in found.values()
    assert found["exposure", 4] < found["exposure", 1]  # type: ignore[operator]
    assert found["exposure", 1] / found["missing_energy", 40] == pytest.approx(1.23**0.5, rel=0.02)  # type: ignore[operator]
    assert found["background", 3] > found["background", 0]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("masses", {"values": [0.01, 5.0]}, "'masses': 5 GeV is outside the range of InvisibleDarkPhoton, 0.001 to 1"),
        ("masses", {"low": 0.1, "high": 0.01}, "must be below high"),
        ("periods.0.exposure.value", -1e11, "periods.0.exposure.value.*greater than 0"),
        ("periods.0.observed", -1, "periods.0.observed"),
        ("periods.0.window.missing_energy.value", 120, "not below the beam energy"),
        ("periods.0.efficiency.constant.value", 0, "constant.value.*greater than 0"),
        ("periods.0.beam.particle", "mu-", "depth"),
        ("periods.0.exposre", 1, "did you mean 'exposure'"),
        ("confidence_levle", 0.9, "did you mean 'confidence_level'"),
        ("model.class_path", "na64ml.limits.models.invisible.DarkPhoton", "did you mean"),
        ("model.init_args.alpha_drk", 0.1, "alpha_dark"),
        ("compare", ["invisible"], "known are"),
        ("projections", ["eot"], "known are"),
        ("yield_error.value", float("nan"), "yield_error"),
    ],
)
def test_wrong_configurations(content: dict[str, Any], where: str, value: object, message: str) -> None:
    node: Any = content
    *path, last = where.split(".")
    for key in path:
        node = node[int(key)] if key.isdigit() else node[key]
    node[last] = value
    with pytest.raises(ConfigError, match=message):
        to_json(compute_curve(validate(LimitConfig, content, Path("limit.yaml"))))


def test_contradictory_periods(content: dict[str, Any]) -> None:
    first = content["periods"][0]
    for second, message in (
        ({"name": "2018", "years": [2018, 2018]}, "share years"),
        ({"years": [2021, 2021]}, "a name occurs twice"),
        ({"name": "2021", "years": [2021, 2021], "observed": None}, "'observed' is missing in 2021"),
    ):
        with pytest.raises(ConfigError, match=message):
            validate(LimitConfig, content | {"periods": [first, first | second]}, Path("limit.yaml"))


def test_a_beam_that_the_model_does_not_know(content: dict[str, Any]) -> None:
    content["model"] = {"class_path": "na64ml.limits.models.gauge.BMinusL"}
    content["periods"][0] |= {
        "beam": {"particle": "mu-", "energy": {"value": 160, "source": "C"}}, "depth": {"value": 40, "source": "C"}
    }  # fmt: skip
    with pytest.raises(ConfigError, match=r"beam\.particle.*allowed are e-, e"):
        compute_curve(LimitConfig.model_validate(content))


def test_unknown_shipped_limit() -> None:
    with pytest.raises(ConfigError, match="shipped are: na64e_alp/alp_2016_2018"):
        load_limit("shipped:na64e_invisible/nothing")


def test_documented_configuration_is_valid() -> None:
    page = (Path(__file__).parents[2] / "docs" / "limits.md").read_text()
    whole, part = (yaml.safe_load(text) for text in re.findall(r"```yaml file=\S+\n(.*?)```", page, re.S))
    config = LimitConfig.model_validate(whole | part)
    assert config.load_model().masses[0] <= config.mass_grid[0]
    assert config.working_point is not None


@pytest.fixture
def evaluation(events: Path) -> Path:
    """Return a folder as an evaluation leaves it."""
    points = WorkingPointFile(weights_hash="w", data_hash="d", n_events=480, weighted=True, points=())
    (events.parent / "working_points.json").write_text(points.model_dump_json())
    return events.parent


def test_working_point_of_the_best_expected_limit(evaluation: Path) -> None:
    expected = {"electroproduction": NonNegative(value=20.0, source="C")}
    choice = WorkingPointChoice(evaluation=evaluation, expected=expected, ecal_below=50)
    points = scan(choice)
    chosen = best(points)
    assert chosen.coupling == min(point.coupling for point in points)
    assert 0 < chosen.threshold < 1.1, "above the failing background, where all of it scores -1"
    assert chosen.background < 20
    none = WorkingPointChoice(
        evaluation=evaluation, expected={"dimuon": NonNegative(value=1e-6, source="C")}, ecal_below=50
    )
    assert best(scan(none)).threshold < 0, "without background the lowest threshold is best"
    written = to_file(choice, chosen)
    assert written.weights_hash == "w"
    assert written.points[-1].name == "best_limit"
    assert written.points[-1].efficiency["dark_photon"][0] == pytest.approx(chosen.signal_efficiency, abs=0.01)


def test_a_working_point_counts_events_as_those_beside_it(evaluation: Path) -> None:
    expected = {"electroproduction": NonNegative(value=20.0, source="C")}
    choice = WorkingPointChoice(evaluation=evaluation, expected=expected, ecal_below=50)
    chosen = best(scan(choice))
    scored = ScoredEvents.read(evaluation / "scored.npz")
    replace(scored, weight=np.where(np.arange(len(scored)) % 2 == 0, 1.0, 1e-6)).write(evaluation / "scored.npz")
    file = evaluation / "working_points.json"
    file.write_text(WorkingPointFile.read(file).model_copy(update={"weighted": False}).model_dump_json())
    point = to_file(choice, chosen).points[-1]
    assert not point.weighted
    passed = scored.of_class("dark_photon").score >= chosen.threshold
    assert point.efficiency["dark_photon"][0] == pytest.approx(passed.mean())


def test_working_point_of_unknown_class(evaluation: Path) -> None:
    choice = WorkingPointChoice(
        evaluation=evaluation, expected={"pions": NonNegative(value=1, source="C")}, ecal_below=50
    )
    with pytest.raises(ConfigError, match="pions"):
        scan(choice)


def test_command_writes_everything(content: dict[str, Any], evaluation: Path, tmp_path: Path) -> None:
    content["planes"] = ["y", "delta_a_e"]
    content["compare"] = ["invisible_2016_2018"]
    content["working_point"] = {
        "evaluation": str(evaluation),
        "expected": {"electroproduction": {"value": 1.0, "source": "C"}},
        "ecal_below": 50,
    }
    path = tmp_path / "limit.yaml"
    path.write_text(yaml.safe_dump(content))
    out = tmp_path / "out"
    assert main(["limit", str(path), "--out", str(out)]) == 0
    for name in (
        "limit.csv",
        "limit.json",
        "limit.png",
        "limit_y.pdf",
        "hepdata/submission.yaml",
        "working_points.json",
    ):
        assert (out / name).is_file(), name
    record = yaml.safe_load((out / "hepdata" / "limit_bremsstrahlung_2016_2018.yaml").read_text())
    assert len(record["independent_variables"][0]["values"]) == len(
        json.loads((out / "limit.json").read_text())["points"]
    )
    assert record["dependent_variables"][0]["header"]["name"].startswith("observed smallest")


def test_command_names_the_misspelt_key(
    content: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "limit.yaml"
    path.write_text(yaml.safe_dump(content | {"perods": []}))
    assert main(["limit", str(path)]) == 2
    assert "periods" in capsys.readouterr().err


def test_command_names_the_missing_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("na64ml.limits")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "iminuit", None)
    assert main(["limit", str(tmp_path / "limit.yaml")]) == 2
    assert "pip install" in capsys.readouterr().err
