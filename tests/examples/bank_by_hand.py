"""The rules of examples/bank_campaign once more, twice: in Python and in SQL, each from the English descriptions.

Nothing here imports dialproof or reads its files. A rule that changes there has to change here, in both languages. The
two counts share the names of rules and lists, and which rule fills which list; every condition is written twice.
"""

from __future__ import annotations

import csv
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["Counts", "count_in_python", "count_in_sql"]

Row = dict[str, str]

SUPPRESSING: Mapping[str, tuple[Callable[[Row], bool], str]] = {
    "attempt_limit": (lambda r: int(r["campaign"]) >= 6, "campaign >= 6"),
    "contacted_this_week": (lambda r: int(r["pdays"]) < 7, "pdays < 7"),
    "cool_off_after_refusal": (
        lambda r: r["poutcome"] == "failure" and int(r["pdays"]) < 30,
        "poutcome = 'failure' AND pdays < 30",
    ),
    "refused_for_good": (
        lambda r: r["poutcome"] == "failure" and int(r["previous"]) >= 3,
        "poutcome = 'failure' AND previous >= 3",
    ),
    "credit_in_default": (lambda r: r["default"] == "yes", "\"default\" = 'yes'"),
    "minors": (lambda r: int(r["age"]) < 18, "age < 18"),
    "summer_landlines": (
        lambda r: r["contact"] == "telephone" and r["month"] in ("jul", "aug"),
        "contact = 'telephone' AND month IN ('jul', 'aug')",
    ),
    "quiet_december": (
        lambda r: r["month"] == "dec" and r["poutcome"] == "nonexistent",
        "month = 'dec' AND poutcome = 'nonexistent'",
    ),
    "no_fourth_call_on_friday": (
        lambda r: r["day_of_week"] == "fri" and int(r["campaign"]) >= 3,
        "day_of_week = 'fri' AND campaign >= 3",
    ),
}
"""Rule -> whether it matches a row of the export, and the same as an SQL condition."""

ROUTING: Mapping[str, tuple[Callable[[Row], bool], str]] = {
    "loyal_customers": (lambda r: r["poutcome"] == "success", "poutcome = 'success'"),
    "senior_desk": (lambda r: int(r["age"]) >= 65, "age >= 65"),
    "young_savers": (lambda r: r["job"] == "student" and int(r["age"]) < 30, "job = 'student' AND age < 30"),
    "evening_callback": (lambda r: 2 <= int(r["campaign"]) <= 5, "campaign BETWEEN 2 AND 5"),
    "at_home_by_day": (
        lambda r: r["job"] in ("housemaid", "retired", "unemployed"),
        "job IN ('housemaid', 'retired', 'unemployed')",
    ),
    "lost_history": (lambda r: int(r["previous"]) >= 1 and r["pdays"] == "999", "previous >= 1 AND pdays = 999"),
    "business_skills": (
        lambda r: r["job"] in ("entrepreneur", "management", "self-employed"),
        "job IN ('entrepreneur', 'management', 'self-employed')",
    ),
    "fixed_rate_offer": (lambda r: float(r["euribor3m"]) >= 4, "euribor3m >= 4"),
    "flexible_offer": (
        lambda r: float(r["euribor3m"]) < 4 and float(r["emp.var.rate"]) < 0,
        'euribor3m < 4 AND "emp.var.rate" < 0',
    ),
    "mobile_caller_id": (lambda r: r["contact"] == "cellular", "contact = 'cellular'"),
    "landline_caller_id": (lambda r: r["contact"] == "telephone", "contact = 'telephone'"),
}

RULES = {**SUPPRESSING, **ROUTING}

ON_LIST = {
    "premium_desk": ("loyal_customers", ""),
    "senior_desk": ("senior_desk", ""),
    "young_savers": ("young_savers", ""),
    "evening_callback": ("evening_callback", "at_home_by_day"),
    "data_quality": ("lost_history", ""),
}
"""List -> the rule that puts contacts on it, and the later one that takes them off again."""

OFFERS = {"fixed_rate": "fixed_rate_offer", "flexible": "flexible_offer"}

_NUMBERS = {
    "age",
    "duration",
    "campaign",
    "pdays",
    "previous",
    "emp.var.rate",
    "cons.price.idx",
    "cons.conf.idx",
    "euribor3m",
    "nr.employed",
}


@dataclass(frozen=True)
class Counts:
    """How many contacts each rule matched, are on each list, got each offer, and are dialed; no zeros are left out."""

    contacts: int
    matched: dict[str, int]
    lists: dict[str, int]
    offers: dict[str, int]
    dialed: int


def count_in_python(path: Path) -> Counts:
    """Count with the csv module and the predicates above."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    matched: Counter[str] = Counter()
    lists: Counter[str] = Counter()
    offers: Counter[str] = Counter()
    dialed = 0
    for row in rows:
        hits = {name for name, (matches, _) in RULES.items() if matches(row)}
        matched.update(hits)
        lists.update(name for name, (on, off) in ON_LIST.items() if on in hits and off not in hits)
        offers.update(offer for offer, rule in OFFERS.items() if rule in hits)
        dialed += not hits & SUPPRESSING.keys()
    return Counts(
        contacts=len(rows),
        matched={name: matched[name] for name in RULES},
        lists={name: lists[name] for name in ON_LIST},
        offers={name: offers[name] for name in OFFERS},
        dialed=dialed,
    )


def count_in_sql(path: Path) -> Counts:
    """Count with SQLite and the conditions above."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file, delimiter=";")
    columns = ", ".join(f'"{name}" {"REAL" if name in _NUMBERS else "TEXT"}' for name in header)
    marks = ", ".join("?" * len(header))
    sql = {name: condition for name, (_, condition) in RULES.items()}
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute(f"CREATE TABLE contacts ({columns})")
        base.executemany(f"INSERT INTO contacts VALUES ({marks})", rows)

        def count(condition: str) -> int:
            (number,) = base.execute(f"SELECT count(*) FROM contacts WHERE {condition}").fetchone()
            return int(number)

        return Counts(
            contacts=count("TRUE"),
            matched={name: count(condition) for name, condition in sql.items()},
            lists={
                name: count(f"({sql[on]}) AND NOT ({sql[off] if off else 'FALSE'})")
                for name, (on, off) in ON_LIST.items()
            },
            offers={name: count(sql[rule]) for name, rule in OFFERS.items()},
            dialed=count(" AND ".join(f"NOT ({sql[name]})" for name in SUPPRESSING)),
        )
