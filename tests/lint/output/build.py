"""A report to render: a conflict with its witness, a hint, and whatever hypothesis comes up with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from dialproof.checks.registry import checks_by_code
from dialproof.findings import SEVERITIES, Edit, Finding, Witness
from dialproof.lint import Suppressed
from dialproof.model.contactlist import Column, ContactList
from dialproof.model.rules import Action
from dialproof.outcome import Acted, Outcome
from dialproof.output.masking import masked
from dialproof.output.report import Report
from dialproof.source.positions import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

PHONE = "+13035550123"
PLACE = Span(3, 11, 3, 15)
TEXT = ["campaign: c", "rules:", "  - name: gold", "    priority: 1"]


def _action(kind: str, **fields: str) -> Action:
    return Action(kind, fields, PLACE)


def witness() -> Witness:
    """Return a contact with a phone number that two rules act on."""
    contact: Mapping[str, object] = {"phone": PHONE, "tier": "", "customFields": {"age": 3.0, "name": None}}
    written = Outcome(
        matched=("gold", "silver"),
        acted=(
            Acted("gold", _action("setList", listId="premium", value="true")),
            Acted("silver", _action("setAttribute", attribute="phone", value=PHONE)),
            Acted("silver", _action("switchToPreview")),
        ),
        contact={**contact, "tier": "gold"},
        lists={"premium": True},
        dial=False,
        undecided=("bronze",),
        reason="doNotDial: gold",
    )
    without = Outcome((), (), contact, {}, True, ())
    return Witness(
        contact, {"phone": {"number": PHONE}}, "2026-01-01T12:00:00Z", written, without, ("as written", "without gold")
    )


CONFLICT = Finding(
    "DP301",
    "conflicting-rules",
    "error",
    "a.rules.yaml",
    PLACE,
    "gold and silver contradict each other",
    "both act\n\non one contact",
    ("gold", "silver"),
    "c",
    witness(),
    "narrow one of the two",
)
COLUMNS = ContactList("people.contactlist.yaml", {"phone": Column("phone", "string", phone=True)})
HINT = Finding(
    "DP104", "text-compared-as-number", "info", "b.rules.yaml", Span(1, 1, 4, 5), "a \x1b[31mred\x1b[0m\nline\ud800"
)


def report(*findings: Finding, color: bool = False) -> Report:
    """Return a report on three files, with what is personal masked."""
    return Report(
        [masked(f, COLUMNS) for f in findings],
        ["a.rules.yaml", "b.rules.yaml", "c.rules.yaml"],
        lambda _: TEXT,
        color=color,
        rules={("c", "gold"): ("a.rules.yaml", PLACE), ("c", "silver"): ("b.rules.yaml", Span(1, 1, 1, 9))},
    )


_PIECES = ["%0A", "%25", "%3A", "::", "[a](1)", "](", "{0}", "]]>", "&amp;", "\r\n", "##[error]"]
_CHARACTERS = "a1 %:,=\r\n\t\0\x1b\x85\u2028\u202e\u200f\ud800\udfff\uffff]}){([\\é語😀&<>\"'"
TEXTS = st.lists(st.sampled_from([*_PIECES, *_CHARACTERS]), max_size=5).map("".join)
"""Text with all that some format has to write otherwise."""

_NAMES = TEXTS.map(lambda text: text or "name")


@st.composite
def _findings(draw: st.DrawFn, paths: tuple[str, ...]) -> Finding:
    check = draw(st.sampled_from(sorted(checks_by_code().values(), key=lambda c: c.code)))
    start, end = draw(st.sampled_from([((1, 1), (1, 2)), ((2, 3), (2, 9)), ((3, 11), (4, 1)), ((3, 2), (5, 9))]))
    path = draw(st.sampled_from(paths))
    edits = draw(st.lists(st.builds(Edit, st.just(path), st.just(Span(*start, *end)), TEXTS), max_size=2))
    return Finding(
        check.code,
        check.name,
        draw(st.sampled_from(SEVERITIES)),
        path,
        Span(*start, *end),
        draw(_NAMES),
        draw(TEXTS),
        tuple(draw(st.lists(_NAMES | st.sampled_from(["gold", "silver"]), max_size=3))),
        draw(st.sampled_from(["", "c", "d.e"])),
        draw(st.sampled_from([None, witness()])),
        draw(TEXTS),
        personal=draw(st.booleans()),
        edits=tuple(edits),
        safe=draw(st.booleans()),
    )


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Draw a report of any findings, some of them suppressed, in files of any names."""
    paths = tuple(draw(st.lists(_NAMES, min_size=1, max_size=3, unique=True)))
    found = draw(st.lists(_findings(paths), max_size=4))
    until = st.none() | st.dates()
    hidden = draw(
        st.lists(st.builds(Suppressed, _findings(paths).map(lambda f: masked(f, COLUMNS)), _NAMES, until), max_size=2)
    )
    return replace(
        report(*found),
        files=[*paths, "clean.rules.yaml"],
        suppressed=hidden,
        fail_on=dict.fromkeys(paths, draw(st.sampled_from(SEVERITIES))),
    )
