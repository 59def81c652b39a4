"""The parametric engine."""

from pydantic import Field

from na64ml.setups.setup import Setup
from na64ml.simulation.engines.base import Engine, Transport
from na64ml.simulation.engines.parametric.constants import load_constants
from na64ml.simulation.engines.parametric.transport import ParametricTransport


class Parametric(Engine):
    """Parametrised showers, some thousand times faster than full simulation.

    Parameters
    ----------
    radial_scale
        Nuisance parameter: radii of electromagnetic showers are multiplied by it (physics.md 5.3: 1.0 to 1.8).
    crosstalk
        Nuisance parameter: share of the energy of a segment of the target that each of its cells gets on top
        (physics.md 5.3: up to 0.003).
    energy_scale
        Nuisance parameter: visible energies of calorimeters are multiplied by it.
    constants
        Name or path of the fitted constants.
    """

    radial_scale: float = Field(default=1.0, ge=1.0, le=1.8)
    crosstalk: float = Field(default=0.0, ge=0.0, le=0.01)
    energy_scale: float = Field(default=1.0, ge=0.8, le=1.2)
    constants: str = "default"

    def open(self, setup: Setup) -> Transport:
        """Turn the setup into boxes.

        Raises
        ------
        ConfigError
            If the constants are missing or wrong.
        """
        constants = load_constants(self.constants)
        return ParametricTransport(setup, constants, self.radial_scale, self.crosstalk, self.energy_scale)
