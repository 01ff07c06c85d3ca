from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.errors import RemoteError
from dialproof_deploy.api.token import TokenSource

if TYPE_CHECKING:
    from target_fakes import Clock


class Issuer:
    """Hands out t1, t2, ... and counts."""

    def __init__(self, expires_in: float = 3600) -> None:
        self.expires_in = expires_in
        self.issued = 0

    def __call__(self) -> dict[str, Any]:  # noqa: D102
        self.issued += 1
        return {"access_token": f"t{self.issued}", "token_type": "bearer", "expires_in": self.expires_in}


def test_one_token_until_five_minutes_before_its_end(clock: Clock) -> None:
    """The token is used again until less than five minutes are left, and then renewed."""
    source = TokenSource(Issuer(3600), clock=clock)
    assert [source.token(), source.token()] == ["t1", "t1"]
    clock.seconds += 3299
    assert source.token() == "t1"
    clock.seconds += 2
    assert source.token() == "t2"


def test_a_short_lived_token_is_not_renewed_before_each_request(clock: Clock) -> None:
    """A token that never has five minutes left serves half of its life."""
    source = TokenSource(Issuer(60), clock=clock)
    source.token()
    clock.seconds += 29
    assert source.token() == "t1"
    clock.seconds += 2
    assert source.token() == "t2"


def test_a_refused_token_is_renewed_once_for_all_threads(clock: Clock) -> None:
    """Many threads that met a 401 with one token cause one renewal."""
    issuer = Issuer()
    source = TokenSource(issuer, clock=clock)
    refused = source.token()
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(source.renew(refused))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["t2"] * 8
    assert issuer.issued == 2


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"access_token": "", "expires_in": 60},
        {"access_token": "  ", "expires_in": 60},
        {"access_token": None, "expires_in": 60},
        {"access_token": "x\r\ny", "expires_in": 60},
        {"access_token": "x"},
        {"access_token": "x", "expires_in": "soon"},
        {"access_token": "x", "expires_in": 0},
    ],
)
def test_an_answer_without_a_usable_token_is_a_failure(answer: dict[str, Any], clock: Clock) -> None:
    """An empty token is never sent."""
    with pytest.raises(RemoteError):
        TokenSource(lambda: answer, clock=clock).token()


def test_repr_hides_the_token(clock: Clock) -> None:
    """The token cannot leak by a log of the object."""
    source = TokenSource(Issuer(), clock=clock)
    assert source.token() not in repr(source)
