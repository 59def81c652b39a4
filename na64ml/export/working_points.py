"""Other working points for an exported network: a new file, the same network."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import onnx

from na64ml.errors import ConfigError
from na64ml.events.atomic import atomic_path
from na64ml.inference.metadata import PROPERTY, ModelMetadata, WorkingPoint
from na64ml.inference.scorer import Scorer


def set_working_points(model: Path, points: Sequence[WorkingPoint], output: Path) -> ModelMetadata:
    """Write the network of ``model`` to ``output`` with working points added, or replaced where the name is taken.

    Nothing but the metadata changes; the hash of the weights stays.

    Raises
    ------
    ConfigError
        If ``model`` is no exported network, ``output`` is the same file, or points are doubtful.
    """
    known = Scorer(model).metadata
    if output.exists() and output.samefile(model):
        raise ConfigError(f"{output}: is the network that is read; give another name, so that both can be compared")
    _check(points)
    kept = {point.name: point for point in known.working_points} | {point.name: point for point in points}
    metadata = known.model_copy(update={"working_points": tuple(kept.values())})
    content = onnx.load(model)
    for entry in content.metadata_props:
        if entry.key == PROPERTY:
            entry.value = metadata.model_dump_json()
    with atomic_path(output) as part:
        onnx.save(content, part)
        Scorer(part)
    return metadata


def parse_working_points(texts: Iterable[str]) -> tuple[WorkingPoint, ...]:
    """Return working points from texts ``NAME=THRESHOLD``; nothing is known about their efficiencies.

    Raises
    ------
    ConfigError
        If a text has another form.
    """
    points = []
    for text in texts:
        name, equals, threshold = text.partition("=")
        try:
            value = float(threshold)
        except ValueError:
            value = math.nan
        if not name or not equals or not math.isfinite(value):
            raise ConfigError(f"'{text}': is not NAME=THRESHOLD with a number, such as loose=1.5")
        points.append(WorkingPoint(name=name, threshold=value, efficiency={}, interval="not measured"))
    return tuple(points)


def _check(points: Sequence[WorkingPoint]) -> None:
    names = [point.name for point in points]
    if not names:
        raise ConfigError("no working points given; write NAME=THRESHOLD, or give a working_points.json with --from")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"working point {', '.join(twice)}: given more than once; give each name once")
