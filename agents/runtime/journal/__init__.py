"""The journal: what models, tools and sandboxes said in a run, kept so that the run can be repeated or gone on with."""

from __future__ import annotations

from .file import Entry, JournalFile, RunInfo
from .journal import Journal
from .redaction import redact

__all__ = ["Entry", "Journal", "JournalFile", "RunInfo", "redact"]
