"""What is needed to repeat a run: versions, commit, machine."""

import platform
import subprocess
from importlib.metadata import distributions
from pathlib import Path

import na64ml


def environment() -> str:
    """Return the installed packages as a requirements list."""
    names = sorted({f"{item.metadata['Name']}=={item.version}" for item in distributions()}, key=str.lower)
    return f"# Python {platform.python_version()}, {platform.platform()}\n" + "\n".join(names) + "\n"


def code_version() -> dict[str, str]:
    """Return the package version and, in a checkout, its commit and whether files were changed.

    A package that is installed inside the repository of another project is not part of its commits.
    """
    folder = Path(na64ml.__file__).parent
    tracked = _git(folder, "ls-files", "--error-unmatch", "__init__.py")
    commit = _git(folder, "rev-parse", "HEAD") if tracked else ""
    tags = {"na64ml_version": na64ml.__version__}
    if commit:
        dirty = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", str(folder))
        tags |= {"commit": commit, "commit_dirty": str(bool(dirty)).lower()}
    return tags


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
