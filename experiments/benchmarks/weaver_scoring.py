"""How fast our exported networks score compared with ParticleNet of weaver-core: one thread, processor time, by turns.

Give our networks, the reference events as experiments/bakeoff/particlenet/convert.py writes them, and the interpreter
of an environment with weaver-core::

    OMP_NUM_THREADS=1 python experiments/benchmarks/weaver_scoring.py fast.onnx default.onnx \\
        --weaver weaver/bin/python --tree runs/particlenet/na64e_reference.root
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from machine import machine
from other_environment import OtherEnvironment
from overhead import processor_time, spread

from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.inference import Scorer

HERE = Path(__file__).parent
STUDY = HERE.parent / "bakeoff" / "particlenet"
MICRO_BATCH = 16
STEP = 20
"""One reference event of so many is scored."""

REPEAT = 4
"""How often our networks score them in a turn."""

TARGET = 20
"""How many times the rate of the full ParticleNet ours should be."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write JSON and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", help="ONNX files written by 'na64ml export'")
    parser.add_argument("--weaver", type=Path, required=True, help="Python interpreter that has weaver-core")
    parser.add_argument("--tree", type=Path, required=True, help="converted reference events")
    parser.add_argument("--out", type=Path, default=HERE / "weaver_scoring.json", help="JSON file for the result")
    parser.add_argument("--passes", type=int, default=3, help="timed passes, after one that is not timed")
    options = parser.parse_args(arguments)
    facts = machine()
    events = EventReader("na64e_reference").read("shipped:na64e_reference.root").select(slice(0, None, STEP))
    scorers = {model.stem: Scorer(model, threads=1, micro_batch=MICRO_BATCH) for model in options.models}
    settings = {"study": str(STUDY), "tree": str(options.tree.absolute()), "step": STEP}
    with OtherEnvironment(options.weaver, HERE / "weaver_scoring_turns.py", settings) as weaver:
        versions = weaver.ask("versions")
        ways = versions.pop("ways")
        if versions.pop("n_events") != len(events):
            raise SystemExit(f"{options.tree}: is not the converted na64e_reference.root; run convert.py again")
        turns = []
        for _ in range(options.passes + 1):
            ours = {name: rate(scorer, events) for name, scorer in scorers.items()}
            answers = {way: weaver.ask(way) for way in ways}
            turns.append({**ours, **{way: answer["n_events"] / answer["cpu"] for way, answer in answers.items()}})
    turns = turns[1:]
    result = {
        "machine": {**facts, "weaver environment": versions},
        "n_events": len(events),
        "hits_per_event": round(float(events.hits_per_event.mean()), 1),
        "micro_batch": MICRO_BATCH,
        "passes": options.passes,
        "events_per_cpu_second": {
            name: {key: round(value) for key, value in spread([turn[name] for turn in turns]).items()}
            for name in turns[0]
        },
        "ratio": {
            model: {way: spread([turn[model] / turn[way] for turn in turns]) for way in ways} for model in scorers
        },
        "target": TARGET,
        "note": "ours includes features and neighbours; the features of ParticleNet are made and padded beforehand",
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({key: result[key] for key in ("events_per_cpu_second", "ratio")}, indent=1))


def rate(scorer: Scorer, events: EventBatch) -> float:
    """Return events per second of processor time."""
    return REPEAT * len(events) / processor_time(lambda: [scorer.score(events) for _ in range(REPEAT)])


if __name__ == "__main__":
    main()
