"""Skims: the events that pass a selection in a file like the ones they come from."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from na64ml import __version__
from na64ml.errors import InputError
from na64ml.events.reader import DEFAULT_STEP, EventReader
from na64ml.events.root_files import expand, iterate_arrays, open_tree, refuse_inputs
from na64ml.events.splits import check_unique
from na64ml.events.tree_form import TreeForm, form_of, gathered, notes_of
from na64ml.events.writer import write_tree
from na64ml.inference.sieve import Sieve, Tally

LABELS, PROVENANCE = "labels", "provenance"
"""Names of the notes beside the tree of a simulated sample."""

Progress = Callable[[int], None]
"""Called with the number of events that are done."""


@dataclass
class Source:
    """One input file, and how many of its events were kept."""

    file: str
    uuid: str
    n_events: int
    form: TreeForm
    notes: dict[str, str]
    n_kept: int = field(default=0, init=False)

    @property
    def record(self) -> dict[str, Any]:
        """What the skim says about the file, with the file's own notes."""
        notes = {name: text for name, text in self.notes.items() if name != LABELS}
        return {
            "file": self.file,
            "uuid": self.uuid,
            "events": self.n_events,
            "written": self.n_kept,
            "notes": {name: _parsed(text) if name == PROVENANCE else text for name, text in notes.items()},
        }


def skim(
    reader: EventReader,
    files: str | Path | Sequence[str | Path],
    sieve: Sieve,
    out: Path,
    left_out: Collection[str] = (),
    progress: Progress = lambda n_events: None,
) -> None:
    """Write the events that the sieve keeps, with all branches and in order, to a new file.

    The file appears only when it is complete. Beside its tree lie the process names of the inputs (``labels``) and
    as ``provenance`` what was done with which files, and where these come from.

    Parameters
    ----------
    reader
        Reads the events that the sieve looks at.
    files
        ROOT files or patterns.
    sieve
        Decides; its counts are filled.
    out
        File to write.
    left_out
        Branches that are not copied.
    progress
        Called as events get done.

    Raises
    ------
    InputError
        If files cannot be read, differ in branches or process names, or are the output; if an event would be written
        twice, or none at all.
    ConfigError
        If reader and selection do not fit the events.
    """
    sources = survey(reader, files, left_out)
    refuse_inputs(out, [source.file for source in sources])
    form, notes = sources[0].form, _labels(sources)
    ids = []

    def kept() -> Iterator[dict[str, ak.Array]]:
        for source in sources:
            with open_tree(source.file, reader.layout.tree) as tree:
                wanted = dict.fromkeys([*form.branches, *reader.branches(tree.keys(recursive=False), source.file)])
                for arrays in iterate_arrays(tree, source.file, list(wanted), DEFAULT_STEP):
                    events = reader.decode(arrays, source.file)
                    keep = sieve(events)
                    source.n_kept += int(keep.sum())
                    ids.append(events.ids[keep])
                    progress(len(events))
                    yield {name: arrays[name][keep] for name in form.branches}

    with write_tree(out, reader.layout.tree, form.branches, notes, form.counters) as tree:
        for arrays in gathered(kept(), DEFAULT_STEP):
            tree.extend(form.columns(arrays))
        names = ", ".join(source.file for source in sources)
        if not sieve.total(Tally.KEPT):
            raise InputError(f"{names}: no event passes selection '{sieve.selection.name}'; nothing was written")
        check_unique(np.concatenate(ids), names)
        record = {**_record(reader, sieve, left_out), "sources": [source.record for source in sources]}
        notes[PROVENANCE] = json.dumps(record, indent=1)


def survey(
    reader: EventReader, files: str | Path | Sequence[str | Path], left_out: Collection[str] = ()
) -> list[Source]:
    """Open every file once, so that what does not fit is known before anything is written.

    Raises
    ------
    InputError
        If a file cannot be read or copied, lacks branches of the layout or differs from the first one.
    """
    paths = expand(files)
    sources = []
    for path in paths:
        with open_tree(path, reader.layout.tree) as tree:
            form = form_of(tree, path, left_out)
            reader.branches(form.branches, path)
            sources.append(Source(path, str(tree.file.uuid), int(tree.num_entries), form, notes_of(path)))
        sources[0].form.require_same(form, path, sources[0].file)
    reader.require_events(sum(source.n_events for source in sources), paths)
    return sources


def _labels(sources: Sequence[Source]) -> dict[str, str]:
    """Return the note with the process names, if there is one."""
    labels = {source.notes[LABELS]: source.file for source in sources if LABELS in source.notes}
    if len(labels) > 1:
        (mine, first), (theirs, other), *_ = labels.items()
        raise InputError(
            f"{first} and {other} differ in the process names, note '{LABELS}' ({mine} and {theirs}); the same number "
            "would mean different processes: skim them one by one"
        )
    return {LABELS: next(iter(labels))} if labels else {}


def _record(reader: EventReader, sieve: Sieve, left_out: Collection[str]) -> dict[str, Any]:
    """Return what was done."""
    network = None
    if sieve.scorer and sieve.selection.uses_score:
        known = sieve.scorer.metadata
        network = {
            "file": str(sieve.scorer.model),
            "weights_hash": known.weights_hash,
            "working_points": known.thresholds,
        }
    return {
        "selection": sieve.selection.model_dump(mode="json", exclude_none=True),
        "mode": sieve.blinding.mode.name,
        "unblinded": sieve.blinding.unblind,
        "model": network,
        "layout": reader.layout.name,
        "layout_hash": reader.layout.hash,
        "setup": reader.setup.name,
        "conditions_hash": reader.conditions.hash,
        "left_out": sorted(left_out),
        "na64ml": __version__,
        "events": sieve.total(Tally.EVENTS),
        "written": sieve.total(Tally.KEPT),
        "written_not_scored": sieve.total(Tally.KEPT_NOT_SCORED),
    }


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
