"""One self-contained HTML page with text, tables and figures."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from matplotlib.figure import Figure

from na64ml.events.atomic import atomic_path

DOTS_PER_INCH = 130

_STYLE = """
:root { --ink: #1c2733; --soft: #5b6b7b; --line: #dde3ea; --paper: #fff; --ground: #f4f6f9;
  --accent: #1f5fa8; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, "Segoe UI", sans-serif; }
header { background: var(--accent); color: #fff; padding: 2.2rem max(1.2rem, calc(50% - 36rem)); }
h1 { margin: 0; font-size: 1.9rem; } header p { margin: .3rem 0 0; opacity: .9; }
main { max-width: 74rem; margin: 0 auto; padding: 1rem 1.2rem 3rem; }
nav { margin: .4rem 0 1rem; } nav a { color: var(--accent); margin-right: 1.1rem; text-decoration: none; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 8px;
  padding: 1rem 1.4rem 1.3rem; margin: 0 0 1.2rem; }
h2 { margin: .2rem 0 .6rem; font-size: 1.3rem; } p { max-width: 50rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; margin: .8rem 0; font-size: .93rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }
th, td { padding: .35rem .8rem; border-bottom: 1px solid var(--line); white-space: nowrap; text-align: right;
  font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; } thead th { border-bottom: 2px solid var(--ink); }
tbody tr:hover { background: var(--ground); }
.figures { display: grid; gap: 1.2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(30rem, 100%), 1fr)); }
figure { margin: .6rem 0 0; } img { width: 100%; height: auto; }
figcaption { color: var(--soft); font-size: .92rem; }
@media print { body { background: #fff; } section { border: 0; break-inside: avoid; } nav { display: none; }
  .scroll { overflow: visible; } table { font-size: .7rem; }
  th, td { white-space: normal; padding: .2rem .4rem; } }
"""


@dataclass(frozen=True)
class Table:
    """A table of text: a caption, column headings and rows of cells."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """One section: a heading, paragraphs (separated by empty lines), tables, and figures or PNG files by caption."""

    heading: str
    text: str = ""
    tables: Sequence[Table] = ()
    figures: Mapping[str, Figure | Path] = field(default_factory=dict)


def write_report(folder: Path, title: str, sections: Sequence[Section], subtitle: str = "") -> Path:
    """Write ``folder/index.html``; figures are inside the file, which needs no other file and no network.

    Parameters
    ----------
    folder
        Made if missing.
    title, subtitle
        Heading of the page and the line below it. All text is escaped.
    sections
        In order.

    Returns
    -------
    Path
        The written file.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    links = "".join(f'<a href="#s{i}">{escape(item.heading)}</a>' for i, item in enumerate(sections))
    body = "".join(_section(item, f"s{i}") for i, item in enumerate(sections))
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><header><h1>{escape(title)}</h1>{_paragraphs(subtitle)}</header>\n"
        f"<main><nav>{links}</nav>{body}</main></body></html>\n"
    )
    path = folder / "index.html"
    with atomic_path(path) as part:
        part.write_text(page, encoding="utf-8")
    return path


def _section(section: Section, anchor: str) -> str:
    tables = "".join(map(_table, section.tables))
    figures = "".join(_figure(caption, figure) for caption, figure in section.figures.items())
    grid = f'<div class="figures">{figures}</div>' if figures else ""
    heading = escape(section.heading)
    return f'<section id="{anchor}"><h2>{heading}</h2>{_paragraphs(section.text)}{tables}{grid}</section>\n'


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(part.strip())}</p>" for part in text.split("\n\n") if part.strip())


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table.columns)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    body = f"<tbody>{rows}</tbody>"
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    return f'<div class="scroll"><table>{caption}<thead><tr>{head}</tr></thead>{body}</table></div>'


def _figure(caption: str, figure: Figure | Path) -> str:
    data = base64.b64encode(figure.read_bytes() if isinstance(figure, Path) else _png(figure)).decode("ascii")
    text = escape(caption, quote=True)
    image = f'<img alt="{text}" src="data:image/png;base64,{data}">'
    return f"<figure>{image}<figcaption>{text}</figcaption></figure>"


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
    return buffer.getvalue()
