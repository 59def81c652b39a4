"""Classes named in configurations and checkpoints."""

from importlib import import_module
from typing import Any

from na64ml.errors import ConfigError


def import_class(path: str, key: str) -> type[Any]:
    """Return the class of a dotted path.

    Parameters
    ----------
    path
        Such as ``torch_geometric.nn.GATv2Conv``.
    key
        Key of the configuration that holds the path, for the message.

    Raises
    ------
    ConfigError
        If there is no such class.
    """
    module, _, name = path.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"{key}: {path} cannot be imported ({error}); give the full path of an installed class"
        ) from error
    if not isinstance(found, type):
        raise ConfigError(f"{key}: {path} is not a class; give the full path of a class")
    return found
