"""One request to an OpenAI-compatible endpoint, and what its outcome means: an answer, later, not this one, or stop."""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai

from text2earth_core.errors import Text2EarthError, reason_of

LOOPBACK = ("localhost", "127.0.0.1", "::1")

NO_KEY = "none"
"""What servers that want no key are sent."""

CHARACTERS_PER_TOKEN = 3
"""By which a request is estimated, and an answer whose endpoint counts no tokens; English has about four."""

MAX_BYTES = 8 << 20
"""Of one answer."""

IMAGE_TOKENS = 1100
"""Taken for an image, where nothing is known yet."""


class Later(Exception):
    """It may go well later. after: seconds that the endpoint asks to wait, None where it says nothing."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


class Refused(Exception):
    """The endpoint takes this request in no case; others it may."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Stop(Exception):
    """No request can go well before a person does something; the sentence says what."""


@dataclass(frozen=True)
class Answer:
    """text: what the model wrote. cut: it stopped at its limit of tokens. tokens_in, tokens_out: what it took."""

    text: str
    cut: bool
    tokens_in: int
    tokens_out: int


def checked_endpoint(url: str) -> str:
    """The address of an endpoint, without a slash at its end.

    Raises:
        Text2EarthError: it is none, or holds a password or key, which belongs into the environment.
    """
    try:
        parts = urlsplit(url.strip())
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise Text2EarthError(f'"{url[:80]}" is no address: it is like http://127.0.0.1:8000/v1.')
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise Text2EarthError("The address of the endpoint holds more than host and path: a key is read from the "
                              "environment alone.")  # fmt: skip
    return url.strip().rstrip("/")


class Endpoint:
    """A model behind an address.

    Args:
        url: with its version, such as http://127.0.0.1:8000/v1.
        key: from the environment; it is written nowhere.
        timeout: seconds without a byte after which a request counts as lost.
        stream: have the answer sent piece by piece, so that slow models are not taken for silent ones.
    """

    def __init__(self, url: str, model: str, key: str, timeout: float = 120.0, stream: bool = False) -> None:
        self.model = model
        self._key = key
        self._stream = stream
        self._limit = "max_tokens"
        # Retries are the run's own: each is counted against the budget and waits for the whole run.
        address = checked_endpoint(url)
        self._client = openai.AsyncOpenAI(
            api_key=key or NO_KEY, base_url=address, max_retries=0,
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 30.0)),
            # A proxy of the environment is not asked about this machine.
            http_client=openai.DefaultAsyncHttpxClient(
                trust_env=urlsplit(address).hostname not in LOOPBACK, event_hooks={"response": [_bound]}
            ),
        )  # fmt: skip

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()

    async def ask(self, messages: Sequence[dict[str, Any]], tokens: int) -> Answer:
        """Send one request.

        Args:
            tokens: the most that the answer may have.

        Raises:
            Later, Refused, Stop: as they say.
        """
        try:
            text, finish, usage = await (self._pieces if self._stream else self._whole)(messages, tokens)
        except openai.APIStatusError as error:
            raise self._meaning(error) from None
        except openai.APITimeoutError:
            raise Later("no answer in time") from None
        except openai.APIResponseValidationError:
            raise Later("broken answer") from None
        except openai.APIConnectionError:
            raise Later("connection lost") from None
        except openai.APIError:  # sent within a stream
            raise Later("endpoint failed while it answered") from None
        except httpx2.TimeoutException:
            raise Later("no answer in time") from None
        except httpx2.HTTPError:
            raise Later("connection lost") from None
        except (json.JSONDecodeError, UnicodeDecodeError, TypeError, AttributeError, KeyError, IndexError):
            raise Later("broken answer") from None
        if finish is None:
            raise Later("answer was cut")
        if finish == "content_filter":
            text = text or "I cannot help."
        told = (_count(usage, "prompt_tokens"), _count(usage, "completion_tokens"))
        tokens_in = estimate(messages) if told[0] is None else told[0]
        tokens_out = len(text) // CHARACTERS_PER_TOKEN if told[1] is None else told[1]
        return Answer(text, finish == "length", tokens_in, tokens_out)

    async def _whole(self, messages: Sequence[Any], tokens: int) -> tuple[str, str | None, Any]:
        answer = await self._client.chat.completions.create(
            model=self.model, messages=list(messages), extra_body={self._limit: tokens}
        )
        choice = answer.choices[0]
        # Some servers leave the reason out.
        return _said(choice.message), choice.finish_reason or "stop", answer.usage

    async def _pieces(self, messages: Sequence[Any], tokens: int) -> tuple[str, str | None, Any]:
        parts, finish, usage = [], None, None
        stream = await self._client.chat.completions.create(
            model=self.model, messages=list(messages), extra_body={self._limit: tokens}, stream=True,
            stream_options={"include_usage": True},
        )  # fmt: skip
        async with stream:
            async for chunk in stream:
                usage = chunk.usage or usage
                if chunk.choices:
                    parts.append(_said(chunk.choices[0].delta))
                    finish = chunk.choices[0].finish_reason or finish
        return "".join(parts), finish, usage

    def _meaning(self, error: openai.APIStatusError) -> Exception:
        status = error.status_code
        said = self._clean(reason_of(error))
        if status == 429 and error.code == "insufficient_quota":
            return Stop(f"The endpoint says that the account is used up ({said}).")
        if status in (408, 409, 425, 429) or status >= 500:
            return Later(f"status {status}", _retry_after(error.response.headers))
        if status in (401, 403):
            return Stop(f"The endpoint refuses the key ({said}): set it in the environment.")
        if status in (404, 405):
            return Stop(f"The endpoint has no such model or address ({said}): look at --endpoint and --model.")
        if error.code == "unsupported_parameter" and error.param == "max_tokens":
            self._limit = "max_completion_tokens"  # its name for models that think before they answer
            return Later("limit of tokens has another name")
        return Refused(f"endpoint refuses the request (status {status})")

    def _clean(self, text: str) -> str:
        """A message without the key, which some endpoints repeat, and without what steers a terminal."""
        plain = "".join(letter for letter in text if letter.isprintable())
        return plain.replace(self._key, "***") if len(self._key) > 3 else plain


class _Bounded(httpx2.AsyncByteStream):
    """The body of an answer, up to `MAX_BYTES`."""

    def __init__(self, body: httpx2.AsyncByteStream) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        total = 0
        async for part in self._body:
            total += len(part)
            if total > MAX_BYTES:
                raise httpx2.ReadError("The answer is too large.")
            yield part

    async def aclose(self) -> None:
        await self._body.aclose()


async def _bound(response: httpx2.Response) -> None:
    """Called with every answer before its body is read."""
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    response.stream = _Bounded(response.stream)


def estimate(messages: Sequence[dict[str, Any]]) -> int:
    """Tokens that a request may have, where nobody counted them."""
    total = 0
    for message in messages:
        content = message["content"]
        for part in [{"text": content}] if isinstance(content, str) else content:
            total += len(part["text"]) // CHARACTERS_PER_TOKEN + 1 if "text" in part else IMAGE_TOKENS
    return total


def _said(message: Any) -> str:
    """Text of an answer or of a piece of it; a refusal has a field of its own."""
    text = message.content or getattr(message, "refusal", None) or ""
    if not isinstance(text, str):
        raise TypeError("content is no text")
    return text


def _count(usage: Any, name: str) -> int | None:
    value = getattr(usage, name, None)
    return value if isinstance(value, int) and value >= 0 else None


def _retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds of the header Retry-After: a number, or a date (RFC 9110, section 10.2.3)."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        try:
            seconds = float(value) / unit
        except ValueError:
            continue
        return seconds if 0 <= seconds < float("inf") else None
    try:
        return max(0.0, email.utils.parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None
