"""Errors a user can act on: each message names the file, the key, the value and the remedy."""


class Na64mlError(Exception):
    """Base of every error that is reported to the user without a traceback."""


class ConfigError(Na64mlError):
    """A setup, layout, mode, selection or training file is wrong."""


class InputError(Na64mlError):
    """An event file or the events in it are wrong."""


class ContractError(Na64mlError):
    """A model was asked to score events of a detector it was not validated for."""
