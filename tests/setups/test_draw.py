from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from na64ml.setups.conditions import load_conditions
from na64ml.setups.draw import draw_setup
from na64ml.setups.setup import Setup, load_setup, shipped_setups


def draw(setup: Setup) -> tuple[Figure, dict[str, Bbox], Bbox]:
    figure = draw_setup(setup)
    figure.draw_without_rendering()
    from_above = figure.axes[0]
    boxes = {label.get_text(): Text.get_window_extent(label) for label in from_above.texts}
    return figure, boxes, from_above.get_window_extent()


def crowded() -> Setup:
    """Return a setup with many tracker planes in a few millimetres."""
    content = load_setup("na64e_reference").model_dump(mode="json")
    tracker = content["detectors"][0]
    plane = tracker["planes"][1]
    z = plane["z"]
    tracker["planes"] = [plane | {"name": f"MM{i}", "z": z | {"value": z["value"] + i}} for i in range(8)]
    return Setup.model_validate(content | {"name": "crowded"})


@pytest.mark.parametrize("setup", [*map(load_setup, shipped_setups()), crowded()], ids=lambda setup: setup.name)
def test_labels_are_inside_the_panel_and_do_not_overlap(setup: Setup) -> None:
    _, boxes, panel = draw(setup)
    placed = list(boxes.values())
    assert all(panel.x0 <= box.x0 and box.x1 <= panel.x1 and box.y1 <= panel.y1 for box in placed)
    assert not any(a.overlaps(b) for i, a in enumerate(placed) for b in placed[:i])


def test_everything_is_labelled_and_every_calorimeter_has_a_front_view() -> None:
    figure, boxes, _ = draw(load_setup("na64e_reference"))
    expected = {"MM5", "ST05", "MM6", "ST03", "SRD", "VHCAL ring", "ECAL preshower", "ECAL main", "VETO"}
    assert boxes.keys() == expected | {"HCAL0", "HCAL1", "HCAL2", "HCAL3"}
    titles = [axes.get_title().split(",")[0] for axes in figure.axes[1:]]
    assert titles == ["VHCAL", "ECAL", "HCAL"]


def test_impact_cell_is_drawn_only_with_conditions(tmp_path: Path) -> None:
    setup, conditions = load_setup("na64e_2022"), load_conditions("na64e_2022")
    without, with_conditions = draw_setup(setup), draw_setup(setup, conditions)
    ecal = 1
    added = len(with_conditions.axes[ecal].patches) - len(without.axes[ecal].patches)
    assert added == 2
    impact_cell = (
        with_conditions.axes[ecal]
        .patches[-2]
        .get_extents()
        .transformed(with_conditions.axes[ecal].transData.inverted())
    )
    assert impact_cell.bounds == pytest.approx((-19.1, -19.1, 38.2, 38.2))
    with_conditions.savefig(tmp_path / "setup.png")
    assert (tmp_path / "setup.png").stat().st_size > 10_000
