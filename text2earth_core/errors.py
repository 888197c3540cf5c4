"""What the core raises: one clear sentence for people, and one signal for cancelling."""

REASON = 160
"""Characters of a library's reason that fit into a sentence."""


class Text2EarthError(ValueError):
    """Bad input or a broken model. The message is one sentence: what is wrong, and what to do about it."""


def reason_of(error: BaseException) -> str:
    """What a library says went wrong, short enough for a sentence: its message's first line, or the error's kind."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0][:REASON].rstrip(" .:")


class Cancelled(Exception):
    """Raised by a caller's callback to stop sampling; it is never an error."""
