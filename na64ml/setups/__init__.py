"""Detector descriptions and what changes from run to run."""
