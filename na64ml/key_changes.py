"""Other values of single keys of a YAML file, given on the command line."""

import copy
from collections.abc import Sequence
from typing import Any

import yaml

from na64ml.errors import ConfigError


def changed(content: dict[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """Return the content of a file with keys set to other values.

    Parameters
    ----------
    content
        Mapping of the file.
    changes
        ``KEY=VALUE`` each; the key may lead into mappings by dots, the value is YAML.

    Raises
    ------
    ConfigError
        If a change has another form, its value is not YAML, or its key leads into something that is no mapping.
    """
    result = copy.deepcopy(content)
    for change in changes:
        key, separator, text = change.partition("=")
        *path, last = key.split(".")
        if not separator or not last:
            raise ConfigError(f"--set '{change}': give KEY=VALUE, such as seed=7 or engine.init_args.path=library.root")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set '{change}': the value is not YAML: {error}") from error
        inner = result
        for part in path:
            inner = inner.setdefault(part, {}) if isinstance(inner, dict) else None
        if not isinstance(inner, dict):
            raise ConfigError(f"--set '{change}': '{'.'.join(path)}' is no mapping of keys in the file")
        inner[last] = value
    return result
