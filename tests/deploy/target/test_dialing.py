"""Whom a plan comes to dial: counts over known contacts, what is proved of all, and what has to be confirmed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from target_fakes import rule, stored

from dialproof.config import Semantics
from dialproof.errors import InputError, UsageError
from dialproof.model.contactlist import Column, ContactList
from dialproof.model.contacts import ContactsFile
from dialproof.model.read_contacts import read_contacts
from dialproof.project import Campaign
from dialproof.targets.campaign_rules import read_rule, suppresses
from dialproof_deploy.plan.dialing import Dialing, dialing_of, refusal_of, widening_of
from dialproof_deploy.plan.plan import Plan, Step, make_plan
from dialproof_deploy.plan.render import render
from dialproof_deploy.plan.sample import Sample, sample_of
from dialproof_deploy.targets import RULESETS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

NOW = datetime(2026, 3, 7, 12, tzinfo=UTC)
STOP = [{"type": "doNotDial"}]
STATES, LEVELS = ("TX", "CA", "NY"), ("a", "b")
COLUMNS = ContactList(
    "x.contactlist.yaml",
    {
        "state": Column("state", "string", enum=STATES, required=True),
        "level": Column("level", "string", enum=LEVELS, required=True),
        "phone": Column("phone", "string", pii=True),
    },
)
EVERYBODY = [{"state": state, "level": level} for state, level in product(STATES, LEVELS)]


def is_(attribute: str, value: str) -> dict[str, str]:
    """Return a wire condition."""
    return {"attribute": attribute, "operator": "equals", "value": value, "type": "string"}


def stop(name: str, order: int, *conditions: dict[str, str], **more: Any) -> dict[str, Any]:
    """Return a suppressing wire rule."""
    return rule(name, order, conditions=list(conditions), actions=STOP, **more)


def on_target(wire: dict[str, Any]) -> dict[str, Any]:
    """Return it as a server answers it."""
    return {**stored(wire["name"], wire["executionOrder"]), **wire}


def sample(contacts: Sequence[Mapping[str, object]]) -> Sample:
    """Return contacts as those of a project."""
    file = ContactsFile("c.contacts.csv", None, None, None, None, (), tuple(contacts), "")
    return Sample("the project's files", [file], NOW)


def look(
    old: Sequence[dict[str, Any]],
    new: Sequence[dict[str, Any]],
    contacts: Sequence[Mapping[str, object]] = EVERYBODY,
    **options: Any,
) -> Dialing:
    """Return what it does to who is dialed to replace some rules by others."""
    names = {wire["name"] for wire in new}
    prune = [wire["name"] for wire in old if wire["name"] not in names]
    plan = make_plan("c1", new, list(map(on_target, old)), prune=prune, suppresses=suppresses)
    assert plan.refusals == ()
    return dialing_of(plan, COLUMNS, Semantics(), read_rule, sample(contacts), **{"dials": True, **options})


def test_a_narrower_suppression_is_counted_and_shown() -> None:
    """Texans of level b are dialed now: the count, a contact, and that nobody says whether the campaign runs."""
    found = look([stop("s", 1, is_("state", "TX"))], [stop("s", 1, is_("state", "TX"), is_("level", "a"))])
    assert (found.looked_at, found.more, found.fewer, found.widens) == (6, 1, 0, True)
    assert {*found.example.split(", ")} == {'state = "TX"', 'level = "b"'}
    assert found.sentences == (
        "1 of 6 contacts of the project's files come to be dialed, 0 cease to be",
        f"a contact with {found.example} comes to be dialed",
        "the target does not say whether c1 is running",
    )


def test_a_contact_that_nobody_knows_is_found_by_the_analysis() -> None:
    """The files hold no such contact, and yet somebody may be dialed: the count is 0, and the plan widens."""
    found = look([stop("s", 1, is_("state", "TX"))], [], [{"state": "CA", "level": "a"}])
    assert (found.more, found.widens) == (0, True)
    assert 'state = "TX"' in found.example


def test_a_wider_suppression_is_proved_to_dial_nobody_more() -> None:
    """The count of those who are not dialed any more is shown as well."""
    found = look([stop("s", 1, is_("state", "TX"), is_("level", "a"))], [stop("s", 1, is_("state", "TX"))])
    assert (found.more, found.fewer, found.example, found.open, found.widens) == (0, 1, "", "", False)
    assert found.sentences == (
        "nobody comes to be dialed (proved); 1 of 6 contacts of the project's files cease to be",
    )


def test_what_decides_nothing_is_not_looked_at() -> None:
    """Another priority or description, or another place in the same order, changes nobody's outcome."""
    old = [stop("s", 1, is_("state", "TX")), rule("r", 2)]
    new = [stop("s", 3, is_("state", "TX"), priority=7), rule("r", 9, description="x")]
    assert look(old, new).sentences[0].startswith("nobody comes to be dialed (proved)")


def test_a_rule_that_cannot_be_read_back_counts_as_refusing_everybody() -> None:
    """A count may be too high, and never too low; why it is open is said."""
    found = look([rule("fax", 1, actions=[{"type": "sendFax"}])], [])
    assert found.more == 6
    assert found.open == (
        "rule 'fax' (an action of type 'sendFax') cannot be read back, and counts as one that refuses everybody"
    )
    assert found.example == ""
    assert not look([rule("fax", 1, actions=[{"type": "sendFax"}], enabled=False)], []).widens


def test_nobody_who_was_looked_at_is_shown() -> None:
    """A list of real people has columns that no contact list marks as personal: what is shown is made up."""
    contacts = [{"state": "TX", "level": "b", "phone": "+15550100", "surname": "Miller"}]
    found = look([stop("s", 1, is_("state", "TX"))], [], contacts)
    assert found.more == 1
    assert not [text for text in ("+15550100", "Miller") if text in str(found)]
    assert 'state = "TX"' in found.example
    phoned = look([stop("s", 1, is_("phone", "+15550100"))], [], contacts)
    assert phoned.more == 1
    assert "phone = •••" in phoned.example


def test_contacts_outside_of_the_contact_list_count_and_are_said_to_be() -> None:
    """An export may hold what the contact list excludes: it is counted, whatever is proved of everybody else."""
    contacts = [{"state": "WA", "level": "a"}, {"state": "TX", "level": "a"}]
    old = [stop("s", 1, is_("state", "TX")), stop("w", 2, is_("state", "WA"))]
    found = look(old, old[:1], contacts)
    assert (found.more, found.example, found.open, found.widens) == (1, "", "", True)
    assert "they hold values that the contact list file excludes" in found.sentences[1]


conditions = st.lists(
    st.one_of(
        st.sampled_from(STATES).map(lambda value: is_("state", value)),
        st.sampled_from(LEVELS).map(lambda value: is_("level", value)),
    ),
    max_size=2,
)
campaigns = st.lists(st.tuples(conditions, st.booleans()), max_size=4).map(
    lambda rules: [
        stop(f"r{n}", n, *held) if stops else rule(f"r{n}", n, conditions=held)
        for n, (held, stops) in enumerate(rules, 1)
    ]
)


def refused(rules: Sequence[dict[str, Any]], contact: Mapping[str, str]) -> bool:
    """Tell by hand whether a rule stops dialing to a contact."""
    return any(
        wire["actions"] == STOP and all(contact[c["attribute"]] == c["value"] for c in wire["conditions"])
        for wire in rules
    )


@settings(max_examples=60, deadline=None)
@given(campaigns, campaigns)
def test_counts_and_proof_agree_with_every_contact_there_is(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> None:
    """Over the whole domain by hand: so many come to be dialed, so many cease to be, and none is none."""
    more = sum(refused(old, contact) and not refused(new, contact) for contact in EVERYBODY)
    fewer = sum(refused(new, contact) and not refused(old, contact) for contact in EVERYBODY)
    found = look(old, new)
    assert (found.more, found.fewer, found.widens) == (more, fewer, more > 0)
    assert look(old, new, []).widens is (more > 0)


def in_set(name: str, order: int, state: str) -> dict[str, Any]:
    """Return a suppressing rule of a rule set."""
    condition = {"type": "contactAttributeCondition", "attributeName": "state", "operator": "EQUALS",
                 "value": state, "valueType": "STRING", "inverted": False}  # fmt: skip
    action = {"type": "Action", "actionTypeName": "DO_NOT_DIAL", "properties": {}}
    return {"name": name, "order": order, "category": "DIALER_PRECALL", "conditions": [condition], "actions": [action]}


def campaign(name: str, status: str | None, **more: Any) -> dict[str, Any]:
    """Return a campaign that uses the rule set, as a document of the target."""
    document = {"id": name, "version": 1, "name": name, "campaignStatus": status, "ruleSet": "S", "otherRuleSets": []}
    return {**document, **more}


def set_plan(*campaigns_: dict[str, Any], steps: Sequence[Step] = ()) -> Plan:
    """Return the plan of a rule set whose one rule loses New York."""
    before = {"name": "S", "rules": [in_set("s", 0, "NY"), in_set("t", 1, "TX")]}
    after = {"name": "S", "rules": [in_set("t", 0, "TX")]}
    document = {"id": "7", "version": 2, **before}
    written = Step("update", "S", "7", before, after)
    return Plan("S", (written, *steps), (), (), (), (), (document, *campaigns_), "cmp_1", holder="rule set")


def look_at_set(plan: Plan) -> Dialing:
    """Return what a plan of a rule set does to who is dialed."""
    return dialing_of(plan, COLUMNS, Semantics(), RULESETS.reader(COLUMNS), sample(EVERYBODY), dials=True)


@pytest.mark.parametrize(
    ("status", "runs"),
    [*((s, False) for s in ("off", "OFF", "complete", "invalid", "forced_off")),
     *((s, True) for s in ("on", "ON", "stopping", "forced_stopping", "something new", None))],
)  # fmt: skip
def test_a_target_that_tells_the_status_is_believed(status: str | None, runs: bool) -> None:
    """A campaign that is off needs no confirmation; a state that nobody has heard of counts as running."""
    found = look_at_set(set_plan(campaign("Winback", status)))
    assert (found.more, found.told, found.running) == (2, True, ("Winback",) if runs else ())
    plan = replace(set_plan(campaign("Winback", status)), dialing=found)
    assert bool(refusal_of([plan], None, "prod")) is runs


def test_a_rule_set_that_is_taken_from_a_campaign_leaves_it_open() -> None:
    """What the other set refused is not read, so that nobody knows who comes to be dialed."""
    before = campaign("Winback", "on", otherRuleSets=[{"id": "9", "name": "Old"}])
    steps = [Step("attach", "Winback", "Winback", before, campaign("Winback", "on"))]
    same = set_plan(before, steps=steps)
    found = look_at_set(replace(same, steps=same.steps[1:]))
    assert (found.more, found.open) == (0, "the rule set 'Old' is taken from campaign 'Winback', and is not read")
    assert found.widens


def test_a_campaign_without_the_set_dials_everybody_now() -> None:
    """A set that is there and is given to it takes contacts away, whatever the set held until now."""
    bare = campaign("Winback", "on", ruleSet=None, ours=True)
    found = look_at_set(set_plan(bare))
    assert (found.more, found.fewer, found.widens) == (0, 2, False)
    both = look_at_set(set_plan(bare, campaign("Spring", "on", ours=True)))
    assert (both.more, both.fewer, both.widens) == (2, 2, True)


def with_dialing(*found: Dialing) -> list[Plan]:
    """Return a plan for each."""
    step = Step("update", "r", "1", rule("r", 1), rule("r", 2))
    return [Plan(f"c{n}", (step,), (), (), (), (), (), dialing=each) for n, each in enumerate(found)]


WIDER = Dialing(9, "list.csv", more=3, example="x", running=("c1",))
PERHAPS = Dialing(9, "list.csv", open="the budget", running=("c2",), told=False)


@pytest.mark.parametrize(
    ("found", "confirmed", "says"),
    [
        ([WIDER], 3, ""),
        ([WIDER, PERHAPS], 3, ""),
        ([PERHAPS], 0, ""),
        ([replace(WIDER, running=())], None, ""),
        ([Dialing(9, "list.csv", fewer=4, running=("c1",))], None, ""),
        ([], None, ""),
        (
            [WIDER],
            None,
            (
                "3 of 9 contacts of list.csv are not dialed now and would be; c1 is running: if that is meant, "
                "'dialproof deploy --env prod --evidence ... --confirm-widening 3'"
            ),
        ),
        (
            [WIDER, PERHAPS],
            2,
            (
                "--confirm-widening 2 says another number: 3 of 18 contacts of list.csv are not dialed now and would "
                "be, and perhaps others (the budget); c1, c2 may be running: if that is meant, "
                "'dialproof deploy --env prod --evidence ... --confirm-widening 3'"
            ),
        ),
        (
            [WIDER, replace(WIDER, more=0, running=("c1", "c2"))],
            None,
            (
                "3 of 18 contacts of list.csv are not dialed now and would be, and so would others (one with x); "
                "c1, c2 are running: if that is meant, "
                "'dialproof deploy --env prod --evidence ... --confirm-widening 3'"
            ),
        ),
        ([], 1, ""),
        (
            [replace(WIDER, running=())],
            1,
            "--confirm-widening 1: nobody comes to be dialed in a campaign that is running: leave it out",
        ),
    ],
)
def test_exactly_the_number_has_to_be_confirmed(found: list[Dialing], confirmed: int | None, says: str) -> None:
    """Of all running campaigns together; where nobody is known and somebody is possible, the number is 0."""
    first, *others = refusal_of(with_dialing(*found), confirmed, "prod") or [""]
    assert first == says
    told = [f"Dialing: {sentence}" for each in found for sentence in each.sentences]
    assert others == (told if "if that is meant" in says else [])


def test_the_formats_say_what_a_deploy_needs() -> None:
    """The last line of the text, a field of the JSON, and a part of the comment."""
    step = Step("update", "r", "1", rule("r", 1), rule("r", 2))
    plans = [replace(plan, steps=(step,)) for plan in with_dialing(WIDER, PERHAPS)]
    assert widening_of(plans) == 3
    assert render("text", "prod", plans).endswith("; a deploy needs --confirm-widening 3\n")
    assert "Dialing: 3 of 9 contacts of list.csv come to be dialed" in render("text", "prod", plans)
    assert '"confirm_widening": 3' in render("json", "prod", plans)
    assert "**Who is dialed**" in render("markdown", "prod", plans)


def project_campaign() -> Campaign:
    """Return a campaign whose columns have other names on the platform."""
    columns = {
        "customFields.state": Column("customFields.state", "string"),
        "level": Column("level", "string", remote="LEVEL_CODE"),
        "a.twin": Column("a.twin", "string"),
        "b.twin": Column("b.twin", "string"),
    }
    return Campaign(("c",), (), (), (), "all", ContactList("x", columns))


def given_list(path: Path) -> Sample:
    """Return the contacts of a file."""
    return sample_of(None, project_campaign(), read_contacts(path), now=NOW, time_zone=None)  # type: ignore[arg-type]


def test_an_exported_contact_list_is_understood(tmp_path: Path) -> None:
    """A byte order mark, ``;``, the platform's own columns and names; a name of two columns is nobody's."""
    file = tmp_path / "list.csv"
    file.write_bytes(
        "\ufeffinin-outbound-id;state;LEVEL_CODE;twin;CallRecordLastAttempt-x\n1;TX;a;t;\n2;CA;b;t;\n".encode()
    )
    known = given_list(file)
    assert [contact.contact for contact in known] == [
        {"customFields.state": "TX", "level": "a", "twin": "t"},
        {"customFields.state": "CA", "level": "b", "twin": "t"},
    ]
    assert len(known) == 2
    known.check_columns(["customFields.state", "level"])
    with pytest.raises(InputError, match=r"list\.csv: there is no column a\.twin, which the rules read"):
        known.check_columns(["a.twin", "a.twin", "level"])


def test_cases_count_by_what_surrounds_them(tmp_path: Path) -> None:
    """Cases of a contacts file are contacts, with their own time and zone; those after the call are not."""
    text = (
        "timeZone: America/Denver\nnow: 2026-03-07T10:00:00-07:00\ncases:\n"
        "  - {name: one, contact: {state: TX}, expect: {dial: true}}\n"
        "  - {name: two, category: wrapUp, contact: {state: TX}, expect: {matched: []}}\n"
    )
    (tmp_path / "a.contacts.yaml").write_text(text, encoding="utf-8")
    [known] = given_list(tmp_path / "a.contacts.yaml")
    assert (known.now, known.time_zone) == ("2026-03-07T10:00:00-07:00", "America/Denver")
    given_list(tmp_path / "a.contacts.yaml").check_columns(["level"])  # a case names only what it is about


@pytest.mark.parametrize(
    ("name", "content", "error", "says"),
    [
        ("nowhere.csv", None, UsageError, "there is no such file"),
        ("list.xlsx", "x", UsageError, "expected contacts as .csv, .yaml or .json"),
        ("list.csv", "a,b\n1\n", InputError, "list.csv:2:1: DP101 expected 2 cells as in the header, found 1"),
        ("list.yaml", "cases: 7\n", InputError, "list.yaml:1:8: DP102 cases: expected a list"),
    ],
)
def test_contacts_that_cannot_be_read_are_sentences(
    tmp_path: Path, name: str, content: str | None, error: type[Exception], says: str
) -> None:
    """The file, the place, and what was expected."""
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(error) as caught:
        read_contacts(tmp_path / name)
    assert says in str(caught.value)
