from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

import na64ml.setups
from na64ml.setups.sourced import NonNegative, Real, Sourced, without_sources

CATALOG = Path(na64ml.setups.__file__).parent / "catalog"
SHIPPED = sorted(CATALOG.rglob("*.yaml"))


@pytest.mark.parametrize(
    ("source", "tags"),
    [
        ("V-code", ("V-code",)),
        ("card: stated by the dataset", ("card",)),
        ("? + C: chosen + computed", ("?", "C")),
    ],
)
def test_source_begins_with_tags(source: str, tags: tuple[str, ...]) -> None:
    assert Real(value=1.0, source=source).tags == tags


@pytest.mark.parametrize("source", ["", "paper", "V-codex", "V-code and C", "C + guess", "text: C"])
def test_unknown_tags_are_errors(source: str) -> None:
    with pytest.raises(ValidationError, match="unknown source tag"):
        Real(value=1.0, source=source)


def test_values_are_checked() -> None:
    with pytest.raises(ValidationError, match="finite"):
        Real(value=float("nan"), source="C")
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        NonNegative(value=-1.0, source="C")


def test_without_sources_keeps_only_values() -> None:
    content = {"a": {"value": [1, 2], "source": "C"}, "b": [{"c": {"value": 3, "source": "?"}}], "d": "text"}
    assert without_sources(content) == {"a": [1, 2], "b": [{"c": 3}], "d": "text"}


def untagged(content: Any, where: str = "") -> list[str]:
    """Return where a file holds numbers without a valid source tag."""
    if isinstance(content, dict):
        if content.keys() == {"value", "source"}:
            Sourced[Any].model_validate(content)
            return []
        return [found for key, value in content.items() for found in untagged(value, f"{where}.{key}")]
    if isinstance(content, list):
        return [found for i, value in enumerate(content) for found in untagged(value, f"{where}[{i}]")]
    return [where] if isinstance(content, int | float) else []


def test_the_walker_finds_untagged_numbers() -> None:
    assert untagged({"a": [{"b": 1.0}], "c": {"value": 1, "source": "C"}}) == [".a[0].b"]


def test_files_are_shipped() -> None:
    assert len(SHIPPED) >= 8


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_shipped_number_is_tagged(path: Path) -> None:
    assert untagged(yaml.safe_load(path.read_text())) == []
