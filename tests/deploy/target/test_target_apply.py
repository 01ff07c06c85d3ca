from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from target_fakes import Campaign, MemoryTarget, rule, stored

from dialproof.errors import PartlyAppliedError, RefusedError, RemoteConflictError, RemoteError
from dialproof_deploy.api.errors import BadRequestError, UnreachableError
from dialproof_deploy.plan.apply import apply
from dialproof_deploy.plan.plan import Plan, make_plan
from dialproof_deploy.targets import StoredOtherwiseError
from dialproof_deploy.targets.wire import content_digest

DESIRED = [rule("a", 1, priority=5), rule("b", 2, priority=6), rule("new", 3)]
REMOTE = [stored("a", 1, version=4), stored("b", 2), stored("old", 9)]


class Audit:
    """Keeps records, and fails from a given one on."""

    def __init__(self, fail_from: int | None = None) -> None:
        self.records: list[dict[str, Any]] = []
        self.fail_from = fail_from
        self.calls = 0

    def __call__(self, record: dict[str, Any]) -> None:  # noqa: D102
        self.calls += 1
        if self.fail_from is not None and self.calls >= self.fail_from:
            raise OSError(28, "No space left on device")
        self.records.append(record)

    def events(self) -> list[tuple[str, str]]:
        """Return (phase, rule) of each record."""
        return [(record["phase"], record["rule"]) for record in self.records]


@pytest.fixture
def campaign() -> Campaign:
    """Return the campaign that PLAN was made from."""
    return Campaign(*REMOTE)


@pytest.fixture
def plan() -> Plan:
    """Return a plan of four writes: a delete, two updates and a create, in this order."""
    plan = make_plan("c1", DESIRED, REMOTE, prune=["old"])
    assert [step.action for step in plan.steps] == ["delete", "update", "update", "create"]
    return plan


def test_writes_are_made_in_order_and_recorded(plan: Plan, campaign: Campaign) -> None:
    """Each write has a record before and after it, with versions and request id."""
    audit, progress = Audit(), []
    result = apply(
        plan,
        MemoryTarget(campaign),
        audit=audit,
        on_step=lambda step: progress.append(step.rule),
    )
    assert campaign.writes == [("delete", "old"), ("update", "a"), ("update", "b"), ("create", "new")]
    assert progress == ["old", "a", "b", "new"]
    assert [(m.version_before, m.version_after) for m in result.made] == [(1, None), (4, 5), (1, 2), (None, 1)]
    assert audit.records[2:4] == [
        {
            "event": event,
            "phase": phase,
            "campaign": "c1",
            "rule": "a",
            "remote_id": "id-a",
            "action": "update",
            "version_before": 4,
            "version_after": after,
            "digest": content_digest(plan.steps[1].after or {}),
            "request_id": request,
        }
        for event, phase, after, request in (
            ("request", "change.started", None, None),
            ("change", "change.made", 5, "request-2"),
        )
    ]
    assert len(audit.records) == 8


def test_nothing_to_do_asks_nothing() -> None:
    """A plan without steps makes no request at all."""
    target = MemoryTarget(Campaign(stored("a", 1)))
    result = apply(make_plan("c1", [rule("a", 1)], [stored("a", 1)]), target, audit=Audit())
    assert (result.made, target.lists) == ((), 0)


def test_a_plan_with_refusals_is_refused(campaign: Campaign) -> None:
    """The refusals are the message."""
    with pytest.raises(RefusedError, match="foreign rule 'old'"):
        apply(make_plan("c1", DESIRED, REMOTE), MemoryTarget(campaign), audit=Audit())
    assert campaign.writes == []


def test_a_target_that_moved_is_never_written(plan: Plan, campaign: Campaign) -> None:
    """Edits, creations and deletions since the plan are all listed, in three ways where we would change the rule."""
    campaign.edit("a", priority=77)
    campaign.edit("old", description="still needed")
    campaign.delete("id-b")
    campaign.create({**rule("extra", 40), "version": 1})
    campaign.writes.clear()
    with pytest.raises(RemoteConflictError) as caught:
        apply(plan, MemoryTarget(campaign), audit=Audit())
    text = str(caught.value)
    assert "priority: planned from 100, ours 5, theirs 77" in text
    assert "rule 'old' was changed" in text
    assert "rule 'b' was deleted" in text
    assert "rule 'extra' was created" in text
    assert campaign.writes == []


def test_a_save_without_change_is_no_move(plan: Plan, campaign: Campaign) -> None:
    """A version that went up over the same content is taken from the target, and none is skipped."""
    campaign.edit("a")
    apply(plan, MemoryTarget(campaign), audit=Audit())
    assert campaign.versions()["a"] == 6


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_failing_write_undoes_those_before(number: int, plan: Plan, campaign: Campaign) -> None:
    """Whichever write is refused, the target ends with the content it had, in further versions."""
    before = campaign.contents()
    audit = Audit()
    target = MemoryTarget(campaign, {number: BadRequestError("the server refuses")})
    undone = {1: "nothing was changed", 2: "the 1 write made was undone"}.get(number, f"the {number - 1} writes made")
    with pytest.raises(RemoteError, match=f"the server refuses\n.*write {number} of 4 .*{undone}"):
        apply(plan, target, audit=audit)
    assert campaign.contents() == before
    assert campaign.versions()["a"] == (4 if number <= 2 else 6)
    kinds = [event for event, _ in audit.events()]
    assert kinds.count("change.failed") == 1
    assert kinds.count("rollback.made") == number - 1


def test_undoing_a_swap_keeps_the_order_promise() -> None:
    """Shifts are undone as well, so a rule written twice is written back twice."""
    remote = [stored("a", 1), stored("b", 2)]
    campaign = Campaign(*remote)
    plan = make_plan("c1", [rule("a", 2), rule("b", 1)], remote)
    with pytest.raises(RemoteError):
        apply(plan, MemoryTarget(campaign, {3: BadRequestError("no")}), audit=Audit())
    assert campaign.orders() == {"a": 1, "b": 2}
    assert campaign.versions() == {"a": 3, "b": 3}


def test_a_conflict_in_the_middle_stays_a_conflict(plan: Plan, campaign: Campaign) -> None:
    """The class of the error, and with it the exit code, is that of the cause."""
    with pytest.raises(RemoteConflictError, match="undone"):
        apply(plan, MemoryTarget(campaign, {3: RemoteConflictError("edited")}), audit=Audit())
    assert campaign.contents()["a"]["priority"] == 100


def test_a_write_in_doubt_that_was_made_is_undone_too(plan: Plan, campaign: Campaign) -> None:
    """After an unreachable target answers again, what was made without our knowledge is found and undone."""
    before = campaign.contents()

    class Late(MemoryTarget):
        def create_rule(self, campaign_id: str, rule: Any) -> Any:
            written = super().create_rule(campaign_id, rule)
            if rule["name"] == "new":
                raise UnreachableError("no answer")
            return written

    audit = Audit()
    with pytest.raises(RemoteError, match="the 4 writes made were undone"):
        apply(plan, Late(campaign), audit=audit)
    assert campaign.contents() == before
    phases = [phase for phase, rule in audit.events() if rule == "new"]
    assert phases == ["change.started", "change.made", "rollback.started", "rollback.made"]


def test_a_first_write_in_doubt_says_so(plan: Plan, campaign: Campaign) -> None:
    """Without anything made and without an answer, the error says that it is not known."""

    class Dead(MemoryTarget):
        def list_rules(self, campaign_id: str) -> list[dict[str, Any]]:
            if self.lists:
                raise UnreachableError("dead")
            return super().list_rules(campaign_id)

    audit = Audit()
    with pytest.raises(RemoteError, match="whether it was made is not known"):
        apply(plan, Dead(campaign, {1: UnreachableError("no answer")}), audit=audit)
    assert audit.events() == [("change.started", "old"), ("change.unknown", "old")]


def test_a_write_that_left_something_else_is_not_called_unmade(campaign: Campaign) -> None:
    """A rule that is neither as it was nor as it should be may be ours or somebody's: nobody may hear "nothing"."""
    plan = make_plan("c1", [rule("a", 1, priority=5), rule("b", 2), rule("old", 9)], REMOTE)

    class Silent(MemoryTarget):
        def update_rule(self, campaign_id: str, planned_from: Any, rule: Any) -> Any:
            super().update_rule(campaign_id, planned_from, {**rule, "conditions": []})
            raise UnreachableError("no answer")

    with pytest.raises(RemoteError, match="whether it was made is not known"):
        apply(plan, Silent(campaign), audit=Audit())


class Lossy(MemoryTarget):
    """Stores the rules named without their conditions, as often as given, and says so."""

    def __init__(self, campaign: Campaign, name: str, times: int = 1) -> None:
        super().__init__(campaign)
        self.name, self.times = name, times

    def create_rule(self, campaign_id: str, rule: Any) -> Any:
        """Create it."""
        return self._checked(rule, super().create_rule(campaign_id, self._cut(rule)))

    def update_rule(self, campaign_id: str, planned_from: Any, rule: Any) -> Any:
        """Update it."""
        return self._checked(rule, super().update_rule(campaign_id, planned_from, self._cut(rule)))

    def _cut(self, rule: Any) -> Any:
        if rule["name"] != self.name or not self.times:
            return rule
        self.times -= 1
        return {**rule, "conditions": []}

    def _checked(self, rule: Any, written: Any) -> Any:
        if written.rule["conditions"] != rule["conditions"]:
            raise StoredOtherwiseError("the server stored something else than was sent: conditions", written)
        return written


@pytest.mark.parametrize(("name", "count"), [("a", "2 writes"), ("b", "3 writes"), ("new", "4 writes")])
def test_a_rule_that_was_stored_otherwise_is_undone(name: str, count: str, plan: Plan, campaign: Campaign) -> None:
    """A rule without its conditions dials whom it must not: it is undone like any write made, and recorded like one."""
    before = campaign.contents()
    audit = Audit()
    with pytest.raises(RemoteError, match=f"stored something else .*\nwrite .* the {count} made were undone$"):
        apply(plan, Lossy(campaign, name), audit=audit)
    assert campaign.contents() == before
    phases = [phase for phase, rule in audit.events() if rule == name]
    assert phases == ["change.started", "change.made", "rollback.started", "rollback.made"]
    made = [record for record in audit.records if (record["phase"], record["rule"]) == ("change.made", name)]
    wanted = next(content_digest(rule) for rule in DESIRED if rule["name"] == name)
    assert made[0]["digest"] not in (None, wanted)


def test_the_only_write_stored_otherwise_is_undone(campaign: Campaign) -> None:
    """Nothing before it was made, and the target still ends as it was."""
    plan = make_plan("c1", [rule("a", 1, priority=5), rule("b", 2), rule("old", 9)], REMOTE)
    before = campaign.contents()
    with pytest.raises(RemoteError, match="the 1 write made was undone"):
        apply(plan, Lossy(campaign, "a"), audit=Audit())
    assert campaign.contents() == before


def test_an_undoing_stored_otherwise_says_what_stands(plan: Plan, campaign: Campaign) -> None:
    """A server that cannot even store the old rule is reported, and both writes are in the audit trail."""
    audit = Audit()
    with pytest.raises(PartlyAppliedError, match=r"undoing stopped at: .*\n.*still standing: delete of rule 'old'"):
        apply(plan, Lossy(campaign, "a", times=2), audit=audit)
    assert audit.events()[-1] == ("rollback.made", "a")


def test_a_failed_undo_lists_what_stands(plan: Plan, campaign: Campaign) -> None:
    """The error of class partly applied lists what was made, undone, and not made."""
    target = MemoryTarget(campaign, {4: BadRequestError("refused"), 6: BadRequestError("refused again")})
    with pytest.raises(PartlyAppliedError) as caught:
        apply(plan, target, audit=Audit())
    assert str(caught.value).splitlines() == [
        "refused",
        "write 4 of 4 (create of rule 'new') failed and what was made before could not all be undone",
        "undoing stopped at: refused again",
        "made and still standing: delete of rule 'old'",
        "made and still standing: update of rule 'a'",
        "made and undone: update of rule 'b'",
        "not made: create of rule 'new'",
    ]
    assert campaign.contents()["a"]["priority"] == 5


def test_an_edit_while_undoing_is_not_overwritten(plan: Plan, campaign: Campaign) -> None:
    """Somebody who edits a rule we have just written keeps the edit; the error says what stands."""

    class Edited(MemoryTarget):
        def create_rule(self, campaign_id: str, rule: Any) -> Any:
            self.campaign.edit("b", description="mine now")
            raise BadRequestError("refused")

    with pytest.raises(PartlyAppliedError, match="made and still standing: update of rule 'b'"):
        apply(plan, Edited(campaign), audit=Audit())
    assert campaign.contents()["b"]["description"] == "mine now"


@pytest.mark.parametrize("record", range(1, 9))
def test_a_full_disk_under_the_audit_stops_and_undoes(record: int, plan: Plan, campaign: Campaign) -> None:
    """Without a record no write is made, not even one that undoes: what stands is said, and in the records."""
    writes = record // 2
    with pytest.raises(PartlyAppliedError if writes else RefusedError) as caught:
        apply(plan, MemoryTarget(campaign), audit=Audit(fail_from=record))
    first, second, *rest = str(caught.value).splitlines()
    assert first == "the audit trail cannot be written: No space left on device"
    assert ("could not all be undone" if writes else "nothing was changed") in second
    titles = ["delete of rule 'old'", "update of rule 'a'", "update of rule 'b'", "create of rule 'new'"]
    made = [f"made and still standing: {title}" for title in titles[:writes]]
    assert rest[1:] == ([*made, *(f"not made: {title}" for title in titles[writes:])] if writes else [])
    assert len(campaign.writes) == writes


def test_a_record_that_fails_after_the_write_undoes_it(plan: Plan, campaign: Campaign) -> None:
    """If records can be stored again, that of the write comes first, and the trail is whole."""
    before = campaign.contents()
    audit = Audit()
    failing = [True]

    def hiccup(record: dict[str, Any]) -> None:
        if record["phase"] == "change.made" and record["rule"] == "a" and failing:
            failing.clear()
            raise RefusedError("the audit record cannot be written")
        audit(record)

    with pytest.raises(RefusedError, match=r"cannot be written\nwrite 2 of 4 .* failed; the 2 writes made were undone"):
        apply(plan, MemoryTarget(campaign), audit=hiccup)
    assert campaign.contents() == before
    assert [event for event, _ in audit.events()].count("rollback.made") == 2
    assert audit.events()[2:6] == [
        ("change.started", "a"),
        ("change.made", "a"),
        ("rollback.started", "a"),
        ("rollback.made", "a"),
    ]


def test_an_answer_without_digest_does_not_stop_a_deploy(plan: Plan, campaign: Campaign) -> None:
    """A server that adds a number beyond what JSON holds exactly has stored the rule all the same."""

    class Big(MemoryTarget):
        def update_rule(self, campaign_id: str, planned_from: Any, rule: Any) -> Any:
            written = super().update_rule(campaign_id, planned_from, rule)
            return replace(written, rule={**written.rule, "dateModified": 2**60})

    audit = Audit()
    assert len(apply(plan, Big(campaign), audit=audit).made) == 4
    assert audit.records[3]["digest"] == content_digest(plan.steps[1].after or {})


@pytest.mark.parametrize("number", [5, 6])
def test_a_second_interrupt_while_undoing_says_what_stands(number: int, plan: Plan, campaign: Campaign) -> None:
    """Whoever presses Ctrl-C twice is told what is left half done."""
    target = MemoryTarget(campaign, {4: KeyboardInterrupt(), number: KeyboardInterrupt()})
    with pytest.raises(PartlyAppliedError, match="undoing stopped at: interrupted\nmade and still standing: delete"):
        apply(plan, target, audit=Audit())


def test_an_interrupt_undoes_and_stays_an_interrupt(plan: Plan, campaign: Campaign) -> None:
    """Ctrl-C between two writes leaves the campaign as it was."""
    before = campaign.contents()
    with pytest.raises(KeyboardInterrupt) as caught:
        apply(plan, MemoryTarget(campaign, {3: KeyboardInterrupt()}), audit=Audit())
    assert caught.value.__notes__ == ["write 3 of 4 (update of rule 'b') failed; the 2 writes made were undone"]
    assert campaign.contents() == before


def test_a_progress_display_that_breaks_decides_nothing(plan: Plan, campaign: Campaign) -> None:
    """A closed pipe under the progress display neither stops nor undoes a write."""

    def broken(step: object) -> None:
        raise BrokenPipeError

    assert len(apply(plan, MemoryTarget(campaign), audit=Audit(), on_step=broken).made) == 4
    assert campaign.orders() == {"a": 1, "b": 2, "new": 3}


def test_records_hold_no_content(plan: Plan, campaign: Campaign) -> None:
    """Records name rules, actions, versions and requests, and never conditions or values."""
    audit = Audit()
    apply(plan, MemoryTarget(campaign), audit=audit)
    allowed = {"event", "phase", "campaign", "rule", "remote_id", "action", "version_before", "version_after"}
    allowed |= {"digest", "request_id"}
    assert all(set(record) == allowed for record in audit.records)


class Conflicting(MemoryTarget):
    """Lets something happen before the write of a rule, which then conflicts once."""

    def __init__(self, campaign: Campaign, name: str, happens: Any) -> None:
        super().__init__(campaign)
        self.name, self.happens = name, [happens]

    def update_rule(self, campaign_id: str, planned_from: Any, rule: Any) -> Any:
        """Update it."""
        if rule["name"] == self.name and self.happens:
            self.happens.pop()()
        return super().update_rule(campaign_id, planned_from, rule)


def test_a_conflict_about_a_version_alone_is_no_end(plan: Plan, campaign: Campaign) -> None:
    """Somebody saved the rule without a change: it is read again and written with the next version."""
    audit = Audit()
    target = Conflicting(campaign, "b", lambda: campaign.edit("b"))
    assert len(apply(plan, target, audit=audit).made) == 4
    assert campaign.versions()["b"] == 3
    phases = [phase for phase, rule in audit.events() if rule == "b"]
    assert phases == ["change.started", "change.failed", "change.started", "change.made"]


def test_a_conflict_shows_every_rule_that_moved(plan: Plan, campaign: Campaign) -> None:
    """Three versions of each, also of a rule that is written already: nothing of others is overwritten."""

    def edits() -> None:
        campaign.edit("b", description="by hand")
        campaign.rules["theirs"] = stored("theirs", 30) | {"id": "theirs"}

    with pytest.raises(RemoteConflictError) as caught:
        apply(plan, Conflicting(campaign, "b", edits), audit=Audit())
    text = str(caught.value)
    assert "rule 'b' was changed:" in text
    assert 'description: planned from "", ours (unchanged), theirs "by hand"' in text
    assert "rule 'theirs' was created (executionOrder 30)" in text
    assert text.endswith("write 3 of 4 (update of rule 'b') failed; the 2 writes made were undone")
    assert campaign.contents()["b"]["description"] == "by hand"


def test_a_conflict_about_a_write_that_was_made_is_none(plan: Plan, campaign: Campaign) -> None:
    """The first try was stored and its answer lost: the second one conflicts with it."""

    class Lost(MemoryTarget):
        def update_rule(self, campaign_id: str, planned_from: Any, rule: Any) -> Any:
            super().update_rule(campaign_id, planned_from, rule)
            raise RemoteConflictError("version 3 expected")

    assert len(apply(plan, Lost(campaign), audit=Audit()).made) == 4
    assert campaign.versions() == {"a": 5, "b": 2, "new": 1}


def test_a_rule_two_versions_on_may_hide_our_write(plan: Plan, campaign: Campaign) -> None:
    """Nobody can tell whether the edit covers what was sent, so nothing is undone, and both ways stay open."""

    class Covered(MemoryTarget):
        def update_rule(self, campaign_id: str, planned_from: Any, rule: Any) -> Any:
            super().update_rule(campaign_id, planned_from, rule)
            campaign.edit(rule["name"], description="by hand")
            raise RemoteConflictError("version 3 expected")

    audit = Audit()
    with pytest.raises(PartlyAppliedError, match="whether it was made is not known\nmade and still standing: delete"):
        apply(plan, Covered(campaign), audit=audit)
    assert audit.events()[-1] == ("change.unknown", "a")
