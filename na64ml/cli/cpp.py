"""``na64ml cpp``: the C++ header, its examples, and setups as headers."""

import argparse
import importlib.util
import logging
import shutil
from pathlib import Path

from na64ml.errors import ConfigError
from na64ml.inference.cpp_setup import cpp_name, cpp_setup
from na64ml.setups.conditions import load_conditions
from na64ml.setups.setup import load_setup

logger = logging.getLogger(__name__)

SOURCES = Path(__file__).parents[1] / "inference" / "cpp"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--copy-to", type=Path, required=True, metavar="DIR", help="folder to copy the files to")
    parser.add_argument(
        "--setup", help="also write this setup (name or YAML file) as a header, for na64ml/event_builder.hpp"
    )
    parser.add_argument("--conditions", help="conditions name or YAML file (default: those of the setup's name)")


def run(arguments: argparse.Namespace) -> None:
    """Copy headers, examples and the CMake file, and link libonnxruntime; older copies are replaced."""
    if arguments.conditions and not arguments.setup:
        raise ConfigError("--conditions belongs to a setup; give --setup too")
    folder: Path = arguments.copy_to
    try:
        shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
        if arguments.setup:
            setup = load_setup(arguments.setup)
            header = folder / "na64ml" / f"setup_{cpp_name(setup)}.hpp"
            header.write_text(cpp_setup(setup, load_conditions(arguments.conditions or setup.name)), encoding="utf-8")
            logger.info("%s: defines na64ml::setups::%s()", header, cpp_name(setup))
        _link_runtime(folder)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written ({error.strerror or error}); choose another folder") from error
    logger.info("%s: headers in na64ml/, examples; build them with cmake -S %s -B build", folder, folder)


def _link_runtime(folder: Path) -> None:
    """Link the library of the installed onnxruntime under the names that ROOT and programs look for."""
    found = importlib.util.find_spec("onnxruntime")
    places = found.submodule_search_locations if found else None
    library = next(Path(places[0], "capi").glob("libonnxruntime.so.1.*"), None) if places else None
    if library is None:
        logger.warning("libonnxruntime is not part of this Python's onnxruntime; link %s/libonnxruntime.so", folder)
        return
    for name in ("libonnxruntime.so", "libonnxruntime.so.1"):
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(library)
