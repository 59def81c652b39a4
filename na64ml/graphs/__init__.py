"""Packed graph batches, neighbour finding and the Lightning data module."""
