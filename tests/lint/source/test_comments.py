"""Comments are found with their places; a ``#`` inside of a value is none."""

from __future__ import annotations

from pathlib import Path

from dialproof.source import read_source

TEXT = """\
# top
rules: # behind a key
  - name: "a # b"   # behind a value
    when: |  # behind the header
      contact.a == "#"
      # inside of the block
    # below the block
    plain: it's#not # behind plain text
    folded: 'one
      # inside of quotes
      two'
    flow: [a, # between items
      b]
# end"""


def comments(text: str) -> list[tuple[int, int, str, bool]]:
    """Return the comments of a text."""
    source = read_source(Path("a.yaml"), "a.yaml", text.encode())
    assert not source.problems
    return [(c.line, c.column, c.text, c.own_line) for c in source.comments]


def test_comments_stand_outside_of_scalars() -> None:
    """Every comment is found once, with its line, column and whether it has the line for itself."""
    assert comments(TEXT) == [
        (1, 1, "# top", True),
        (2, 8, "# behind a key", False),
        (3, 21, "# behind a value", False),
        (4, 14, "# behind the header", False),
        (7, 5, "# below the block", True),
        (8, 21, "# behind plain text", False),
        (12, 15, "# between items", False),
        (14, 1, "# end", True),
    ]


def test_comments_of_files_with_windows_line_ends() -> None:
    """A carriage return belongs to no comment and shifts no line."""
    assert comments("a: 1 # x\r\n# y\r\n") == [(1, 6, "# x", False), (2, 1, "# y", True)]


def test_a_json_file_has_no_comments() -> None:
    """A ``#`` in JSON is always part of a text."""
    assert read_source(Path("a.json"), "a.json", b'{"a": "# b"}').comments == ()
