"""What can be known of a plan or deploy before anything is run: that it could not even begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.errors import UsageError
from dialproof_deploy.api.credentials import missing_message
from dialproof_deploy.api.secret_command import missing_for
from dialproof_deploy.deploy import SANDBOX, environment_of
from dialproof_deploy.targets import target_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.config import Config

__all__ = ["check_environment"]


def check_environment(config: Config, name: str, environ: Mapping[str, str]) -> None:
    """Raise ``UsageError`` for an environment or target that there is not, or settings and variables that are missing.

    Nobody is asked: neither the target, nor the files of the project.
    """
    environment = environment_of(config, name)
    target = target_of(environment)
    if name != SANDBOX and (missing := missing_for(target, environment, environ)):
        raise UsageError(missing_message(name, missing))
