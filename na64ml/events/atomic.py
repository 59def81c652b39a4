"""Files and folders that appear only when they are complete."""

import filecmp
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from na64ml.errors import InputError


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a path to write to; on success it replaces ``target``, on failure nothing is left behind.

    The temporary path lies beside the target, so that the last step is a rename. Where renaming is not
    possible, the content is copied and compared.

    Raises
    ------
    InputError
        If the folder cannot be written to, or a copy differs from its original.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}); choose another output folder") from error
    part = scratch / target.name
    try:
        yield part
        _move(part, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _move(part: Path, target: Path) -> None:
    try:
        part.replace(target)
    except OSError as error:
        if part.is_dir() and target.is_dir():  # another process finished the same content first
            return
        if part.is_dir() or target.is_dir():
            raise InputError(f"{target}: cannot be replaced ({error.strerror}); choose another output") from error
        try:
            shutil.copyfile(part, target)
        except OSError as failure:
            raise InputError(f"{target}: cannot be written ({failure.strerror}); choose another output") from failure
        if not filecmp.cmp(part, target, shallow=False):
            raise InputError(f"{target}: the copy differs from what was written; is the disk full?") from None
