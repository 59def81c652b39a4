"""Where the shipped configurations and datasets are, in a checkout and in an installed package."""

from pathlib import Path

_PACKAGE = Path(__file__).parent

SHIPPED = "shipped:"
"""Prefix of files that come with the package."""


def shipped(folder: str) -> Path:
    """Return the shipped top-level folder ``configs`` or ``datasets``.

    An installed package carries copies inside itself; a checkout has them beside the package.
    """
    installed = _PACKAGE / "_shipped" / folder
    return installed if installed.is_dir() else _PACKAGE.parent / folder


def config_path(name: str) -> Path:
    """Return the path of a configuration: a file of the user, else a shipped one if there is one of this name."""
    own, ours = Path(name), shipped("configs") / name
    return ours if ours.is_file() and not own.exists() else own


def shipped_or_own(name: str, suffix: str = "") -> Path:
    """Return the path of a file of the user, or of ``shipped:NAME``, with a suffix, in the shipped ``datasets``."""
    if not name.startswith(SHIPPED):
        return Path(name)
    return shipped("datasets") / f"{name.removeprefix(SHIPPED)}{suffix}"
