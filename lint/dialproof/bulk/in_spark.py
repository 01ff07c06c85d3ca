"""Rules run by Spark: the outcomes of contacts that a cluster holds (extra ``spark``; it needs a JVM 17 or later)."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.bulk import check_installed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from dialproof.model.rules import Category

__all__ = ["outcomes"]


def outcomes(
    contacts: DataFrame,
    rules: Path | str = ".",
    *,
    campaign: str | None = None,
    category: Category = "preCall",
    now: str | None = None,
    time_zone: str | None = None,
) -> DataFrame:
    """Return contacts with the columns of their outcomes under the rules of a file or a project.

    These are ``dial``, ``reason``, ``failure``, ``list NAME``, ``matched RULE`` and ``undecided RULE``. ``campaign``,
    ``category``, ``now`` and ``time_zone`` are those of ``dialproof backtest``. Nothing is computed before the
    DataFrame is asked for. A rule that is decided by its row function is warned of: that runs in Python on the
    executors, where dialproof has to be installed as well.

    Raises :class:`dialproof.errors.UsageError` for rules that cannot be run so and where it is not one campaign,
    :class:`dialproof.errors.InputError` for rules with errors.
    """
    check_installed("spark")
    from dialproof.bulk.engines import Spark
    from dialproof.bulk.lazy import lazy_outcomes
    from dialproof.bulk.run import BulkEvaluator
    from dialproof.cli.inputs import campaign_in, config_for

    where = Path(rules)
    _, evaluator = campaign_in(config_for([where]), where, campaign, [])
    bulk = BulkEvaluator(evaluator, category=category, now=now, time_zone=time_zone)
    found: DataFrame = lazy_outcomes(bulk, contacts, Spark())
    for rule, why in bulk.by_row.items():
        warnings.warn(f"{rule} is decided contact by contact, not by columns: {why}", stacklevel=2)
    return found
