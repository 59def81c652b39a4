"""Folders for results, checked before the work that fills them."""

import tempfile
from pathlib import Path

from na64ml.errors import InputError


def check_folder(folder: Path, option: str) -> None:
    """Check that a folder can be written to, or made if it is missing; nothing is left behind.

    Parameters
    ----------
    option
        Command-line option that names the folder, for the message.

    Raises
    ------
    InputError
        Naming the folder and the option.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryDirectory(dir=existing):
            pass
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder with {option}"
        ) from error
