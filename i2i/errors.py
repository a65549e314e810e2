"""Errors a user can cause, each one message with the place, what was found, what was wanted, and the way out."""


class UserError(Exception):
    """Base of every error that is shown as a message and never as a traceback."""


class SettingsError(UserError):
    """A setting, flag or YAML line that cannot be used."""


class DatasetError(UserError):
    """A folder that does not hold what training or evaluation needs."""


class PictureError(UserError):
    """A file that cannot be read or written as a picture."""


class ModelFileError(UserError):
    """A checkpoint or translator file that cannot be used."""


class TrainingError(UserError):
    """A run that cannot start or go on."""
