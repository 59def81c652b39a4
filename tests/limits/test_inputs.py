"""Efficiencies, backgrounds and windows: what goes into a limit, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from na64ml.errors import ConfigError, InputError
from na64ml.evaluation.scored import ScoredEvents
from na64ml.limits.background import BackgroundEntry, SuiteEstimate, published_expectation
from na64ml.limits.efficiency import EfficiencyEntry, ScoredEfficiency, TabulatedEfficiency
from na64ml.limits.published import background_table, published_limits
from na64ml.limits.selected import SelectedEfficiency
from na64ml.limits.sideband import Sideband
from na64ml.limits.window import Resolution, Window
from na64ml.setups.sourced import NonNegative, Positive, Share

ZERO = NonNegative(value=0.0, source="C")


def test_constant_efficiency_says_that_it_is_one() -> None:
    table = EfficiencyEntry(constant=Share(value=0.5, source="M-M: guess")).load(100.0)
    assert table.at(0.3, np.array([10.0, 99.0])) == pytest.approx([0.5, 0.5])
    assert "not measured" in table.label
    assert "M-M: guess" in table.label
    assert table.relative_error == 0


def test_measured_efficiency_in_bins_of_mass_and_energy(events: Path) -> None:
    entry = ScoredEfficiency(events=events, threshold=0.0, energy_edges=(50.0, 80.0, 100.0))
    table = entry.table(100.0)
    assert table.mass == pytest.approx([0.01, 0.1])
    assert table.value == pytest.approx(np.array([[1.0, 0.5], [1.0, 0.5]]))  # every other event misses 90 GeV
    assert (table.lo <= table.value).all()
    assert (table.hi >= table.value).all()
    assert table.relative_error > 0
    assert table.at(0.03, np.array([60.0, 90.0])) == pytest.approx([1.0, 0.5])
    half = ScoredEfficiency(
        events=events, threshold=0.0, energy_edges=(50.0, 100.0), base=Share(value=0.5, source="M-M")
    )
    assert half.table(100.0).value == pytest.approx(np.full((2, 1), 0.375))


def test_unmeasured_masses_are_refused(events: Path) -> None:
    table = ScoredEfficiency(events=events, threshold=0.0, energy_edges=(50.0, 100.0)).table(100.0)
    with pytest.raises(ConfigError, match=r"0\.5 GeV.*0\.01 to 0\.1 GeV"):
        table.at(0.5, np.array([60.0]))


def test_empty_efficiency_bin(events: Path) -> None:
    entry = ScoredEfficiency(events=events, threshold=0.0, energy_edges=(50.0, 60.0, 100.0))
    with pytest.raises(InputError, match="energy_edges"):
        entry.table(100.0)
    with pytest.raises(ValidationError, match="empty bin"):
        TabulatedEfficiency(mass=(0.01,), energy_edges=(50, 100), value=((0.0,),), source="C")


def test_forms_of_the_efficiency(events: Path) -> None:
    with pytest.raises(ValidationError, match="one of constant, scored, selected, table"):
        EfficiencyEntry()
    with pytest.raises(ValidationError, match="threshold, or working_points"):
        ScoredEfficiency(events=events, energy_edges=(50, 100))


def test_efficiency_of_a_selection_on_the_shipped_sample() -> None:
    files = ("shipped:na64e_reference_b.root",)
    table = SelectedEfficiency(files=files, selection="simple", energy_edges=(20.0, 50.0, 100.0)).table()
    assert table.mass == pytest.approx([0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1.0])
    assert table.value[:, 0].mean() < 0.15, "below the box"
    assert (table.value[:, 1] > 0.6).all()
    assert "selection simple" in table.label
    with pytest.raises(ConfigError, match="key 'model'"):
        SelectedEfficiency(files=files, selection="score_only", energy_edges=(50.0, 100.0)).table()
    with pytest.raises(InputError, match="energy_edges"):
        SelectedEfficiency(files=files, selection="simple", energy_edges=(99.9999, 100.0)).table()


def test_published_totals_are_quoted_as_printed() -> None:
    electrons, muons = background_table("na64e_2016_2022"), background_table("na64mu_2022")
    assert electrons.sum_of_terms == pytest.approx(0.50)
    assert muons.sum_of_terms == pytest.approx(0.055)
    found = published_expectation("na64e_2016_2022", 9.4e11)
    assert (found.value, found.error) == (0.51, 0.13)
    assert "add to 0.500" in found.note
    assert "P(0 events) = 0.60" in found.note
    assert published_expectation("na64e_2016_2022", 4.7e11).value == pytest.approx(0.255)
    with pytest.raises(ConfigError, match="unknown background table 'na64e_2022'"):
        published_expectation("na64e_2022", 1e11)


def test_published_points_have_sources_and_rise_in_mass() -> None:
    for limit in published_limits().values():
        assert limit.source.split(":")[0] in ("V-code", "C", "M-M")
        assert (np.diff(limit.mass) > 0).all()
        assert len(limit.mass) == len(limit.lower) == len(limit.upper or limit.lower)


def test_suite_estimate_counts_showers_and_bounds_what_does_not_survive(events: Path) -> None:
    rates = {name: NonNegative(value=1e-12, source="C") for name in ("electroproduction", "dimuon")}
    found = SuiteEstimate(events=events, threshold=0.0, ecal_below=50, per_particle=rates).expectation(1e11)
    assert found.value == pytest.approx(0.1 * 4 * 0.5)
    assert "2 independent survivors" in found.note
    assert found.is_limit
    bound = 0.1 * 2.3026 * 0.5
    assert found.error == pytest.approx(np.hypot(0.1 * np.sqrt(2), bound), rel=1e-3)


def test_suite_estimate_takes_events_without_shower_for_independent(events: Path) -> None:
    rates = {name: NonNegative(value=1e-12, source="C") for name in ("electroproduction", "dimuon")}
    scored = ScoredEvents.read(events)
    found = []
    for group in (None, np.full(len(scored), -1)):
        replace(scored, group=group).write(events)
        found.append(SuiteEstimate(events=events, threshold=0.0, ecal_below=50, per_particle=rates).expectation(1e11))
    assert found[0] == found[1]
    assert "4 independent survivors" in found[0].note


def test_an_energy_that_is_no_number_rejects_no_background(events: Path) -> None:
    rates = {name: NonNegative(value=1e-12, source="C") for name in ("electroproduction", "dimuon")}
    scored = ScoredEvents.read(events)
    replace(scored, ecal_energy=np.where(scored.label == 1, np.nan, scored.ecal_energy)).write(events)
    found = SuiteEstimate(events=events, threshold=0.0, ecal_below=50, per_particle=rates).expectation(1e11)
    assert "2 independent survivors" in found.note


def test_suite_estimate_needs_every_class(events: Path) -> None:
    estimate = SuiteEstimate(events=events, threshold=0.0, ecal_below=50, per_particle={"dimuon": ZERO})
    with pytest.raises(ConfigError, match="electroproduction"):
        estimate.expectation(1e11)


def sideband(**changes: object) -> Sideband:
    edges = np.arange(50.0, 91.0, 4.0)
    counts = 40 * np.diff(np.exp(0.05 * (edges - 50))) / 0.05
    values: dict[str, object] = {
        "edges": tuple(edges),
        "counts": tuple(counts),
        "signal": (0.0, 50.0),
        "ranges": ((50, 90), (58, 90)),
        "source": "C: exact exponential",
    }
    return Sideband.model_validate(values | changes)


def test_sideband_extrapolates_an_exponential_exactly() -> None:
    central, statistical, systematic = sideband().extrapolate()
    assert central == pytest.approx(40 * (1 - np.exp(-2.5)) / 0.05, rel=0.01)
    assert 0 < statistical < 0.2 * central
    assert systematic < 0.01 * central


def test_sideband_range_is_a_systematic() -> None:
    counts = np.array(sideband().counts)
    counts[:2] *= 3
    assert sideband(counts=tuple(counts)).extrapolate()[2] > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ranges": ((40, 90), (50, 90))}, "overlaps the signal region"),
        ({"counts": (1.0,)}, "counts"),
        ({"counts": (float("nan"),) * 10}, "finite"),
    ],
)
def test_wrong_sidebands(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        sideband(**changes)


def test_empty_sideband_cannot_be_fitted() -> None:
    with pytest.raises(ConfigError, match="at least one event"):
        sideband(counts=(0.0,) * 10).extrapolate()


def test_estimates_stand_side_by_side() -> None:
    entry = BackgroundEntry(use="published", published="na64e_2016_2018", sideband=sideband(), given=ZERO)
    found = entry.expectations(2.84e11)
    assert list(found) == ["published", "sideband", "given"]
    assert found["published"].value == pytest.approx(0.53)
    with pytest.raises(ValidationError, match="use is 'suite'"):
        BackgroundEntry(use="suite", published="na64e_2016_2018")


def test_window_is_smeared() -> None:
    threshold = Positive(value=50.0, source="C")
    resolution = Resolution(
        stochastic=NonNegative(value=0.1, source="C"),
        constant=NonNegative(value=0.04, source="C"),
        beam_spread=NonNegative(value=0.01, source="C"),
    )
    energy = np.array([44.0, 50.0, 56.0, 99.8])
    sharp = Window(missing_energy=threshold).accepted(energy, 100.0)
    assert sharp == pytest.approx([0, 0, 1, 1])
    smeared = Window(missing_energy=threshold, resolution=resolution).accepted(energy, 100.0)
    assert smeared[1] == pytest.approx(0.5)
    assert 0.001 < smeared[0] < 0.05
    deposit = Window(missing_energy=threshold, least_deposit=NonNegative(value=0.5, source="C"))
    assert deposit.accepted(energy, 100.0)[-1] == 0
