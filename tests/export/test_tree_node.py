"""The operator takes the way of LightGBM through every tree, also for values that are missing."""

import lightgbm
import numpy as np
import onnx
import onnxruntime
import pytest

from na64ml.errors import ConfigError
from na64ml.export.tree_node import DOMAIN, DOMAIN_VERSION, rounded_down, tree_node
from na64ml.models.boosted_trees import Table, TreeSettings, grow, predicted

N_CLASSES, N_VARIABLES = 3, 4
MISSING_IN_TRAINING = 2
"""The only variable that is NaN in some training events."""


def events(seed: int, n: int = 600) -> Table:
    """Variables on a coarse grid, so that many values are equal to each other and some to a threshold."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(0, 1, (n, N_VARIABLES)), 1).astype(np.float32)
    label = (values[:, 0] > 0).astype(np.int64) + (values[:, 1] + values[:, 2] > 0.5)
    values[rng.random(n) < 0.3, MISSING_IN_TRAINING] = np.nan
    return Table(values, label, np.ones(n))


@pytest.fixture(scope="module")
def booster() -> lightgbm.Booster:
    return grow(events(0), N_CLASSES, TreeSettings(num_iterations=20, learning_rate=0.3))


def logits(booster: lightgbm.Booster, values: np.ndarray) -> np.ndarray:
    graph = onnx.helper.make_graph(
        [tree_node(booster, "values", "logits")],
        "trees",
        [onnx.helper.make_tensor_value_info("values", onnx.TensorProto.FLOAT, ("n", values.shape[1]))],
        [onnx.helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ("n", N_CLASSES))],
    )
    sets = [onnx.helper.make_opsetid("", 18), onnx.helper.make_opsetid(DOMAIN, DOMAIN_VERSION)]
    model = onnx.helper.make_model(graph, opset_imports=sets, ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["logits"], {"values": values})[0]


def thresholds(booster: lightgbm.Booster) -> list[tuple[int, float]]:
    table = booster.trees_to_dataframe().dropna(subset=["threshold"])
    features = table["split_feature"].str.removeprefix("Column_").astype(int)
    return list(zip(features.tolist(), table["threshold"].tolist(), strict=True))


def test_the_logits_are_those_of_lightgbm(booster: lightgbm.Booster) -> None:
    values = events(1).values
    expected = predicted(booster, values)[0]
    np.testing.assert_allclose(logits(booster, values), expected, rtol=1e-5, atol=1e-5)
    assert np.abs(logits(booster, values[:, ::-1].copy()) - expected).max() > 0.1


def test_values_beside_a_threshold_go_the_same_way(booster: lightgbm.Booster) -> None:
    rows = []
    for feature, threshold in thresholds(booster):
        at = np.float32(threshold)
        for value in (np.nextafter(at, np.float32(-np.inf)), at, np.nextafter(at, np.float32(np.inf))):
            row = np.zeros(N_VARIABLES, dtype=np.float32)
            row[feature] = value
            rows.append(row)
    values = np.array(rows)
    np.testing.assert_allclose(logits(booster, values), predicted(booster, values)[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("missing", [[0], [MISSING_IN_TRAINING], [1, 3], [0, 1, 2, 3]])
def test_missing_values_go_the_same_way(booster: lightgbm.Booster, missing: list[int]) -> None:
    """Also those of variables that were never missing in training."""
    values = events(2).values.copy()
    values[:, missing] = np.nan
    np.testing.assert_allclose(logits(booster, values), predicted(booster, values)[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("value", [np.inf, -np.inf, 3e38, -0.0])
def test_extreme_values_go_the_same_way(booster: lightgbm.Booster, value: float) -> None:
    values = np.full((1, N_VARIABLES), value, dtype=np.float32)
    np.testing.assert_allclose(logits(booster, values), predicted(booster, values)[0], rtol=1e-5, atol=1e-5)


def test_trees_of_a_single_leaf_are_trees() -> None:
    constant = Table(np.zeros((90, N_VARIABLES), dtype=np.float32), np.arange(90) % N_CLASSES, np.ones(90))
    booster = grow(constant, N_CLASSES, TreeSettings(num_iterations=2))
    np.testing.assert_allclose(logits(booster, constant.values), predicted(booster, constant.values)[0], atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "categories"), [({"zero_as_missing": True}, "auto"), ({}, [0])], ids=["zero as missing", "categories"]
)
def test_what_has_no_counterpart_is_refused(settings: dict[str, object], categories: list[int] | str) -> None:
    table = events(3)
    values = np.abs(np.nan_to_num(np.round(table.values)))
    parameters = {"objective": "multiclass", "num_class": N_CLASSES, "verbosity": -1, **settings}
    data = lightgbm.Dataset(values, table.label, params=parameters, categorical_feature=categories)
    booster = lightgbm.train(parameters, data, 5)
    with pytest.raises(ConfigError, match="cannot be exported"):
        tree_node(booster, "values", "logits")


@pytest.mark.parametrize("threshold", [0.1, -0.1, 1 / 3, 0.5, 0.0, 3e38, 1e300, -1e300])
def test_rounding_down_keeps_every_comparison(threshold: float) -> None:
    rounded = rounded_down(threshold)
    assert rounded <= threshold
    with np.errstate(over="ignore"):
        above = np.nextafter(np.float32(rounded), np.float32(np.inf))
    for value in (np.float32(rounded), above):
        assert (float(value) <= rounded) == (float(value) <= threshold)
