"""What a search for hyperparameters may change."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from na64ml.yaml_files import StrictModel

if TYPE_CHECKING:
    from optuna.trial import Trial


class Parameter(StrictModel):
    """Range or choices of one key of the training configuration.

    Parameters
    ----------
    low, high
        Ends of the range; whole numbers if both are.
    log
        Whether to search in the logarithm.
    choices
        Values to choose from, instead of a range.
    """

    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    choices: tuple[bool | int | float | str, ...] = ()

    @model_validator(mode="after")
    def _is_complete(self) -> "Parameter":
        has_range = self.low is not None and self.high is not None
        if has_range == bool(self.choices):
            raise ValueError("needs either low and high, or choices")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"low {self.low} is not below high {self.high}")
        if self.log and (self.low is None or self.low <= 0):
            raise ValueError("log needs a range above 0")
        return self

    def suggest(self, trial: "Trial", name: str) -> Any:
        """Return the value of a trial."""
        if self.low is None or self.high is None:
            return trial.suggest_categorical(name, self.choices)
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(name, self.low, self.high, log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)


class SearchSpace(StrictModel):
    """Contents of a search file.

    Parameters
    ----------
    metric, direction
        Logged metric of the validation split and whether it is to be large or small.
    parameters
        By key of the training configuration, such as ``model.network.init_args.width``.
    """

    metric: str = "validation/loss"
    direction: Literal["minimize", "maximize"] = "minimize"
    parameters: dict[str, Parameter] = Field(min_length=1)
