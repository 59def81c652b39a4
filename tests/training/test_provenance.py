import subprocess
from pathlib import Path

import pytest

import na64ml
from na64ml.training.provenance import code_version


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package folder inside a repository that has a commit but not the package."""
    folder = tmp_path / "site-packages" / "na64ml"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    git(tmp_path, "init", "-q")
    (tmp_path / "analysis.py").write_text("")
    git(tmp_path, "add", "analysis.py")
    git(tmp_path, "commit", "-q", "-m", "analysis")
    monkeypatch.setattr(na64ml, "__file__", str(folder / "__init__.py"))
    return folder


def test_the_commit_of_somebody_elses_repository_is_not_ours(package: Path) -> None:
    assert code_version() == {"na64ml_version": na64ml.__version__}


def test_the_commit_of_a_checkout_is_recorded(package: Path) -> None:
    git(package, "add", "__init__.py")
    git(package, "commit", "-q", "-m", "package")
    expected = {"na64ml_version": na64ml.__version__, "commit": git(package, "rev-parse", "HEAD")}
    assert code_version() == {**expected, "commit_dirty": "false"}
    (package / "__init__.py").write_text("changed = True")
    assert code_version() == {**expected, "commit_dirty": "true"}
