from rich.console import Console

from na64ml.setups.conditions import load_conditions
from na64ml.setups.describe import describe
from na64ml.setups.setup import load_setup


def printed(name: str, with_conditions: bool) -> str:
    console = Console(width=200, force_terminal=False)
    with console.capture() as capture:
        console.print(describe(load_setup(name), load_conditions(name) if with_conditions else None))
    return capture.get()


def row(text: str, name: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"│ {name} "))
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_detectors_are_listed_with_channels_mip_and_threshold() -> None:
    text = printed("na64e_reference", with_conditions=True)
    assert row(text, "ECAL") == [
        "ECAL", "calorimeter", "2 x 6 x 6", "72", "0 to 0.45", "40.6, 1.56", "500", "30", "20", "1.15",
    ]  # fmt: skip
    assert row(text, "SRD")[3:] == ["3", "-1.51 to -1.29", "9.97, 1.03", "40", "-", "-", "-"]
    assert "z (m)" in text


def test_sources_are_counted_by_tag() -> None:
    text = printed("na64e_reference", with_conditions=False)
    sources = text[text.index("Sources of the numbers") :]
    assert row(sources, "MM") == ["MM", "card (12), C (1)"]
    assert "Run ranges" not in text


def test_run_ranges_are_listed_with_exposure_and_source() -> None:
    text = printed("na64e_2018", with_conditions=True)
    assert row(text, "3855 to 4207") == ["3855 to 4207", "100", "3, 3", "4, 3", "0", "1", "0", "2e+11", "V-code"]
