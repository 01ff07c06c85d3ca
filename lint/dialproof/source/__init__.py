"""Reading input files: bytes to nodes that know file, line and column, with everything wrong as problems.

The content of a file never raises: what cannot be read is a DP101 problem with its place.
"""

from __future__ import annotations

import gc
import hashlib
import re
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from dialproof.source.nodes import Entry, Mapping, Node, Scalar, Sequence, SourceText
from dialproof.source.positions import Problem, Problems, Span
from dialproof.source.tree import TreeBuilder, UnreadableError
from dialproof.source.yaml_reader import Remarks, Stretch, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dialproof.findings import Edit, Severity

__all__ = [
    "MAX_BYTES",
    "Comment",
    "Entry",
    "Mapping",
    "Node",
    "Note",
    "Notes",
    "Scalar",
    "Sequence",
    "SourceFile",
    "decode",
    "digest_of",
    "paused_gc",
    "read_bytes",
    "read_source",
]

_LINE_END = re.compile(r"[\r\n]|\Z")

MAX_BYTES = 8 * 1024 * 1024
"""The largest YAML or JSON file that is read, in bytes."""


@dataclass(frozen=True, slots=True, order=True)
class Note(Problem):
    """A hint: a problem of severity info that makes no file unusable; ``edits`` repair what it is about."""

    severity: ClassVar[Severity] = "info"
    edits: tuple[Edit, ...] = field(default=(), compare=False)


class Notes(Problems[Note]):
    """Collects the hints of one file; the one that counts the others repairs them all."""

    def __init__(self) -> None:
        super().__init__(Note)
        self._others: list[Edit] = []

    def add(self, path: str, span: Span, code: str, message: str, **more: Any) -> None:
        """Add a hint, or count it and keep its ``edits``."""
        if self.full:
            self._others += more.get("edits", ())
        super().add(path, span, code, message, **more)

    def all(self) -> list[Note]:
        """Return the hints."""
        notes = list(super().all())
        if self._others:
            from dialproof.source.edits import apart

            notes[-1] = replace(notes[-1], edits=apart(self._others))
        return notes


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment: ``text`` from its ``#`` to the end of the line; ``own_line`` where nothing stands before it."""

    line: int
    column: int
    text: str
    own_line: bool


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file as read.

    ``display`` is the path for people and reports; ``digest`` the sha256 (hex) of the bytes, empty where they could
    not be read; ``root`` is None where the content is unreadable. ``problems`` are errors; ``notes`` are hints of
    severity info (code DP102) that make no file unusable.
    """

    path: Path
    display: str
    text: str = field(repr=False)  # a contacts file's text is personal data
    digest: str
    root: Node | None
    problems: tuple[Problem, ...] = ()
    comments: tuple[Comment, ...] = field(default=(), repr=False)
    notes: tuple[Note, ...] = ()


def digest_of(path: Path) -> str | None:
    """Return the sha256 (hex) of the bytes of a file of any size, None where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):  # gone, or no name of a file
        return None


def read_source(path: Path, display: str, data: bytes | None = None) -> SourceFile:
    """Read a YAML file (a JSON file if the name ends in ``.json``), from ``data`` where given; never raises."""
    content = read_bytes(path, MAX_BYTES) if data is None else data
    if isinstance(content, str):
        return _unreadable(path, display, "", Span.point(1, 1), content)
    digest = hashlib.sha256(content).hexdigest()
    if len(content) > MAX_BYTES:
        return _unreadable(path, display, digest, Span.point(1, 1), _too_large(len(content), MAX_BYTES))
    decoded = decode(content)
    if not isinstance(decoded, str):
        return _unreadable(path, display, digest, *decoded)
    source = SourceText(decoded)
    builder = TreeBuilder(source)
    remarks = Remarks([], [])
    failure: Problem | None = None
    with paused_gc():
        try:
            if path.suffix.lower() == ".json":
                from dialproof.source.json_reader import read_json

                read_json(source, builder)
            else:
                remarks = read_yaml(source, builder)
            if builder.root is None or (isinstance(builder.root, Scalar) and not builder.root.text):
                raise UnreadableError(0, "the file is empty")
        except UnreadableError as error:
            where = source.span(error.offset, error.offset)
            failure = Problem(display, where, "DP101", error.message)
        is_json = path.suffix.lower() == ".json"
        problems = [Problem(display, source.span(a, b), "DP101", m) for a, b, m in builder.duplicates]
        return SourceFile(
            path=path,
            display=display,
            text=decoded,
            digest=digest,
            root=None if failure else builder.root,
            problems=tuple([*problems, failure] if failure else problems),
            comments=() if failure or is_json else tuple(_comments(source, remarks.hidden)),
            notes=() if failure else _notes(display, source, remarks.ambiguous),
        )


def read_bytes(path: Path, limit: int) -> bytes | str:
    """Return the bytes of a file, or the sentence that says why not (missing, no regular file, above ``limit``)."""
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            return "cannot be read: found a folder, expected a file"
        if not stat.S_ISREG(kind):  # opening a pipe would wait for somebody to write
            return "cannot be read: found a pipe, socket or device, expected a file"
        with path.open("rb") as file:
            content = file.read(limit + 1)
            if len(content) > limit:
                return _too_large(path.stat().st_size, limit)
            return content
    except OSError as error:
        return f"cannot be read: {error.strerror or type(error).__name__}"


def decode(content: bytes) -> str | tuple[Span, str]:
    """Return UTF-8 text without its byte order mark, or the place and the sentence of the first wrong byte."""
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8").removeprefix("\ufeff")
        place = SourceText(before).place(len(before))
        byte = content[error.start]
        return Span.point(*place), f"found the byte 0x{byte:02x} that is not UTF-8, expected text in UTF-8"


def _too_large(size: int, limit: int) -> str:
    return f"the file has {size:,} bytes, at most {limit:,} are read: split it"


def _unreadable(path: Path, display: str, digest: str, span: Span, message: str) -> SourceFile:
    return SourceFile(path, display, "", digest, None, (Problem(display, span, "DP101", message),))


@contextmanager
def paused_gc() -> Iterator[None]:
    """Keep the cycle collector from walking a growing tree again and again (three times faster)."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _notes(display: str, source: SourceText, ambiguous: list[Stretch]) -> tuple[Note, ...]:
    from dialproof.findings import Edit

    notes = Notes()
    for start, end in ambiguous:
        word, span = source.text[start:end], source.span(start, end)
        message = f'{word} is text here and a boolean to YAML 1.1 readers: write "{word}", or true or false'
        notes.add(display, span, "DP102", message, edits=(Edit(display, span, f'"{word}"'),))
    return tuple(notes.all())


def _comments(source: SourceText, hidden: list[Stretch]) -> Iterator[Comment]:
    """Yield every comment: a ``#`` outside of all scalars, up to the end of its line."""
    text = source.text
    stretches = iter(hidden)
    stretch = next(stretches, None)
    at = text.find("#")
    while at >= 0:
        while stretch is not None and stretch[1] <= at:
            stretch = next(stretches, None)
        if stretch is not None and stretch[0] <= at:
            at = text.find("#", stretch[1])
            continue
        line_end = _LINE_END.search(text, at)
        end = line_end.start() if line_end else len(text)
        line, column = source.place(at)
        own_line = not text[at - column + 1 : at].strip(" \t")
        yield Comment(line, column, text[at:end].rstrip(), own_line)
        at = text.find("#", end)
