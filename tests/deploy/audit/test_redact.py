"""Redaction: registered secrets and personal values do not get through."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus, urlencode

from hypothesis import given
from hypothesis import strategies as st

from dialproof_deploy.api.credentials import Credentials
from dialproof_deploy.api.token import TokenSource
from dialproof_deploy.redact import Redactor, redact

secrets = st.text(st.characters(exclude_characters="[]secrt", codec="utf-8"), min_size=3)


@given(secrets, st.text(), st.text())
def test_a_secret_is_blotted_out_in_every_form(secret: str, before: str, after: str) -> None:
    """A secret does not get through as it is, percent-encoded, in a form body or inside JSON."""
    redactor = Redactor()
    redactor.register_secret(secret)
    for form in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]):
        assert "[secret]" in redactor.redact(before + form + after)
    assert redactor.redact(urlencode({"client_secret": secret})) == "client_secret=[secret]"
    assert redactor.scrub({secret: [1, (secret, None)]}) == {"[secret]": [1, ["[secret]", None]]}
    assert secret not in repr(redactor)


def test_the_longest_value_wins() -> None:
    """A secret that begins with another one does not leave its end behind."""
    redactor = Redactor()
    redactor.register_secret("abcd")
    redactor.register_secret("abcdefgh")
    assert redactor.redact("abcdefgh abcd") == "[secret] [secret]"


def test_personal_values_are_words() -> None:
    """A personal value goes where it stands alone, in texts and numbers, and not inside other words."""
    redactor = Redactor()
    for value in ("Ann", "+13035550123", "3035550123", " ", "7", "409"):
        redactor.register_pii(value)
    assert redactor.redact("Ann Annual +13035550123 a3035550123") == "[pii] Annual [pii] a3035550123"
    assert redactor.scrub({"phone": 3035550123, "status": 409, "n": 7, "ok": True, "x": 1.5}) == {
        "phone": "[pii]",
        "status": 409,
        "n": 7,
        "ok": True,
        "x": 1.5,
    }


def test_a_secret_that_is_also_personal_stays_secret() -> None:
    """Whatever the order of registration, the stricter mask is used."""
    redactor = Redactor()
    redactor.register_pii("hunter22")
    redactor.register_secret("hunter22")
    redactor.register_pii("hunter22")
    assert redactor.redact("xhunter22x") == "x[secret]x"


def test_names_in_a_record_lose_secrets_alone() -> None:
    """Fields that are named are no contact's values; all others, and their keys, lose personal values too."""
    redactor = Redactor()
    redactor.register_secret("hush")
    redactor.register_pii("Ann Lee")
    record = {"rule": ["Ann Lee hush"], "Ann Lee": "Ann Lee hush"}
    assert redactor.scrub_record(record, ["rule"]) == {"rule": ["Ann Lee [secret]"], "[pii]": "[pii] [secret]"}


def test_nothing_registered_changes_nothing() -> None:
    """An empty registry, or an empty secret, leaves texts alone."""
    redactor = Redactor()
    redactor.register_secret("")
    assert redactor.redact("as it is") == "as it is"


def test_the_longest_personal_value_wins_and_begins_where_it_begins() -> None:
    """Values of several words, with signs before them, and one that begins with another."""
    redactor = Redactor()
    for value in ("+1 303 555 0123", "+1 303", "Ann Lee", "Ann", "(x)", "--"):
        redactor.register_pii(value)
    assert redactor.redact("to +1 303 555 0123, +1 303, Ann Lee-Ann; Ann Leeds (x) --") == (
        "to [pii], [pii], [pii]-[pii]; [pii] Leeds [pii] --"
    )


def test_a_hundred_thousand_contacts_are_looked_up_and_not_tried_in_turn() -> None:
    """Texts of the audit are searched word by word: each value is compared only where its first word stands."""
    redactor = Redactor()
    for number in range(100_000):
        redactor.register_pii(f"+1555{number:07}")
    assert redactor.scrub(["to +15550099999 and +15550100000"] * 1000) == ["to [pii] and +15550100000"] * 1000


def test_whoever_learns_a_secret_registers_it() -> None:
    """The client secret, the login header made of it and the access token are known from the moment they are read."""
    Credentials("https://example.org", "an-id", "hush-hush-hush")
    TokenSource(lambda: {"access_token": "t0ken-value", "expires_in": 60}, clock=lambda: 0.0).token()
    basic = base64.b64encode(b"an-id:hush-hush-hush").decode()
    assert redact(f"hush-hush-hush {basic} t0ken-value an-id") == "[secret] [secret] [secret] an-id"
