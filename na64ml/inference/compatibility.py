"""Whether events may be scored by a network."""

import logging
from collections.abc import Sequence
from pathlib import Path

from na64ml.errors import ContractError
from na64ml.events.contract import Contract

logger = logging.getLogger(__name__)


def check_contract(
    where: Path,
    contracts: Sequence[Contract],
    conditions_hash: str,
    contract: Contract,
    found_conditions: str | None = None,
) -> None:
    """Check that events may be scored by a network; warn if the run conditions differ.

    Parameters
    ----------
    where
        File of the network, for messages.
    contracts, conditions_hash
        Contracts the network was validated for, and the run conditions of its training.
    contract, found_conditions
        Of the events.

    Raises
    ------
    ContractError
        Listing everything that differs from the nearest contract of the network.
    """
    if contract.hash not in {known.hash for known in contracts}:
        differences = min((known.differences(contract) for known in contracts), key=len)
        raise ContractError(
            f"{where}: the events do not fit the network (network / events): {'; '.join(differences)}. "
            "Use a layout with these detectors, or a network trained on such events"
        )
    if found_conditions is not None and found_conditions != conditions_hash:
        logger.warning(
            "%s: was trained with run conditions %s, the events have %s (gains, dead cells, run range)",
            where,
            conditions_hash,
            found_conditions,
        )
