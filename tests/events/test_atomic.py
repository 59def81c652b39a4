import errno
from pathlib import Path

import pytest

from na64ml.errors import InputError
from na64ml.events.atomic import atomic_path


def test_the_file_appears_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "new" / "out.txt"
    with atomic_path(target) as part:
        part.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


def stop_half_way(target: Path, error: type[BaseException]) -> None:
    with atomic_path(target) as part:
        part.mkdir()
        (part / "half").write_text("half")
        raise error


def test_failure_leaves_an_existing_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError):
        stop_half_way(target, RuntimeError)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_interruption_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        stop_half_way(tmp_path / "cache", KeyboardInterrupt)
    assert list(tmp_path.iterdir()) == []


def test_success_replaces_a_file(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    target.write_text("old")
    with atomic_path(target) as part:
        part.write_text("new")
    assert target.read_text() == "new"


def test_a_folder_that_another_process_finished_first_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "cache"
    with atomic_path(target) as part:
        part.mkdir()
        target.mkdir()
        (target / "manifest").write_text("theirs")
    assert (target / "manifest").read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [target]


def no_rename(self: Path, target: Path) -> Path:
    raise OSError(errno.EXDEV, "cross-device link")


def test_copies_where_renaming_is_not_possible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "replace", no_rename)
    with atomic_path(tmp_path / "out.txt") as part:
        part.write_text("whole")
    assert (tmp_path / "out.txt").read_text() == "whole"
    assert list(tmp_path.iterdir()) == [tmp_path / "out.txt"]


def test_a_copy_that_differs_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "replace", no_rename)
    monkeypatch.setattr("shutil.copyfile", lambda source, target: target.write_text(""))
    with pytest.raises(InputError, match="differs"), atomic_path(tmp_path / "out.txt") as part:
        part.write_text("whole")


def test_a_file_cannot_replace_a_folder(tmp_path: Path) -> None:
    (tmp_path / "out" / "content").mkdir(parents=True)
    with pytest.raises(InputError, match="out: cannot be replaced"), atomic_path(tmp_path / "out") as part:
        part.touch()


def test_a_folder_cannot_replace_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(InputError, match="out: cannot be replaced"), atomic_path(tmp_path / "out") as part:
        part.mkdir()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    target = tmp_path / "file" / "out.txt"
    with pytest.raises(InputError, match="another output folder"), atomic_path(target):
        pass
