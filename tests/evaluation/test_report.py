from html.parser import HTMLParser
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from na64ml.errors import InputError
from na64ml.evaluation.figures import standard_figures
from na64ml.evaluation.flatness import flatness_in_energy
from na64ml.evaluation.metrics import evaluate
from na64ml.evaluation.report import Section, Table, write_report
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.summary import CAPTIONS, evaluation_sections

VOID = {"meta", "img"}


class Page(HTMLParser):
    """Checks the nesting of tags and collects cells and images."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.images: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag == "img":
            self.images.append(dict(attributes)["src"] or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1].append(data)


def test_page_is_self_contained_and_escaped(tmp_path: Path) -> None:
    table = Table("a & b", ["class", "<b>"], [["x<y", "1"]])
    path = write_report(
        tmp_path / "page",
        "Score <script>",
        [Section("First", "One.\n\nTwo.", [table], {'an "odd" caption': Figure()})],
        "a > b",
    )
    assert path == tmp_path / "page" / "index.html"
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert page.rows == [["class", "<b>"], ["x<y", "1"]]
    assert "<script" not in text
    assert "http" not in text
    assert text.count("<p>") == 3
    assert len(page.images) == 1
    assert page.images[0].startswith("data:image/png;base64,")


def test_evaluation_is_reported(scored: ScoredEvents, tmp_path: Path) -> None:
    metrics, figures = evaluate(scored), standard_figures(scored)
    assert set(figures) == set(CAPTIONS)
    sections = evaluation_sections(scored, metrics, figures)
    page = Page(write_report(tmp_path, "Evaluation", sections).read_text(encoding="utf-8"))
    assert len(page.images) == len(figures)
    rows = {row[0]: row for row in page.rows}
    value = metrics["rejection/dimuon@0.95"]
    assert rows["dimuon"][2] == str(metrics["independent/dimuon"])
    assert rows["dimuon"][4] == str(metrics["not_scored/dimuon"])
    assert any(row[0] == "dimuon" and row[4].startswith(f"{value:.3g} (") for row in page.rows)
    flat, of_mass = flatness_in_energy(scored, float(metrics["threshold@0.9"])), metrics["spread/mass@0.9_probability"]
    assert rows["ECAL energy"][3] == f"{flat.spread:.3f} (p = {flat.probability:.2g})"
    assert rows["dark-photon mass"][3].endswith(f"(p = {of_mass:.2g})")
    assert rows["0.001"][1].startswith(f"{metrics['signal_efficiency/mass_0.001@0.5']:.3f}")


@pytest.mark.parametrize(("weighted", "text"), [(True, "count with their weight"), (False, "All events count alike")])
def test_report_says_how_events_count(scored: ScoredEvents, weighted: bool, text: str) -> None:
    assert text in evaluation_sections(scored, evaluate(scored, weighted=weighted), {})[0].text


def test_unwritable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file/page/index\.html: cannot be written"):
        write_report(tmp_path / "file" / "page", "Title", [])


@pytest.mark.parametrize(("is_limit", "hi", "cell"), [(True, None, "> 304"), (False, None, "304 (80 - unbounded)")])
def test_unbounded_rejections_say_so(scored: ScoredEvents, is_limit: bool, hi: float | None, cell: str) -> None:
    metrics = evaluate(scored)
    name = "rejection/dimuon@0.5"
    metrics |= {name: 304.0, f"{name}_lo": 80.0, f"{name}_hi": hi, f"{name}_is_limit": is_limit}
    rows = evaluation_sections(scored, metrics, {})[0].tables[0].rows
    assert next(row for row in rows if row[0] == "dimuon")[1] == cell
