"""One contact, its context and the clock, read under the types that conditions ask for."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from dialproof.cel.values import (
    MISSING,
    Variable,
    from_micros,
    lookup,
    parse_datetime,
    read_as,
    to_micros,
    zone_of,
)
from dialproof.cel.variables import COLUMN_KINDS
from dialproof.model.operators import context_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dialproof.cel.values import Kind
    from dialproof.cel.variables import Slot
    from dialproof.model.contactlist import ContactList
    from dialproof.outcome import Outcome

__all__ = ["ANALYSIS_NOW", "View", "instant"]

ANALYSIS_NOW = "2026-01-01T12:00:00Z"
"""The clock of every run that is given none: analysis has to be repeatable."""


def instant(now: str | datetime | None, zone: str | None) -> int:
    """Return a moment as microseconds since the epoch; raises ValueError for text that is no date or time."""
    if isinstance(now, datetime):
        return to_micros(now if now.tzinfo else now.replace(tzinfo=zone_of(zone)))
    micros = parse_datetime(now or ANALYSIS_NOW, zone)
    if micros is None:
        raise ValueError(f"expected a date or time such as {ANALYSIS_NOW}, found {now!r}")
    return micros


class View:
    """A contact as conditions see it. Reading is lazy; :meth:`written` gives the view after a write."""

    __slots__ = ("columns", "contact", "context", "names", "now", "outcome", "zone")

    def __init__(
        self,
        contact: Mapping[str, object],
        columns: ContactList,
        *,
        context: Mapping[str, object],
        now: int,
        zone: str | None,
        names: Iterable[Variable] = (),
        outcome: Outcome | None = None,
    ) -> None:
        self.contact = contact
        self.columns = columns
        self.context = context
        self.now = now
        self.zone = zone
        self.names = names
        self.outcome = outcome

    def slot(self, slot: Slot) -> object:
        """Return one reading: text, number, boolean, microseconds, or None where blank or unreadable."""
        source, name, kind = slot.variable.source, slot.variable.name, slot.kind
        if source == "contact":
            return read_as(lookup(self.contact, name), kind, self.zone)
        if source == "now":
            return self.zone if name == "zone" else self.now
        if self.outcome is not None and name.startswith("outcome."):
            return self._of_outcome(self.outcome, name.removeprefix("outcome."), kind)
        return read_as(self.context_value(name), kind, self.zone)

    def _of_outcome(self, outcome: Outcome, name: str, kind: Kind) -> object:
        if kind == "member":
            return outcome.lists.get(name.removeprefix("lists."))
        if name.startswith("contact."):
            return read_as(lookup(outcome.contact, name.removeprefix("contact.")), kind, self.zone)
        return getattr(outcome, kind)

    def read_as(self, raw: object, kind: Kind) -> object:
        """Read a raw value under a kind."""
        return read_as(raw, kind, self.zone)

    def context_value(self, name: str) -> object:
        """Return the raw value of a context field; the fields of ``now`` follow the clock unless they are given."""
        value: object = self.context
        for part in name.split("."):
            value = value.get(part, MISSING) if isinstance(value, dict) else MISSING
        if value is MISSING and name.startswith("now."):
            return self._clock(name.removeprefix("now."))
        return value

    def _clock(self, field: str) -> object:
        try:
            local = from_micros(self.now).astimezone(zone_of(self.zone))
        except OverflowError:  # the first and the last hours of the calendar, which are in no year elsewhere
            return MISSING
        fields: Mapping[str, object] = {
            "timeOfDay": f"{local:%H:%M}",
            "date": f"{local:%Y-%m-%d}",
            "dayOfWeek": float(local.isoweekday()),
            "dayOfMonth": float(local.day),
        }
        return fields.get(field, MISSING)

    def readings(self) -> Iterator[tuple[str, Kind | None]]:
        """Yield every column that an expression could read, with its kind (None where no contact list declares it)."""
        for name, column in self.columns.columns.items():
            yield name, COLUMN_KINDS[column.type]
        others = {v.name: None for v in self.names if v.source == "contact"}
        others.update((str(k), None) for k in self.contact)
        for name in others:
            if name not in self.columns.columns:
                yield name, None

    def context_readings(self) -> Iterator[tuple[str, Kind]]:
        """Yield every context field that an expression could read, with its kind."""
        for name in dict.fromkeys(v.name for v in self.names if v.source == "context"):
            kind = context_type(name)
            if kind is not None:
                yield name, COLUMN_KINDS[kind]

    def written(self, contact: Mapping[str, object]) -> View:
        """Return the view of the same moment on a changed contact."""
        return View(
            contact,
            self.columns,
            context=self.context,
            now=self.now,
            zone=self.zone,
            names=self.names,
            outcome=self.outcome,
        )

    def with_outcome(self, outcome: Outcome) -> View:
        """Return the view in which ``outcome`` can be read, for invariants."""
        view = self.written(self.contact)
        view.outcome = outcome
        return view
