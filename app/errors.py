"""The one exception of the server: an HTTP status and one sentence a person can act on."""


class AppError(Exception):
    """A request that cannot be done.  `sentence` says what is wrong and what to do; the page shows it as it is."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
