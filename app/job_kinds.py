"""The kinds of jobs the queue can run, by the name that a job's record carries."""

from __future__ import annotations

from app.job_edit import Edit
from app.job_export import Export
from app.job_fill import Fill
from app.job_generate import Generate
from app.job_import import Import
from app.job_work import JobKind

KINDS: dict[str, JobKind] = {kind.name: kind for kind in (Generate(), Edit(), Fill(), Export(), Import())}
