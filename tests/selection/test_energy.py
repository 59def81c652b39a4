import numpy as np
import pytest

from na64ml.selection.absent import AbsentInputError
from na64ml.selection.variables import compute


def energy(view, parts):
    name = f"energy:{parts}"
    return compute([name], view)[name]


@pytest.fixture
def view(make_view, hit):
    return make_view(
        [
            [hit("ECAL", (0, 3, 3), 2.0), hit("ECAL", (1, 3, 3), 20.0), hit("HCAL", (1, 1, 1), 5.0)],
            [hit("VETO", (2,), 0.005), hit("HCAL", (2, 0, 1), 3.0)],
        ]
    )


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ("ECAL", [22.0, 0.0]),
        ("ECAL.preshower", [2.0, 0.0]),
        ("HCAL.HCAL2", [0.0, 3.0]),
        ("VETO[2]", [0.0, 0.005]),
        ("ECAL+HCAL", [27.0, 3.0]),
        ("ECAL.main+HCAL.HCAL1+VETO[2]", [25.0, 0.005]),
    ],
)
def test_energy_of_detectors_segments_and_channels(view, parts, expected):
    np.testing.assert_allclose(energy(view, parts), expected, rtol=1e-6)


@pytest.mark.parametrize("parts", ["WCAL", "ECAL.catcher", "ECAL+S3", "ST03X"])
def test_what_the_setup_does_not_have_is_named(view, parts):
    with pytest.raises(AbsentInputError, match="no detector, segment or channel"):
        energy(view, parts)
