"""What the core raises: one clear sentence for people, and one signal for cancelling."""


class Text2EarthError(ValueError):
    """Bad input or a broken model. The message is one sentence: what is wrong, and what to do about it."""


class Cancelled(Exception):
    """Raised by a caller's callback to stop sampling; it is never an error."""
