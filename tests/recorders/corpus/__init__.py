"""Alerts as they are really sent, and what each of them says."""

from __future__ import annotations

from tests.recorders.corpus.case import Case
from tests.recorders.corpus.foreign import FOREIGN
from tests.recorders.corpus.lines import LINES
from tests.recorders.corpus.own import OWN
from tests.recorders.corpus.refused import REFUSED
from tests.recorders.corpus.repaired import REPAIRED

UNDERSTOOD: tuple[Case, ...] = (*OWN, *FOREIGN, *LINES, *REPAIRED)
ALL: tuple[Case, ...] = (*UNDERSTOOD, *REFUSED)

__all__ = ["ALL", "REFUSED", "UNDERSTOOD", "Case"]
