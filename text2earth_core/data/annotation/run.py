"""Ask for the captions of all items that are not settled: some at a time, again where it may help, each kept once."""

from __future__ import annotations

import asyncio
import json
import random
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from text2earth_core.data.annotation.audit import MISCOUNTED, Fault, audit, weight
from text2earth_core.data.annotation.endpoint import Answer, Endpoint, Later, Refused, Stop, estimate
from text2earth_core.data.annotation.items import Item, Source
from text2earth_core.data.annotation.journal import OPEN, Journal
from text2earth_core.data.annotation.limits import LONGEST_WAIT, Budget, Gate, Limits
from text2earth_core.data.annotation.protocols import EXAMPLES, Protocol, messages

LONGEST_BACK_OFF = 60.0
"""Seconds between two attempts of which the endpoint says nothing."""

PASSES = 3
"""Through the items: rows whose words turn up for another image too are opened again behind the run's back."""

TOLD = 0.25
"""What a failure counts after which the endpoint said when to come again."""

HOPELESS = 3
"""Requests in a row that were given up; then the endpoint is taken for dead."""

Progress = Callable[[int, int], None]
"""Called with rows that are settled, and all there are."""

_HEADING = re.compile(
    r"^[\s#*_>\-]*(?:(?:for\s+)?(?:the\s+)?(?:map|image|picture|paragraph|description)\s*\d*|(?:the\s+)?(?:first|second|third|fourth)\s+"
    r"(?:map|image|picture)|\d+(?=[.):]))\s*[.):*\-]+[\s*]*",
    re.IGNORECASE,
)  # fmt: skip


@dataclass
class Outcome:
    """left: items that are not settled, to be asked for in another run. stopped: why it ended early, "" where not."""

    left: int = 0
    stopped: str = ""


def annotate(
    source: Source,
    journal: Journal,
    endpoint: Endpoint,
    protocol: Protocol,
    limits: Limits,
    together: int = 1,
    progress: Progress = lambda done, total: None,
) -> Outcome:
    """Ask until every item is settled, the budget is used up, or the endpoint is of no more use.

    Killed or interrupted at any moment, the same call goes on: what is settled is not asked for again.

    Args:
        together: items in one request, up to what the protocol allows.
    """
    run = _Run(source, journal, endpoint, protocol, limits, together, progress)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run.go())
    with ThreadPoolExecutor(1) as pool:  # a notebook's thread has a loop already
        return pool.submit(asyncio.run, run.go()).result()


class _Run:
    def __init__(
        self, source: Source, journal: Journal, endpoint: Endpoint, protocol: Protocol, limits: Limits, together: int,
        progress: Progress,
    ) -> None:  # fmt: skip
        self._journal = journal
        self._endpoint = endpoint
        self._protocol = protocol
        self._limits = limits
        self._together = together
        self._gate = Gate(limits)
        self._budget = Budget(limits, journal)
        self._examples = journal.corrections(EXAMPLES)
        self._source = source
        self._groups: Iterator[list[Item]] = iter(())
        self._taking = asyncio.Lock()
        self._counting = threading.Lock()
        self._outcome = Outcome()
        self._given_up = 0
        self._total = source.total
        self._done = 0
        self._progress = progress

    async def go(self) -> Outcome:
        try:
            for _ in range(PASSES):
                counts = await asyncio.to_thread(self._journal.counts)
                self._done = sum(counts.values()) - counts[OPEN]
                self._progress(self._done, self._total)
                self._groups = self._grouped(self._source.items(self._journal.settled))
                await self._through()
                counts = await asyncio.to_thread(self._journal.counts)
                if self._outcome.stopped or not counts[OPEN]:
                    break
        finally:
            await self._endpoint.close()
        self._outcome.left = self._total - sum(counts.values()) + counts[OPEN]
        return self._outcome

    async def _through(self) -> None:
        """Go through the items once; what a worker raises ends the others, and is raised as it is."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._limits.concurrency):
                    group.create_task(self._work())
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _work(self) -> None:
        while not self._outcome.stopped:
            async with self._taking:
                taken = await asyncio.to_thread(next, self._groups, None)
            if taken is None:
                return
            try:
                await self._describe(taken)
            except Stop as stop:
                self._outcome.stopped = self._outcome.stopped or str(stop)

    def _grouped(self, items: Iterator[Item]) -> Iterator[list[Item]]:
        """Groups for one request; what was sent back goes alone, with what is to be said about it."""
        group: list[Item] = []
        for item in items:
            if item.problem:
                self._journal.give_up(item, item.problem)
                self._advance()
            elif self._earlier(item):
                yield [item]
            else:
                group.append(item)
            if len(group) == self._together:
                yield group
                group = []
        if group:
            yield group

    def _advance(self) -> None:
        with self._counting:  # rows without a usable image are given up where they are read, in a thread
            self._done += 1
            self._progress(self._done, self._total)

    def _earlier(self, item: Item) -> str:
        """What is to be said of a description that was sent back; "" where there is none."""
        line = self._journal.line(item.number)
        if line is None or not line.caption:
            return ""
        why = line.remark or ", ".join(line.faults) or "no reason was given"
        return (
            f'An earlier description was rejected. It read: "{line.caption}" The reason: {why}. Write a better one, '
            "and do not mention the earlier one."
        )

    async def _describe(self, items: list[Item]) -> None:
        """Ask about a group, then about each item alone whose caption does not pass."""
        remarks = {item.number: self._earlier(item) for item in items}
        best: dict[int, tuple[str, list[Fault]]] = {}
        groups = [items]
        for attempt in range(1, self._limits.asks + 1):
            failed: list[Item] = []
            for group in groups:
                answer = await self._answer(group, [remarks[item.number] for item in group])
                if answer is None:
                    continue
                captions = split(answer.text, len(group))
                for position, item in enumerate(group):
                    caption = captions[position] if captions else ""
                    faults = (
                        audit(caption, item, self._protocol.rules, answer.cut and position == len(group) - 1)
                        if captions
                        else [Fault(MISCOUNTED, "there was not one paragraph for each map")]
                    )
                    found = await self._settle(item, caption, faults, attempt == self._limits.asks, best)
                    if found and attempt < self._limits.asks:
                        failed.append(item)
                        told = "; ".join(fault.detail for fault in found)
                        remarks[item.number] = f"Your last description was not accepted: {told}. Write a new one."
            groups = [[item] for item in failed]

    async def _settle(
        self, item: Item, caption: str, faults: list[Fault], last: bool, best: dict[int, tuple[str, list[Fault]]]
    ) -> list[Fault]:
        """Keep a caption; on the last attempt one with faults too, the best of all."""
        if faults and (item.number not in best or weight(faults) < weight(best[item.number][1])):
            best[item.number] = caption, faults
        if faults and last:
            caption, faults = best[item.number]
        found = await asyncio.to_thread(self._journal.settle, item, caption, faults, last)
        if last or not found:
            self._advance()
        return found

    async def _answer(self, group: Sequence[Item], remarks: Sequence[str]) -> Answer | None:
        """One answer, after as many attempts as it takes; None where there is none to be had."""
        request = messages(self._protocol, group, remarks, self._examples)
        tokens = self._protocol.tokens * len(group)
        failures = 0.0
        while failures <= self._limits.retries:
            await self._gate.wait()
            if self._outcome.stopped:
                break
            try:
                answer = await self._one(request, tokens)
            except Refused as refused:
                for item in group:
                    await asyncio.to_thread(self._journal.give_up, item, refused.reason)
                    self._advance()
                return None
            except Later as later:
                await asyncio.to_thread(self._journal.trouble, later.reason, json.dumps(group[0].keys))
                if later.after:
                    self._gate.close(later.after)
                    failures += TOLD
                else:
                    longest = min(self._limits.wait * 2**failures, LONGEST_BACK_OFF)
                    failures += 1
                    if failures <= self._limits.retries:
                        await asyncio.sleep(random.uniform(longest / 2, longest))
                continue
            self._given_up = 0
            return answer
        self._given_up += 1
        if self._given_up >= HOPELESS:
            raise Stop("The endpoint gives no answers: look at it, and run the same command again.")
        return None

    async def _one(self, request: list[dict[str, object]], tokens: int) -> Answer:
        reserved = estimate(request), tokens
        await self._budget.reserve(*reserved)
        took = (0, 0)
        try:
            answer = await asyncio.wait_for(self._endpoint.ask(request, tokens), LONGEST_WAIT)
            took = answer.tokens_in, answer.tokens_out
        except TimeoutError:
            raise Later("no answer in time") from None
        finally:
            await self._budget.settle(reserved, *took)
        self._gate.count(sum(took))
        return answer


def split(text: str, count: int) -> list[str]:
    """The paragraphs of an answer, each on one line and without a heading; [] where they are not `count`."""
    if count == 1:
        return [" ".join(text.split())]
    for border in (r"\n\s*\n", r"\n+"):
        parts = [" ".join(_HEADING.sub("", part, count=1).split()) for part in re.split(border, text)]
        found = [part for part in parts if part]
        if len(found) == count:
            return found
    return []
