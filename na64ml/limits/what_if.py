"""What the limit would be with another exposure, threshold or background."""

from dataclasses import dataclass

from na64ml.limits.config import LimitConfig, Masses, check_masses
from na64ml.limits.curve import compute_curve, load_inputs
from na64ml.setups.sourced import NonNegative, Positive

ASSUMED = "what-if"


@dataclass(frozen=True)
class Alternative:
    """Expected limits with one thing changed.

    Parameters
    ----------
    what, value
        What was changed in every period, and to what: ``exposure`` (factor), ``missing_energy`` (GeV) or
        ``background`` (events in all periods together).
    masses
        In GeV.
    expected
        Median expected smallest coupling at each mass, None where nothing is excluded.
    """

    what: str
    value: float
    masses: tuple[float, ...]
    expected: tuple[float | None, ...]


def alternatives(config: LimitConfig) -> tuple[Alternative, ...]:
    """Return the expected limits with the changes that ``what_if`` lists; everything else is kept.

    The background grows with the exposure; it is kept when the threshold changes, as is the efficiency in the window.
    """
    wanted = config.what_if
    if wanted is None:
        return ()
    masses = wanted.masses
    check_masses(config.load_model(), Masses(values=masses).array, "what_if.masses")
    total = sum(one.background.value for one in load_inputs(config))
    found = []
    for factor in wanted.exposure_factors:
        found.append(_alternative(config, masses, "exposure", factor, total * factor))
    for threshold in wanted.missing_energy:
        found.append(_alternative(config, masses, "missing_energy", threshold, total))
    for background in wanted.background:
        found.append(_alternative(config, masses, "background", background, background))
    return tuple(found)


def _alternative(
    config: LimitConfig, masses: tuple[float, ...], what: str, value: float, background: float
) -> Alternative:
    exposure = sum(period.exposure.value for period in config.periods)
    periods = []
    for period in config.periods:
        share = period.exposure.value / exposure
        changes: dict[str, object] = {
            "observed": None,
            "background": period.background.model_copy(
                update={
                    "use": "given",
                    "given": NonNegative(value=background * share, source=f"?: {ASSUMED}"),
                    "given_error": None,
                }
            ),
        }
        if what == "exposure":
            changes["exposure"] = Positive(value=period.exposure.value * value, source=f"?: {ASSUMED}")
        if what == "missing_energy":
            threshold = Positive(value=value, source=f"?: {ASSUMED}")
            changes["window"] = period.window.model_copy(update={"missing_energy": threshold})
        periods.append(period.model_copy(update=changes))
    changed = config.model_copy(update={"masses": Masses(values=masses), "periods": tuple(periods), "compare": ()})
    points = compute_curve(changed).points
    medians = tuple(point.expected[2][0] if point.expected[2] else None for point in points)
    return Alternative(what, value, masses, medians)
