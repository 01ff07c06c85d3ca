"""Places that rules are deployed to, and what each of them must offer."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from dialproof.errors import RemoteError, UsageError
from dialproof.targets import campaign_rules as rules
from dialproof.targets import rulesets as rule_sets
from dialproof.targets.base import TargetType
from dialproof.targets.registry import target_types
from dialproof.targets.rulesets_reading import read_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from dialproof.config import Environment
    from dialproof_deploy.api.client import ApiClient
    from dialproof_deploy.api.credentials import Credentials, Service

__all__ = [
    "CAMPAIGN_RULES",
    "RULESETS",
    "AtomicTarget",
    "StoredOtherwiseError",
    "Target",
    "Written",
    "open_target",
    "target_of",
    "target_types",
]


@dataclass(frozen=True)
class Written:
    """A write that was made: the rule as the server now holds it (``None`` once deleted) and the request id.

    ``request_id`` is ``None`` where the answer was lost and the write was found to be made by reading again.
    """

    rule: dict[str, Any] | None
    request_id: str | None


class StoredOtherwiseError(RemoteError):
    """A write was made, and the server holds something else than was sent: ``written`` is what it holds."""

    def __init__(self, message: str, written: Written) -> None:
        super().__init__(message)
        self.written = written


class Target(Protocol):
    """A place that holds the rules of campaigns.

    Rules are wire rules (see ``dialproof_deploy.targets.wire``). Every method raises ``RemoteError`` where the target
    cannot be reached or refuses, and a write raises ``RemoteConflictError`` where the target is not in the state
    that the write was planned against, and ``StoredOtherwiseError`` where it was made but not as it was sent.
    """

    def list_rules(self, campaign_id: str) -> list[dict[str, Any]]:
        """Return every rule of the campaign, following the pages to the end."""

    def get_rule(self, campaign_id: str, rule_id: str) -> dict[str, Any]:
        """Return one rule."""

    def create_rule(self, campaign_id: str, rule: Mapping[str, Any]) -> Written:
        """Create a rule from its content; one whose answer is lost is looked up by name before another try."""

    def update_rule(self, campaign_id: str, planned_from: Mapping[str, Any], rule: Mapping[str, Any]) -> Written:
        """Write the content of ``rule`` over the stored rule ``planned_from``, with the next version."""

    def delete_rule(self, campaign_id: str, planned_from: Mapping[str, Any]) -> Written:
        """Delete the stored rule ``planned_from``, unless somebody has changed it."""

    def query_events(self, campaign_id: str, interval: str = "24h") -> Iterator[dict[str, Any]]:
        """Yield the campaign's rule events of the interval, following the pages to the end."""


class AtomicTarget(Target, Protocol):
    """A target that holds rules in rule sets, each of which is written whole.

    Where the methods of ``Target`` name a campaign they take the name of a rule set, and what they read and write are
    documents (see ``dialproof_deploy.targets.documents``).
    """

    def use_sets_in(self, campaigns: Mapping[str, Sequence[str]]) -> None:
        """Take note of which campaigns (ids) are to use which rule set (name)."""

    def list_each(self, names: Sequence[str]) -> list[list[dict[str, Any]]]:
        """Return what ``list_rules`` does of each rule set; what is common to them is read once."""

    def diagnostics(self, campaign_id: str) -> list[str]:
        """Return what the target warns of in the rule sets of a campaign."""


def _say(sentence: str) -> None:
    with suppress(OSError):
        print(sentence, file=sys.stderr)


@contextmanager
def _client(credentials: Credentials, environment: Environment, http_log: Path | None) -> Iterator[ApiClient]:
    """Log in; raises ``RefusedError`` where the credentials belong to another organisation than the configured one."""
    from dialproof_deploy.api.client import ApiClient
    from dialproof_deploy.api.errors import UnreachableError
    from dialproof_deploy.api.organization import check_organization

    retry = environment.retry
    with ApiClient(
        credentials.base_url,
        credentials,
        http_log=http_log,
        max_attempts=retry.tries,
        backoff_multiplier=retry.backoff,
        rate_per_minute=retry.requestsPerMinute,
        ca_bundle=environment.ca_bundle,
        say=_say,
    ) as client:
        try:
            client.login()
        except UnreachableError as error:
            where = f"environment {environment.name!r}: check base_url, or region, and the proxy (HTTPS_PROXY)"
            raise UnreachableError(f"{error}; {where}") from None
        check_organization(client, environment)
        yield client


@contextmanager
def open_target(credentials: Credentials, environment: Environment, http_log: Path | None) -> Iterator[Target]:
    """Log in to a server of the environment's contract and give the target; raises as ``connect`` does."""
    from dialproof_deploy.targets.campaign_rules import CampaignRulesTarget
    from dialproof_deploy.targets.rulesets import RuleSetsTarget

    with _client(credentials, environment, http_log) as client:
        yield RuleSetsTarget(client) if environment.target == rule_sets.NAME else CampaignRulesTarget(client)


@contextmanager
def _connect(environment: Environment, environ: Mapping[str, str], http_log: Path | None) -> Iterator[Target]:
    with open_target(_credentials(environment, environ), environment, http_log) as target:
        yield target


def _credentials(environment: Environment, environ: Mapping[str, str]) -> Credentials:
    from dialproof_deploy.api.credentials import read_credentials

    return read_credentials(
        environ,
        environment.name,
        base_url=environment.base_url,
        region=environment.region,
        service=_service(environment),
    )


def _missing_variables(environment: Environment, environ: Mapping[str, str]) -> list[str]:
    from dialproof_deploy.api.credentials import missing_variables

    host = environment.base_url or environment.region
    missing = missing_variables(environ, environment.name, host=host, service=_service(environment))
    if not missing:  # what is there must be usable
        _credentials(environment, environ)
    return missing


def _service(environment: Environment) -> Service:
    from dialproof_deploy.api import credentials

    return credentials.RULESETS if environment.target == rule_sets.NAME else credentials.CAMPAIGN_RULES


CAMPAIGN_RULES = TargetType(
    rules.NAME,
    lower=rules.lower_campaign,
    read=lambda wire, _: rules.read_rule(wire),
    suppresses=rules.suppresses,
    connect=_connect,
    missing_variables=_missing_variables,
)

RULESETS = TargetType(
    rule_sets.NAME,
    lower=rule_sets.lower_campaign,
    read=read_rule,
    suppresses=rule_sets.suppresses,
    connect=_connect,
    missing_variables=_missing_variables,
    longest_name=rule_sets.LONGEST_NAME,
    atomic=True,
    holder=rule_sets.rule_set_name,
    platform=True,
)


def target_of(environment: Environment) -> TargetType:
    """Return the target type of an environment; raises ``UsageError`` for one that rules cannot be deployed to."""
    types = target_types()
    where, found = f"environment {environment.name!r}", types.get(environment.target)
    if found is None:
        known = ", ".join(name for name, target_type in types.items() if target_type.connect is not None)
        raise UsageError(f"{where}: there is no target {environment.target!r}; there are {known}")
    if found.connect is None:
        raise UsageError(
            f"{where}: rules cannot be deployed to the target {found.name!r}; "
            f"'dialproof lint --target {found.name}' says what of them it cannot hold"
        )
    return found
