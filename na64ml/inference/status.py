"""Why an event has a score or has none."""

SCORED = 0
NO_CALORIMETER_HITS = 1
TRUNCATED = 2
BAD_INPUT = 3
BLINDED = 4

STATUS_NAMES = {
    SCORED: "scored",
    NO_CALORIMETER_HITS: "no calorimeter hits",
    TRUNCATED: "truncated (more hits than the cap)",
    BAD_INPUT: "bad input (NaN, infinity, no impact point or an energy below -5 sigma of the noise)",
    BLINDED: "blinded",
}
"""Meaning of each value. 0 to 3 are computed in the network file, 4 by the commands that blind data."""
