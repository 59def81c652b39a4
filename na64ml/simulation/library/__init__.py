"""Movable shower libraries: single showers in fine tiles that can be shifted to any impact point."""

from na64ml.simulation.library.make import make_library
from na64ml.simulation.library.recipe import LibraryRecipe, load_library_recipe

__all__ = ["LibraryRecipe", "load_library_recipe", "make_library"]
