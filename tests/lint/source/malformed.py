"""Malformed projects: every file of the examples spoilt at each of its places, and files that are nasty on purpose.

All of it is derived from what stands in ``examples/`` and in ``malformed_by_hand``, so that the same projects come out
each time. The suite lints a part of them; ``python -m tests.lint.source.malformed`` lints all.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import re
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from dialproof.cli import main
from tests.lint.source.malformed_by_hand import GOOD, NASTY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Malformed", "by_hand", "faults", "mutated"]

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
CONFIGURATION = """\
select = ["DP"]
ignore = ["DP104"]
exclude = ["monitoring/**"]
fail-on = "warning"
[severity]
DP202 = "error"
[checks.DP301]
budget = 100
[per-file-ignores]
"legacy/*.rules.yaml" = ["DP305"]
[campaigns.cmp_123]
rules = ["premium.rules.yaml"]
[semantics]
undecided = "refuseToDial"
caseSensitive = true
tieBreak = "error"
[gate]
coverage = "rules"
maxConflictRate = 0.0
maxAgeHours = 24
[[gate.accept]]
code = "DP301"
rules = ["high_value_contact_routing", "new_lead_routing"]
reason = "both are wanted"
until = 2026-12-31
[inventory]
lists = ["premium_agent_list_id", "warm_desk_list_id"]
[environments.prod]
target = "campaign-rules"
region = "us-west-2"
requires = "sandbox"
keep = ["r"]
freeze = ["Fri 15:00-Mon 08:00 America/Denver"]
retry = {tries = 5, backoff = 2.0, requestsPerMinute = 300}
[environments.prod.ids]
campaigns = {cmp_123 = "8f2f0e5c"}
"""
"""A configuration with every kind of key, for the example ``premium_routing``."""

WRONG = (
    "5", "-1", "1.5", "1e999", "9" * 5000, '"1"', "text", '""', "true", "null", "~", "[]", "{}", "[[1, {a: [b]}]]",
    "{x: {y: 1}}", "2026-01-01", "2026-02-30T25:61:00", "*nowhere", "&a [*a]", "!!binary aGk=", "!!set {a}", "0x1F",
    ".nan", "1_000", "yes", "\U0001f4de", "\u202etxet", "'\ud7ff'", "|\n   block\n  less", "? [a]\n: b",
)  # fmt: skip
"""Values for a place where another kind is expected."""
BYTES = (
    b"\x00", b"\x07", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xe2\x80\xae", b"\xc2\x85",
    b"\t", b"\r", b"\r\n\t", b'"', b"'", b"{", b"]", b": ", b"- ", b"#", b"&a ", b"*a", b"!!x ", b"%", b"@", b"`",
    b"\x1b[31m", b"\\", b"\n...\n", b"\n---\n", b"\xf0\x9f\x93\x9e", b"<<: ", b"| ", b"\x7f", b"\xff\xfe",
)  # fmt: skip
"""Pieces that are put somewhere into a good file."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A project in which one file is malformed; ``code`` is the exit code that lint must end with, if it is known."""

    name: str
    files: Mapping[str, bytes]
    code: int | None = None

    def __str__(self) -> str:
        """Return the name, for parametrised tests."""
        return self.name

    def write(self, folder: Path) -> None:
        """Write the project into a folder."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def _projects() -> Iterator[tuple[str, dict[str, bytes]]]:
    for name in ("premium_routing", "phone_demo/mended", "bank_campaign"):
        paths = sorted(p for p in (EXAMPLES / name).iterdir() if p.suffix in (".yaml", ".csv", ".toml"))
        files = {p.name: p.read_bytes() for p in paths}
        yield name, files | ({"dialproof.toml": CONFIGURATION.encode()} if name == "premium_routing" else {})


def by_hand() -> Iterator[Malformed]:
    """Yield projects of one file that somebody would have to think of."""
    for name, (file, content, code) in NASTY.items():
        rules = {"a.rules.yaml": GOOD} if file.endswith(".toml") else {}
        yield Malformed(name, {**rules, file: content}, code)


def mutated() -> Iterator[Malformed]:
    """Yield each file of the examples with one thing wrong in it, the rest of its project left as it is."""
    for project, files in _projects():
        for file, content in files.items():
            seen = {content}
            for what, spoilt in _spoilt(file, content.decode()):
                if spoilt not in seen:
                    seen.add(spoilt)
                    yield Malformed(f"{project}/{file}: {what}", {**files, file: spoilt})


def _spoilt(file: str, text: str) -> Iterator[tuple[str, bytes]]:
    if file.endswith(".yaml"):
        yield from _by_node(text)
    elif file.endswith(".toml"):
        yield from _by_setting(text)
    else:
        yield from _by_cell(text)
    yield from _cut_off(text)
    yield from _inserted(text.encode())
    yield from _recoded(text)


_PLACE = re.compile(r"(?<=[^\W\d_])\b|(?<=\d)\b|(?<=[^\w\s])|(?<=\n)|(?<=[ ])", re.ASCII)


def _cut_off(text: str) -> Iterator[tuple[str, bytes]]:
    """Cut the text behind each kind of place: what stands left and right of it, and how deep."""
    seen = set()
    for match in _PLACE.finditer(text):
        at = match.start()
        kind = tuple(re.sub(r"\w", "x", text[max(at - 3, 0) : at + 1]))
        if at and kind not in seen:
            seen.add(kind)
            yield f"cut off at {at}", text[:at].encode()


def _inserted(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Put each piece at the beginning, at the end, into a word, before an indentation and behind one."""
    middle = len(content) // 2
    line = content.index(b"\n", middle) + 1
    word = re.compile(rb"\w\w").search(content, middle)
    indented = re.compile(rb"^ +", re.MULTILINE).search(content, middle)
    places = {"at the beginning": 0, "at the end": len(content), "at a line": line}
    if word is not None:
        places["in a word"] = word.start() + 1
    if indented is not None:
        places["in an indentation"] = indented.end() - 1
    for piece in BYTES:
        for where, at in places.items():
            yield f"{piece!r} {where}", content[:at] + piece + content[at:]


def _recoded(text: str) -> Iterator[tuple[str, bytes]]:
    """Write the text in other encodings and with other ends of lines."""
    strange = text.replace("e", "é", 3)
    for encoding in ("utf-16", "utf-16-be", "utf-32", "utf-7", "latin-1", "cp037"):
        yield encoding, strange.encode(encoding, "replace")
    yield "UTF-8 twice", strange.encode().decode("latin-1").encode()
    yield "two marks", codecs.BOM_UTF8 * 2 + text.encode()
    for name, end in {
        "CR": "\r",
        "CR LF": "\r\n",
        "NEL": "\x85",
        "LS": "\u2028",
        "form feed": "\f",
        "none": " ",
    }.items():
        yield f"ends of lines are {name}", text.replace("\n", end).encode()
    lines = text.splitlines()
    mixed = "".join(line + ("\n", "\r\n", "\r", "\n\r")[n % 4] for n, line in enumerate(lines))
    yield "mixed ends of lines", mixed.encode()
    yield "tabs for spaces", text.replace("  ", "\t").encode()
    yield "no-break spaces", text.replace("  ", "\u00a0 ").encode()
    yield "twice", (text + text).encode()
    yield "backwards", text[::-1].encode()


def _by_node(text: str) -> Iterator[tuple[str, bytes]]:
    """Change each key and each value of a YAML text once by its path; places in lists count as one."""
    seen: set[str] = set()
    wrong = 0

    def walk(node: yaml.Node, path: str) -> Iterator[tuple[str, bytes]]:
        nonlocal wrong
        if isinstance(node, yaml.SequenceNode):
            for item in node.value:
                yield from change(item, f"{path}[]")
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                place = f"{path}.{key.value}"
                if place not in seen:
                    start, end, close = key.start_mark.index, key.end_mark.index, _end(text, value)
                    entry = text[start:close]
                    yield f"{place} misspelt", _with(text, start, end, key.value + "s")
                    yield f"{place} twice", _with(text, close, close, _again(text, start, entry))
                    yield f"{place} left out", _with(text, start, close, "")
                    yield f"{place} without a value", _with(text, end, close, ":")
                    yield f"{place} as a list", _with(text, start, end, "? [a]\n:")
                yield from change(value, place)

    def change(node: yaml.Node, path: str) -> Iterator[tuple[str, bytes]]:
        nonlocal wrong
        if path not in seen:
            seen.add(path)
            for _ in range(len(WRONG)):
                value = WRONG[wrong % len(WRONG)]
                wrong += 1
                yield f"{path} is {value[:20]!r}", _with(text, node.start_mark.index, _end(text, node), value)
        yield from walk(node, path)

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    yield from walk(root, "")


def _end(text: str, node: yaml.Node) -> int:
    """Return where a node ends: PyYAML ends block collections at the next token."""
    start, end = node.start_mark.index, node.end_mark.index
    return start + len(re.sub(r"(\s|^\s*#.*$)*\Z", "", text[start:end], flags=re.MULTILINE))


def _again(text: str, start: int, entry: str) -> str:
    line = text[text.rfind("\n", 0, start) + 1 : start]
    return f"\n{' ' * len(line)}{entry}" if not line.strip(" -") else f", {entry}"


def _with(text: str, start: int, end: int, piece: str) -> bytes:
    return (text[:start] + piece + text[end:]).encode("utf-8", "surrogatepass")


_SETTING = re.compile(r"^([^=\[\n#]+=\s*)(.*)$|^\[+(.*?)\]+$", re.MULTILINE)


def _by_setting(text: str) -> Iterator[tuple[str, bytes]]:
    """Change each value and each table of a TOML text."""
    wrong = ("5", "-1", "1.5", "inf", "nan", "9" * 5000, '""', '"x"', "true", "[]", "{}", "[[1]]", '["x"]',
             "{x = {y = 1}}", "2026-01-01", "07:30:00", "1979-05-27T07:32:00Z", "'''\n", '"\\ud800"')  # fmt: skip
    for match in _SETTING.finditer(text):
        if match[1] is None:
            yield f"table {match[3]} misspelt", _with(text, match.start(3), match.end(3), match[3] + "s")
            yield f"table {match[3]} twice", _with(text, match.end(), match.end(), f"\n{match[0]}")
            yield f"table {match[3]} in a table", _with(text, match.start(3), match.end(3), f"{match[3]}.x.y")
            continue
        key = match[1].strip(" =")
        yield f"{key} misspelt", _with(text, match.start(1), match.end(1), f"{key}s = ")
        yield f"{key} twice", _with(text, match.end(), match.end(), f"\n{match[0]}")
        for value in wrong:
            yield f"{key} is {value[:20]!r}", _with(text, match.start(2), match.end(2), value)


def _by_cell(text: str) -> Iterator[tuple[str, bytes]]:
    """Change the header, one row and the separators of a CSV text."""
    lines = text.splitlines()
    header, row = lines[0].split(";"), lines[1].split(";")
    wrong = ("", "5", "x|y", '"', '"a"b', "a\nb", "-", "=1+1", "\U0001f4de", "\u202e", "true|false", "é" * 70_000)
    for number, name in enumerate(header):
        for what, value in (
            ("without a name", ""),
            ("misspelt", name + "s"),
            ("twice", f"{name};{name}"),
            ("open", '"' + name),
        ):
            yield (
                f"{name} {what}",
                "\n".join([";".join([*header[:number], value, *header[number + 1 :]]), *lines[1:]]).encode(),
            )
        for value in wrong:
            changed = ";".join([*row[:number], value, *row[number + 1 :]])
            yield f"{name} is {value[:20]!r}", "\n".join([lines[0], changed, *lines[2:]]).encode()
    for name in (
        "expect.",
        "expect.contact.",
        "expect.lists.",
        "expect.nothing",
        "contact.",
        ".",
        "..",
        "expect.matched.x",
    ):
        yield f"a column {name!r}", "\n".join([f"{lines[0]};{name}", *(f"{line};1" for line in lines[1:])]).encode()
    yield "a short row", "\n".join([*lines[:2], ";".join(row[:3]), *lines[2:]]).encode()
    yield "a long row", "\n".join([*lines[:2], ";".join([*row, "x", "y"]), *lines[2:]]).encode()
    yield "an empty row", "\n".join([*lines[:2], "", *lines[2:]]).encode()
    yield "commas in the rows", "\n".join([lines[0], *(line.replace(";", ",") for line in lines[1:])]).encode()
    yield "tabs", text.replace(";", "\t").encode()
    yield "only the header", lines[0].encode()


_SHOWN = re.compile(r"^dialproof: error: (\S+\.toml):(\d+): ", re.MULTILINE)


def faults(malformed: Malformed, folder: Path) -> list[str]:
    """Lint a project in an empty folder, made the current one; return all that is not as it has to be.

    The exit code is a documented one, and that of the project where it has one; nothing is said of an internal error;
    every finding has a beginning inside of its file and an end behind it.
    """
    malformed.write(folder)
    os.chdir(folder)
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["lint", "--output-format", "full", "--output-format", "json=lint.json"])
    said = out.getvalue() + err.getvalue()
    found = [] if code in (0, 1, 2, 3) else [f"exit code {code}"]
    found += [f"exit code {code}, expected {malformed.code}"] if malformed.code not in (None, code) else []
    found += [f"says {word!r}" for word in ("Traceback", "internal error", "this is a defect") if word in said]
    if code == 2:
        places = [(file, int(line)) for file, line in _SHOWN.findall(said)]
        return found + [f"line {n} of {file}" for file, n in places if not 1 <= n <= len(_lines(folder / file))]
    for finding in json.loads((folder / "lint.json").read_text("utf-8"))["findings"]:
        lines = _lines(folder / finding["path"])
        start, end = (finding["line"], finding["column"]), (finding["end_line"], finding["end_column"])
        if not (_is_inside(lines, *start, 1) and _is_inside(lines, *end, 2) and start < end):
            found.append(f"{finding['code']} {finding['summary']!r} at {start} to {end}")
    return found


def _lines(path: Path) -> list[str]:
    """Return the lines of a file as editors count them."""
    return re.split(r"\r\n|\n|\r", path.read_bytes().decode("utf-8-sig", "replace"))


def _is_inside(lines: list[str], line: int, column: int, past: int) -> bool:
    """Tell whether a place is in the text or at most ``past`` columns behind the last character of its line."""
    return 1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + past


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    count = wrong = 0
    for each in (*by_hand(), *mutated()):
        count += 1
        with TemporaryDirectory() as place:
            for fault in faults(each, Path(place)):
                wrong += 1
                print(f"{each}: {fault}")
            os.chdir("/")
    print(f"{count} malformed projects, {wrong} faults")
    raise SystemExit(bool(wrong))
