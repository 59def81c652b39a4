"""The C++ scorer gives the numbers, decisions and refusals of the Python scorer on the same file."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from na64ml.cli import main
from na64ml.cli.cpp import SOURCES
from na64ml.errors import ConfigError, ContractError, Na64mlError
from na64ml.events.batch import EventBatch, concatenate
from na64ml.events.reader import EventReader
from na64ml.export.parity import first_hits
from na64ml.inference import Scorer
from na64ml.inference.event_builder import EventBuilder
from na64ml.inference.metadata import PROPERTY, WorkingPoint

from .conftest import CppScorer, CppScores


def assert_same(found: CppScores, scorer: Scorer, events: EventBatch) -> None:
    expected = scorer.score(events)
    np.testing.assert_array_equal(found.status, expected.status)
    np.testing.assert_allclose(found.score, expected.score, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(found.probability, expected.probability, rtol=1e-6, atol=1e-5)
    assert found.passed.keys() == scorer.metadata.thresholds.keys()
    for name, passed in found.passed.items():
        np.testing.assert_array_equal(passed, scorer.passed(expected, name))


def with_metadata(model: Path, path: Path, **changes: object) -> Path:
    """Copy a model with keys of its metadata replaced, or taken out where the value is None."""
    graph = onnx.load(model)
    (entry,) = graph.metadata_props
    content = {**json.loads(entry.value), **changes}
    entry.value = json.dumps({key: value for key, value in content.items() if value is not None})
    onnx.save(graph, path)
    return path


@pytest.fixture(scope="module")
def decided(onnx_file: Path, reference_events: EventBatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network with working points among the scores, two of them exactly at a score."""
    score = np.sort(Scorer(onnx_file).score(reference_events).score)
    thresholds = [float(score[i]) for i in (1000, 4000)] + np.quantile(score, [0.1, 0.5, 0.9]).tolist()
    points = [
        WorkingPoint(name=f"point_{i}", threshold=t, efficiency={}, interval="none").model_dump(mode="json")
        for i, t in enumerate(thresholds)
    ]
    return with_metadata(onnx_file, tmp_path_factory.mktemp("decided") / "network.onnx", working_points=points)


@pytest.mark.parametrize("micro_batch", [1, 16, 1000])
def test_scores_and_decisions_are_those_of_python(
    cpp: CppScorer, decided: Path, reference_events: EventBatch, tmp_path: Path, micro_batch: int
) -> None:
    events = reference_events.select(slice(0, None, 1 if micro_batch == 16 else 10))
    scorer = Scorer(decided, micro_batch=micro_batch)
    found = cpp.score(decided, events, tmp_path / "arrays", micro_batch)
    assert_same(found, scorer, events)
    fractions = sorted(passed.mean() for passed in found.passed.values())
    assert fractions[0] < 0.3
    assert fractions[-1] > 0.7


def special_events(events: EventBatch, hit_cap: int) -> EventBatch:
    """One event of each kind that is or is not scored."""
    hits_before = events.offsets[:-1]
    energy, time, impact = 3, 4, 3

    def changed(which: int, column: int, value: float) -> EventBatch:
        hits = events.hits.copy()
        hits[hits_before[which], column] = value
        return replace(events, hits=hits).select([which])

    def grown(n_hits: int) -> EventBatch:
        rows = np.full(n_hits, int(np.argmax(events.detector == events.detector_index("ECAL"))))
        return replace(
            events.select([0]),
            offsets=np.array([0, n_hits]),
            hits=events.hits[rows],
            detector=events.detector[rows],
            channel=events.channel[rows],
        )

    track = events.track.copy()
    track[7, impact] = np.nan
    track[8, :impact] = np.nan
    parts = [
        first_hits(events.select([1]), np.array([0])),
        *(changed(2, energy, value) for value in (np.nan, np.inf, -np.inf, -1e30, -0.2, 1e30, 0.0)),
        *(changed(3, time, value) for value in (np.nan, np.inf)),
        *(changed(4, 0, value) for value in (np.nan, 1e38)),
        replace(events, track=track).select([7, 8]),
        grown(hit_cap),
        grown(hit_cap + 1),
        grown(10_000),
        events.select([9]),
    ]
    return concatenate(parts)


@pytest.mark.parametrize("micro_batch", [1, 5, 64])
def test_every_status_is_that_of_python(
    cpp: CppScorer, decided: Path, few_events: EventBatch, tmp_path: Path, micro_batch: int
) -> None:
    scorer = Scorer(decided, micro_batch=micro_batch)
    events = special_events(few_events, scorer.metadata.hit_cap)
    found = cpp.score(decided, events, tmp_path / "arrays", micro_batch)
    assert set(found.status.tolist()) == {0, 1, 2, 3}
    assert found.status[-2] == 2, "10,000 hits are more than the cap"
    assert_same(found, scorer, events)
    unscored = found.status != 0
    np.testing.assert_array_equal(np.isnan(found.score), unscored)
    assert not any(passed[unscored].any() for passed in found.passed.values())


def test_no_events_give_no_scores(cpp: CppScorer, decided: Path, few_events: EventBatch, tmp_path: Path) -> None:
    found = cpp.score(decided, few_events.select(slice(0, 0)), tmp_path / "arrays")
    assert len(found.score) == len(found.status) == 0
    only_empty = first_hits(few_events, np.zeros(len(few_events), dtype=np.int64))
    assert_same(cpp.score(decided, only_empty, tmp_path / "empty"), Scorer(decided), only_empty)


@pytest.mark.parametrize("columns", [(0, 1), (3, 4), (2, 3)])
def test_a_permuted_feature_is_noticed(
    cpp: CppScorer, decided: Path, few_events: EventBatch, tmp_path: Path, columns: tuple[int, int]
) -> None:
    """The comparison above would fail if the C++ side filled two columns in exchanged order."""
    order = list(range(6))
    order[columns[0]], order[columns[1]] = order[columns[1]], order[columns[0]]
    permuted = replace(few_events, hits=np.ascontiguousarray(few_events.hits[:, order]))
    found = cpp.score(decided, permuted, tmp_path / "arrays")
    with pytest.raises(AssertionError, match=r"Not equal to tolerance|Arrays are not equal"):
        assert_same(found, Scorer(decided), few_events)


def test_detectors_are_found_by_name(cpp: CppScorer, decided: Path, few_events: EventBatch, tmp_path: Path) -> None:
    order = np.array([4, 2, 0, 1, 6, 5, 3])
    names = tuple(few_events.detectors[i] for i in order)
    renumbered = replace(few_events, detectors=names, detector=np.argsort(order)[few_events.detector].astype(np.int16))
    assert_same(cpp.score(decided, renumbered, tmp_path / "arrays"), Scorer(decided), few_events)


def test_an_unknown_detector_is_named(cpp: CppScorer, decided: Path, few_events: EventBatch, tmp_path: Path) -> None:
    names = tuple("WCAL" if name == "ECAL" else name for name in few_events.detectors)
    renamed = replace(few_events, detectors=names)
    with pytest.raises(ContractError) as raised:
        Scorer(decided).score(renamed)
    said = cpp.run_arrays(decided, renamed, tmp_path / "arrays").stderr
    assert "does not know detector WCAL; it was trained with SRD, VHCAL, ECAL" in said
    assert str(raised.value).split(". ")[0] in said


def test_arrays_that_do_not_belong_together_are_refused(
    cpp: CppScorer, decided: Path, few_events: EventBatch, tmp_path: Path
) -> None:
    cpp.run_arrays(decided, few_events, tmp_path)
    again = ("score_arrays", str(decided), str(tmp_path), "16", "1")
    few_events.hits[:-1].tofile(tmp_path / "hits.f32")
    assert "values in 'hits', it has" in cpp.run(*again, *few_events.detectors).stderr
    few_events.hits.tofile(tmp_path / "hits.f32")
    assert "there are 2 detector names" in cpp.run(*again, "ECAL", "HCAL").stderr
    few_events.offsets[::-1].astype(np.int64).tofile(tmp_path / "offsets.i64")
    assert "offsets must start at 0 and not decrease" in cpp.run(*again, *few_events.detectors).stderr
    assert "micro_batch is 0" in cpp.run("score_arrays", str(decided), str(tmp_path), "0", "1", "ECAL").stderr


def other_files(model: Path, folder: Path) -> dict[str, Path]:
    """Files that must be refused, by what is wrong with them."""
    files = {name: folder / f"{name}.onnx" for name in ("missing", "cut", "text", "foreign")}
    files["cut"].write_bytes(model.read_bytes()[:5000])
    files["text"].write_text("hello")
    graph = onnx.load(model)
    del graph.metadata_props[:]
    onnx.save(graph, files["foreign"])
    about = Scorer(model).metadata.model_dump(mode="json")
    renamed = [{**about["outputs"][0], "name": "verdict"}, *about["outputs"][1:]]
    files["newer"] = with_metadata(model, folder / "newer.onnx", schema_version=2)
    files["incomplete"] = with_metadata(model, folder / "incomplete.onnx", classes=None)
    files["no_contract"] = with_metadata(model, folder / "no_contract.onnx", contracts=[])
    files["tensors"] = with_metadata(model, folder / "tensors.onnx", outputs=renamed)
    return files


CAUSES = {
    "missing": "missing.onnx: no such file; give an ONNX file written by 'na64ml export'",
    "cut": "cut.onnx: is not an ONNX network file, or a damaged one; give a file written by 'na64ml export'",
    "text": "text.onnx: is not an ONNX network file, or a damaged one; give a file written by 'na64ml export'",
    "foreign": f"foreign.onnx: has no metadata property '{PROPERTY}'; give a file written by 'na64ml export'",
    "newer": "newer.onnx: its metadata are of schema 2, schema 1 is needed; export the network again",
    "incomplete": "incomplete.onnx: its metadata are not of schema 1: ",
    "no_contract": "no_contract.onnx: its metadata are not of schema 1: ",
    "tensors": "tensors.onnx: has the tensors logits, probability, score, status, its metadata describe verdict, ",
}


def test_both_refuse_the_same_files_for_the_same_reason(cpp: CppScorer, decided: Path, tmp_path: Path) -> None:
    for name, path in other_files(decided, tmp_path).items():
        with pytest.raises(ConfigError) as raised:
            Scorer(path)
        said = cpp.run("score_event", str(path)).stderr
        for message in (str(raised.value), said):
            assert CAUSES[name] in message
            assert "give a file written" in message or "export the network again" in message or name == "missing"


def test_boosted_trees_are_refused(cpp: CppScorer, trees_file: Path) -> None:
    done = cpp.run("score_event", str(trees_file))
    assert done.returncode == 1
    assert "trees.onnx: takes analysis variables" in done.stderr
    assert "na64ml score" in done.stderr


def as_hit_list(events: EventBatch, cpp: CppScorer, order: np.random.Generator) -> str:
    """Write events as the lines of the test program, channels in random order, energies before gains."""
    place = order.permutation(events.detector.max() * 1000 + 1000)[events.detector * 1000 + events.channel]
    lines = []
    for i in range(len(events)):
        lines.append(f"begin {events.ids[i, 0]}")
        lines.append(f"track {' '.join(map(str, events.track[i].tolist()))}")
        own = slice(*events.offsets[i : i + 2])
        for row in events.offsets[i] + np.argsort(place[own], kind="stable"):
            detector = cpp.setup.detector(events.detectors[events.detector[row]])
            channel, hit = int(events.channel[row]), events.hits[row].tolist()
            if detector.kind == "tracker":
                value = hit[1] if hit[5] == 2 else hit[0]
                lines.append(f"coordinate {detector.name} {detector.channels.label[channel]} {value}")
            else:
                index = " ".join(map(str, np.unravel_index(channel, detector.shape)))
                lines.append(f"hit {detector.name} {hit[3]} {hit[4]} {index}")
        lines.append("end")
    return "\n".join(lines) + "\n"


def fill(builder: EventBuilder, text: str) -> list[tuple[int, float]]:
    """Do in Python what the test program does with the same lines."""
    scored = []
    for line in text.splitlines():
        verb, *words = line.split()
        if verb == "begin":
            builder.begin(int(words[0]))
        elif verb == "track":
            builder.set_track(
                **dict(zip(("p", "theta_x", "theta_y", "x", "y", "chi2"), map(float, words), strict=True))
            )
        elif verb == "hit":
            builder.add(words[0], *map(int, words[3:]), energy=float(words[1]), time=float(words[2]))
        elif verb == "coordinate":
            builder.add_coordinate(words[0], words[1], float(words[2]))
        else:
            scored += builder.end()
    return [(event.status, event.score) for event in scored + builder.flush()]


def test_events_filled_hit_by_hit_get_the_scores_of_the_reader(cpp: CppScorer, decided: Path) -> None:
    """Run 6511 has gains, dead cells and another impact cell; the reader applies them to the file."""
    plain = EventReader("na64e_reference")
    calibrated = EventReader("na64e_reference", setup=cpp.setup, conditions=cpp.conditions)
    which = slice(0, None, 60)
    raw = concatenate([plain.read(f"shipped:na64e_reference{name}.root").select(which) for name in ("", "_b")])
    expected = Scorer(decided).score(
        concatenate([calibrated.read(f"shipped:na64e_reference{name}.root").select(which) for name in ("", "_b")])
    )
    text = as_hit_list(raw, cpp, np.random.default_rng(1))
    in_python = np.array(fill(EventBuilder(Scorer(decided), cpp.setup, cpp.conditions), text))
    done = cpp.run("score_hit_list", str(decided), "7", text=text)
    in_cpp = np.array([line.split() for line in done.stdout.splitlines()], dtype=float)
    for found in (in_python, in_cpp):
        np.testing.assert_array_equal(found[:, 0], expected.status)
        np.testing.assert_allclose(found[:, 1], expected.score, rtol=1e-6, atol=1e-5)
    uncalibrated = Scorer(decided).score(raw)
    assert np.abs(uncalibrated.score - expected.score)[raw.ids[:, 0] == 6511].max() > 1e-3


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("begin 1", "no range has run 1; there are runs 6500 to 6510, 6511 to 6511"),
        ("begin 6500\nhit ECAL 1 nan 2 0 0", "ECAL has no channel [2, 0, 0], its shape is [2, 6, 6]"),
        ("begin 6500\nhit ECAL 1 nan 0 0", "ECAL has no channel [0, 0], its shape is [2, 6, 6]"),
        ("begin 6500\nhit ECAL 1 nan -1", "ECAL has no channel [-1], its shape is [2, 6, 6]"),
        ("begin 6500\nhit WCAL 1 nan 0", "does not know detector WCAL"),
        ("begin 6500\ncoordinate MM MM7X 1", "MM has no channel 'MM7X', it has MM5X, MM5Y, MM6X, MM6Y"),
        ("end", "'begin'"),
    ],
)
def test_both_builders_refuse_what_does_not_exist(cpp: CppScorer, decided: Path, lines: str, message: str) -> None:
    with pytest.raises(Na64mlError) as raised:
        fill(EventBuilder(Scorer(decided), cpp.setup, cpp.conditions), lines)
    assert message in str(raised.value)
    assert message in cpp.run("score_hit_list", str(decided), "7", text=lines + "\n").stderr


def test_a_setup_that_does_not_fit_is_refused(cpp: CppScorer, decided: Path, tmp_path: Path) -> None:
    contract = Scorer(decided).metadata.contracts[0].model_dump(mode="json")
    other = {
        **contract,
        "detectors": {**contract["detectors"], "HCAL": "calorimeter (segment sums)", "WCAL": "counter"},
    }
    model = with_metadata(decided, tmp_path / "other.onnx", contracts=[{**other, "frame": "another"}])
    with pytest.raises(ContractError) as raised:
        EventBuilder(Scorer(model), cpp.setup, cpp.conditions)
    said = cpp.run("score_hit_list", str(model), "7").stderr
    for message in (str(raised.value), said):
        assert "the events do not fit the network (network / events)" in message
        assert "detector HCAL: calorimeter (segment sums) / calorimeter" in message
        assert "detector WCAL: counter / absent" in message
        assert "frame: another / z along the beam" in message


def canonical(value: object) -> object:
    if isinstance(value, str):
        return value.encode().hex()
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, dict):
        return {key.encode().hex(): canonical(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, -2.5e-3, True, False, None, {}], "b": {"c": []}, "d": 1e300},
        'quotes " \\ / \b\f\n\r\t and µ, 漢, 😀',
        0.1,
        [[[[]]]],
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_is_read(cpp: CppScorer, value: object, ascii_only: bool) -> None:
    done = cpp.run("read_json", text=json.dumps(value, ensure_ascii=ascii_only, indent=1))
    assert json.loads(done.stdout) == canonical(value), done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"a"',
        '{"a":}',
        '{"a":1,}',
        "[1 2]",
        "[1]]",
        "nul",
        "1e",
        "--1",
        '"abc',
        '"\\x"',
        '"\\u12g4"',
        "[" * 100,
    ],
)
def test_what_is_not_json_is_refused(cpp: CppScorer, text: str) -> None:
    done = cpp.run("read_json", text=text)
    assert done.returncode == 1
    assert "at character" in done.stderr


def test_the_command_says_what_it_cannot_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cpp", "--copy-to", "/proc/no_such_folder"]) == 2
    assert "cannot be written" in " ".join(capsys.readouterr().err.split())
    assert main(["cpp", "--copy-to", str(tmp_path), "--conditions", "na64e_reference"]) == 2
    assert "give --setup too" in " ".join(capsys.readouterr().err.split())


def test_the_official_header_is_used_where_there_is_one(cpp: CppScorer) -> None:
    """It has all members by name; that those used here are at the places declared by hand is asserted in compiling."""
    include = ["-I", SOURCES, "-I", Path(__file__).parent / "cpp" / "official"]
    compiler = ["c++", "-std=c++17", "-fsyntax-only", "-H", *include, SOURCES / "score_event.cpp"]
    done = subprocess.run(compiler, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "official/onnxruntime_c_api.h" in done.stderr


def test_the_loop_of_the_pages_selects_what_python_selects(cpp: CppScorer, onnx_file: Path, tmp_path: Path) -> None:
    builder = EventBuilder(Scorer(onnx_file, micro_batch=1), "na64e_reference")
    scored = []
    for shower in np.arange(10, 60, 10, dtype=np.float32):
        builder.begin(run=6500)
        builder.add("ECAL", 0, 3, 3, energy=np.float32(0.1) * shower, time=0.5)
        builder.add("ECAL", 1, 3, 3, energy=shower, time=0.5)
        builder.add("ECAL", 1, 3, 2, energy=np.float32(0.05) * shower, time=0.5)
        builder.add("HCAL", 0, 1, 1, energy=2, time=0.5)
        for i in range(6):
            builder.add("VETO", i, energy=0)
        scored += builder.end()
    threshold = float(np.median([event.score for event in scored])) - 1e-4
    point = {"name": "signal_90", "threshold": threshold, "efficiency": {}, "interval": "none", "weighted": True}
    model = with_metadata(onnx_file, tmp_path / "network.onnx", working_points=[point])
    used = np.array([line.split() for line in cpp.run("event_loop", str(model)).stdout.splitlines()], dtype=float)
    expected = [(10.0 * (i + 1), event.score) for i, event in enumerate(scored) if event.score >= threshold]
    np.testing.assert_allclose(used, expected, rtol=1e-6, atol=1e-5)


def test_the_example_of_the_pages_runs(cpp: CppScorer, decided: Path) -> None:
    done = cpp.run("score_event", str(decided))
    assert [line.split(",")[0] for line in done.stdout.splitlines()] == [
        "event 0: status 0",
        "event 1: status 0",
        "event 2: status 1",
    ]
    assert subprocess.run([cpp.programs / "na64ml" / "score_event"], capture_output=True, check=False).returncode == 2
