"""YAML files validated by pydantic models, with errors a user can act on."""

import difflib
import hashlib
import json
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from na64ml.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)


class StrictModel(BaseModel):
    """Base of all configuration models: immutable, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read one YAML mapping.

    Raises
    ------
    ConfigError
        If the file is missing, is not YAML or does not hold a mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: holds {type(content).__name__}, a mapping of keys is needed")
    return content


def load_model(model: type[Model], path: Path) -> Model:
    """Read ``path`` and validate it as ``model``.

    Raises
    ------
    ConfigError
        With one line per wrong key: file, key, value and what is expected.
    """
    return validate(model, read_yaml(path), path)


def validate(model: type[Model], content: dict[str, Any], path: Path) -> Model:
    """Validate the content of the file ``path`` as ``model``.

    Raises
    ------
    ConfigError
        With one line per wrong key: file, key, value and what is expected.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ConfigError("\n".join(describe_errors(error, model, str(path)))) from error


def describe_errors(error: ValidationError, model: type[BaseModel], place: str) -> list[str]:
    """Return one line per wrong key: place, key, value, what is expected, and the nearest key of a misspelt one."""
    lines = []
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"])
        near = _nearest_key(model, item["loc"]) if item["type"] == "extra_forbidden" else ""
        lines.append(f"{place}: key '{key}': {item['msg']} (found {_shorten(item['input'])}){near}")
    return lines


def content_hash(content: Any) -> str:
    """Return a short hash of JSON-like content, independent of key order."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def find_named(folder: Path, name: str, kind: str, pattern: str = "*.yaml") -> Path:
    """Return ``name`` as a path if it is one, else the shipped file of that name under ``folder``.

    Raises
    ------
    ConfigError
        If there is neither; the message lists what is shipped.
    """
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    shipped = {path.stem: path for path in sorted(folder.glob(pattern))}
    if name not in shipped:
        raise ConfigError(
            f"unknown {kind} '{name}'; shipped are: {', '.join(shipped)}; or give the path of a YAML file"
        )
    return shipped[name]


def _nearest_key(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """Return the known key that is nearest to an unknown one, among all keys of a model and the models in it."""
    near = difflib.get_close_matches(str(location[-1]), _keys(model), n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""


def _keys(model: type[BaseModel]) -> set[str]:
    keys = set(model.model_json_schema().get("properties", {}))
    for definition in model.model_json_schema().get("$defs", {}).values():
        keys |= set(definition.get("properties", {}))
    return keys


def _shorten(value: Any, length: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= length else text[: length - 3] + "..."
