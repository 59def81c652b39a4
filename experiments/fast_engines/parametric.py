"""Compare the parametric engine with Geant4, shower by shower.

    python experiments/fast_engines/parametric.py SHOWERS.root --work FOLDER

The file is the single-shower sample; the constants of the engine were fitted to its even showers, the comparison uses
the odd ones (the classifier all). Geant4 showers of low energy and in the tungsten dump are made once and kept in
``--work``.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from parametric_classifier import tell_apart
from parametric_figures import draw_profiles, draw_spectra
from parametric_numbers import dump_numbers, electromagnetic, hadronic, muonic, profile_numbers, soft_numbers
from parametric_samples import (
    DUMPS,
    SPECIES,
    dump_particles,
    geant4,
    parametrised,
    read,
    soft_particles,
    visible,
)

from na64ml.simulation.engines.parametric import Parametric

HERE = Path(__file__).parent
ODD, ALL = slice(1, None, 2), slice(0, 4000)
REPEAT = 10
"""Parametric showers for each Geant4 shower of the samples made here."""


def main() -> None:
    """Compare, write JSON and figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("showers", type=Path, help="single-shower sample")
    parser.add_argument("--work", type=Path, default=Path("runs/parametric"), help="folder of Geant4 showers")
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()
    engine = Parametric()
    result: dict[str, object] = {"constants": engine.constants, "validation": {}, "classifier": {}}
    pairs = {}
    for species in SPECIES:
        reference, particles = read(arguments.showers, species, ODD)
        ours = parametrised(particles, reference, engine)
        pairs[species] = (reference, ours)
        numbers = {"electron": electromagnetic, "gamma": electromagnetic, "muon": muonic}.get(species, hadronic)
        result["validation"][species] = numbers(reference, ours) | profile_numbers(reference, ours)
        print(species, json.dumps(result["validation"][species]), flush=True)
    draw_profiles(pairs, arguments.out / "parametric_profiles.png")
    draw_spectra(pairs, arguments.out / "parametric_spectra.png")
    for species in SPECIES:
        reference, particles = read(arguments.showers, species, ALL)
        result["classifier"][species] = tell_apart(reference, parametrised(particles, reference, engine))
        print(species, json.dumps(result["classifier"][species]), flush=True)
    soft = geant4(arguments.work, "soft", "na64e_reference", soft_particles())
    result["soft"] = soft_numbers(soft, visible(engine, "na64e_reference", soft_particles(REPEAT)))
    result["tungsten_dump"] = {
        name: dump_numbers(
            energy,
            geant4(arguments.work, name, setup, dump_particles(name)),
            visible(engine, setup, dump_particles(name, REPEAT)),
        )
        for name, (setup, energy) in DUMPS.items()
    }
    print(json.dumps(result["tungsten_dump"], indent=1))
    (arguments.out / "parametric.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
