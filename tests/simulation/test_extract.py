"""The extract of the sample of all classes that comes with the package."""

import hashlib
import json

import numpy as np
import uproot

from na64ml.events.reader import EventReader
from na64ml.resources import shipped
from na64ml.selection.mode import load_mode
from na64ml.simulation.recipe import Plan, load_recipe

NAME = "na64e_invisible_geant4"


def test_the_extract_was_made_by_the_shipped_recipe():
    path = shipped("datasets") / f"{NAME}.root"
    with uproot.open(path) as file:
        provenance = json.loads(str(file["provenance"]))
    recipe = load_recipe(f"shipped:{NAME}")
    assert provenance["recipe_hash"] == recipe.hash
    assert sum(Plan(recipe).events) == 20_000
    card = (shipped("datasets") / f"{NAME}.md").read_text()
    assert hashlib.sha256(path.read_bytes()).hexdigest() in card
    assert path.stat().st_size < 2e6


def test_the_extract_has_events_of_every_class():
    events = EventReader(NAME).read(f"shipped:{NAME}.root")
    mode = load_mode("na64e_invisible")
    assert np.bincount(mode.label(events), minlength=len(mode.classes)).min() > 100
    assert set(np.array(events.processes)[np.unique(events.process)]) >= {"non_hermeticity", "target_electroproduction"}
    assert np.isfinite(events.weight).all()
    assert (events.weight >= 0).all()
