"""The documentation tells the truth: commands parse, links resolve, tables are complete, examples run."""

import hashlib
import importlib.util
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import yaml

from na64ml.cli import TRAINING, VERBS, main
from na64ml.events.layout import Layout, load_layout
from na64ml.events.reader import EventReader
from na64ml.events.root_files import expand
from na64ml.resources import shipped
from na64ml.selection.mode import load_mode
from na64ml.selection.selection import Selection
from na64ml.selection.variables import VARIABLES
from na64ml.setups.conditions import Conditions
from na64ml.setups.setup import load_setup, shipped_setups
from na64ml.simulation.class_path import ClassPath
from na64ml.simulation.engines.base import Engine

ROOT = Path(__file__).parents[1]
FOLDERS = (".", "docs/**", "datasets/**", "experiments/**")
PAGES = sorted(page for folder in FOLDERS for page in ROOT.glob(f"{folder}/*.md"))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Example:
    """A fenced block: ``file`` is where it goes, ``runs`` whether it is a program to run."""

    page: str
    language: str
    text: str
    file: str | None
    runs: bool


def examples(language: str) -> list[Example]:
    return [
        Example(page.name, tongue, text, *_options(options.split()))
        for page in PAGES
        for tongue, options, text in FENCE.findall(page.read_text())
        if tongue == language
    ]


def _options(words: list[str]) -> tuple[str | None, bool]:
    file = next((word.removeprefix("file=") for word in words if word.startswith("file=")), None)
    return file, "run" in words


def commands() -> list[str]:
    """Command lines of the console examples, continuation lines joined."""
    return [
        line.removeprefix("$ ")
        for example in examples("console")
        for line in example.text.replace("\\\n", " ").splitlines()
        if line.startswith("$ ")
    ]


def na64ml_commands(training: bool) -> list[list[str]]:
    split = [words_of(command) for command in commands()]
    return [words[1:] for words in split if words[0] == "na64ml" and (words[1] in TRAINING) is training]


def words_of(command: str) -> list[str]:
    return shlex.split(re.sub(r"^(\w+=\S+ )+", "", command), comments=True)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, onnx_file: Path) -> Path:
    """A folder with every file the pages show, and a network where the demo leaves its own."""
    folder = tmp_path_factory.mktemp("documentation")
    for language in ("yaml", "python"):
        for example in examples(language):
            if example.file:
                path = folder / example.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(example.text)
    (folder / "demo").mkdir()
    shutil.copy(onnx_file, folder / "demo" / "model.onnx")
    (folder / "my_train.yaml").write_text((shipped("configs") / "na64e_invisible" / "train.yaml").read_text())
    subprocess.run([sys.executable, "toy/make_events.py"], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("words", na64ml_commands(training=False), ids=" ".join)
def test_command_parses(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr(f"na64ml.cli.{words[0].replace('-', '_')}.run", calls.append)
    assert main(words) == 0
    assert len(calls) == 1


def test_training_commands_parse(
    workshop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workshop)
    monkeypatch.syspath_prepend(workshop)
    found = na64ml_commands(training=True)
    assert len(found) > 5
    for words in found:
        with pytest.raises(SystemExit) as stopped:
            main([*words, "--print_config"])
        assert stopped.value.code == 0, f"{words}: {capsys.readouterr().err}"


def test_every_verb_is_documented() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    assert [verb for verb in VERBS if verb not in text] == []
    shown = {words[0] for training in (True, False) for words in na64ml_commands(training)}
    assert set(VERBS) <= shown


def test_other_commands_exist() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M)
    for command in commands():
        program, *words = words_of(command)
        if program == "make":
            assert words[0] in targets
        elif program == "pip":
            extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
            assert set(re.findall(r"\w+", words[-1].removeprefix("na64ml"))) <= set(extras)
        else:
            known = program in ("na64ml", "python", "mlflow", "sh", "cd") or program.endswith("/bin/python")
            assert known, f"unknown program in '{command}'"
            if words[0].startswith(("experiments/", "docs/")):
                assert (ROOT / words[0]).exists(), f"no such file in '{command}'"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_resolve(page: Path) -> None:
    for target in LINK.findall(re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        linked = (page.parent / file).resolve() if file else page
        assert linked.is_file(), f"{page.name}: {target}"
        assert not anchor or anchor in _anchors(linked), f"{page.name}: {target}"


def _anchors(page: Path) -> set[str]:
    """Anchors of the headings of a page as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_pages_are_all_in_the_index() -> None:
    index = set(LINK.findall((ROOT / "docs" / "index.md").read_text()))
    assert {page.name for page in ROOT.glob("docs/*.md")} - {"index.md"} <= index


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_machine_paths(page: Path) -> None:
    assert not re.search(r"(?<![\w.])/(tmp|home|work|root|Users)/", page.read_text())


def test_variable_table_is_complete() -> None:
    tables = _script(ROOT / "docs" / "make_tables.py")
    page = (ROOT / "docs" / "selection.md").read_text()
    assert tables.with_table(page) == page, "run: python docs/make_tables.py"
    assert all(f"| `{name}` |" in page for name in VARIABLES)


def _script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_setups_are_all_documented() -> None:
    page = (ROOT / "docs" / "setups.md").read_text()
    assert all(f"| `{name}` |" in page for name in shipped_setups())


@pytest.mark.parametrize(
    "example", [e for e in examples("yaml") if e.file is None], ids=lambda e: f"{e.page}: {e.text[:30]!r}"
)
def test_yaml_fragment_is_valid(example: Example) -> None:
    content = yaml.safe_load(example.text)
    if example.page == "layouts.md":
        layout = Layout.model_validate(load_layout("reco2018tree").model_dump(mode="json") | content)
        assert EventReader(layout, setup=load_setup("na64e_reference")).detectors
    elif "ranges" in content:
        conditions = Conditions.model_validate(content)
        conditions.check(load_setup(conditions.setup))
    elif "engine" in content:
        ClassPath.model_validate(content["engine"]).make(Engine)
    else:
        Selection.model_validate(content)


@pytest.mark.parametrize("example", [e for e in examples("python") if e.runs], ids=lambda e: e.page)
def test_python_example_runs(example: Example, workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workshop)
    script = workshop / "example.py"
    script.write_text(example.text)
    names = runpy.run_path(str(script))
    if "passed" in names:
        assert names["passed"].dtype == np.bool_


def test_toy_experiment_reads_and_selects(
    workshop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workshop)
    assert main(["inspect", "toy/events.root", "--layout", "toy/layout.yaml"]) == 0
    assert "fits" in capsys.readouterr().out
    reader = EventReader("toy/layout.yaml")
    events = reader.read("toy/events.root")
    mode = load_mode("toy/mode.yaml")
    np.testing.assert_array_equal(np.bincount(mode.label(events)), [300, 300])
    in_hcal = events.detector == events.detector_index("HCAL")
    energy = np.bincount(events.event[in_hcal], events.hits[in_hcal, 3], minlength=len(events))
    assert energy[events.process == 0].max() == 0
    assert energy[events.process == 1].mean() == pytest.approx(0.8 * 1.02, rel=0.15)  # mean and gain of the page
    assert mode.selection("box").uses_score


@pytest.mark.slow
def test_toy_experiment_trains(
    workshop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The network of the training page, trained, exported and used as a cut on the toy experiment."""
    monkeypatch.chdir(workshop)
    monkeypatch.syspath_prepend(workshop)
    layout, mode = ["--layout", "toy/layout.yaml"], ["--mode", "toy/mode.yaml"]
    fit = ["fit", "--config", "toy/train.yaml", "--model.network", "my_networks.SumNetwork"]
    assert main([*fit, "--trainer.logger", "false", "--trainer.enable_progress_bar", "false"]) == 0
    checkpoint = str(max(Path("runs").rglob("best.ckpt"), key=os.path.getmtime))
    evaluate = ["evaluate", "toy/events.root", "--model", checkpoint, "--out", "toy/evaluation"]
    assert main([*evaluate, *layout, *mode]) == 0
    points = ["--working-points", "toy/evaluation/working_points.json"]
    assert main(["export", checkpoint, "--files", "toy/events.root", *layout, *points, "--out", "toy/model.onnx"]) == 0
    select = ["select", "toy/events.root", *layout, *mode, "--model", "toy/model.onnx", "--selection", "box"]
    assert main(select) == 0
    assert "surviving" in capsys.readouterr().out


def test_card_states_the_files() -> None:
    card = (ROOT / "datasets" / "na64e_reference.md").read_text()
    mode = load_mode("na64e_invisible")
    counts = []
    for name in ("na64e_reference.root", "na64e_reference_b.root"):
        file = f"shipped:{name}"
        assert hashlib.sha256(Path(expand(file)[0]).read_bytes()).hexdigest() in card
        events = EventReader("na64e_reference").read(file)
        assert f"run {events.ids[0, 0]}: {len(events):,} events in `{name}`" in card
        counts.append(np.bincount(mode.label(events), minlength=len(mode.classes)))
    for name, first, second in zip(mode.classes, *counts, strict=True):
        assert re.search(rf"^\| `{name}`[^|]*\| {first:,} \| {second:,} \|", card, re.M), name
