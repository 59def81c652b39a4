from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import uproot

from na64ml.events.reader import EventReader
from na64ml.inference.scoring.job import Job

HERE = str(Path(__file__).parent)


@pytest.fixture
def job(onnx_file: Path, reader: EventReader) -> Job:
    return Job(onnx_file, reader)


@pytest.fixture(scope="module")
def files(write_file: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two files of 60 and 30 events."""
    folder = tmp_path_factory.mktemp("files")
    return [
        write_file(folder / "one.root", np.arange(0, 60)),
        write_file(folder / "two.root", np.arange(400, 430)),
    ]


@pytest.fixture(scope="session")
def friend() -> Callable[[Path], dict[str, np.ndarray]]:
    """Read a friend tree."""

    def read(path: Path) -> dict[str, np.ndarray]:
        with uproot.open(path) as root:
            return root["scores"].arrays(library="np")

    return read
