from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.graphs.sample import Split
from na64ml.models.boosted_trees import TreeSettings
from na64ml.resources import shipped
from na64ml.selection.mode import Mode
from na64ml.selection.table import variable_table
from na64ml.selection.variables import check_variable
from na64ml.selection.viewer import make_viewer
from na64ml.training.trees import TreesConfig, TreesData, fit_trees
from na64ml.yaml_files import load_model

NAMES = ("ecal_energy", "veto_energy", "rms:ST05X")
SETTINGS = TreeSettings(num_iterations=6, num_leaves=7, seed=4)


@contextmanager
def no_bar(label: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    yield lambda n: None


@pytest.fixture(scope="module")
def table(reader: EventReader, reference_events: EventBatch) -> np.ndarray:
    return variable_table(NAMES, make_viewer(reader)(reference_events))


@pytest.mark.parametrize("fold", [0, 3])
def test_the_training_is_that_of_lightgbm_on_the_training_part_with_balanced_classes(
    reference_events: EventBatch, table: np.ndarray, mode: Mode, cache_folder: Path, fold: int
) -> None:
    data = TreesData(files=("shipped:na64e_reference.root",), fold=fold)
    trees, record, _ = fit_trees(TreesConfig(data=data, variables=NAMES, trees=SETTINGS), cache_folder, no_bar)
    assert record.split == Split(dataset="na64e_reference", fold=fold)
    train = record.split.assign(reference_events.ids)["train"]
    theirs = lightgbm.LGBMClassifier(
        n_estimators=6, num_leaves=7, learning_rate=0.03, min_child_samples=10, colsample_bytree=0.5, subsample=0.8,
        subsample_freq=1, random_state=4, class_weight="balanced", n_jobs=1, verbose=-1,
    )  # fmt: skip
    theirs.fit(table[train], mode.label(reference_events)[train])
    # The weights of the two are rounded differently.
    np.testing.assert_allclose(trees.booster.predict(table), theirs.predict_proba(table), rtol=1e-4, atol=1e-6)


def test_progress_is_told(cache_folder: Path) -> None:
    done: dict[str, int] = {}

    @contextmanager
    def bar(label: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        yield lambda n: done.update({label: done.get(label, 0) + n})
        assert done[label] == total

    data = TreesData(files=("shipped:na64e_reference.root",))
    fit_trees(TreesConfig(data=data, variables=NAMES[:1], trees=SETTINGS), cache_folder, bar)
    assert done == {"analysis variables": 5025, "boosting": 6}


def test_the_shipped_configuration_is_valid() -> None:
    config = load_model(TreesConfig, shipped("configs") / "na64e_invisible" / "trees.yaml")
    assert len(set(config.variables)) == len(config.variables) == 63
    for name in config.variables:
        check_variable(name)
