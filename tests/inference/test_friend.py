import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import uproot

from na64ml.errors import ContractError, InputError
from na64ml.events.reader import EventReader
from na64ml.inference import Scorer
from na64ml.inference.friend import blind, score_files
from na64ml.inference.status import BLINDED, SCORED
from na64ml.selection.mode import Mode

WriteFile = Callable[..., Path]


@pytest.fixture(scope="module")
def scorer(onnx_file: Path) -> Scorer:
    return Scorer(onnx_file)


@pytest.fixture(scope="module")
def files(write_file: WriteFile, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("files")
    return [
        write_file(folder / "one.root", np.arange(0, 60)),
        write_file(folder / "two.root", np.arange(400, 430)),
    ]


def friend(path: Path) -> dict[str, np.ndarray]:
    with uproot.open(path) as root:
        assert root["scores"].classname == "TTree"
        return root["scores"].arrays(library="np")


def test_the_friend_has_one_entry_per_event_in_order(
    scorer: Scorer, reader: EventReader, files: list[Path], tmp_path: Path
) -> None:
    seen: list[int] = []
    counts = score_files(scorer, reader, files, tmp_path / "out.root", progress=seen.append)
    columns = friend(tmp_path / "out.root")
    events = reader.read(files)
    expected = scorer.score(events)
    assert list(columns) == [
        "run", "spill", "spillevent", *(f"p_{name}" for name in scorer.metadata.classes), "score", "status",
    ]  # fmt: skip
    np.testing.assert_array_equal(np.stack([columns[n] for n in ("run", "spill", "spillevent")], axis=1), events.ids)
    np.testing.assert_allclose(columns["score"], expected.score, rtol=1e-5, atol=1e-5)
    for index, name in enumerate(scorer.metadata.classes):
        np.testing.assert_allclose(columns[f"p_{name}"], expected.probability[:, index], rtol=1e-4, atol=1e-6)
    assert counts == {SCORED: 90}
    assert sum(seen) == 90
    assert [path.name for path in tmp_path.iterdir()] == ["out.root"]


def test_hidden_events_keep_their_entry_without_a_score(
    scorer: Scorer, reader: EventReader, files: list[Path], tmp_path: Path
) -> None:
    counts = score_files(
        scorer, reader, files, tmp_path / "out.root", hide=lambda events: np.arange(len(events)) % 3 == 0
    )
    columns = friend(tmp_path / "out.root")
    hidden = np.concatenate([np.arange(60) % 3 == 0, np.arange(30) % 3 == 0])
    assert (columns["status"] == np.where(hidden, BLINDED, SCORED)).all()
    for name in ("score", *(f"p_{name}" for name in scorer.metadata.classes)):
        assert (np.isnan(columns[name]) == hidden).all()
    assert counts == {SCORED: 60, BLINDED: 30}


def test_blinding_leaves_nothing_to_recover(scorer: Scorer, reader: EventReader, files: list[Path]) -> None:
    scores = scorer.score(reader.read(files))
    hidden = np.zeros(90, dtype=bool)
    hidden[5] = True
    blinded = blind(scores, hidden)
    assert np.isnan(blinded.logits[5]).all()
    assert np.isnan(blinded.probability[5]).all()
    assert np.isnan(blinded.score[5])
    np.testing.assert_array_equal(blinded.score[6:], scores.score[6:])


def test_a_failure_in_the_middle_leaves_no_output(
    scorer: Scorer, reader: EventReader, files: list[Path], tmp_path: Path
) -> None:
    cut = tmp_path / "cut.root"
    cut.write_bytes(files[1].read_bytes()[:20000])
    output = tmp_path / "out" / "scores.root"
    written: list[int] = []
    with pytest.raises(InputError, match=r"cut\.root"):
        score_files(scorer, reader, [files[0], cut], output, progress=written.append)
    assert written == [60]  # it failed after the first file
    assert list(output.parent.iterdir()) == []

    output.write_text("scores of last year")
    with pytest.raises(InputError, match=r"cut\.root"):
        score_files(scorer, reader, [files[0], cut], output)
    assert output.read_text() == "scores of last year"
    assert [path.name for path in output.parent.iterdir()] == ["scores.root"]


def test_events_of_another_detector_are_refused_before_anything_is_written(
    scorer: Scorer, files: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(ContractError, match="do not fit the network"):
        score_files(scorer, EventReader("reco2018tree"), files, tmp_path / "out.root")
    assert list(tmp_path.iterdir()) == []


def test_a_file_without_events_is_an_error(
    scorer: Scorer, reader: EventReader, write_file: WriteFile, tmp_path: Path
) -> None:
    empty = write_file(tmp_path / "empty.root", np.arange(0))
    with pytest.raises(InputError, match=r"empty\.root"):
        score_files(scorer, reader, empty, tmp_path / "out.root")
    assert not (tmp_path / "out.root").exists()


def test_data_without_truth_are_scored(
    scorer: Scorer, reader: EventReader, mode: Mode, write_file: WriteFile, tmp_path: Path
) -> None:
    data = write_file(tmp_path / "data.root", np.arange(20), drop=("mc_label", "mc_weight"))
    assert score_files(scorer, reader, data, tmp_path / "out.root") == {SCORED: 20}


def test_duplicates_within_a_batch_are_warned_about_and_scored(
    scorer: Scorer, reader: EventReader, write_file: WriteFile, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    twice = write_file(tmp_path / "twice.root", np.array([0, 1, 2, 1, 1]))
    assert score_files(scorer, reader, twice, tmp_path / "out.root").total() == 5
    assert "out.root: 2 events have the run, spill and event number of another one" in caplog.text
    score = friend(tmp_path / "out.root")["score"]
    assert score[1] == pytest.approx(score[3], rel=1e-4)


PEAK = """
import resource, sys
from pathlib import Path
from na64ml.events.reader import EventReader
from na64ml.inference import Scorer
from na64ml.inference.friend import score_files

score_files(Scorer(sys.argv[1]), EventReader("na64e_reference"), sys.argv[2], Path(sys.argv[3]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_events(onnx_file: Path, write_file: WriteFile, tmp_path: Path) -> None:
    """Peak memory in kB of a process that scores 10,000 events (one step of the reader), and of one with 80,000."""
    peak = []
    for cycles in (2, 16):
        file = write_file(tmp_path / "events.root", np.arange(5000), cycles=cycles)
        done = subprocess.run(
            [sys.executable, "-c", PEAK, str(onnx_file), str(file), str(tmp_path / "out.root")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        peak.append(int(done.stdout))
    # 70,000 more events of 55 hits are at least 100 MB; allocators need some slack.
    assert peak[1] - peak[0] < 40_000
