"""How long it takes to score a ROOT file into a friend tree, over the network alone; processor time, one thread.

Give a network, for example the one of the demo::

    OMP_NUM_THREADS=1 python experiments/benchmarks/overhead.py --model demo/model.onnx

Both are measured alternately in one process, so that their ratio does not depend on what else the machine does.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from machine import machine
from measuring import processor_time, spread
from repeated_file import repeated_file

from na64ml.cli.score import Hidden
from na64ml.events.reader import EventReader
from na64ml.inference import Scorer
from na64ml.inference.scoring.job import Job
from na64ml.inference.scoring.run import score_files
from na64ml.selection.blinding import Blinding
from na64ml.selection.mode import load_mode

HERE = Path(__file__).parent
BUDGET = 1.3


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write JSON and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="ONNX file written by 'na64ml export'")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks"), help="folder for the repeated file")
    parser.add_argument("--out", type=Path, default=HERE / "overhead.json", help="JSON file for the result")
    parser.add_argument("--repeat", type=int, default=2, help="how often the 5,025 reference events are repeated")
    parser.add_argument("--passes", type=int, default=5, help="timed passes, after one that is not timed")
    options = parser.parse_args(arguments)
    facts = machine()
    file = repeated_file(options.work, options.repeat)
    reader = EventReader("na64e_reference")
    mode = load_mode("na64e_invisible")
    job = Job(options.model, reader, Hidden(reader, Blinding(mode)))
    scorer = Scorer(options.model)
    events = reader.read(file)

    def network() -> object:
        return scorer.score(events)

    def whole() -> object:
        return score_files(job, file, options.work / "overhead.root")

    network(), whole()
    seconds = [(processor_time(network), processor_time(whole)) for _ in range(options.passes)]
    ratios = [both / alone for alone, both in seconds]
    result = {
        "machine": facts,
        "n_events": len(events),
        "passes": options.passes,
        "network_seconds": spread([alone for alone, _ in seconds]),
        "root_to_friend_seconds": spread([both for _, both in seconds]),
        "ratio": spread(ratios),
        "budget": BUDGET,
        "note": "processor time of one process with one thread",
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({key: result[key] for key in ("network_seconds", "root_to_friend_seconds", "ratio")}, indent=1))


if __name__ == "__main__":
    main()
