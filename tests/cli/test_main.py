import shutil

import pytest
import yaml

from na64ml.cli import VERBS, main
from na64ml.resources import shipped


def test_help_lists_every_verb(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(verb in text for verb in VERBS)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["inspect", "nothing.root"], ["nothing.root", "check the path"]),
        (["inspect", "none-*.root"], ["none-*.root", "no file matches"]),
        (["setup", "show", "na64e_1999"], ["na64e_1999", "na64e_2018"]),
        (["select", "shipped:na64e_reference_b.root", "--selection", "tight"], ["tight", "simple"]),
        (["select", "shipped:na64e_reference_b.root", "--selection", "simple_with_score"], ["--model"]),
        (["select", "shipped:na64e_reference_b.root", "--mode", "na64x"], ["na64x", "na64e_invisible"]),
        (["select", "shipped:na64e_reference_b.root", "--selection", "simple", "simple"], ["more than one", "simple"]),
        (["setup", "show", "na64e_2018", "--figure", "a.xyz"], ["a.xyz", "png"]),
        (["select", "shipped:na64e_reference_b.root", "--layout", "na64x"], ["na64x", "na64e_reference"]),
        (["select", "shipped:na64e_reference_b.root", "--layout", "reco2018tree"], ["hcal0", "layout"]),
        (["score", "a.root", "--model", "none.onnx", "--out", "b.root"], ["none.onnx", "na64ml export"]),
        (["evaluate", "a.root", "--model", "none.ckpt", "--out", "b"], ["none.ckpt"]),
        (["evaluate", "a.root", "--model", "none.txt", "--out", "b"], ["none.txt", ".onnx"]),
        (["export", "none.ckpt", "--out", "m.onnx"], ["none.ckpt"]),
        (
            ["display", "shipped:na64e_reference_b.root", "--event", "1", "2", "3"],
            ["shipped:na64e_reference_b.root", "no event"],
        ),
        (
            ["display", "shipped:na64e_reference_b.root", "--survivors", "simple", "--of", "axion"],
            ["axion", "dark_photon"],
        ),
    ],
)
def test_wrong_input_is_reported_with_its_name_and_a_remedy(arguments, named, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    text = " ".join(capsys.readouterr().err.split())
    assert "Traceback" not in text
    for word in named:
        assert word.replace(" ", "") in text.replace(" ", ""), f"'{word}' is not in: {text}"
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_setup_show_prints_and_draws(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["setup", "show", "na64e_2023"]) == 0
    assert "VHCAL" in capsys.readouterr().out
    assert (tmp_path / "na64e_2023.png").stat().st_size > 10_000


def test_a_figure_that_cannot_be_saved_is_named(capsys):
    assert main(["setup", "show", "na64e_2023", "--figure", "/proc/x.png"]) == 2
    text = "".join(capsys.readouterr().err.split())
    assert "/proc/x.png:cannotbewritten" in text


def test_setup_list(capsys):
    assert main(["setup", "list"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("na64e_reference", "na64e_2018", "na64e_2022", "na64e_2023"))


def test_inspect_says_which_layouts_fit(capsys):
    assert main(["inspect", "shipped:na64e_reference_b.root"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "2,010 entries" in text
    assert "ECAL_ene" in text
    assert "layout na64e_reference: fits" in text
    assert "layout reco2018tree: does not fit" in text


def test_events_that_occur_twice_are_an_error(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("first.root", "second.root"):
        shutil.copy(shipped("datasets") / "na64e_reference_b.root", tmp_path / name)
    assert main(["select", "first.root", "second.root"]) == 2
    text = " ".join(capsys.readouterr().err.split())
    assert "occurs more than once" in text
    assert "second.root" in text


def test_a_mode_runs_on_its_setups_only(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = shipped("configs") / "na64e_invisible"
    shutil.copytree(folder / "selection", tmp_path / "selection")
    content = yaml.safe_load((folder / "mode.yaml").read_text())
    content["setups"] = ["na64e_2018"]
    content.pop("blinded_by_setup", None)
    (tmp_path / "mode.yaml").write_text(yaml.safe_dump(content))
    assert main(["select", "shipped:na64e_reference_b.root", "--mode", "mode.yaml"]) == 2
    text = capsys.readouterr().err
    assert "na64e_reference" in text
    assert "na64e_2018" in text
