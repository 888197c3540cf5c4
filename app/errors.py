"""What the rooms of the app raise: one sentence a person can act on, in a class that says what kind of no it is.

Who answers decides what that is outside: an HTTP status in `app.api.server`, an exit status in `app.cli.commands`.
"""


class AppError(Exception):
    """A request that cannot be done as it stands.  The sentence says what is wrong and what to do, and is shown."""


class NotFound(AppError):
    """What is asked for is not there."""


class Gone(NotFound):
    """What is asked for was there and is not kept any more."""


class Conflict(AppError):
    """It cannot be done in the state that things are in; in another it could."""


class QueueFull(AppError):
    """No more jobs can wait."""


class NotReady(AppError):
    """The model is not there, or not yet."""


class NoRoom(AppError):
    """The disk has no room for it, or cannot be written."""
