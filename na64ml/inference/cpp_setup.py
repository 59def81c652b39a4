"""A setup and its run conditions as a C++ header, for event loops that know cells by their indices."""

from collections.abc import Iterable

import numpy as np

from na64ml.setups.conditions import Conditions, RunConditions
from na64ml.setups.detectors import Detector
from na64ml.setups.setup import Setup


def cpp_setup(setup: Setup, conditions: Conditions) -> str:
    """Return a header that defines ``na64ml::setups::NAME()``, for ``na64ml::EventBuilder``."""
    name = cpp_name(setup)
    detectors = ",\n".join(_detector(detector) for detector in setup.detectors)
    ranges = ",\n".join(_conditions(found, setup) for found in conditions.ranges)
    return f"""\
// Setup '{setup.name}' (geometry {setup.geometry_hash}) with conditions {conditions.hash}.
// Written by 'na64ml cpp'; do not edit, write it again when the YAML files change.
#pragma once

#include "setup.hpp"

namespace na64ml {{
namespace setups {{

inline Setup {name}() {{
    return {{
        {_text(setup.name)},
        {{
{detectors},
        }},
        {{
{ranges},
        }},
    }};
}}

}}  // namespace setups
}}  // namespace na64ml
"""


def cpp_name(setup: Setup) -> str:
    """Return the name of a setup as a C++ identifier."""
    name = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in setup.name)
    return f"_{name}" if name[0].isdigit() else name


def _detector(detector: Detector) -> str:
    channels = detector.channels
    rows = (
        f"                {{{_text(label)}, {_list(_float(value) for value in position)}, {axis}}}"
        for label, position, axis in zip(channels.label, channels.position, channels.axis.tolist(), strict=True)
    )
    shape = _list(str(length) for length in detector.shape)
    head = f"            {{{_text(detector.name)}, {_text(detector.kind)}, {{{shape}}}, {{"
    return head + "\n" + ",\n".join(rows) + "}}"


def _conditions(conditions: RunConditions, setup: Setup) -> str:
    x, y = conditions.impact_point(setup)
    gains, dead = [], []
    for detector in setup.detectors:
        factors, broken = conditions.channel_gains(detector), conditions.dead_channels(detector)
        if (factors != 1).any():
            gains.append(f"{{{_text(detector.name)}, {{{_list(repr(float(factor)) for factor in factors)}}}}}")
        if broken.any():
            dead.append(f"{{{_text(detector.name)}, {{{_list(map(str, np.flatnonzero(broken)))}}}}}")
    runs = f"{conditions.first_run}, {conditions.last_run}"
    return f"            {{{runs}, {_float(x)}, {_float(y)}, {{{_list(gains)}}}, {{{_list(dead)}}}}}"


def _list(items: Iterable[str]) -> str:
    return ", ".join(items)


def _float(value: float) -> str:
    """Return a literal that is the same float32 in C++."""
    return f"{np.float32(value):.9e}f"


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
