"""Opening ROOT files and trees, with errors a user can act on."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import uproot

from na64ml.errors import InputError
from na64ml.resources import SHIPPED, shipped_or_own


def expand(patterns: str | Path | Sequence[str | Path]) -> list[str]:
    """Return the files of paths and glob patterns, each once, patterns sorted.

    ``shipped:NAME`` is a file of the datasets that come with the package, ``root://HOST//PATH`` one of an XRootD
    server.

    Raises
    ------
    InputError
        If a pattern matches nothing, or there is none.
    """
    if isinstance(patterns, str | Path):
        patterns = [patterns]
    files: dict[str, None] = {}
    for pattern in map(str, patterns):
        if pattern.startswith(SHIPPED):
            pattern = str(shipped_or_own(pattern))
        files |= dict.fromkeys(_matches(pattern))
    if not files:
        raise InputError("no input files given; give paths or glob patterns")
    return list(files)


def is_remote(file: str) -> bool:
    """Whether a file lies on a server, as ``root://HOST//PATH`` does."""
    return "://" in file


def refuse_inputs(output: Path, inputs: Iterable[str | Path]) -> None:
    """Protect what is read from being overwritten.

    Raises
    ------
    InputError
        If the output is one of the inputs.
    """
    local = (Path(file) for file in map(str, inputs) if not is_remote(file))
    if any(file.resolve() == output.resolve() for file in local):
        raise InputError(f"{output}: is one of the inputs; choose another output")


def _matches(pattern: str) -> list[str]:
    if is_remote(pattern):
        found = _remote_matches(pattern) if re.search(r"[*[]", pattern) else [pattern]
    else:
        path = Path(pattern)
        if not re.search(r"[*?[]", pattern) or path.exists():
            return [pattern]
        found = sorted(map(str, Path(path.anchor).glob(str(path.relative_to(path.anchor)))))
    if not found:
        raise InputError(f"{pattern}: no file matches; check the path and the quotes around the pattern")
    return found


def _remote_matches(pattern: str) -> list[str]:
    from fsspec.core import url_to_fs

    with decoding(pattern):
        server, path = url_to_fs(pattern)
        return sorted(server.unstrip_protocol(found) for found in server.glob(path))


@contextmanager
def open_tree(file: str, tree: str) -> Iterator[Any]:
    """Open one TTree or RNTuple of one ROOT file.

    Raises
    ------
    InputError
        If the file is missing, is not a (whole) ROOT file or has no such tree.
    """
    with open_file(file) as root:
        with decoding(file):
            names = tree_classes(root)
            opened = root[tree] if tree in names else None
        if opened is None:
            raise InputError(
                f"{file}: has no tree '{tree}', it has {', '.join(names) or 'none'}; choose another layout "
                "or set its key 'tree'"
            )
        yield opened


@contextmanager
def open_file(file: str) -> Iterator[Any]:
    """Open one ROOT file.

    Raises
    ------
    InputError
        If the file is missing or is not a (whole) ROOT file.
    """
    with decoding(file):
        root = uproot.open(file, array_cache=None, object_cache=None)
    with root:
        missing = root.file.fEND - root.file.source.num_bytes
        if missing > 0:  # what is left may be readable, and then events would be lost or wrong quietly
            raise InputError(f"{file}: not a readable ROOT file, the last {missing} bytes are missing: copy it again")
        yield root


def tree_classes(root: Any) -> dict[str, str]:
    """Return the names of the TTrees and RNTuples of an open file, with their classes."""
    classes = root.classnames(cycle=False, filter_classname=["TTree", "*RNTuple"])
    return {name: classes[name] for name in sorted(classes)}


def iterate_arrays(
    tree: Any, file: str, branches: Sequence[str], step: int, start: int = 0, stop: int | None = None
) -> Iterator[dict[str, Any]]:
    """Yield awkward arrays of the branches of an open tree, ``step`` entries at a time.

    Raises
    ------
    InputError
        Naming ``file`` if the branches cannot be read.
    """
    chunks = tree.iterate(branches, entry_start=start, entry_stop=stop, step_size=step, library="ak", how=dict)
    while True:
        with decoding(file):
            chunk = next(chunks, None)
        if chunk is None:
            return
        yield chunk


@contextmanager
def decoding(file: str) -> Iterator[None]:
    """Turn whatever uproot raises on damaged bytes, which is many kinds of exception, into one error.

    Raises
    ------
    InputError
        If the body raises.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{file}: no such file; check the path") from error
    except ImportError as error:
        raise InputError(
            f"{file}: needs a package that is not installed ({error}); for root:// files: pip install 'na64ml[xrootd]'"
        ) from error
    except Exception as error:
        reason = str(error).strip().splitlines()
        if is_remote(file) and isinstance(error, OSError | TimeoutError):
            raise InputError(
                f"{file}: cannot be read from the server ({reason[0] if reason else type(error).__name__}); check the "
                "address, the path and your credentials, and run the same command again"
            ) from error
        raise InputError(
            f"{file}: not a readable ROOT file ({type(error).__name__}: {reason[0] if reason else 'no details'}); "
            "it is truncated, damaged or of another format: copy it again or take it out of the list"
        ) from error


def require_branches(file: str, tree: str, present: Sequence[str], needed: dict[str, str]) -> None:
    """Check that a tree has the branches a layout needs.

    Parameters
    ----------
    needed
        Branch name to the layout key that asks for it.

    Raises
    ------
    InputError
        Naming every missing branch, the key that asks for it and similar names that are there.
    """
    lines = []
    for branch, key in needed.items():
        if branch not in present:
            near = get_close_matches(branch, present, n=3)
            hint = f"; similar branches: {', '.join(near)}" if near else ""
            lines.append(f"branch '{branch}' (layout key {key}) is missing{hint}")
    if lines:
        raise InputError(
            f"{file}: tree '{tree}': " + "; ".join(lines) + ". Use a layout that fits (na64ml inspect lists them)"
        )
