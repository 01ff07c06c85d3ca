from __future__ import annotations

import pytest
from target_fakes import rule, stored

from dialproof_deploy.targets.wire import content, content_digest, differences, same_content, three_way


def test_server_fields_never_count() -> None:
    """Id, version, selfUri and dates differ between a file and the server, and mean nothing."""
    remote = {**stored("a", 1, version=7), "dateCreated": "2026", "dateModified": "2027"}
    assert same_content(rule("a", 1), remote)
    assert content(remote) == content(rule("a", 1))
    assert content_digest(remote) == content_digest(rule("a", 1))


@pytest.mark.parametrize("extra", [{"description": ""}, {"enabled": True}, {"tags": []}, {"tags": None}])
def test_absent_fields_equal_the_server_default(extra: dict[str, object]) -> None:
    """A field that only the server has is no difference while it holds the default, in either direction."""
    small = {"name": "a", "executionOrder": 1}
    assert same_content(small, small | extra)
    assert same_content(small | extra, small)
    assert content_digest(small) == content_digest(small | extra)


@pytest.mark.parametrize("extra", [{"enabled": False}, {"description": "x"}, {"priority": 0}])
def test_absent_fields_differ_from_anything_else(extra: dict[str, object]) -> None:
    """A disabled rule, a text or a number is no default."""
    small = {"name": "a", "executionOrder": 1}
    assert not same_content(small, small | extra)
    assert content_digest(small) != content_digest(small | extra)


def test_differences_name_the_field_inside_lists() -> None:
    """A changed value in the second action is shown with its path and both values."""
    before = rule("a", 1, actions=[{"type": "x"}, {"type": "setList", "value": "true", "inverted": False}])
    after = rule("a", 1, actions=[{"type": "x"}, {"type": "setList", "value": "false"}])
    assert [str(d) for d in differences(before, after)] == ['actions[1].value: "true" → "false"']


def test_lists_of_different_length_differ_as_a_whole() -> None:
    """A further condition shows the two lists, which is what a reader must compare."""
    (difference,) = differences(rule("a", 1), rule("a", 1, conditions=[]))
    assert difference.field == "conditions"


def test_true_is_not_one() -> None:
    """JSON true and 1 are different values, 1 and 1.0 are the same."""
    assert not same_content({"enabled": True}, {"enabled": 1})
    assert same_content({"priority": 1}, {"priority": 1.0})


def test_three_way_shows_each_side_once_a_field() -> None:
    """The report has a line for each field that either side changed, with what the other did to it."""
    report = three_way(rule("a", 1), rule("a", 1, priority=200), rule("a", 1, priority=300, description="edited"))
    assert report == (
        "  priority: planned from 100, ours 200, theirs 300\n"
        '  description: planned from "", ours (unchanged), theirs "edited"'
    )


def test_a_number_beyond_json_has_no_digest() -> None:
    """A server may add what has no exact JSON form: there is no digest then, and no error."""
    assert content_digest({**rule("a", 1), "counter": 2**60}) is None
