"""What changes from run to run on one setup, as a table by run range."""

from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from na64ml.errors import ConfigError
from na64ml.setups.detectors import Detector
from na64ml.setups.setup import Setup, load_setup
from na64ml.setups.sourced import AboveZero, Cell, Pair, Positive, Range, without_sources
from na64ml.yaml_files import StrictModel, content_hash, find_named, load_model

_FOLDER = Path(__file__).parent / "catalog" / "conditions"


class RunConditions(StrictModel):
    """Conditions of one range of runs.

    Parameters
    ----------
    runs
        First and last run, both included.
    impact_cell
        Cell ``(ix, iy)`` of the target that the beam hits.
    impact
        Mean impact of the beam on the target in mm; if absent, derived from the impact cell and the beam
        offset.
    beam_energy
        Nominal beam energy in GeV; if absent, that of the setup.
    dead
        Dead channels of each detector, as indices into its shape: ``ECAL: [[1, 3, 2], [0, 0, 5]]``.
    gains
        Factor that multiplies the energies of a detector, or one factor for each of its channels.
    bad_spills
        Pairs of run and spill to be left out.
    eot
        Particles recorded on target.

    Raises
    ------
    ValueError
        If the range is reversed or a bad spill belongs to another run.
    """

    runs: Range
    impact_cell: Cell
    impact: Pair | None = None
    beam_energy: Positive | None = None
    dead: dict[str, tuple[tuple[int, ...], ...]] = Field(default_factory=dict)
    gains: dict[str, AboveZero | tuple[AboveZero, ...]] = Field(default_factory=dict)
    bad_spills: tuple[tuple[int, int], ...] = ()
    eot: Positive | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "RunConditions":
        if self.first_run > self.last_run:
            raise ValueError(f"runs {self.first_run} to {self.last_run} are reversed; give the first run first")
        for run, spill in self.bad_spills:
            if not self.first_run <= run <= self.last_run:
                raise ValueError(
                    f"bad spill [{run}, {spill}] is outside runs {self.first_run} to {self.last_run}; "
                    "move it to the range of its run"
                )
        return self

    @property
    def first_run(self) -> int:
        """First run of the range."""
        return self.runs.value[0]

    @property
    def last_run(self) -> int:
        """Last run of the range."""
        return self.runs.value[1]

    def impact_point(self, setup: Setup) -> tuple[float, float]:
        """Return the mean impact of the beam on the target in mm.

        The explicit impact point, or else the centre of the impact cell plus the beam offset.
        """
        if self.impact is not None:
            return self.impact.value
        (x, y), (dx, dy) = setup.cell_centre(self.impact_cell.value), setup.beam.offset.value
        return x + dx, y + dy

    def nominal_energy(self, setup: Setup) -> float:
        """Return the nominal beam energy in GeV: the explicit one, or else that of the setup."""
        return (self.beam_energy or setup.beam.energy).value

    def dead_channels(self, detector: Detector) -> NDArray[np.bool_]:
        """Return which channels are dead, ``[n_channels]``.

        Raises
        ------
        ConfigError
            If an index does not fit the shape of the detector.
        """
        mask = np.zeros(detector.shape, dtype=np.bool_)
        for index in self.dead.get(detector.name, ()):
            fits = len(index) == mask.ndim and all(0 <= i < n for i, n in zip(index, mask.shape, strict=True))
            if not fits:
                raise ConfigError(
                    f"runs {self.first_run} to {self.last_run}: key 'dead.{detector.name}': there is no "
                    f"channel {list(index)}; {detector.name} has the shape {detector.shape}, "
                    "indices count from 0"
                )
            mask[index] = True
        return mask.reshape(-1)

    def channel_gains(self, detector: Detector) -> NDArray[np.float64]:
        """Return the factor that multiplies the energy of each channel, ``[n_channels]``.

        Raises
        ------
        ConfigError
            If there is a list of gains of another length.
        """
        gains = np.asarray(self.gains.get(detector.name, 1.0), dtype=np.float64)
        if gains.ndim == 1 and len(gains) != detector.n_channels:
            raise ConfigError(
                f"runs {self.first_run} to {self.last_run}: key 'gains.{detector.name}': {len(gains)} gains; "
                f"give one factor or {detector.n_channels}, one for each channel"
            )
        return np.broadcast_to(gains, detector.n_channels)


class Conditions(StrictModel):
    """Conditions of one setup.

    Parameters
    ----------
    setup
        Name of a shipped setup, or path of a setup file relative to the conditions file.
    description
        One paragraph for people.
    ranges
        Sorted by run, without overlap.
    digitisation
        Name of the shipped digitisation that simulates these runs, or path of a YAML file.

    Raises
    ------
    ValueError
        If ranges overlap or are not sorted.
    """

    setup: str
    description: str = ""
    ranges: Annotated[tuple[RunConditions, ...], Field(min_length=1)]
    digitisation: str | None = None

    @model_validator(mode="after")
    def _sorted(self) -> "Conditions":
        for before, after in zip(self.ranges, self.ranges[1:], strict=False):
            if after.first_run <= before.last_run:
                raise ValueError(
                    f"runs {after.first_run} to {after.last_run} overlap with, or come before, runs "
                    f"{before.first_run} to {before.last_run}; sort the ranges and separate them"
                )
        return self

    @property
    def hash(self) -> str:
        """Hash of what the analysis uses; independent of descriptions, source tags and the digitisation."""
        content = self.model_dump(mode="json", exclude={"description", "digitisation"})
        for part in content["ranges"]:
            if part["beam_energy"] is None:  # files that do not have the key keep the hash that networks know
                del part["beam_energy"]
        return content_hash(without_sources(content))

    def for_run(self, run: int) -> RunConditions:
        """Return the conditions of a run.

        Raises
        ------
        ConfigError
            If no range has the run.
        """
        return self.ranges[int(self._range_index(np.array([run]))[0])]

    def gains(self, setup: Setup, detector: str, runs: ArrayLike) -> NDArray[np.float64]:
        """Return the factors that multiply the channel energies in each run, ``[n_runs, n_channels]``.

        Raises
        ------
        ConfigError
            If the setup has no such detector or no range has one of the runs.
        """
        found = setup.detector(detector)
        table = np.stack([conditions.channel_gains(found) for conditions in self.ranges])
        return table[self._range_index(np.asarray(runs))]

    def beam_energies(self, setup: Setup, runs: ArrayLike) -> NDArray[np.float64]:
        """Return the nominal beam energy in GeV in each run, ``[n_runs]``.

        Raises
        ------
        ConfigError
            If no range has one of the runs.
        """
        table = np.array([conditions.nominal_energy(setup) for conditions in self.ranges])
        return table[self._range_index(np.asarray(runs))]

    def dead_mask(self, setup: Setup, detector: str, run: int) -> NDArray[np.bool_]:
        """Return which channels are dead in a run, ``[n_channels]``.

        Raises
        ------
        ConfigError
            If the setup has no such detector or no range has the run.
        """
        return self.for_run(run).dead_channels(setup.detector(detector))

    def bad_spill_mask(self, runs: ArrayLike, spills: ArrayLike) -> NDArray[np.bool_]:
        """Return which events, given by their runs and spills ``[n_events]``, are in a bad spill."""
        bad = {pair for conditions in self.ranges for pair in conditions.bad_spills}
        pairs, inverse = np.unique(np.column_stack([runs, spills]), axis=0, return_inverse=True)
        is_bad = np.array([(int(run), int(spill)) in bad for run, spill in pairs], dtype=np.bool_)
        return is_bad[inverse]

    def check(self, setup: Setup) -> None:
        """Check that every detector, channel and impact cell exists in the setup.

        Raises
        ------
        ConfigError
            Naming the range, the key and the value that does not.
        """
        for conditions in self.ranges:
            for name in (*conditions.dead, *conditions.gains):
                detector = setup.detector(name)
                conditions.dead_channels(detector)
                conditions.channel_gains(detector)
            setup.cell_centre(conditions.impact_cell.value)

    def _range_index(self, runs: NDArray[np.integer]) -> NDArray[np.intp]:
        first = np.array([conditions.first_run for conditions in self.ranges])
        last = np.array([conditions.last_run for conditions in self.ranges])
        index = np.searchsorted(first, runs, side="right") - 1
        outside = (index < 0) | (runs > last[index])
        if outside.any():
            known = ", ".join(f"{a} to {b}" for a, b in zip(first, last, strict=True))
            raise ConfigError(
                f"conditions of setup '{self.setup}': key 'ranges': no range has run {runs[outside][0]}; "
                f"there are runs {known}; add a range for it or choose the setup of its period"
            )
        return index


def load_conditions(name_or_path: str) -> Conditions:
    """Load the shipped conditions of a setup by name, or any conditions by the path of their YAML file.

    Raises
    ------
    ConfigError
        If there are none, the file is wrong, or it names a detector, channel or cell that its setup does not
        have.
    """
    path = find_named(_FOLDER, name_or_path, "conditions")
    conditions = load_model(Conditions, path)
    is_path = conditions.setup.endswith((".yaml", ".yml"))
    setup = load_setup(str(path.parent / conditions.setup) if is_path else conditions.setup)
    try:
        conditions.check(setup)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return conditions
