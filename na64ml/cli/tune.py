"""``na64ml tune``: search for hyperparameters."""

import argparse
from importlib.util import find_spec
from pathlib import Path

from rich.table import Table

from na64ml.cli.options import console
from na64ml.errors import ConfigError
from na64ml.resources import config_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--space", required=True, help="what may change: a YAML file, or the name of a shipped configuration"
    )
    parser.add_argument("--config", action="append", required=True, help="training configuration, as for 'na64ml fit'")
    parser.add_argument("--trials", type=int, default=20, help="trials that the study shall have at the end")
    parser.add_argument("--study", default="tune", help="name of the study; it goes on if it exists")
    parser.add_argument("--root", type=Path, default=Path("runs"), help="run root, as for 'na64ml fit'")
    parser.add_argument("overrides", nargs="*", metavar="--KEY VALUE", help="options of 'na64ml fit', after '--'")


def run(arguments: argparse.Namespace) -> None:
    """Run the trials that are missing and show the best."""
    if find_spec("optuna") is None:
        raise ConfigError("tune: optuna is not installed; install it with: pip install 'na64ml[hpo]'")
    from na64ml.training.search_space import SearchSpace
    from na64ml.training.tuning import tune
    from na64ml.yaml_files import load_model

    space = load_model(SearchSpace, config_path(arguments.space))
    configs = [word for config in arguments.config for word in ("--config", config)]
    study = tune(space, [*configs, *arguments.overrides], arguments.root, arguments.study, arguments.trials)
    table = Table(title=f"{arguments.study}: {space.metric}, {space.direction}")
    for column in ("trial", "state", space.metric, *space.parameters):
        table.add_column(column, justify="right")
    sign = -1 if space.direction == "maximize" else 1
    trials = sorted(study.trials, key=lambda t: (t.value is None, sign * t.value if t.value is not None else 0))
    for trial in trials:
        value = "" if trial.value is None else f"{trial.value:.5g}"
        table.add_row(str(trial.number), trial.state.name.lower(), value, *(f"{v}" for v in trial.params.values()))
    console.print(table)
