"""Working points in the form in which they are stored in a network file."""

from collections.abc import Sequence
from pathlib import Path

from na64ml.errors import ConfigError
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.working_points import SIGNAL_EFFICIENCIES, efficiency_above, working_points
from na64ml.inference.metadata import WorkingPoint
from na64ml.selection.intervals import CONFIDENCE_LEVEL
from na64ml.yaml_files import StrictModel


class WorkingPointFile(StrictModel):
    """Contents of ``working_points.json``: thresholds hold for one network only.

    Parameters
    ----------
    weights_hash, data_hash
        Hashes of the network and of its training data, as in the metadata of a network file.
    n_events
        Number of events of the evaluation.
    weighted
        Whether the events counted by their weight.
    points
        The working points.
    """

    weights_hash: str
    data_hash: str
    n_events: int
    weighted: bool
    points: tuple[WorkingPoint, ...]

    @classmethod
    def read(cls, path: Path) -> "WorkingPointFile":
        """Read the file that an evaluation wrote.

        Raises
        ------
        ConfigError
            If the file cannot be read or holds something else.
        """
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path") from error
        except ValueError as error:
            raise ConfigError(f"{path}: holds no working points: {error}; write it with 'na64ml evaluate'") from error

    @classmethod
    def read_for(cls, path: Path, weights_hash: str, network: str) -> "WorkingPointFile":
        """Read the file of one network; thresholds mean nothing for another.

        Raises
        ------
        ConfigError
            If the file cannot be read, or is of another network.
        """
        found = cls.read(path)
        if found.weights_hash != weights_hash:
            raise ConfigError(
                f"{path}: key 'weights_hash' is {found.weights_hash}, but the network of {network} has {weights_hash}; "
                "thresholds hold for one network only: evaluate this network and give its working points"
            )
        return found


def stored_working_points(
    scored: ScoredEvents,
    targets: Sequence[float] = SIGNAL_EFFICIENCIES,
    cl: float = CONFIDENCE_LEVEL,
    weighted: bool = True,
) -> tuple[WorkingPoint, ...]:
    """Return the working points ``signal_50`` and so on, with the efficiency of each class.

    Parameters
    ----------
    weighted
        False if all ``scored`` events were given the same weight; it is stored.
    """
    points = []
    for point in working_points(scored, targets, cl):
        efficiencies = {
            name: efficiency_above(scored.of_class(name), point.threshold, cl)
            for name in scored.classes
            if scored.of_class(name).weight.sum() > 0
        }
        points.append(
            WorkingPoint(
                name=f"signal_{100 * point.target:g}",
                threshold=point.threshold,
                efficiency={name: (value.value, value.lo, value.hi) for name, value in efficiencies.items()},
                interval=f"{cl:.0%} Clopper-Pearson, effective counts for weighted events",
                weighted=weighted,
            )
        )
    return tuple(points)
