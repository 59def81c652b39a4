"""Files on servers: any protocol of fsspec, a web server, and a real XRootD server where one is installed."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
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


class Ranges(SimpleHTTPRequestHandler):
    """Serves the parts of files that are asked for, and counts the bytes of each file that were sent."""

    sent: dict[str, int]

    def do_GET(self) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        file = Path(self.translate_path(self.path))
        if not (asked and file.is_file()):
            super().do_GET()
            return
        content = file.read_bytes()
        start, last = int(asked[1]), min(int(asked[2]), len(content) - 1)
        part = content[start : last + 1]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{last}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)
        self.sent[self.path] = self.sent.get(self.path, 0) + len(part)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a web server on this machine with the second shipped file, twice, and a damaged one."""
    content = (shipped("datasets") / NAME).read_bytes()
    for name, size in (("a.root", None), ("b.root", None), ("cut.root", -1000)):
        (tmp_path / name).write_bytes(content[:size])
    monkeypatch.setattr(Ranges, "sent", {}, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Ranges, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_files_on_a_web_server_are_read_in_parts(web: str, reader: EventReader) -> None:
    assert expand(f"{web}/[ab].root") == [f"{web}/a.root", f"{web}/b.root"]
    (part,) = reader.iterate_file(f"{web}/b.root", start=500, stop=700)
    same(part, reader.read(SHIPPED).select(slice(500, 700)))
    assert 0 < Ranges.sent["/b.root"] < (shipped("datasets") / NAME).stat().st_size
    with pytest.raises(InputError, match=r"http://127.*/none\.root: no such file"):
        reader.count(f"{web}/none.root")
    with pytest.raises(InputError, match=r"http://127.*/cut\.root: .*bytes are missing"):
        reader.count(f"{web}/cut.root")


def test_a_server_that_does_not_answer_is_named(reader: EventReader) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/a.root"
        with pytest.raises(InputError, match=re.escape(address) + ": cannot be read from the server .*; check the"):
            reader.count(address)


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
