"""Opening ROOT files and trees, with errors a user can act on."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import uproot

from na64ml.errors import InputError
from na64ml.resources import shipped

SHIPPED = "shipped:"
"""Prefix of files that come with the package."""


def expand(patterns: str | Path | Sequence[str | Path]) -> list[str]:
    """Return the files of paths and glob patterns, each once, patterns sorted.

    ``shipped:NAME`` is a file of the datasets that come with the package.

    Raises
    ------
    InputError
        If a pattern matches nothing.
    """
    if isinstance(patterns, str | Path):
        patterns = [patterns]
    files: dict[str, None] = {}
    for pattern in map(str, patterns):
        if pattern.startswith(SHIPPED):
            pattern = str(shipped("datasets") / pattern.removeprefix(SHIPPED))
        path = Path(pattern)
        found = (
            sorted(map(str, Path(path.anchor).glob(str(path.relative_to(path.anchor)))))
            if _MAGIC.search(pattern)
            else [pattern]
        )
        if not found:
            raise InputError(f"{pattern}: no file matches; check the path and the quotes around the pattern")
        files |= dict.fromkeys(found)
    return list(files)


_MAGIC = re.compile(r"[*?[]")


@contextmanager
def open_tree(file: str, tree: str) -> Iterator[Any]:
    """Open one TTree or RNTuple of one ROOT file.

    Raises
    ------
    InputError
        If the file is missing, is not a (whole) ROOT file or has no such tree.
    """
    with open_file(file) as root:
        names = sorted(root.keys(cycle=False, filter_classname=["TTree", "*RNTuple"]))
        if tree not in names:
            raise InputError(
                f"{file}: has no tree '{tree}', it has {', '.join(names) or 'none'}; choose another layout "
                "or set its key 'tree'"
            )
        yield root[tree]


@contextmanager
def open_file(file: str) -> Iterator[Any]:
    """Open one ROOT file.

    Raises
    ------
    InputError
        If the file is missing or is not a (whole) ROOT file.
    """
    try:
        root = uproot.open(file, array_cache=None)
    except FileNotFoundError as error:
        raise InputError(f"{file}: no such file; check the path") from error
    except Exception as error:  # uproot raises many kinds on damaged bytes
        raise damaged(file, error) from error
    with root:
        yield root


def damaged(file: str, error: Exception) -> InputError:
    """Return the error for a file whose bytes cannot be decoded."""
    reason = str(error).strip().splitlines()
    return InputError(
        f"{file}: not a readable ROOT file ({type(error).__name__}: {reason[0] if reason else 'no details'}); "
        "it is truncated, damaged or of another format: copy it again or take it out of the list"
    )


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
