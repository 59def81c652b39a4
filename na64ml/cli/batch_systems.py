"""Job files of batch systems, whose jobs score a part of the shards each."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from string import Template

from na64ml.errors import ConfigError
from na64ml.events.atomic import atomic_path
from na64ml.resources import shipped

BATCH_SYSTEMS = {"htcondor": "htcondor.sub", "slurm": "slurm.sh"}
"""Template of each system, in the shipped folder ``batch``; its first line after any ``#!`` says how to submit it."""

_OPTIONS = (
    *("layout", "setup", "conditions", "mode", "model", "tracking"),
    *("out", "format", "threads", "micro_batch", "provider", "shard_events"),
)
_FLAGS = ("unblind", "keep_shards")


def write_batch(arguments: argparse.Namespace) -> Path:
    """Write the job file for the ``score`` command with these arguments, beside its output.

    Raises
    ------
    ConfigError
        If a name has a line break or a double quote in it, which job files cannot hold.
    """
    template = shipped("configs") / "batch" / BATCH_SYSTEMS[arguments.batch]
    path: Path = arguments.out.with_name(f"{arguments.out.name}.{template.name}")
    words = ["-m", "na64ml.cli", "score", *arguments.files, *_options(arguments)]
    for word in words:
        if "\n" in word or '"' in word:
            raise ConfigError(f"--batch: the argument {word!r} has a character that job files cannot hold; rename it")
    folder = str(Path.cwd())
    text = Template(template.read_text()).substitute(
        file=path,
        python=sys.executable,
        arguments=_for_htcondor(words),
        command=shlex.join([sys.executable, *words]),
        folder=folder,
        quoted_folder=shlex.quote(folder),
        output=arguments.out,
        threads=arguments.threads,
        jobs=arguments.jobs,
        last=arguments.jobs - 1,
    )
    with atomic_path(path) as part:
        part.write_text(text)
    return path


def _options(arguments: argparse.Namespace) -> list[str]:
    given = [(name, getattr(arguments, name)) for name in _OPTIONS]
    flags = [name for name in _FLAGS if getattr(arguments, name)]
    return [
        *(word for name, value in given if value is not None for word in (_spelt(name), str(value))),
        *map(_spelt, flags),
    ]


def _spelt(name: str) -> str:
    return "--" + name.replace("_", "-")


def _for_htcondor(words: Sequence[str]) -> str:
    """Quote words as the ``arguments`` of a submit file want them."""
    quoted = ("'{}'".format(word.replace("'", "''").replace("$", "$(DOLLAR)")) for word in words)
    return " ".join(quoted)
