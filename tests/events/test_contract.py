import pytest

from na64ml.events.contract import Contract
from na64ml.events.layout import load_layout
from na64ml.events.reader import EventReader
from na64ml.setups.conditions import load_conditions
from na64ml.setups.setup import load_setup


def reader(setup: str) -> EventReader:
    layout = load_layout("reco2018tree")
    return EventReader(layout, load_setup(setup), load_conditions(setup))


def test_six_and_five_columns_of_cells_have_one_contract() -> None:
    assert load_setup("na64e_2018").detector("ECAL").shape != load_setup("na64e_2022").detector("ECAL").shape
    assert reader("na64e_2018").contract.hash == reader("na64e_2022").contract.hash


def test_other_detectors_are_another_contract() -> None:
    reference, student = EventReader("na64e_reference").contract, reader("na64e_2018").contract
    assert reference.hash != student.hash
    assert reference.differences(student) == [
        "detector HCAL: calorimeter / calorimeter (segment sums)",
        "detector MM: tracker / absent",
        "detector ST: tracker / absent",
        "detector VHCAL: calorimeter / absent",
    ]


@pytest.mark.parametrize(
    "change",
    [{"frame": "other"}, {"units": {"length": "cm"}}, {"hit_features": ("x",)}, {"track_features": ("p",)}],
)
def test_everything_that_differs_is_listed(change: dict[str, object]) -> None:
    contract = Contract(detectors={"ECAL": "calorimeter"})
    other = contract.model_copy(update=change)
    (key,) = change
    assert contract.hash != other.hash
    assert [line.split(":")[0] for line in contract.differences(other)] == [key]


def test_the_order_of_detectors_does_not_matter() -> None:
    first = Contract(detectors={"ECAL": "calorimeter", "VETO": "counter"})
    second = Contract(detectors={"VETO": "counter", "ECAL": "calorimeter"})
    assert first.hash == second.hash
    assert first.differences(second) == []
