"""Engines: what turns the particles of a process into energy in channels."""
