"""Composed events against those of the engine that made the library, whose showers are straight lines."""

import json
import shutil
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
import yaml
from numpy.random import SeedSequence

from na64ml.errors import ConfigError, InputError
from na64ml.events.reader import EventReader
from na64ml.events.writer import write_tree
from na64ml.schedulers import in_this_process
from na64ml.setups.setup import load_setup
from na64ml.simulation.engines.library import Library, matching
from na64ml.simulation.engines.library.entry import find_entries
from na64ml.simulation.engines.library.store import read_provenance, read_showers
from na64ml.simulation.engines.library.symmetry import apply
from na64ml.simulation.library import load_library_recipe, make_library
from na64ml.simulation.library.tiled import tiled_detector
from na64ml.simulation.particles import Particles, mass
from na64ml.simulation.recipe import Plan, load_recipe
from na64ml.simulation.runner import simulate

PROCESSES = "na64ml.simulation.processes"
TILES = {"VHCAL": 25, "ECAL": 9.55, "VETO": 50, "HCAL": 50}
SPECIES = (11, 22, 211, 2112, 13)


def make(folder, **changes):
    """Make a library of pencils."""
    content = {
        "name": "pencils",
        "setup": "na64e_reference",
        "seed": 3,
        "engine": {"class_path": "pencil.Pencil"},
        "energy": [0.05, 120],
        "tiles": TILES,
        "shard_showers": 500,
    }
    (folder / "pencils.yaml").write_text(yaml.safe_dump(content | changes))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1]))
        recipe = load_library_recipe(str(folder / "pencils.yaml"))
        make_library(recipe, folder / "pencils.root", in_this_process, lambda n: None)
    return folder / "pencils.root"


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A library of pencils: every species in front of and inside ECAL and VHCAL."""
    starts = [{"entry": "ECAL", "spread": 2}, {"entry": "ECAL", "spread": 2, "depth": [0, 170]}, {"entry": "VHCAL"}]
    starts += [{"entry": "VHCAL", "depth": [0, 860]}, {"entry": "VETO"}]
    showers = [{"species": pdg, "count": 500, **start} for start in starts for pdg in SPECIES]
    return make(tmp_path_factory.mktemp("library"), showers=showers)


@pytest.fixture(scope="module")
def setup():
    return load_setup("na64e_reference")


@pytest.fixture(scope="module")
def transport(library, setup):
    return Library(path=library).open(setup)


@pytest.fixture
def pencil(setup):
    from pencil import Pencil

    return Pencil().open(setup)


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(5)


def beam(n, rng, half, z=-1.0, slope=0.0, pdg=11):
    """Return one particle per event within a square around the beam, of energies all over the library."""
    momentum = np.exp(rng.uniform(np.log(0.3), np.log(115), n))[:, None] * np.column_stack(
        [rng.uniform(-slope, slope, (n, 2)), np.ones(n)]
    )
    position = np.column_stack([rng.uniform(-half, half, (n, 2)), np.broadcast_to(z, n)])
    return Particles.build(np.arange(n), pdg, position, momentum)


def inside_cells(particles, *zs, margin=4.0):
    """Return the particles whose line is away from borders of ECAL cells: being misplaced does not matter there."""
    places = np.concatenate([19.1 - np.abs((particles.at(z) + 19.1) % 38.2 - 19.1) for z in zs], axis=1)
    return (places > margin).all(axis=1)


def same_share(ours, theirs, name, which=slice(None)):
    """Return the share of events whose channels are all the same."""
    mine, other = (one.visible[name].sum(axis=1)[which] for one in (ours, theirs))
    return np.isclose(mine, other, rtol=1e-3, atol=1e-7).all(axis=1).mean()


def test_particles_into_the_target(transport, pencil, rng):
    """Energies and cells are those of the direct simulation; VETO and HCAL differ only at borders."""
    particles = beam(2000, rng, half=90)
    ours, theirs = (one.run(particles, 2000, SeedSequence(1)) for one in (transport, pencil))
    assert same_share(ours, theirs, "ECAL", inside_cells(particles, 0.0)) > 0.99
    assert same_share(ours, theirs, "ECAL") > 0.8
    for name in ("VETO", "HCAL"):  # a border of cells lies among the impacts, and their tiles are 50 mm wide
        assert same_share(ours, theirs, name) > 0.8
    for name in ("VETO", "HCAL"):
        totals = [one.visible[name].sum(axis=2) for one in (ours, theirs)]
        np.testing.assert_allclose(*totals, rtol=1e-3)
    back = [one.visible["VHCAL"].sum(axis=(1, 2)) for one in (ours, theirs)]
    np.testing.assert_allclose(*back, rtol=1e-3)
    other = Particles.build(particles.event, 11, particles.position[:, [1, 0, 2]], particles.momentum)
    assert same_share(transport.run(other, 2000, SeedSequence(1)), theirs, "ECAL") < 0.5  # the comparison can fail


def test_impacts_near_a_border_stay_on_their_side(transport, pencil, rng):
    """Among the showers of an energy one is found whose place differs from that of the particle by whole tiles."""
    particles = beam(3000, rng, half=57)
    ours, theirs = (one.run(particles, 3000, SeedSequence(1)) for one in (transport, pencil))
    near = inside_cells(particles, 0.0, margin=1.0) & ~inside_cells(particles, 0.0, margin=4.0)
    assert near.sum() > 500
    assert same_share(ours, theirs, "ECAL", near) > 0.9


def test_mirrored_impacts_have_mirrored_showers(transport, setup, rng):
    """ECAL, VETO and HCAL are symmetric about their common middle, not about the beam axis."""
    particles = beam(500, rng, half=40)
    middle = setup.target_calorimeter.centre.value[0]
    mirrored = particles.position * [-1, 1, 1] + [2 * middle, 0, 0]
    exchanged = particles.position[:, [1, 0, 2]]
    runs = [
        transport.run(Particles.build(particles.event, 11, place, particles.momentum), 500, SeedSequence(1))
        for place in (particles.position, mirrored, exchanged)
    ]
    first, second, third = (one.visible["ECAL"].sum(axis=1).reshape(500, 2, 6, 6) for one in runs)
    np.testing.assert_allclose(second, first[:, :, ::-1], rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(third, first.swapaxes(2, 3), rtol=1e-5, atol=1e-9)
    assert not np.allclose(second, first)
    assert len({tuple(one.shower) for one in runs}) == 1


def test_detectors_that_are_not_square_are_not_exchanged(library, setup, rng):
    content = setup.model_dump(mode="json", exclude_none=True)
    ecal = next(one for one in content["detectors"] if one["name"] == "ECAL")
    ecal["cells"]["value"] = [6, 4]
    oblong = tiled_detector(type(setup).model_validate(content), "ECAL")
    showers = read_showers(library)
    detectors = [tiled_detector(setup, name) for name in showers.detectors]
    square, other = (
        matching.Matcher(showers, np.ones(len(showers.shower), bool), tuple(some), 2.0)
        for some in (detectors, [oblong if one.name == "ECAL" else one for one in detectors])
    )
    particles = beam(500, rng, half=40)
    operations = [
        set(one.match(particles, find_entries(particles, tuple(detectors)), rng).operation & 4)
        for one in (square, other)
    ]
    assert operations == [{0, 4}, {0}]


@pytest.mark.parametrize("pdg", SPECIES)
def test_particles_that_start_inside_the_target(pdg, transport, pencil, rng):
    particles = beam(600, rng, half=90, z=rng.uniform(1, 160, 600), slope=0.003, pdg=pdg)
    ours, theirs = (one.run(particles, 600, SeedSequence(1)) for one in (transport, pencil))
    if pdg == 13:  # not scaled: the sums differ, the cells do not
        ours.visible["ECAL"][:], theirs.visible["ECAL"][:] = ours.visible["ECAL"] > 0, theirs.visible["ECAL"] > 0
    # Frozen starts are at other depths, before or behind the border of preshower and main part.
    together = [one.visible["ECAL"].sum(axis=1).reshape(600, 2, 36) for one in (ours, theirs)]
    main = np.isclose(together[0][:, 1], together[1][:, 1], rtol=1e-3, atol=1e-7).all(axis=1)
    assert main[inside_cells(particles, 0.0, 148.5)].mean() > 0.98


def test_particles_from_upstream(transport, pencil, rng):
    """Into the body of the VHCAL, its hole and its walls, with tens of milliradians; both see the same sums."""
    particles = beam(4000, rng, half=20, z=-3000.0, slope=0.08)
    ours, theirs = (one.run(particles, 4000, SeedSequence(1)) for one in (transport, pencil))
    at_front = np.abs(particles.at(-1170.0)).max(axis=1)
    quarter = np.abs(particles.at(-1170 + 0.25 * 870)).max(axis=1)
    body = (at_front > 62) & (quarter < 245)
    through = (np.abs(particles.at(-300.0)).max(axis=1) < 58) & inside_cells(particles, 0.0, 148.5)
    vhcal = [one.visible["VHCAL"].sum(axis=(1, 2)) for one in (ours, theirs)]
    share = np.isclose(vhcal[0], vhcal[1], rtol=1e-3)
    assert share[body].mean() > 0.97
    assert same_share(ours, theirs, "VHCAL", body) > 0.7
    assert same_share(ours, theirs, "ECAL", through) > 0.9  # some cross a border of cells inside
    assert body.sum() > 500
    assert through.sum() > 50


def test_particles_beside_the_hole_are_not_lost(transport, rng):
    """Their showers are moved by some millimetres, but not into the hole."""
    particles = beam(1000, rng, half=1, z=-1180.0)
    position = particles.position + np.column_stack([rng.uniform(61.5, 75, 1000), np.zeros((1000, 2))])
    deposits = transport.run(Particles.build(particles.event, 11, position, particles.momentum), 1000, SeedSequence(1))
    share = deposits.visible["VHCAL"].sum(axis=(1, 2)) / particles.kinetic_energy
    np.testing.assert_allclose(share, 0.02, rtol=1e-3)


@pytest.fixture(scope="module")
def second_library(tmp_path_factory):
    """More electrons and pions, the electrons with energies that the first library lacks, in larger tiles."""
    return make(
        tmp_path_factory.mktemp("second"),
        seed=4,
        tiles=TILES | {"ECAL": 19.1},
        energy=[0.05, 300],
        showers=[{"species": pdg, "count": 300, "entry": "ECAL"} for pdg in (11, 211, -321)],
    )


def test_several_files_are_one_library(library, second_library, setup, pencil, rng):
    """Ids go on from file to file; narrow showers come from finer tiles more often than others."""
    both = Library(path=[library, second_library]).open(setup)
    second = []
    for pdg in (11, 211):
        particles = beam(2000, rng, half=40, pdg=pdg)
        ours, theirs = (one.run(particles, 2000, SeedSequence(1)) for one in (both, pencil))
        assert same_share(ours, theirs, "ECAL", inside_cells(particles, 0.0)) > 0.95
        second.append((ours.shower >= 12500).mean())
        assert ours.shower.max() < 13400
    assert 0 < second[0] < second[1] < 0.8
    kaons = both.run(beam(10, rng, half=20, pdg=-321), 10, SeedSequence(1))
    assert kaons.shower.min() >= 13100
    high = Particles.build([0], 11, [0, 0, -1], [0, 0, 500.0])
    assert both.run(high, 1, SeedSequence(1)).shower[0] >= 12500
    with pytest.raises(InputError, match=r"pencils.root, .*pencils.root: a particle has 700 GeV, but showers of e-"):
        both.run(Particles.build([0], 11, [0, 0, -1], [0, 0, 700.0]), 1, SeedSequence(1))


def test_files_that_do_not_belong_together_are_explained(library, setup, tmp_path):
    path = tmp_path / "again.root"
    shutil.copy(library, path)
    with pytest.raises(ConfigError, match=r"again.root: key 'path': the same showers as .*pencils.root; name each"):
        Library(path=[library, path]).open(setup)
    showers = [{"species": 11, "count": 5, "entry": "ECAL"}]
    other = make(tmp_path, showers=showers, tiles={"ECAL": 9.55, "HCAL": 50})
    message = r"pencils.root: key 'path': tiles of ECAL, HCAL, but .*pencils.root has those of ECAL, HCAL, VETO, VHCAL"
    with pytest.raises(ConfigError, match=message):
        Library(path=[library, other]).open(setup)
    with pytest.raises(ConfigError, match=r"nowhere.root: there is no such shower library"):
        Library(path=[library, tmp_path / "nowhere.root"]).open(setup)
    with pytest.raises(ValueError, match="path"):
        Library(path=[])


def test_particles_that_miss_or_are_invisible_leave_nothing(transport):
    start = [[2000, 0, -5000], [0, 0, -1], [0, 0, -1000], [0, 0, -9000]]
    momentum = [[0, 0, 5.0], [0, 0, 50.0], [0, 0, -5.0], [1.0, 0, 0]]
    missing = Particles.build([0, 1, 2, 2], [11, 14, 22, 211], start, momentum)
    deposits = transport.run(missing, 4, SeedSequence(1))
    assert sum(values.sum() for values in deposits.visible.values()) == 0
    assert deposits.shower.tolist() == [-1, -1, -1, -1]
    assert len(deposits) == 4
    none = missing.select(np.zeros(4, dtype=bool))
    assert transport.run(none, 2, SeedSequence(1)).visible["ECAL"].shape == (2, 2, 72)


def test_events_are_sums_with_the_leading_shower(transport, library, rng):
    particles = Particles.build(
        [0, 0, 1],
        [22, 11, 211],
        [[0, 0, -1.0]],
        [[0, 0, 5.0], [0, 0, 90.0], [0, 0, 20.0]],
        secondary=[True, False, True],
    )
    deposits = transport.run(particles, 2, SeedSequence(3))
    ecal = deposits.visible["ECAL"].sum(axis=2) / 2
    np.testing.assert_allclose(ecal, [[9.0, 0.5], [0, 2 - 0.1 * mass(211)]], rtol=1e-3)
    with uproot.open(library) as file:
        pdg, energy = (file["tree"][name].array(library="np") for name in ("pdg", "kinetic_energy"))
    assert pdg[deposits.shower].tolist() == [11, 211]
    np.testing.assert_allclose(energy[deposits.shower], [90, 20], rtol=0.15)


def test_the_seed_decides_and_the_chunks_do_not_matter(transport, rng):
    particles = beam(2500, rng, half=20)
    first, again, other = (transport.run(particles, 2500, SeedSequence(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.visible["ECAL"], again.visible["ECAL"])
    np.testing.assert_array_equal(first.shower, again.shower)
    assert (first.shower != other.shower).any()  # where showers are equally good
    total = first.visible["ECAL"].sum(axis=(1, 2)) / particles.kinetic_energy
    np.testing.assert_allclose(total, 0.2, rtol=1e-3)  # none is lost at the borders of chunks


def test_positrons_shower_as_electrons(transport, rng):
    particles = beam(50, rng, half=20, pdg=-11)
    assert transport.run(particles, 50, SeedSequence(1)).visible["ECAL"].sum() > 0


def test_charged_particles_cross_planes_until_they_are_absorbed(transport):
    particles = Particles.build(
        [0, 1, 2, 3],
        [211, 22, 13, 211],
        [[10, -5, -13000.0], [10, -5, -13000], [10, -5, -1700], [10, -5, -13000]],
        [[0, 0, 5.0], [0, 0, 5.0], [0.1, 0, 5.0], [1.0, 0, 10.0]],
    )
    crossings = transport.run(particles, 4, SeedSequence(1)).crossings
    assert crossings.event.tolist() == [0, 0, 0, 0, 2]
    assert crossings.plane.tolist() == [0, 1, 2, 3, 3]
    np.testing.assert_allclose(crossings.position, [[10, -5]] * 4 + [[12, -5]])


def test_pools_share_no_shower(library, setup, rng):
    particles = beam(2000, rng, half=20)
    seen = []
    for use in range(3):
        deposits = Library(path=library, pool={"of": 3, "use": use}).open(setup).run(particles, 2000, SeedSequence(1))
        assert set(deposits.shower % 3) == {use}
        seen.append(set(deposits.shower.tolist()))
    assert not seen[0] & seen[1] | seen[1] & seen[2] | seen[0] & seen[2]


@pytest.mark.parametrize(
    ("particle", "message"),
    [
        ((-321, 20.0, -1.0), r"no showers of K- \(PDG number -321\) that start in front of ECAL; make a library with "
                             r"'\{species: -321, entry: ECAL, count: ...\}', or let the process decay"),
        ((310, 20.0, 50.0), r"no showers of K\(S\)0 \(PDG number 310\) that start inside ECAL;.*depth: \[0, ...\]"),
        ((22, 20.0, 800.0), r"no showers of gamma \(PDG number 22\) that start inside HCAL"),
        ((11, 300.0, -1.0), r"a particle has 300 GeV, but showers of e- .* go up to 120 GeV; make a library"),
        ((11, 20.0, 300.0), r"starts 300 mm inside, but showers of e- .* start at 0 to 170 mm"),
    ],
)  # fmt: skip
def test_particles_outside_the_library_are_explained(particle, message, transport):
    pdg, momentum, z = particle
    with pytest.raises(InputError, match=message):
        transport.run(Particles.build([0], pdg, [0, 0, z], [0, 0, momentum]), 1, SeedSequence(1))


def test_soft_particles_get_the_softest_showers(transport):
    particles = Particles.build([0], 22, [0, 0, -1.0], [0, 0, 0.001])
    assert transport.run(particles, 1, SeedSequence(1)).visible["ECAL"].sum() == pytest.approx(2e-4, rel=1e-3)


def test_pools_that_are_too_small_are_explained(library, setup, rng):
    with pytest.raises(
        InputError, match=r"only 3 showers of e- .*in front of ECAL may be used, 5 are needed; use fewer"
    ):
        Library(path=library, pool={"of": 200, "use": 0}).open(setup).run(beam(5, rng, 20), 5, SeedSequence(1))
    small = Library(path=library, pool={"of": 50, "use": 7}, max_scale=1.2).open(setup)
    with pytest.raises(InputError, match=r"no shower of e- .* within a factor 1.2 of .* GeV; make a larger library"):
        small.run(beam(2000, rng, 20), 2000, SeedSequence(1))


def test_a_pool_that_does_not_exist():
    with pytest.raises(ValueError, match="use: 3; of 3 pools the last is 2"):
        Library(path="x.root", pool={"of": 3, "use": 3})


def test_libraries_of_other_detectors_are_refused(library, setup):
    content = setup.model_dump(mode="json", exclude_none=True)
    ecal = next(one for one in content["detectors"] if one["name"] == "ECAL")
    ecal["sandwich"]["absorber_thickness"]["value"] = 1.4
    content["detectors"] = [one for one in content["detectors"] if one["name"] != "VETO"]
    with pytest.raises(
        ConfigError, match=r"(?s)setup 'na64e_reference'.*differs in ECAL; the setup lacks VETO; make a"
    ):
        Library(path=library).open(type(setup).model_validate(content))
    other = setup.model_dump(mode="json", exclude_none=True)
    other["description"], other["detectors"][0]["planes"] = "moved trackers", other["detectors"][0]["planes"][:1]
    assert Library(path=library).open(type(setup).model_validate(other))


def test_provenance_is_read_without_the_showers(library, tmp_path):
    made = read_provenance(library)
    assert made == read_showers(library).parts[0].provenance
    notes_only = tmp_path / "notes.root"
    with uproot.recreate(notes_only) as file:
        file["provenance"] = json.dumps(made)
    assert Library(path=notes_only).provenance() == Library(path=library).provenance()
    notes_only.write_bytes(notes_only.read_bytes()[:300])
    with pytest.raises(InputError, match=r"notes\.root: damaged, or no shower library"):
        read_provenance(notes_only)
    with pytest.raises(ConfigError, match="there is no such shower library"):
        read_provenance(tmp_path / "absent.root")


def rewritten(library, path, change):
    """Write a library again after ``change`` of its columns and provenance."""
    with uproot.open(library) as file:
        columns, notes = file["tree"].arrays(how=dict), json.loads(str(file["provenance"]))
    columns = change(columns, notes) or columns
    types = {
        name: f"var * {values.layout.content.dtype}" if values.ndim > 1 else np.dtype(values.layout.dtype)
        for name, values in columns.items()
    }
    with write_tree(path, "tree", types, {"provenance": json.dumps(notes)}) as tree:
        tree.extend(columns)


def changed(name, value):
    def change(columns, notes):
        values = ak.to_numpy(columns[name]).copy()
        values[3] = value
        columns[name] = ak.Array(values)

    return change


def outside(columns, notes):
    columns["ECAL_tile"] = columns["ECAL_tile"] + 1100


def incomplete(columns, notes):
    return {name: values[:100] for name, values in columns.items()}


def without_tiles(columns, notes):
    del columns["HCAL_tile"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed("x", np.nan), "energies or places that are no numbers"),
        (changed("kinetic_energy", -1.0), "energies that are not above 0"),
        (changed("shower", 2), "showers with the same id"),
        (changed("entry", 9), "unknown entries"),
        (outside, "tiles of ECAL lie outside of it"),
        (incomplete, "100 of 12,500 showers"),
        (without_tiles, "no shower library .*HCAL_tile"),
    ],
)
def test_damaged_libraries_are_refused(change, message, library, setup, tmp_path):
    path = tmp_path / "damaged.root"
    rewritten(library, path, change)
    with pytest.raises(InputError, match=f"damaged.root: .*{message}.*make it again"):
        Library(path=path).open(setup)


def test_truncated_and_missing_files(library, setup, tmp_path):
    path = tmp_path / "short.root"
    path.write_bytes(library.read_bytes()[:20000])
    with pytest.raises(InputError, match=r"short.root: damaged, or no shower library.*make it again"):
        Library(path=path).open(setup)
    with pytest.raises(ConfigError, match=r"nowhere.root: there is no such shower library"):
        Library(path="nowhere.root").open(setup)
    shutil.copy(EMBEDDED, path)
    with pytest.raises(InputError, match=r"short.root: damaged, or no shower library"):
        Library(path=path).open(setup)


EMBEDDED = Path(__file__).parents[3] / "datasets" / "na64e_reference.root"


def test_a_sample_by_the_engine(library, tmp_path):
    """Recipe to sample to reader: events know their leading shower, the sample the content of its library."""
    recipe = {
        "name": "fast",
        "mode": "na64e_invisible",
        "setup": "na64e_reference",
        "run": 6500,
        "seed": 7,
        "engine": {
            "class_path": "na64ml.simulation.engines.library.Library",
            "init_args": {"path": str(library), "pool": {"of": 2, "use": 1}},
        },
        "processes": [
            {"class_path": f"{PROCESSES}.beam_electron.BeamElectron", "events": 40},
            {
                "class_path": f"{PROCESSES}.dark_photon.DarkPhoton",
                "init_args": {"emission": "shower"},
                "events": 40,
            },
        ],
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe))
    simulate(Plan(load_recipe(str(path))), tmp_path / "fast.root", in_this_process, lambda n: None)
    batch = next(EventReader(str(tmp_path / "fast.layout.yaml")).iterate([str(tmp_path / "fast.root")]))
    shower = np.asarray(batch.columns["shower_id"])
    assert np.all(shower >= 0)
    assert np.all(shower % 2 == 1)
    with uproot.open(tmp_path / "fast.root") as file, uproot.open(library) as made:
        provenance = json.loads(str(file["provenance"]))
        content = json.loads(str(made["provenance"]))["content_hash"]
    assert [one["content_hash"] for one in provenance["engine"]["libraries"]] == [content]
    recipe["engine"]["init_args"]["pth"] = "x"
    path.write_text(yaml.safe_dump(recipe))
    with pytest.raises(ConfigError, match=r"Library: init_args: key 'pth'.*did you mean 'path'\?"):
        Plan(load_recipe(str(path)))


def test_matches_are_near(transport, rng):
    """Chosen showers lie near in energy, place and depth."""
    n = 3000
    particles = beam(n, rng, half=15)
    entries = find_entries(particles, transport._detectors)
    matches = transport._matcher.match(particles, entries, rng)
    showers = transport._showers
    ratio = particles.kinetic_energy / showers.kinetic_energy[matches.shower]
    assert np.abs(np.log(ratio)).max() < np.log(2)
    assert np.median(np.abs(np.log(ratio))) < matching.WINDOW
    middle = -19.1
    moved = np.abs(
        apply(matches.operation, showers.impact[matches.shower] - middle) - particles.position[:, :2] + middle
    )
    from_whole_tiles = np.abs(moved / 9.55 - np.round(moved / 9.55)) * 9.55
    assert np.median(from_whole_tiles) < 1
    assert moved.max() < 38.2
    assert np.all(showers.depth[matches.shower] == 0)


def test_upstream_matches_are_moved_by_less_than_a_cell(transport, rng):
    particles = beam(3000, rng, half=240, z=-1200.0)
    entries = find_entries(particles, transport._detectors)
    hit = np.flatnonzero(entries.z == -1170)
    some, where = particles.select(hit), entries.select(hit)
    matches = transport._matcher.match(some, where, rng)
    impact = apply(matches.operation, transport._showers.impact[matches.shower])
    moved = np.linalg.norm(impact - where.at(where.z), axis=1)
    assert np.median(moved) < 30
    assert set(matches.operation) == set(range(8))
