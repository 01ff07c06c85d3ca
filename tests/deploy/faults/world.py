"""A campaign on a server, deploys to it from processes that fail in every way, and what must hold at every moment.

One ``World`` is one environment: its server and its state directory outlive every process. ``counts`` is what went
wrong; all of them must stay 0.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Any

from dialproof.config import Semantics
from dialproof.errors import DialproofError
from dialproof.model.contactlist import Column, ContactList
from dialproof.targets.campaign_rules import read_rule, suppresses
from dialproof_deploy.audit.log import AuditLog, read_records, verify
from dialproof_deploy.plan.plan import Plan, make_plan
from dialproof_deploy.plan.safety import Safety
from dialproof_deploy.plan.states import state_after
from dialproof_deploy.rollout.carry_out import Rollout
from dialproof_deploy.rollout.journal import Journal
from dialproof_deploy.rollout.record import DeployRecord, Part, new_id
from dialproof_deploy.state import StateDir, utc_text
from dialproof_deploy.targets.campaign_rules import CampaignRulesTarget
from dialproof_deploy.targets.wire import content, same_content
from tests.deploy.faults.machine import Killed, Machine, Wire
from tests.deploy.target.target_fakes import Campaign, Clock, Server, client, rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["ACTS", "VALUES", "WRONG", "World", "make_rule"]

VALUES = range(4)
"""The values of the one column that rules look at: every contact that there is."""
COLUMNS = ContactList("a.contactlist.yaml", {"score": Column("score", "integer", required=True, min=0, max=3)})
SAFETY = Safety(COLUMNS, Semantics(), read_rule, suppresses)
ACTS = ("save", "edit", "create")
"""What somebody else can do on the target: save a rule as it is, change one, create one."""
WRONG = (
    *("rules lost", "rules duplicated", "versions skipped", "orders violated", "refused contacts dialed"),
    *("audit records missing", "audit logs broken", "edits overwritten", "ends in neither state"),
)
_STRANGER = "by hand"


def make_rule(name: str, order: int, value: int, stops: bool, priority: int) -> dict[str, Any]:
    """Return a rule for the contacts of one value: it stops dialing, or sets a list."""
    conditions = [{"attribute": "score", "operator": "equals", "value": str(value), "type": "number"}]
    fields: dict[str, Any] = {"conditions": conditions, "priority": priority}
    return rule(name, order, **fields, **({"actions": [{"type": "doNotDial"}]} if stops else {}))


class World:
    """The server, the state directory, and the deploy that is under way there."""

    def __init__(self, folder: Path) -> None:
        self.counts: Counter[str] = Counter()
        self.campaign = _Stage(self._look, self.counts)
        self.server = Server(self.campaign)
        self.state = StateDir.at(folder).create("audit", "journal")
        self.clock = Clock()
        self.points = 0
        self._writes: Counter[tuple[str, int | None]] = Counter()
        self._before: dict[str, dict[str, Any]] = {}
        self._planned: dict[str, dict[str, Any]] = {}
        self._orders: list[dict[str, int]] = []
        self._by_name: dict[str, str] = {}
        self._edited: dict[str, dict[str, Any]] = {}  # rules that somebody changed, as they were before
        self._ids = 0

    @property
    def unfinished(self) -> bool:
        """Whether a deploy is neither made nor taken back."""
        return self.state.journal("env").exists()

    def stand(self, rules: Sequence[dict[str, Any]]) -> None:
        """Let these rules stand on the target."""
        for number, found in enumerate(rules):
            self.campaign.rules[f"old-{number}"] = {**found, "id": f"old-{number}", "selfUri": ""}

    def plan(self, desired: Sequence[dict[str, Any]]) -> Plan:
        """Plan as a deploy does; rules of the target that are not wanted are pruned."""
        remote = CampaignRulesTarget(client(self.server, self.clock)).list_rules("c1")
        names = {r["name"] for r in desired}
        gone = [r["name"] for r in remote if r["name"] not in names]
        return make_plan("c1", desired, remote, prune=gone, suppresses=suppresses, safety=SAFETY)

    def deploy(self, plan: Plan, machine: Machine, draw: Callable[[], str]) -> str:
        """Deploy the plan in a process of its own; return how it ended."""
        self._before = {r["name"]: content(r) for r in plan.remote}
        after = state_after(plan, len(plan.steps))
        self._planned = {r["name"]: r for r in after.values()}
        self._orders = [{k: r["executionOrder"] for k, r in s.items()} for s in (state_after(plan, 0), after)]
        self._by_name = {r["name"]: k for s in (after, state_after(plan, 0)) for k, r in s.items()}
        self._ids += 1
        now = machine.now()
        record = DeployRecord(
            f"{new_id(now)}-{self._ids}", "env", utc_text(now), (Part(plan, tuple(self._planned.values()), "p"),)
        )
        return self._live(machine, draw, record, lambda rollout: rollout.begin(), "planned")

    def resume(self, machine: Machine, draw: Callable[[], str]) -> str:
        """Carry the unfinished deploy on in a process of its own; return how it ended."""
        return self._live(machine, draw, None, lambda rollout: rollout.resume(), "planned")

    def abort(self, machine: Machine, draw: Callable[[], str]) -> str:
        """Take the unfinished deploy back in a process of its own; return how it ended."""
        return self._live(machine, draw, None, lambda rollout: rollout.abort(), "before")

    def somebody(self, act: str) -> None:
        """Let somebody else work on the target."""
        rules = sorted(self.campaign.rules.values(), key=lambda r: str(r["name"]))
        if act == "create" and _STRANGER not in self.campaign.orders():
            order = max([40, *self.campaign.orders().values()]) + 1
            body = {**rule(_STRANGER, order), "id": "stranger", "selfUri": ""}
            self.campaign.rules["stranger"] = body
            self._edited[_STRANGER] = {}
        elif act == "save" and rules:
            self.campaign.edit(rules[self.points % len(rules)]["name"])
        elif act == "edit" and rules:
            found = rules[self.points % len(rules)]
            self._edited.setdefault(found["name"], found)
            self.campaign.edit(found["name"], description=f"{_STRANGER} {self.points}")

    def settle(self) -> None:
        """Let the people who edited rules take that back, after holding what stands against what they wrote."""
        for name, was in self._edited.items():
            now = next((r for r in self.campaign.rules.values() if r["name"] == name), None)
            if now is None or (was and not str(now["description"]).startswith(_STRANGER)):
                self.counts["edits overwritten"] += 1
            elif was:
                self.campaign.edit(name, description=was["description"])
            else:
                del self.campaign.rules["stranger"]
        self._edited.clear()

    def check(self) -> None:
        """Count what the audit log of all deploys does not show; call it when no deploy is unfinished."""
        path = self.state.audit("env")
        AuditLog(path, clock=Machine().now, actor="a", commit=None).append(
            "refusal"
        )  # mends what a killed process left
        self.counts["audit logs broken"] += not verify(path).ok
        records = list(read_records(path))
        changes = [r for r in records if r["event"] == "change"]
        recorded = Counter((str(r["remote_id"]), r["version_after"]) for r in changes if r["request_id"])
        # What was found by reading may have the version of somebody who saved the rule since, or be in doubt.
        later = Counter(str(r["remote_id"]) for r in changes if not r["request_id"])
        later += Counter(str(r["remote_id"]) for r in records if r.get("phase", "").endswith(".unknown"))
        missing = Counter(key for key, _ in (self._writes - recorded).elements())
        created = later.pop("None", 0)  # in doubt, and so without an id
        self.counts["audit records missing"] += max(0, sum((missing - later).values()) - created)
        self.counts["audit records missing"] += sum((recorded - self._writes).values())

    def _live(
        self,
        machine: Machine,
        draw: Callable[[], str],
        record: DeployRecord | None,
        work: Callable[[Rollout], object],
        end: str,
    ) -> str:
        wire = Wire(machine, self.server, self.clock, draw, self.somebody)
        log = AuditLog(self.state.audit("env"), clock=machine.now, actor="a", commit=None, opener=machine.open_log)
        ended = "done"
        with machine.disk(), client(wire, self.clock, max_attempts=3) as api:
            try:
                journal = Journal(self.state, "env")
                found = record or journal.read()
                assert found is not None
                work(Rollout(found, journal, log, CampaignRulesTarget(api)))
            except (DialproofError, KeyboardInterrupt) as error:
                ended = type(error).__name__
            except Killed:
                ended = "killed"
        self.points += machine.points
        if not self.unfinished:
            self._ended(end if ended == "done" else "")
        return ended

    def _ended(self, state: str) -> None:
        """Hold the rules against the state that a deploy has to end in; "" is either."""
        now = {n: r for n, r in self.campaign.contents().items() if n not in self._edited}
        found = [name for name in ("planned", "before") if _same(now, getattr(self, f"_{name}"), self._edited)]
        if not found or (state and state not in found):
            self.counts["ends in neither state"] += 1
            wanted = self._planned if state == "planned" else self._before
            self.counts["rules lost"] += len(wanted.keys() - now.keys() - self._edited.keys())

    def _look(self, key: str, version: int | None) -> None:
        """Look at the rules after each write of a deploy: it left the rule in this version, or deleted it."""
        rules = list(self.campaign.rules.values())
        self._writes[key, version] += 1
        self.counts["rules duplicated"] += len(rules) - len({r["name"] for r in rules})
        now = {self._key(r): r["executionOrder"] for r in rules if r["name"] != _STRANGER}
        for one, other in combinations(now, 2):
            states = [orders for orders in self._orders if one in orders and other in orders]
            allowed = {orders[one] < orders[other] for orders in states}
            self.counts["orders violated"] += bool(allowed) and (now[one] < now[other]) not in allowed
        both = _refused(self._before.values()) & _refused(self._planned.values())
        self.counts["refused contacts dialed"] += len(both - _refused(rules))

    def _key(self, stored: dict[str, Any]) -> str:
        """Return what makes a rule the same one: its id in the plan, or its name once it was created anew."""
        known = {key for orders in self._orders for key in orders}
        return stored["id"] if stored["id"] in known else self._by_name.get(stored["name"], stored["name"])


class _Stage(Campaign):
    """The server's rules; it tells of each write that a deploy makes, and of versions that none may send."""

    def __init__(self, look: Callable[[str, int | None], None], counts: Counter[str]) -> None:
        super().__init__()
        self._tell, self._counts = look, counts

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self._counts["versions skipped"] += body["version"] != 1
        made = super().create(body)
        self._tell(made["id"], 1)
        return made

    def update(self, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self._counts["versions skipped"] += body["version"] > self.get(key)["version"] + 1
        made = super().update(key, body)
        self._tell(key, made["version"])
        return made

    def delete(self, key: str) -> None:
        super().delete(key)
        self._tell(key, None)


def _refused(rules: Any) -> set[str]:
    """Return the values of the contacts that are not dialed."""
    return {r["conditions"][0]["value"] for r in rules if r["actions"][0]["type"] == "doNotDial"}


def _same(now: dict[str, Any], wanted: dict[str, Any], edited: dict[str, Any]) -> bool:
    expected = {n: r for n, r in wanted.items() if n not in edited}
    return now.keys() == expected.keys() and all(same_content(now[n], expected[n]) for n in now)
