"""Files on servers: any protocol of fsspec, and a real XRootD server where one is installed."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import fsspec
import numpy as np
import pytest

from na64ml.errors import InputError
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.events.root_files import expand
from na64ml.resources import shipped

NAME = "na64e_reference_b.root"
SHIPPED = f"shipped:{NAME}"


@pytest.fixture
def memory() -> Iterator[str]:
    """Address of a folder with the second shipped file, twice."""
    server = fsspec.filesystem("memory")
    for name in ("a.root", "b.root"):
        server.pipe_file(f"/na64/{name}", (shipped("datasets") / NAME).read_bytes())
    yield "memory://na64"
    server.rm("/na64", recursive=True)


def same(found: EventBatch, expected: EventBatch) -> None:
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_array_equal(found.hits, expected.hits)


def test_remote_patterns_and_entry_ranges(memory: str, reader: EventReader) -> None:
    files = expand([f"{memory}/*.root"])
    assert [file.rsplit("/", 1)[1] for file in files] == ["a.root", "b.root"]
    (part,) = reader.iterate_file(files[1], start=500, stop=700)
    same(part, reader.read(SHIPPED).select(slice(500, 700)))
    with pytest.raises(InputError, match=r"memory://na64/\*\.txt: no file matches"):
        expand(f"{memory}/*.txt")
    with pytest.raises(InputError, match=r"memory://na64/none\.root: no such file"):
        reader.count(f"{memory}/none.root")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, reader: EventReader) -> None:
    def absent(*arguments: object, **options: object) -> None:
        raise ImportError("Install fsspec-xrootd to access root servers")

    monkeypatch.setattr("uproot.open", absent)
    with pytest.raises(InputError, match=r"root://host//a\.root: needs a package .* pip install 'na64ml\[xrootd\]'"):
        reader.count("root://host//a.root")


@pytest.fixture
def xrootd() -> Iterator[str]:
    """Address of an XRootD server on this machine, with the second shipped file."""
    program = shutil.which("xrootd")
    if program is None:
        pytest.skip("no xrootd server is installed")
    pytest.importorskip("fsspec_xrootd")
    folder = Path(tempfile.mkdtemp())
    (folder / "data").mkdir()
    shutil.copy(shipped("datasets") / NAME, folder / "data")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777)  # the server does not run as root
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "server.cfg"
    config.write_text(
        f"xrd.port {port}\noss.localroot {folder}\nall.export /data\nall.adminpath {folder}\nall.pidpath {folder}\n"
    )
    user = ["-R", "nobody"] if os.geteuid() == 0 else []
    with subprocess.Popen([program, "-c", str(config), "-l", str(folder / "log"), *user]) as server:
        try:
            for _ in range(600):
                assert server.poll() is None, "the server does not start"
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"root://127.0.0.1:{port}//data"
        finally:
            server.kill()
    shutil.rmtree(folder)


def test_files_on_an_xrootd_server(xrootd: str, reader: EventReader) -> None:
    assert expand(f"{xrootd}/*.root") == [f"{xrootd}/{NAME}"]
    (part,) = reader.iterate_file(f"{xrootd}/{NAME}", start=500, stop=700)
    same(part, reader.read(SHIPPED).select(slice(500, 700)))
    with pytest.raises(
        InputError, match=r"none\.root: cannot be read from the server .*no such file.*; check the addr"
    ):
        reader.count(f"{xrootd}/none.root")
