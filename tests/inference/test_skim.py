import json
from collections.abc import Callable
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from na64ml.errors import ConfigError, InputError
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.events.tree_form import notes_of
from na64ml.inference import skim as skim_module
from na64ml.inference.scorer import Scorer
from na64ml.inference.sieve import Sieve, Tally
from na64ml.inference.skim import skim
from na64ml.resources import shipped
from na64ml.selection.blinding import Blinding
from na64ml.selection.mode import Mode
from na64ml.selection.selection import Selection
from na64ml.selection.variables import compute
from na64ml.selection.view import EventView

SAMPLE = shipped("datasets") / "na64e_reference_b.root"

WriteFile = Callable[..., Path]
MakeSieve = Callable[..., Sieve]


def cuts(*cuts: dict[str, object]) -> Selection:
    return Selection.model_validate(
        {"name": "mine", "cuts": [{"name": f"cut {i}", **cut} for i, cut in enumerate(cuts)]}
    )


BELOW_60 = cuts({"require": {"variable": "ecal_energy", "below": 60}})
SCORE = cuts({"require": {"variable": "score", "min": -1e9}})
"""Every event with a score passes."""


@pytest.fixture
def make_sieve(reader: EventReader, mode: Mode) -> MakeSieve:
    def make(selection: Selection = BELOW_60, unblind: bool = False, scorer: Scorer | None = None) -> Sieve:
        return Sieve(
            selection,
            Blinding(mode, unblind),
            lambda events: EventView(events, reader.setup, reader.conditions),
            scorer,
        )

    return make


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that several chunks are read and written."""
    monkeypatch.setattr(skim_module, "DEFAULT_STEP", 300)


def branches(file: Path) -> dict[str, ak.Array]:
    with uproot.open(file) as root:
        return root["tree"].arrays(root["tree"].keys(), library="ak", how=dict)


def assert_copied(out: Path, source: Path, mask: np.ndarray) -> None:
    found, known = branches(out), branches(source)
    assert list(found) == list(known)
    for name, array in known.items():
        assert str(found[name].type) == str(array[mask].type)
        assert ak.array_equal(found[name], array[mask], equal_nan=True), name


def ecal(reader: EventReader, events: EventBatch) -> np.ndarray:
    return compute(["ecal_energy"], EventView(events, reader.setup, reader.conditions))["ecal_energy"]


def test_all_branches_of_the_events_that_pass_are_copied(
    reader: EventReader, make_sieve: MakeSieve, tmp_path: Path
) -> None:
    sieve, out, seen = make_sieve(), tmp_path / "out.root", []
    skim(reader, SAMPLE, sieve, out, progress=seen.append)
    events = reader.read(SAMPLE)
    mask = ecal(reader, events) < 60
    assert_copied(out, SAMPLE, mask)
    again = reader.read(out)
    np.testing.assert_array_equal(again.hits, events.select(np.flatnonzero(mask)).hits)
    np.testing.assert_array_equal(again.ids, events.ids[mask])
    assert sum(seen) == sieve.total(Tally.EVENTS) == len(events)
    assert {name: counts[Tally.KEPT] for name, counts in sieve.counts.items()} == {
        name: np.count_nonzero(mask & (events.process == index)) for index, name in enumerate(reader.processes)
    }
    assert [path.name for path in tmp_path.iterdir()] == ["out.root"]


def test_notes_are_carried_over_and_a_skim_can_be_skimmed(
    reader: EventReader, make_sieve: MakeSieve, tmp_path: Path
) -> None:
    skim(reader, SAMPLE, make_sieve(), tmp_path / "once.root")
    sieve = make_sieve(cuts({"require": {"variable": "ecal_energy", "below": 40}}))
    skim(reader, tmp_path / "once.root", sieve, tmp_path / "twice.root")
    assert_copied(tmp_path / "twice.root", SAMPLE, ecal(reader, reader.read(SAMPLE)) < 40)
    notes = notes_of(str(tmp_path / "twice.root"))
    assert notes["labels"] == notes_of(str(SAMPLE))["labels"]
    record = json.loads(notes["provenance"])
    assert record["selection"]["cuts"][0]["require"] == {"variable": "ecal_energy", "below": 40}
    (source,) = record["sources"]
    (first,) = source["notes"]["provenance"]["sources"]
    assert first["file"] == str(SAMPLE)
    assert first["events"] == 2010
    assert record["events"] == source["events"] == first["written"]
    assert record["written"] == source["written"] == len(branches(tmp_path / "twice.root")["run"])


def test_files_are_joined_in_order_without_the_branches_left_out(
    reader: EventReader, make_sieve: MakeSieve, write_file: WriteFile, tmp_path: Path
) -> None:
    files = [write_file(tmp_path / f"{part}.root", np.arange(part * 40, part * 40 + 40)) for part in (1, 0)]
    skim(reader, files, make_sieve(), tmp_path / "out.root", left_out=["mc_mass", "mc_edep_ecal"])
    joined = branches(tmp_path / "out.root")
    mask = [ecal(reader, reader.read(file)) < 60 for file in files]
    sources = [branches(file) for file in files]
    assert joined.keys() == sources[0].keys() - {"mc_mass", "mc_edep_ecal"}
    for name, array in joined.items():
        parts = [source[name][chosen] for source, chosen in zip(sources, mask, strict=True)]
        assert ak.array_equal(array, ak.concatenate(parts), equal_nan=True)
    record = json.loads(notes_of(str(tmp_path / "out.root"))["provenance"])
    assert record["left_out"] == ["mc_edep_ecal", "mc_mass"]
    assert [source["written"] for source in record["sources"]] == [chosen.sum() for chosen in mask]


def test_data_in_the_blinded_region_are_written_only_on_demand(
    reader: EventReader, make_sieve: MakeSieve, write_file: WriteFile, mode: Mode, tmp_path: Path
) -> None:
    data = write_file(tmp_path / "data.root", np.arange(0, 5025, 25), drop=("mc_label", "mc_weight"))
    events = reader.read(data)
    hidden = Blinding(mode).hidden(EventView(events, reader.setup, reader.conditions))
    passes = ecal(reader, events) < 60
    assert 0 < np.count_nonzero(hidden & passes) < np.count_nonzero(passes)
    blinded, open_ = make_sieve(), make_sieve(unblind=True)
    skim(reader, data, blinded, tmp_path / "out.root")
    assert_copied(tmp_path / "out.root", data, passes & ~hidden)
    assert blinded.counts["data"][Tally.EVENTS] == len(events)
    skim(reader, data, open_, tmp_path / "open.root")
    assert_copied(tmp_path / "open.root", data, passes)


def test_events_without_score_follow_the_rule_of_survivors(
    reader: EventReader, make_sieve: MakeSieve, write_file: WriteFile, onnx_file: Path, tmp_path: Path
) -> None:
    which = np.arange(0, 5025, 50)
    energy = np.array(ak.to_numpy(branches(shipped("datasets") / "na64e_reference.root")["ECAL_ene"])[which])
    energy[::4, 1, 0, 0] = -50.0  # far below the noise: no score
    file = write_file(tmp_path / "in.root", which, changes={"ECAL_ene": energy})
    sieve = make_sieve(SCORE, scorer=Scorer(onnx_file))
    skim(reader, file, sieve, tmp_path / "out.root")
    signal = reader.read(file).process == reader.processes.index("dark_photon")
    broken = np.arange(len(which)) % 4 == 0
    assert (signal & broken).any()
    assert_copied(tmp_path / "out.root", file, ~(signal & broken))
    assert sieve.total(Tally.NOT_SCORED) == broken.sum()
    assert sieve.total(Tally.KEPT_NOT_SCORED) == np.count_nonzero(broken & ~signal)
    record = json.loads(notes_of(str(tmp_path / "out.root"))["provenance"])
    assert record["written_not_scored"] == np.count_nonzero(broken & ~signal)
    assert record["model"]["weights_hash"] == Scorer(onnx_file).metadata.weights_hash
    rejecting = cuts({"require": {"variable": "score", "min": -1e9}}, {"require": {"variable": "srd_max", "below": -1}})
    with pytest.raises(InputError, match="no event passes"):
        skim(reader, file, make_sieve(rejecting, scorer=Scorer(onnx_file)), tmp_path / "none.root")


def test_nothing_is_written_if_something_is_wrong(
    reader: EventReader, make_sieve: MakeSieve, write_file: WriteFile, tmp_path: Path
) -> None:
    first = write_file(tmp_path / "first.root", np.arange(40))
    same = write_file(tmp_path / "same.root", np.arange(20, 60))
    wide = write_file(tmp_path / "wide.root", np.arange(40, 80), changes={"mc_mass": np.zeros(40)})
    named = {"labels": "dark_photon"}, {"labels": "dark_photon,dimuon"}
    alike = [_with_notes(first, tmp_path / f"{i}.root", note) for i, note in enumerate(named)]
    before = sorted(tmp_path.iterdir())
    none = cuts({"require": {"variable": "ecal_energy", "below": -1}})
    for files, sieve, out, message in (
        ([first, wide], make_sieve(), "out", r"first.root and .*wide.root differ in branch 'mc_mass' \(float32 and fl"),
        (alike, make_sieve(), "out", r"0.root and .*1.root differ in the process names"),
        ([first, same], make_sieve(), "out", "occurs more than once"),
        ([first], make_sieve(none), "out", "no event passes selection 'mine'; nothing was written"),
        ([first], make_sieve(), "first", "first.root: is one of the inputs"),
    ):
        with pytest.raises(InputError, match=message):
            skim(reader, files, sieve, tmp_path / f"{out}.root")
    with pytest.raises(InputError, match=r"branch 'ECAL_ene' .* is missing"):
        skim(reader, first, make_sieve(), tmp_path / "out.root", left_out=["ECAL_ene"])
    with pytest.raises(ConfigError, match="cuts on the score"):
        skim(reader, first, make_sieve(SCORE), tmp_path / "out.root")
    assert sorted(tmp_path.iterdir()) == before


def _with_notes(source: Path, target: Path, notes: dict[str, str]) -> Path:
    target.write_bytes(source.read_bytes())
    with uproot.update(target) as root:
        for name, text in notes.items():
            root[name] = text
    return target
