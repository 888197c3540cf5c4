"""How fast requests may be sent, and how much may be spent."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from text2earth_core.data.annotation.endpoint import Stop
from text2earth_core.data.annotation.journal import Journal

LONGEST_WAIT = 600.0
"""Seconds; an endpoint that asks for more is not waited for."""


@dataclass(frozen=True)
class Limits:
    """What the person allows; 0 means no limit.

    Args:
        concurrency: requests under way at a time.
        requests_a_minute, tokens_a_minute: as the endpoint's rate limits are told.
        requests, tokens, cost: of all runs into the same output together.
        price_in, price_out: of a million tokens, in the unit of cost.
        retries: of a request that may go well later.
        asks: for a caption that passes the audit.
        wait: seconds before the first retry; each further one waits twice as long.
    """

    concurrency: int = 8
    requests_a_minute: float = 0
    tokens_a_minute: float = 0
    requests: int = 0
    tokens: int = 0
    cost: float = 0
    price_in: float = 0
    price_out: float = 0
    retries: int = 6
    asks: int = 3
    wait: float = 1.0

    def cost_of(self, tokens_in: int, tokens_out: int) -> float:
        """In the unit of the prices."""
        return (tokens_in * self.price_in + tokens_out * self.price_out) / 1e6


class Gate:
    """Lets requests through in time: rates a minute, and pauses that an endpoint asks for."""

    def __init__(self, limits: Limits) -> None:
        self._requests = _Rate(limits.requests_a_minute)
        self._tokens = _Rate(limits.tokens_a_minute)
        self._closed_until = 0.0

    async def wait(self) -> None:
        """Until the next request may be sent."""
        while True:
            left = max(self._closed_until - time.monotonic(), self._requests.wait(), self._tokens.wait())
            if left <= 0:
                self._requests.take(1)
                return
            await asyncio.sleep(min(left, 1.0))

    def count(self, tokens: int) -> None:
        """Tokens that a request took; they are known afterwards, so the next ones wait."""
        self._tokens.take(tokens)

    def close(self, seconds: float) -> None:
        """Send nothing for some seconds; Stop where nobody waits that long."""
        if seconds > LONGEST_WAIT:
            raise Stop(f"The endpoint asks to wait {seconds / 60:.0f} minutes: run the same command again then.")
        self._closed_until = max(self._closed_until, time.monotonic() + seconds)


class _Rate:
    """A bucket that fills evenly and holds what five seconds bring; it may be overdrawn."""

    def __init__(self, a_minute: float) -> None:
        self._a_second = a_minute / 60
        self._most = max(1.0, 5 * self._a_second)
        self._held = self._most
        self._at = time.monotonic()

    def wait(self) -> float:
        """Seconds until something is in it."""
        if not self._a_second:
            return 0.0
        now = time.monotonic()
        self._held = min(self._most, self._held + (now - self._at) * self._a_second)
        self._at = now
        return max(0.0, (1 - self._held) / self._a_second)

    def take(self, amount: float) -> None:
        if self._a_second:
            self._held -= amount


class Budget:
    """Stops before a request that may pass a limit; what is under way counts as its estimate."""

    def __init__(self, limits: Limits, journal: Journal) -> None:
        self._limits = limits
        self._journal = journal
        before = journal.spent()
        self._requests = before["requests"]
        self._in, self._out = before["tokens_in"], before["tokens_out"]
        self._under_way = [0, 0]

    async def reserve(self, tokens_in: int, tokens_out: int) -> None:
        """Before a request is sent: it is counted, and its most tokens are set aside; Stop where there is no room."""
        limits = self._limits
        all_in, all_out = self._in + self._under_way[0] + tokens_in, self._out + self._under_way[1] + tokens_out
        for most, needed, what in (
            (limits.requests, self._requests + 1, f"{limits.requests:,} requests"),
            (limits.tokens, all_in + all_out, f"{limits.tokens:,} tokens"),
            (limits.cost, limits.cost_of(all_in, all_out), f"a cost of {limits.cost:g}"),
        ):
            if most and needed > most:
                raise Stop(f"The budget of {what} is used up: raise it, and run the same command again.")
        self._requests += 1
        self._under_way[0] += tokens_in
        self._under_way[1] += tokens_out
        await asyncio.to_thread(self._journal.spend, requests=1)

    async def settle(self, reserved: tuple[int, int], tokens_in: int, tokens_out: int) -> None:
        """After a request: what it took instead of what was set aside."""
        self._under_way[0] -= reserved[0]
        self._under_way[1] -= reserved[1]
        self._in += tokens_in
        self._out += tokens_out
        if tokens_in or tokens_out:
            await asyncio.to_thread(self._journal.spend, tokens_in=tokens_in, tokens_out=tokens_out)
