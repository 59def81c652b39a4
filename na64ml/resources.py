"""Where the shipped configurations and datasets are, in a checkout and in an installed package."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped(folder: str) -> Path:
    """Return the shipped top-level folder ``configs`` or ``datasets``.

    An installed package carries copies inside itself; a checkout has them beside the package.
    """
    installed = _PACKAGE / "_shipped" / folder
    return installed if installed.is_dir() else _PACKAGE.parent / folder
