from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation

from na64ml.evaluation.figures import save_figures, standard_figures
from na64ml.evaluation.figures.energy_plane import EnergyRegions, energy_plane_figure
from na64ml.evaluation.figures.rejection import rejection_figure
from na64ml.evaluation.figures.style import CLASS_COLOURS, class_colours
from na64ml.evaluation.rejection import rejection
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.working_points import working_points
from na64ml.setups.setup import load_setup


@pytest.fixture(scope="module")
def figures(scored: ScoredEvents) -> dict[str, Figure]:
    return standard_figures(scored)


def test_figures_are_saved_for_screen_and_print(figures: dict[str, Figure], tmp_path: Path) -> None:
    paths = save_figures({"roc": figures["roc"], "mass": figures["signal_efficiency_by_mass"]}, tmp_path / "new")
    assert {path.name for path in paths} == {"roc.png", "roc.pdf", "mass.png", "mass.pdf"}
    assert all(path.read_bytes()[1:4] in (b"PNG", b"PDF") for path in paths)


def test_every_figure_has_labelled_axes(figures: dict[str, Figure]) -> None:
    assert set(figures) == {
        "rejection",
        "roc",
        "score",
        "energy_plane",
        "confusion",
        "signal_efficiency_by_energy",
        "signal_efficiency_by_mass",
    }
    for name, figure in figures.items():
        assert figure.axes[0].get_ylabel(), name


def test_no_mass_figure_without_masses(scored: ScoredEvents) -> None:
    assert "signal_efficiency_by_mass" not in standard_figures(replace(scored, mass=np.full(len(scored), np.nan)))


def test_no_rejection_figures_without_background(scored: ScoredEvents) -> None:
    figures = standard_figures(scored.of_class("dark_photon"))
    assert set(figures) == {
        *("score", "energy_plane", "confusion"),
        *("signal_efficiency_by_energy", "signal_efficiency_by_mass"),
    }


def test_the_style_stays_inside(scored: ScoredEvents) -> None:
    before = dict(mpl.rcParams)
    standard_figures(scored, targets=(0.9,))
    assert dict(mpl.rcParams) == before


def test_classes_keep_their_colour() -> None:
    assert class_colours(["dimuon", "new_class"])["dimuon"] == CLASS_COLOURS["dimuon"]
    colours = class_colours([*CLASS_COLOURS, "new_class", "other_class"])
    assert len(set(colours.values())) == len(colours)


def test_limits_are_drawn_as_arrows(scored: ScoredEvents) -> None:
    background = scored.select((scored.label == 4) & (scored.status == 0))
    limit, measured = rejection(background, 1e6), rejection(background, -5.0)
    assert limit.is_limit
    assert not measured.is_limit
    axes = rejection_figure({"dimuon": [limit, measured]}, (0.5, 0.9), 0.9).axes[0]
    arrows = [item for item in axes.texts if isinstance(item, Annotation) and item.arrow_patch is not None]
    assert len(arrows) == 1
    assert arrows[0].xy[1] > limit.value
    assert axes.get_ylim()[1] > 2.2 * limit.value


def test_the_energy_plane_is_drawn_without_energies_that_are_no_numbers(scored: ScoredEvents) -> None:
    energy = np.where(np.arange(len(scored)) == 0, np.nan, scored.ecal_energy)
    figure = energy_plane_figure(replace(scored, ecal_energy=energy), working_points(scored))
    assert np.isfinite(figure.axes[0].get_xlim()).all()


def test_the_energy_plane_shows_the_box_and_only_survivors(scored: ScoredEvents) -> None:
    points = working_points(scored, (0.5, 0.9))
    figure = energy_plane_figure(scored, points, EnergyRegions(box_ecal=40.0))
    everything, survivors = figure.axes
    box = next(item for item in everything.patches if isinstance(item, Rectangle))
    assert box.get_bbox().bounds == (0.0, 0.0, 40.0, 1.0)
    drawn = sum(
        len(np.asarray(item.get_offsets())) for item in survivors.collections if isinstance(item, PathCollection)
    )
    expected = np.count_nonzero(scored.decision_score >= points[1].threshold)
    assert drawn == expected
    assert f"({expected})" in survivors.get_title(loc="left")
    assert {"signal box", "I  dimuons", "III  pile-up"} <= {item.get_text() for item in everything.texts}


def test_unscored_share_is_in_the_legend(scored: ScoredEvents, figures: dict[str, Figure]) -> None:
    signal = scored.of_class("dark_photon")
    share = np.count_nonzero(signal.status) / len(signal)
    labels = [item.get_text() for item in figures["score"].legends[0].get_texts()]
    assert f"dark photon ({share:.2%} not scored)" in labels


def test_the_dimuon_region_follows_the_setup() -> None:
    setup = load_setup("na64e_2018")
    regions = EnergyRegions.of(setup, 150.0)
    assert regions.beam_energy == 150
    assert regions.dimuon_hcal == pytest.approx(2 * 3 * 2.6)  # three modules on the axis, 2.6 GeV per muon
    assert EnergyRegions.of(load_setup("na64e_reference"), 150.0).dimuon_hcal < regions.dimuon_hcal
