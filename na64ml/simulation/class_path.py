"""Classes that a recipe names by ``class_path``, with their ``init_args``."""

import difflib
import inspect
import pkgutil
from importlib import import_module
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from na64ml.errors import ConfigError
from na64ml.yaml_files import StrictModel, describe_errors

T = TypeVar("T", bound=BaseModel)


class ClassPath(StrictModel):
    """A class and its parameters.

    Parameters
    ----------
    class_path
        Where the class is imported from, such as ``na64ml.simulation.processes.dimuon.Dimuon``.
    init_args
        Its parameters.
    """

    class_path: str
    init_args: dict[str, Any] = Field(default_factory=dict)

    def make(self, base: type[T]) -> T:
        """Make the object.

        Raises
        ------
        ConfigError
            If there is no such class, it is no ``base``, or a parameter is wrong.
        """
        module_name, _, class_name = self.class_path.rpartition(".")
        try:
            found = getattr(import_module(module_name), class_name)
        except (ImportError, AttributeError, ValueError) as error:
            raise ConfigError(
                f"class_path '{self.class_path}': there is no such class{_nearest(self, base)}"
            ) from error
        if not (inspect.isclass(found) and issubclass(found, base)):
            raise ConfigError(f"class_path '{self.class_path}': is no {base.__name__}{_nearest(self, base)}")
        try:
            return found.model_validate(self.init_args)
        except ValidationError as error:
            raise ConfigError("\n".join(describe_errors(error, found, f"{self.class_path}: init_args"))) from error


def known_classes(base: type[BaseModel]) -> list[str]:
    """Return the class paths of the shipped subclasses of ``base``."""
    package = import_module(base.__module__.rpartition(".")[0])
    names = set()
    for info in pkgutil.iter_modules(package.__path__):
        module = import_module(f"{package.__name__}.{info.name}")
        names |= {
            f"{module.__name__}.{name}"
            for name, found in inspect.getmembers(module, inspect.isclass)
            if issubclass(found, base)
            and not inspect.isabstract(found)
            and found.__module__.startswith(module.__name__)
        }
    return sorted(names)


def _nearest(wrong: ClassPath, base: type[BaseModel]) -> str:
    known = known_classes(base)
    near = difflib.get_close_matches(wrong.class_path, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else f"; shipped are {', '.join(known)}"
