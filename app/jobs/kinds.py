"""The kinds of jobs the queue can run, by the name that a job's record carries."""

from __future__ import annotations

from app.jobs.edit import Edit
from app.jobs.export import Export
from app.jobs.fill import Fill
from app.jobs.generate import Generate
from app.jobs.import_ import Import
from app.jobs.work import JobKind

KINDS: dict[str, JobKind] = {kind.name: kind for kind in (Generate(), Edit(), Fill(), Export(), Import())}
