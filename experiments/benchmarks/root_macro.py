"""The RDataFrame macro, which scores event by event, beside the friend tree; processor time, one thread, taking turns.

Give a network and the program ``root`` of an environment with the package of the same name::

    python -m venv rootenv && rootenv/bin/python -m pip install --pre root
    OMP_NUM_THREADS=1 python experiments/benchmarks/root_macro.py --model demo/model.onnx --root rootenv/bin/root
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from machine import machine
from measuring import processor_time, program_time, spread
from repeated_file import repeated_file

from na64ml.cli import main as na64ml
from na64ml.events.reader import EventReader
from na64ml.inference.scoring.job import Job
from na64ml.inference.scoring.run import score_files

HERE = Path(__file__).parent
FEW = 1
"""Repetitions of the reference events in the short file; what the macro needs to start cancels in the difference."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write JSON and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="ONNX file written by 'na64ml export'")
    parser.add_argument("--root", type=Path, required=True, help="the program root")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks"), help="folder for files and headers")
    parser.add_argument("--out", type=Path, default=HERE / "root_macro.json", help="JSON file for the result")
    parser.add_argument("--repeat", type=int, default=6, help="how often the 5,025 reference events are repeated")
    parser.add_argument("--turns", type=int, default=3, help="measurements of each")
    options = parser.parse_args(arguments)
    facts = machine()
    files = [repeated_file(options.work, repeat).resolve() for repeat in (FEW, options.repeat)]
    na64ml(["cpp", "--copy-to", str(options.work / "macro"), "--setup", "na64e_reference"])
    job = Job(options.model, EventReader("na64e_reference"))
    n_events = 5025 * (options.repeat - FEW)

    def macro(file: Path) -> float:
        call = f'score_tree.C("{file}", "{options.model.resolve()}", "signal_90", "scores.root")'
        return program_time([options.root.resolve(), "-l", "-b", "-q", call], options.work / "macro")

    def friend(file: Path) -> float:
        return processor_time(lambda: score_files(job, file, options.work / "friend.root"))

    turns = [[scored(files[1]) - scored(files[0]) for scored in (macro, friend)] for _ in range(options.turns)]
    result = {
        "machine": facts,
        "n_events": n_events,
        "turns": options.turns,
        "macro_events_per_second": spread([n_events / macro for macro, _ in turns]),
        "friend_events_per_second": spread([n_events / friend for _, friend in turns]),
        "macro_over_friend_seconds": spread([macro / friend for macro, friend in turns]),
        "note": "processor time of one process with one thread, without what it needs to start",
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({key: result[key] for key in result if key != "machine"}, indent=1))


if __name__ == "__main__":
    main()
