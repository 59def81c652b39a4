"""Make a small extract of a sample, with the same share of every process, and a summary of the whole.

    python experiments/simulation/extract.py SAMPLE.root --out datasets/SAMPLE.root --megabytes 2

The summary, `sample.json`, has the SHA-256 sums of both files, the content hash, and the events of each process.
"""

import argparse
import hashlib
import json
from pathlib import Path

import awkward as ak
import numpy as np
import uproot

from na64ml.simulation.sample import TREE, write_columns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sample", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--megabytes", type=float, default=2.0)
    parser.add_argument("--summary", type=Path, default=Path(__file__).parent / "sample.json")
    arguments = parser.parse_args()
    with uproot.open(arguments.sample) as file:
        labels, provenance = str(file["labels"]), json.loads(str(file["provenance"]))
        names = [name for name in file[TREE].keys(recursive=False) if not name.startswith("n")]
        events = file[TREE].arrays(names)
    step = int(np.ceil(arguments.sample.stat().st_size / (arguments.megabytes * 1e6)))
    chosen = events[::step]
    columns = {name: plain(chosen[name]) for name in chosen.fields}
    notes = {**provenance, "extract": f"every {step}th of {len(events)} events of content {provenance['content_hash']}"}
    n_events, content = write_columns(arguments.out, iter([columns]), notes, {"labels": labels})
    count = np.bincount(ak.to_numpy(events.mc_label), minlength=labels.count(",") + 1)
    summary = {
        "events": {name: int(n) for name, n in zip(labels.split(","), count, strict=True) if n},
        "recipe_hash": provenance["recipe_hash"],
        "content_hash": provenance["content_hash"],
        "sha256": digest(arguments.sample),
        "megabytes": round(arguments.sample.stat().st_size / 1e6, 1),
        "extract": {"events": n_events, "content_hash": content, "sha256": digest(arguments.out)},
    }
    arguments.summary.write_text(json.dumps(summary, indent=1) + "\n")
    print(json.dumps(summary, indent=1))


def plain(column: ak.Array) -> ak.Array | np.ndarray:
    """Return lists as they are, everything else as NumPy array."""
    return ak.to_packed(column) if "var" in str(column.type) else ak.to_numpy(column)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
