"""How commands work on many images: with a bar, on several processes or a cluster, going on where they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.fill import stoppable
from app.cli.output import bar, say

if TYPE_CHECKING:
    from app.runner.tables import Plan
    from app.runner.work import Recipe, Worker

Workers = Annotated[
    int | None, typer.Option(min=1, max=1024, help="Processes, for folders and tables; default: one for each core.")
]


def run_many(title: str, todo: Plan, recipe: Recipe, worker: Worker, workers: int | None, ray: str | None) -> None:
    """Do what is to be done; `todo` knows afterwards what came of it."""
    if todo.done:
        say(f"{todo.done:,} of {todo.total:,} images are there already.")
    if not todo.jobs:
        return
    from app.runner.crew import crew_of

    crew = crew_of(recipe, worker, workers, ray)
    try:
        with stoppable(), bar(title, todo.total) as advance:
            advance(todo.done)
            for job, outcome in crew.do(todo.jobs):
                todo.finish(job)
                todo.done += outcome.count
                todo.bad += outcome.bad
                advance(todo.done)
    finally:
        crew.close()
