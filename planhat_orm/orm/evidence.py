"""Where a fact about Planhat comes from, and how sure it is.

Planhat's reference is incomplete and its copies disagree, so every declaration can say who says so. Descriptions only:
the reference pages show them, and nothing here decides anything. Imports nothing of the package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: "documented": a page of Planhat's, or a copy of its text, says so. "observed": somebody met it on a live tenant, and
#: their program or their notes tell. "inferred": nobody says so, it follows from what is said.
Sure = Literal["documented", "observed", "inferred"]


@dataclass(frozen=True, slots=True)
class Source:
    """Something that can be looked up: a page, a repository, with its age.

    :param title: what it is, in a few words.
    :param url: its address; "" where there is none to give.
    :param dated: when it was written or checked, as far as known: "2025-10".
    """

    title: str
    url: str = ""
    dated: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How sure a fact is, and who says so.

    >>> documented(Source("the official page")).sure
    'documented'
    """

    sure: Sure
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Quirk:
    """Something particular to one object that its fields do not tell, in one or two sentences.

    >>> Quirk("Deleting answers the deleted record.", observed(Source("a client"))).evidence.sure
    'observed'
    """

    text: str
    evidence: Evidence


def documented(*sources: Source) -> Evidence:
    """Return the evidence of what a page of Planhat's says, or a copy of its text."""
    return Evidence("documented", sources)


def observed(*sources: Source) -> Evidence:
    """Return the evidence of what somebody met on a live tenant."""
    return Evidence("observed", sources)


def inferred(*sources: Source) -> Evidence:
    """Return the evidence of what was deduced only."""
    return Evidence("inferred", sources)
