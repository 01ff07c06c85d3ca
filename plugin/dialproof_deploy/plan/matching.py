"""Which rule of the files is which rule on the target, and which rules there are in no file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

__all__ = ["Pair", "match_rules"]


@dataclass(frozen=True)
class Pair:
    """A rule of the files and the rule on the target that it is; one of them may be missing."""

    desired: Mapping[str, Any] | None
    remote: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        """Its name in the files; on the target for one that goes."""
        return str((self.desired or self.remote or {})["name"])

    @property
    def key(self) -> str:
        """What identifies the rule while the plan is made: names can change hands."""
        return str(self.remote["id"]) if self.remote else f"+{self.name}"


def match_rules(
    desired: Sequence[Mapping[str, Any]],
    remote: Sequence[Mapping[str, Any]],
    keep: Collection[str],
    prune: Collection[str],
    owned: Collection[str],
    renamed: Mapping[str, str],
) -> tuple[list[Pair], list[Mapping[str, Any]], list[str]]:
    """Find which rule is which; return the pairs to write, the rules to leave alone, and the refusals."""
    refusals = [
        f"the target holds {count} rules named {name!r}: rename or delete all but one there"
        for name, count in Counter(rule["name"] for rule in remote).items()
        if count > 1
    ]
    wanted = {rule["name"] for rule in desired}
    for where, names in (("in the files and named in --prune", wanted), ("named in --prune and in keep", keep)):
        refusals += [f"rule {name!r} is {where}: take it out of one" for name in sorted(prune) if name in names]
    by_name = {rule["name"]: rule for rule in reversed(remote)}
    claims: dict[str, str] = {}  # old name -> new name
    for rule in desired:
        old, new = renamed.get(rule["name"]), rule["name"]
        if old is None or old not in by_name or new in by_name:
            continue
        if old in claims:
            refusals.append(
                f"rules {claims[old]!r} and {new!r} are both renamed from {old!r}: correct renamedFrom of one"
            )
        claims.setdefault(old, new)
    pairs = []
    for rule in desired:
        name = rule["name"]
        old = renamed.get(name, name)
        if claims.get(old) == name:
            pairs.append(Pair(rule, by_name[old]))
        elif name in by_name and name not in claims:
            pairs.append(Pair(rule, by_name[name]))
        else:
            if old != name and old in by_name and name in claims:
                refusals.append(
                    f"rule {name!r} is renamed from {old!r} while {claims[name]!r} is renamed from {name!r}: "
                    "deploy one renaming after the other"
                )
            pairs.append(Pair(rule, None))
    taken = {pair.remote["id"] for pair in pairs if pair.remote}
    kept = []
    for rule in remote:
        name = rule["name"]
        if rule["id"] in taken:
            continue
        if name in prune:
            pairs.append(Pair(None, rule))
            continue
        kept.append(rule)
        if name not in keep:
            what = (
                f"orphan rule {name!r}, which an earlier deploy created, is in no file"
                if name in owned
                else f"foreign rule {name!r} is on the target and in no file"
            )
            refusals.append(f"{what}: name it in --prune to delete it, or in keep to leave it")
    return pairs, kept, refusals
