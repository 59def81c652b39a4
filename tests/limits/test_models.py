"""Branching ratios, lifetimes and magnetic moments of the models."""

from typing import Any

import numpy as np
import pytest

from na64ml.errors import ConfigError
from na64ml.limits.models.base import Place, SignalModel
from na64ml.limits.models.gauge import CHARGE, BMinusL, LmuLtau
from na64ml.limits.models.invisible import InvisibleBoson, InvisibleDarkPhoton
from na64ml.limits.models.photons import TwoPhotons
from na64ml.limits.models.semi_visible import SemiVisibleDarkPhoton
from na64ml.limits.models.visible import VisibleDarkPhoton
from na64ml.limits.planes import DarkSector, moment, thermal_target
from na64ml.limits.production.target import Array
from na64ml.limits.window import Beam, Flight, Window
from na64ml.setups.sourced import Positive


def number(value: float) -> Positive:
    return Positive(value=value, source="C")


def place(particle: str = "e-", energy: float = 100.0, flight: bool = True, **changes: Any) -> Place:
    return Place(
        beam=Beam(particle=particle, energy=number(energy)),
        target=changes.get("target", "Pb"),
        depth=40.0,
        window=Window(missing_energy=number(changes.get("threshold", 50.0))),
        flight=Flight(shield=number(1900), region=number(3000)) if flight else None,
    )


def events(model: SignalModel, masses: list[float], coupling: float = 1e-4, **where: Any) -> Array:
    at, grid = place(**where), np.array(masses)
    signal = model.signal(grid, at)
    seen = signal.expected(grid, np.array([coupling]), lambda _, energy: at.window.accepted(energy, 100.0))
    return np.asarray(seen[:, 0])


def test_branching_ratios_of_gauge_bosons() -> None:
    assert BMinusL().invisible(np.array([0.05])) == pytest.approx(0.60, abs=0.001)
    assert BMinusL(dirac_neutrinos=True).invisible(np.array([0.05])) == pytest.approx(0.75, abs=0.001)
    assert LmuLtau().invisible(np.array([0.05, 5.0])) == pytest.approx([1.0, 0.5], abs=0.01)


def test_couplings_are_in_units_of_the_charge() -> None:
    photon = events(InvisibleDarkPhoton(annihilation=False), [0.05])
    boson = events(BMinusL(annihilation=False), [0.05], 1e-4 * np.sqrt(CHARGE))
    assert boson == pytest.approx(0.6 * photon, rel=1e-3)
    muons = [
        events(model, [0.05], coupling, particle="mu-", energy=160.0, threshold=80.0)
        for model, coupling in ((LmuLtau(), 1e-4 * np.sqrt(CHARGE)), (InvisibleDarkPhoton(), 1e-4))
    ]
    assert muons[0] == pytest.approx(muons[1], rel=1e-6)


def test_loop_mixing_of_electrons() -> None:
    assert 1 / LmuLtau().loop_mixing == pytest.approx(70, rel=0.03)


def test_scalars_are_made_half_as_often_and_axial_vectors_like_vectors() -> None:
    vector = events(InvisibleDarkPhoton(annihilation=False), [0.3])
    axial, scalar = (events(InvisibleBoson(kind=kind), [0.3]) for kind in ("axial", "scalar"))
    assert axial == pytest.approx(vector, rel=0.05)
    assert 0.2 < float(scalar[0] / vector[0]) < 0.6


def test_decay_lengths_of_physics() -> None:
    alp = TwoPhotons(branches=("invisible",)).signal(np.array([0.05]), place())
    assert alp.fate is not None
    behind = alp.fate(0.05, np.array([80.0]), np.array([4e-4]))[0, 0]
    assert -4900 / np.log(behind) == pytest.approx(3200, rel=0.02)  # physics.md 4.5 [C]
    visible = VisibleDarkPhoton().signal(np.array([0.0167]), place(target="W"))
    assert visible.fate is not None
    short = visible.fate(0.0167, np.array([135.0]), np.array([6.6e-4]))[0, 0]
    assert -1900 / np.log(short) == pytest.approx(90, rel=0.03)  # physics.md 4.5 [C]


def test_branches_of_photons_add_up() -> None:
    single = [events(TwoPhotons(branches=(one,)), [0.03], 3e-4) for one in ("visible", "invisible")]
    assert events(TwoPhotons(), [0.03], 3e-4) == pytest.approx(single[0] + single[1])
    assert single[0] > 0


def test_semi_visible_is_weaker_than_invisible_where_chi_decays() -> None:
    invisible = events(InvisibleDarkPhoton(annihilation=False), [0.1], 0.01)
    semi = events(SemiVisibleDarkPhoton(), [0.1], 0.01)
    assert 0 < float(semi[0]) < 0.99 * float(invisible[0])


@pytest.mark.parametrize("model", [VisibleDarkPhoton(), TwoPhotons(), SemiVisibleDarkPhoton()])
def test_a_model_that_decays_needs_the_flight(model: SignalModel) -> None:
    with pytest.raises(ConfigError, match="'flight'"):
        model.signal(np.array([0.02]), place(flight=False))


def test_semi_visible_decay_must_be_possible() -> None:
    with pytest.raises(ConfigError, match="splitting"):
        SemiVisibleDarkPhoton(splitting=1.5).signal(np.array([0.02]), place())


def test_moments() -> None:
    assert moment("vector", 1e-9, 11) == pytest.approx(1 / 137.035999 / (2 * np.pi), rel=1e-3)
    heavy = 1.0
    assert moment("vector", heavy, 11) == pytest.approx(
        1 / 137.035999 / (2 * np.pi) * 2 / 3 * (0.00051099895 / heavy) ** 2, rel=0.01
    )
    assert moment("pseudoscalar", 0.1, 13) < 0 < moment("scalar", 0.1, 13)


def test_thermal_variables() -> None:
    assert DarkSector(0.1, 1 / 3).y(3e-4) == pytest.approx(0.1 * 9e-8 / 81)
    assert thermal_target("pseudo-Dirac", np.array([0.01, 0.02])) == pytest.approx([3e-13, 1.2e-12])
