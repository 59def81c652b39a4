"""A curve as a HEPData record, written by ``hepdata_lib``."""

import shutil
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

from hepdata_lib import Submission, Table, Variable

from na64ml.events.atomic import atomic_path
from na64ml.limits.curve import Curve
from na64ml.limits.output.tables import QUANTILES


def write_hepdata(curve: Curve, folder: Path) -> None:
    """Write a submission folder: ``submission.yaml`` and one table; masses where nothing is excluded are left out."""
    with atomic_path(folder) as part:
        submission = Submission()
        submission.add_table(_table(curve))
        where = str(part.resolve())
        with TemporaryDirectory() as scratch, chdir(scratch):  # an archive goes into the working folder
            submission.create_files(where, remove_old=True)
        if folder.is_dir():
            shutil.rmtree(folder)


def _table(curve: Curve) -> Table:
    table = Table(f"Limit {curve.config.name}"[:64])
    table.description = curve.config.description or curve.config.name
    table.location = "written by na64ml"
    table.keywords["observables"] = ["CLS"]
    cl = f"{curve.config.confidence_level:.0%} CL"
    used = [point for point in curve.points if point.observed or any(point.expected)]
    mass = Variable("mass", is_independent=True, is_binned=False, units="GeV")
    mass.values = [point.mass for point in used]
    table.add_variable(mass)
    for edge, label in ((0, "smallest"), (1, "largest")):
        if curve.has_observation:
            _add(table, curve, f"observed {label} excluded coupling, {cl}", [point.observed for point in used], edge)
        for i, quantile in enumerate(QUANTILES):
            name = f"expected {label} excluded coupling, {quantile}, {cl}"
            _add(table, curve, name, [point.expected[i] for point in used], edge)
    return table


def _add(table: Table, curve: Curve, name: str, column: list[tuple[float, float | None] | None], edge: int) -> None:
    """Add a dependent variable, unless it is empty; a single missing cell is ``-``."""
    values = [None if edges is None else edges[edge] for edges in column]
    if all(value is None for value in values):
        return
    variable = Variable(
        name, is_independent=False, is_binned=False, units="" if curve.coupling.unit == "1" else curve.coupling.unit
    )
    variable.values = ["-" if value is None else value for value in values]
    for one in curve.inputs:
        variable.add_qualifier(f"exposure {one.period.name}", f"{one.period.exposure.value:.3g}")
    table.add_variable(variable)
