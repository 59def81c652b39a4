"""Machine-learning background rejection for missing-energy experiments."""

from importlib.metadata import version

__version__ = version("na64ml")
