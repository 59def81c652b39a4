"""The readout against the reference sample and closed forms."""

from dataclasses import replace

import awkward as ak
import numpy as np
import pytest
import uproot
from numpy.random import SeedSequence
from scipy.stats import ks_2samp, norm

from na64ml.errors import ConfigError
from na64ml.resources import shipped
from na64ml.setups.conditions import Conditions, load_conditions
from na64ml.setups.detectors import Calorimeter, Counter
from na64ml.setups.digitisation import load_digitisation, shifted
from na64ml.setups.setup import load_setup, shipped_setups
from na64ml.simulation.deposits import Crossings, Deposits
from na64ml.simulation.digitisation import Digitiser, SecondParticles
from na64ml.simulation.digitisation.calorimeter import shared
from na64ml.simulation.digitisation.srd import synchrotron_radiation
from na64ml.simulation.processes.beam_electron import BeamElectron
from na64ml.simulation.processes.beam_hadron import BeamHadron
from na64ml.simulation.processes.momentum_misreconstruction import MomentumMisreconstruction

SETUP = load_setup("na64e_reference")
CONDITIONS = load_conditions("na64e_reference")
READOUT = load_digitisation("na64e_reference")
NO_CROSSINGS = Crossings(np.zeros(0, np.int64), np.zeros(0, np.int16), np.zeros((0, 2)))
N = 2000


def deposits(n=N, **filled):
    """Nothing anywhere, but for ``DETECTOR=(channel, GeV visible)``."""
    visible = {
        d.name: np.zeros((n, 2, d.n_channels), np.float32)
        for d in SETUP.detectors
        if isinstance(d, Calorimeter | Counter)
    }
    for name, (channel, energy) in filled.items():
        visible[name][:, 1, channel] = energy
    return Deposits(visible, NO_CROSSINGS)


def digitise(generated, response, readout=READOUT, second=None, conditions=CONDITIONS, seed=1):
    digitiser = Digitiser(SETUP, conditions, readout, 6500, SeedSequence(3))
    return digitiser.digitise(generated, response, second, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def electrons(beamline):
    return BeamElectron().generate(N, beamline, np.random.default_rng(2))


@pytest.fixture(scope="module")
def sample():
    with uproot.open(shipped("datasets") / "na64e_reference.root") as file:
        return file["tree"].arrays(library="np")


def test_columns_are_those_of_the_reference_sample(electrons, sample):
    columns = digitise(electrons, deposits())
    lists = {name for name in sample if name.startswith("n") and name[1:] in sample}
    assert set(sample) - set(columns) - lists == {"run", "spill", "spillevent", "mc_label"}
    for name, values in columns.items():
        if name in sample and isinstance(values, np.ndarray):
            assert values.dtype == sample[name].dtype, name
            assert values.shape[1:] == sample[name].shape[1:], name


def test_noise_and_thresholds(electrons, sample):
    columns = digitise(electrons, deposits())
    for name, sigmas in (("ECAL", 1.5), ("HCAL", 1.5), ("VHCAL", 2.5)):
        found = (columns[f"{name}_ene"] > 0).mean()
        n = columns[f"{name}_ene"].size
        assert abs(found - norm.sf(sigmas)) < 5 * np.sqrt(norm.sf(sigmas) / n)
    quiet = sample["HCAL_ene"][:, 3]  # nothing reaches the module at zero degrees
    assert ks_2samp(columns["HCAL_ene"][columns["HCAL_ene"] > 0], quiet[quiet > 0]).pvalue > 1e-3


def test_energy_scale_resolution_and_time(electrons):
    visible = 0.1087 * 20
    columns = digitise(electrons, deposits(ECAL=(45, visible), HCAL=(4, 0.0254 * 5)))
    cell = columns["ECAL_ene"].reshape(N, -1)[:, 45]
    assert cell.std() == pytest.approx(0.02, rel=0.1)
    gains = [
        digitise(electrons, deposits(ECAL=(channel, visible)))["ECAL_ene"].reshape(N, -1)[:, channel].mean() / 20
        for channel in range(0, 72, 3)
    ]
    assert np.std(gains) == pytest.approx(0.04, rel=0.5)
    assert np.mean(gains) == pytest.approx(1.0, abs=0.03)
    assert columns["ECAL_t0"].reshape(N, -1)[:, 45].std() == pytest.approx(1.3, rel=0.08)
    assert columns["HCAL_t0"].reshape(N, -1)[:, 4].std() == pytest.approx(2.0, rel=0.08)
    empty = columns["ECAL_ene"] == 0
    assert np.all(columns["ECAL_t0"][empty] == -1000)


@pytest.mark.parametrize("name", ["ECAL", "HCAL"])
def test_times_of_small_signals_are_those_of_the_reference_sample(name, electrons, sample):
    columns = digitise(electrons, deposits())
    energy, time = (sample[f"{name}_{kind}"][~sample["mc_pileup"]] for kind in ("ene", "t0"))
    ours, small = columns[f"{name}_ene"], (energy > 0) & (energy < 0.08)
    ours_small = (ours > 0) & (ours < 0.08)
    # The resolution falls as 1/E, so that the product has one width.
    products = ours[ours_small] * columns[f"{name}_t0"][ours_small], energy[small] * time[small]
    assert products[0].std() == pytest.approx(products[1].std(), rel=0.05)


def test_photomultipliers_hold_half_of_the_deposit(electrons):
    response = deposits(VETO=(slice(2, 4), 0.0107))
    veto = digitise(electrons, response)["VETO_ene"]
    assert veto[:, 2:4].sum(axis=1).mean() == pytest.approx(0.0107, rel=0.01)
    assert np.median(veto[:, [0, 1, 4, 5]]) == 0
    assert veto[:, [0, 1, 4, 5]].max() < 0.0015  # noise


def test_noise_of_the_veto_is_that_of_the_reference_sample(electrons, sample):
    """Photomultipliers above threshold in events without any deposit."""
    empty = (sample["mc_edep_veto"] == 0) & ~sample["mc_pileup"]
    expected = (sample["VETO_ene"][empty] > 0).mean()
    found = (digitise(electrons, deposits())["VETO_ene"] > 0).mean()
    assert found == pytest.approx(expected, abs=3 * np.sqrt(expected / sample["VETO_ene"][empty].size))


def test_synchrotron_radiation_of_electrons(electrons, sample):
    """Reproduction target 7: 40 +- 16 MeV in three modules, within 10 %, and the spectra of the sample."""
    srd = digitise(electrons, deposits())["SRD_ene"]
    total = srd.sum(axis=1)
    assert total.mean() == pytest.approx(0.040, rel=0.1)
    assert total.std() == pytest.approx(0.016, rel=0.15)
    theirs = sample["SRD_ene"][(sample["mc_label"] == 0) & ~sample["mc_pileup"]]
    assert srd.std() == pytest.approx(theirs.std(), rel=0.05)
    assert (srd > 0.001).all(axis=1).mean() == pytest.approx((theirs > 0.001).all(axis=1).mean(), abs=0.03)


def test_hadrons_radiate_only_when_forced(beamline):
    hadrons = BeamHadron().generate(N, beamline, np.random.default_rng(5))
    srd = digitise(hadrons, deposits())["SRD_ene"]
    forced = hadrons.truth["srd_forced"]
    assert srd[forced].mean() == pytest.approx(0.013, rel=0.05)
    assert srd[~forced].max() < 0.0015


def test_radiation_in_the_magnet():
    """Reproduction target 8: 155 MeV and 43 photons for 7 T m at 100 GeV, within 2 %."""
    radiation = synchrotron_radiation(100.0, 7.0, 4.0)
    assert radiation.loss == pytest.approx(0.155, rel=0.02)
    assert radiation.photons == pytest.approx(43, rel=0.02)
    assert synchrotron_radiation(50.0, 7.0, 4.0).loss == pytest.approx(0.039, rel=0.02)


def test_track_is_that_of_the_reference_sample(electrons, sample):
    columns = digitise(electrons, deposits())
    for name in ("track_p", "track_thx", "track_thy", "track_x", "track_y", "track_chi2"):
        assert ks_2samp(columns[name], sample[name]).pvalue > 1e-4, name


def test_forced_momenta_are_measured_as_nominal(beamline):
    slow = MomentumMisreconstruction().generate(N, beamline, np.random.default_rng(6))
    columns = digitise(slow, deposits())
    assert columns["track_p"].mean() == pytest.approx(100, abs=0.2)
    assert columns["SRD_ene"].mean() < 0.5 * 0.013  # radiation falls with the square of the energy


def test_runs_at_another_beam_energy(beamline):
    """Half the beam energy: momenta, also wrong ones, follow, and photons of the SRD have a quarter."""
    content = CONDITIONS.model_dump(mode="json", exclude={"digitisation"})
    content["ranges"][0]["beam_energy"] = {"value": 50, "source": "?: test"}
    conditions = Conditions.model_validate(content)
    slower = replace(beamline, conditions=conditions.for_run(6500))
    assert slower.energy == 50
    often_wrong = shifted(READOUT, {"track.wrong_fraction": 0.5})
    processes = {
        "electron": BeamElectron(),
        "hadron": BeamHadron(),
        "slow": MomentumMisreconstruction(momentum=(5, 30)),
    }
    made = {name: process.generate(N, slower, np.random.default_rng(6)) for name, process in processes.items()}
    columns = {name: digitise(events, deposits(), often_wrong, None, conditions) for name, events in made.items()}
    momentum = columns["electron"]["track_p"]
    assert np.median(momentum[momentum > 48]) == pytest.approx(50, abs=0.2)
    assert momentum.min() == pytest.approx(25, abs=0.2)  # wrong momenta are those from 50 to 95 GeV, halved
    assert momentum.max() < 54
    assert columns["slow"]["track_p"].mean() == pytest.approx(50, abs=0.1)
    radiation = columns["electron"]["SRD_ene"].mean()
    assert radiation == pytest.approx(0.013 / 4, rel=0.05)
    forced = columns["hadron"]["SRD_ene"][columns["hadron"]["mc_srd_forced"]].mean()
    assert forced == pytest.approx(radiation, rel=0.05)


def test_tracker_hits_of_the_beam(electrons, sample):
    columns = digitise(electrons, deposits())
    chosen = sample["mc_label"] == 0
    for plane in ("MM5X", "ST05Y", "MM6X", "ST03X"):
        ours = ak.to_numpy(ak.num(columns[plane]))
        theirs = np.array([len(hits) for hits in sample[plane][chosen]])
        assert ours.mean() == pytest.approx(theirs.mean(), abs=0.05), plane
        assert ak.all(columns[plane][:, 1:] >= columns[plane][:, :-1])
    alone = columns["MM6X"][ak.num(columns["MM6X"]) == 1][:, 0]
    expected = electrons.track.at(-1800.0)[ak.to_numpy(ak.num(columns["MM6X"])) == 1, 0]
    near = np.abs(ak.to_numpy(alone) - expected) < 1
    assert (ak.to_numpy(alone) - expected)[near].std() == pytest.approx(0.1, rel=0.1)


def test_beam_track_ends_at_the_vertex(beamline, electrons):
    ended = replace(electrons, track=replace(electrons.track, end_z=np.full(N, -4000.0)))
    columns = digitise(ended, deposits())
    upstream, downstream = (ak.mean(ak.num(columns[name])) for name in ("ST05X", "MM6X"))
    assert upstream > 0.9
    assert downstream == pytest.approx(0.1, abs=0.03)  # noise hits


def test_second_particles_fade_out_of_the_gate(beamline, electrons):
    k = N // 2
    other = BeamElectron().generate(k, beamline, np.random.default_rng(8))
    for dt, share in ((0.0, 1.0), (25.0, 0.5), (-60.0, 0.0)):
        late = deposits(k, HCAL=(4, 0.0254 * 10))
        second = SecondParticles(np.arange(k), np.full(k, dt), other, late)
        columns = digitise(electrons, deposits(), second=second)
        energy = columns["HCAL_ene"].reshape(N, -1)[:, 4]
        assert energy[:k].mean() - energy[k:].mean() == pytest.approx(10 * share, rel=0.1, abs=0.01)
        if share > 0:
            time = columns["HCAL_t0"].reshape(N, -1)[:k, 4]
            assert time.mean() == pytest.approx(dt, abs=0.3)
        assert columns["mc_pileup"].sum() == k


def test_dead_channels_are_silent(electrons):
    content = CONDITIONS.model_dump(mode="json", exclude={"digitisation"})
    content["ranges"][0]["dead"] = {"ECAL": [[1, 3, 3]], "VETO": [[2]], "SRD": [[0]]}
    dead = Conditions.model_validate(content)
    columns = digitise(electrons, deposits(ECAL=(57, 2.0), VETO=(slice(2, 4), 0.01)), conditions=dead)
    assert np.all(columns["ECAL_ene"][:, 1, 3, 3] == 0)
    assert np.all(columns["VETO_ene"][:, 2] == 0)
    assert np.all(columns["SRD_ene"][:, 0] == 0)
    assert columns["VETO_ene"][:, 3].mean() > 0.004


def test_the_same_seed_gives_the_same_columns(electrons):
    first, again, other = (digitise(electrons, deposits(), seed=seed) for seed in (1, 1, 2))
    assert all(ak.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["ECAL_ene"], other["ECAL_ene"])


FILLED = {"ECAL": (slice(0, 72), 0.5), "HCAL": (4, 0.0254 * 5), "VETO": (slice(2, 4), 0.0107)}
"""Visible energy in the events whose readout is shifted."""


@pytest.fixture(scope="module")
def unshifted(electrons):
    return digitise(electrons, deposits(**FILLED))


def hits(values):
    return ak.to_numpy(ak.num(values)).mean()


def spread(values):
    """Width of the core of hits about their median, in mm; the beam itself has 8."""
    flat = np.sort(ak.to_numpy(ak.flatten(values)))
    return (flat[int(0.84 * len(flat))] - flat[int(0.16 * len(flat))]) / 2


def cell(name, channel, quantity):
    return lambda columns: quantity(columns[name].reshape(N, -1)[:, channel])


@pytest.mark.parametrize(
    ("shift", "quantity", "ratio"),
    [
        ({"ECAL.sampling": {"scale": 0.5}}, lambda c: c["ECAL_ene"].mean(), 2),
        ({"ECAL.gain_spread": {"scale": 2.0}}, lambda c: c["ECAL_ene"].mean(axis=0).std(), 2),
        ({"HCAL.noise": {"scale": 2.0}}, lambda c: (c["HCAL_ene"][:, 3] > 0).mean(), norm.sf(0.75) / norm.sf(1.5)),
        ({"HCAL.threshold": 0.08}, lambda c: (c["HCAL_ene"][:, 3] > 0).mean(), norm.sf(2.0) / norm.sf(1.5)),
        ({"ECAL.photoelectrons": 400}, cell("ECAL_ene", 45, np.std), np.hypot(4.6 / np.sqrt(200), 0.02) / 0.02),
        ({"ECAL.time_sigma": {"scale": 2.0}}, cell("ECAL_t0", 45, np.std), 2),
        ({"HCAL.time_sigma": 4.0}, cell("HCAL_t0", 4, np.std), 2),
        ({"ECAL.time_noise": 20.0}, cell("ECAL_t0", 45, np.std), np.hypot(1.3, 20 / 4.6) / 1.3),
        ({"HCAL.crosstalk": 0.02}, cell("HCAL_ene", 4, np.mean), 1 - 8 * 0.02),
        ({"ECAL.dead": 0.25}, lambda c: (c["ECAL_ene"] > 0).mean(), None),
        ({"VETO.resolution": {"scale": 3.0}}, cell("VETO_ene", 2, np.std), 3),
        ({"VETO.threshold": 0.0107}, lambda c: (c["VETO_ene"][:, 2:4] > 0).mean(), None),
        ({"SRD.visible": {"scale": 1.2}}, lambda c: c["SRD_ene"].mean(), 1.2),
        ({"SRD.photons": {"scale": 0.7}}, lambda c: c["SRD_ene"].mean(), 0.7),
        ({"SRD.shape": {"scale": 4.0}}, lambda c: c["SRD_ene"].std(), np.sqrt((1 + 1 / 2.352) / (1 + 1 / 0.588))),
        ({"SRD.noise": 0.02}, lambda c: (c["SRD_ene"] < 1e-9).mean(), None),
        ({"track.momentum_resolution": 0.03}, lambda c: np.std(c["track_p"]), None),
        ({"track.wrong_fraction": 0.1}, lambda c: (c["track_p"] < 90).mean(), None),
        ({"track.angle": 0.0004}, lambda c: c["track_thx"].std(), np.hypot(4, 3) / np.hypot(0.5, 3)),
        ({"track.position": 8.0}, lambda c: c["track_x"].std(), np.sqrt(2)),
        ({"MM5.efficiency": {"scale": 0.8}}, lambda c: hits(c["MM5X"]), None),
        ({"ST03.efficiency": 0.5}, lambda c: hits(c["ST03Y"]), None),
        ({"MM5.noise_hits": 2.0}, lambda c: hits(c["MM5Y"]), None),
        ({"MM6.sigma": 12.0}, lambda c: spread(c["MM6X"]), None),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_every_parameter_can_be_shifted(shift, quantity, ratio, electrons, unshifted):
    """The output moves by the expected factor, or in the direction of the shift where that depends on the sample."""
    moved = quantity(digitise(electrons, deposits(**FILLED), readout=shifted(READOUT, shift)))
    nominal = quantity(unshifted)
    if ratio is not None:
        assert moved / nominal == pytest.approx(ratio, rel=0.12)
        return
    falls = {"ECAL.dead", "VETO.threshold", "MM5.efficiency", "ST03.efficiency"}
    factor = moved / max(nominal, 1e-4)
    assert factor < 0.9 if set(shift) & falls else factor > 1.2


def test_gates_and_fakes_can_be_shifted(beamline, electrons):
    other = BeamElectron().generate(N, beamline, np.random.default_rng(8))
    second = SecondParticles(np.arange(N), np.full(N, 25.0), other, deposits(HCAL=(4, 0.0254 * 10)))
    nominal, wide = (
        digitise(electrons, deposits(), readout=shifted(READOUT, shift), second=second)["HCAL_ene"].reshape(N, -1)[:, 4]
        for shift in ({}, {"gate": {"scale": 2.0}})
    )
    assert wide.mean() / nominal.mean() == pytest.approx(0.75 / 0.5, rel=0.05)
    sums = []
    for rejection in (2e-5, 4e-5):
        events = BeamHadron(srd_rejection=rejection).generate(N, beamline, np.random.default_rng(5))
        sums.append(events.weight[events.truth["srd_forced"]].sum())
    assert sums[1] / sums[0] == pytest.approx(2)


def test_shifts_of_planes_that_are_not_there(electrons):
    with pytest.raises(ConfigError, match=r"'na64e_reference' has no tracker plane MM7 to be shifted; there are MM5"):
        digitise(electrons, deposits(), readout=shifted(READOUT, {"MM7.sigma": 0.2}))
    with pytest.raises(ConfigError, match=r"shifts of MM5: key 'efficiency"):
        digitise(electrons, deposits(), readout=shifted(READOUT, {"MM5.efficiency": {"scale": 1.2}}))
    with pytest.raises(ConfigError, match=r"ECAL\.crosstalk: there is no value to scale"):
        shifted(READOUT, {"ECAL.crosstalk": {"scale": 2}})


def test_crosstalk_keeps_the_energy_and_the_preshower():
    visible = np.zeros((1, 72))
    visible[0, [21, 57]] = 1.0, 9.0
    cells = shared(visible, 2, 0.003).reshape(2, 36)
    np.testing.assert_allclose(cells.sum(axis=1), [1, 9])
    np.testing.assert_allclose(cells[1, 0], 0.027)
    np.testing.assert_allclose(cells[1, 21], 9 * (1 - 35 * 0.003))


def test_stochastic_term_of_the_real_setups():
    """10 %/sqrt(E) of which 9 % are sampling (physics.md 5.4): the photo-statistics are the quadratic difference."""
    ecal = load_digitisation("na64e").calorimeters["ECAL"]
    photo = 1 / np.sqrt(ecal.photoelectrons.value * ecal.sampling.value)
    assert np.hypot(photo, 0.09) == pytest.approx(0.10, rel=0.002)


def test_photo_statistics(electrons):
    content = READOUT.model_dump(mode="json")
    content["calorimeters"]["ECAL"]["photoelectrons"] = {"value": 5000, "source": "?: test"}
    columns = digitise(electrons, deposits(ECAL=(45, 1.0)), readout=type(READOUT).model_validate(content))
    cell = columns["ECAL_ene"].reshape(N, -1)[:, 45]
    assert cell.std() / cell.mean() == pytest.approx(1 / np.sqrt(5000), rel=0.1)


def test_misspelt_shift_names_the_nearest_parameter():
    with pytest.raises(ConfigError, match=r"no parameter 'ECAL.nois'; did you mean ECAL.noise"):
        shifted(READOUT, {"ECAL.nois": 0.1})
    with pytest.raises(ConfigError, match="scale: FACTOR"):
        shifted(READOUT, {"ECAL.noise": {"factor": 2}})
    with pytest.raises(ConfigError, match="shifts: key"):
        shifted(READOUT, {"ECAL.noise": -1})


def test_detector_without_readout_is_an_error():
    content = READOUT.model_dump(mode="json")
    del content["calorimeters"]["VHCAL"]
    with pytest.raises(ConfigError, match="no readout for VHCAL of setup 'na64e_reference'"):
        Digitiser(SETUP, CONDITIONS, type(READOUT).model_validate(content), 6500, SeedSequence(1))


@pytest.mark.parametrize("name", shipped_setups())
def test_shipped_setups_can_be_digitised(name):
    conditions = load_conditions(name)
    readout = load_digitisation(conditions.digitisation)
    Digitiser(load_setup(conditions.setup), conditions, readout, conditions.ranges[0].first_run, SeedSequence(1))
