"""The export matrix as a page of the documentation."""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from na64ml.export.matrix import Cell, Row

_PACKAGES = ("torch", "torch-geometric", "onnx", "onnxscript", "onnxruntime")

_HEAD = """# Export matrix

Which networks PyTorch's exporters translate faithfully. Every network is made with its default sizes and random
weights, exported, and compared in the ONNX runtime with PyTorch on events of the reference sample: cut to 0, 1, k-1, k
and k+1 hits (k neighbours), {typical} events as they are, and events filled up to the hit cap. `na64ml export` uses
dynamo and opset 18 and repeats such a comparison for every file it writes.

A cell shows the largest difference of the logits, in bold if any exceeds 1e-5 + 1e-5 |x|, and the number of events on
another side of one of five thresholds, if any. *Flipped near* means that the score was within the tolerance of the
threshold. Events without hits have no score: *none* means that both say so.

{summary}
Regenerate this page, after a change of a network or of PyTorch, with

```console
$ na64ml export-matrix --out docs/export_matrix.md
```

Made with {versions}.

"""


_ATTENTION = """
## Attention of PyTorch

`scaled_dot_product_attention` with a mask of one row per event becomes the operator Attention from opset 23 on. It
exports without complaint; the table says what the runtime makes of it. `SetTransformerNetwork` writes products and
softmax out, which is right for all opsets.

"""


def render(rows: Sequence[Row], n_events: int, attention: Mapping[int, str] | None = None) -> str:
    """Return the page; ``attention`` is what became of masked attention, by opset."""
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in _PACKAGES)])
    head = _HEAD.format(typical=f"{n_events:,}", summary=_summary(rows), versions=versions)
    sizes = list(dict.fromkeys(name for row in rows for name in row.cells))
    lines = [_line(["network", "exporter", "opset", *sizes]), _line(["---"] * (3 + len(sizes)))]
    for row in rows:
        start = [f"`{row.network}`", row.exporter, str(row.opset)]
        if row.fault:
            lines.append(_line([*start, f"does not export: {_plain(row.fault)}", *[""] * (len(sizes) - 1)]))
        else:
            lines.append(_line([*start, *(_text(row.cells[name]) for name in sizes)]))
    return head + "\n".join(lines) + "\n" + (_attention(attention) if attention else "")


def _attention(outcomes: Mapping[int, str]) -> str:
    """Return the section about PyTorch's own attention."""
    lines = [_line(["opset", "largest difference"]), _line(["---"] * 2)]
    lines += [_line([str(opset), _plain(outcome)]) for opset, outcome in outcomes.items()]
    return _ATTENTION + "\n".join(lines) + "\n"


def _summary(rows: Sequence[Row]) -> str:
    """Return one line for each network with the exporters and opsets that are right for all sizes."""
    lines = []
    for network in dict.fromkeys(row.network for row in rows):
        own = [row for row in rows if row.network == network]
        good = [row for row in own if is_right(row)]
        names = ", ".join(
            f"{exporter} ({', '.join(str(row.opset) for row in good if row.exporter == exporter)})"
            for exporter in dict.fromkeys(row.exporter for row in good)
        )
        lines.append(f"- `{network}`: right with {names or 'none'}, of {len(own)} tried\n")
    return "".join(lines)


def is_right(row: Row) -> bool:
    """Whether a network exports, and agrees with PyTorch for all sizes."""
    return not row.fault and all(cell.agrees and not cell.wrong and not cell.fault for cell in row.cells.values())


def _text(cell: Cell) -> str:
    if cell.fault:
        return f"fails: {_plain(cell.fault)}"
    if not cell.n_scored:
        return "none" if cell.agrees else "**scored**"
    difference = f"{cell.difference:.0e}"
    words = [difference if cell.agrees else f"**{difference}**"]
    words += [f"{cell.wrong} flipped"] if cell.wrong else []
    words += [f"{cell.flipped - cell.wrong} flipped near"] if cell.flipped > cell.wrong else []
    return ", ".join(words)


def _plain(text: str) -> str:
    return text.replace("|", "/").replace("<", "(").replace(">", ")")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
