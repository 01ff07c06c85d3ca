"""A bounded search for a contact on which something happens, by hypothesis: what it finds is the simplest it can find.

It takes the same way in every run, so that a contact that is found today is found tomorrow.
"""

from __future__ import annotations

from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, configuration, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample, Unsatisfiable

from dialproof.analysis.witness import Scene
from dialproof.strategies import contacts, contexts, moments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dialproof.project import Campaign

__all__ = ["CONTACTS", "search"]

CONTACTS = 500
"""Contacts that are run in one search, before one is found."""


def search(campaign: Campaign, happens: Callable[[Scene], bool], *, folder: Path) -> Scene | None:
    """Return a contact on which it happens, None where none was found among :data:`CONTACTS`.

    Contacts are drawn from the campaign's contact list and the constants of its rules and invariants. ``folder`` is
    where hypothesis keeps what it computes once.
    """
    lenders = {"rules": campaign.rules, "invariants": campaign.invariants}
    columns = campaign.contact_list
    drawn = st.builds(
        Scene,
        contacts(columns, **lenders, wrong_types=not columns.declared),  # type: ignore[arg-type]
        contexts(**lenders),  # type: ignore[arg-type]
        moments(**lenders),  # type: ignore[arg-type]
    )
    chosen = settings(
        max_examples=CONTACTS, database=None, deadline=None, phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    with _at_home(folder):
        try:
            return find(drawn, happens, settings=chosen, random=Random(0))  # noqa: S311  (nothing is secret)
        except (NoSuchExample, Unsatisfiable):
            return None


@contextmanager
def _at_home(folder: Path) -> Iterator[None]:
    """Let hypothesis write into a folder of ours, instead of one where pytest was started."""
    before: Any = configuration.storage_directory(intent_to_write=False)  # a path, of late inside of an object
    configuration.set_hypothesis_home_dir(folder)
    try:
        yield
    finally:
        configuration.set_hypothesis_home_dir(getattr(before, "path", before))
