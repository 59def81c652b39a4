"""Boosted trees of LightGBM as one operator of ONNX."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx

from na64ml.errors import ConfigError

DOMAIN = "ai.onnx.ml"
"""Part of the ONNX standard for classical machine learning."""

DOMAIN_VERSION = 3
"""Every runtime from 1.14, which the C++ scorer asks for, knows it; later ones have another operator for trees."""

_ZERO = np.float32(1e-35)

_LEAF, _BRANCH = "LEAF", "BRANCH_LEQ"


def tree_node(booster: Any, source: str, target: str) -> onnx.NodeProto:
    """Return the operator from values float32 ``[n, n_variables]`` to logits ``[n, n_classes]``.

    It takes the same way through each tree as LightGBM for every float32 value: thresholds are rounded down to float32,
    and a missing value goes where LightGBM sends it.

    Parameters
    ----------
    booster
        ``lightgbm.Booster`` of several classes.
    source, target
        Names of input and output.

    Raises
    ------
    ConfigError
        If the trees were grown with settings of LightGBM that have no counterpart.
    """
    dump = booster.dump_model()
    n_classes = int(dump["num_class"])
    nodes: dict[str, list[Any]] = {name: [] for name in _NODE_FIELDS}
    leaves: dict[str, list[Any]] = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}
    for number, tree in enumerate(dump["tree_info"]):
        for index, node, children in _numbered(tree["tree_structure"]):
            row = _branch(node, children) if children else _leaf()
            for name, value in {"treeids": number, "nodeids": index, **row}.items():
                nodes[name].append(value)
            if not children:
                leaf = {"treeids": number, "nodeids": index, "ids": number % n_classes, "weights": node["leaf_value"]}
                for name, value in leaf.items():
                    leaves[name].append(value)
    attributes: dict[str, Any] = {f"nodes_{name}": values for name, values in nodes.items()}
    attributes |= {f"target_{name}": values for name, values in leaves.items()}
    return onnx.helper.make_node(
        "TreeEnsembleRegressor", [source], [target], name="trees", domain=DOMAIN, n_targets=n_classes, **attributes
    )


_NODE_FIELDS = (
    "treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids", "missing_value_tracks_true",
)  # fmt: skip


def _numbered(root: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any], tuple[int, int] | None]]:
    """Yield the nodes of a tree with their numbers, and those of both children unless it is a leaf."""
    waiting, found = [root], 0
    while found < len(waiting):
        node = waiting[found]
        children = None
        if "leaf_value" not in node:
            children = (len(waiting), len(waiting) + 1)
            waiting += [node["left_child"], node["right_child"]]
        yield found, node, children
        found += 1


def _branch(node: dict[str, Any], children: tuple[int, int]) -> dict[str, Any]:
    if node["decision_type"] != "<=" or node["missing_type"] not in ("None", "NaN"):
        raise ConfigError(
            f"trees: a decision '{node['decision_type']}' with missing values '{node['missing_type']}' cannot be "
            "exported; train without categorical variables and without zero_as_missing"
        )
    threshold = float(node["threshold"])
    # A variable that was never missing in training counts as 0 where it is missing.
    missing_left = node["default_left"] if node["missing_type"] == "NaN" else threshold >= 0
    return {
        "featureids": node["split_feature"],
        "values": rounded_down(threshold),
        "modes": _BRANCH,
        "truenodeids": children[0],
        "falsenodeids": children[1],
        "missing_value_tracks_true": int(missing_left),
    }


def _leaf() -> dict[str, Any]:
    return {
        "featureids": 0,
        "values": 0.0,
        "modes": _LEAF,
        "truenodeids": 0,
        "falsenodeids": 0,
        "missing_value_tracks_true": 0,
    }


def rounded_down(threshold: float) -> float:
    """Return the float32 for which ``x <= threshold`` is what it is for LightGBM, for every float32 x.

    It is the largest one that is not above the threshold. LightGBM takes numbers smaller than 1e-35 for 0.
    """
    if -float(_ZERO) <= threshold < 0:
        return float(np.nextafter(-_ZERO, np.float32(-np.inf)))
    with np.errstate(over="ignore"):
        rounded = np.float32(threshold)
    return float(np.nextafter(rounded, np.float32(-np.inf)) if float(rounded) > threshold else rounded)
