"""Just enough of Rust's lexical grammar for the rules.

In: the text of a .rs file. Out: the same text with comments (and, if asked, the insides of
strings) as spaces, so that positions and line numbers stay true.
Invariant: the output is exactly as long as the input.
"""

import re

_TOKEN = re.compile(
    r"""
    (?P<line>//[^\n]*)
  | (?P<block>/\*)
  | (?P<raw>b?c?r(?P<hashes>\#*)")
  | (?P<string>[bc]?"(?:[^"\\]|\\.)*")
  | (?P<char>b?'(?:[^'\\\n]|\\(?:u\{[^}]*\}|x..|.))')
    """,
    re.VERBOSE | re.DOTALL,
)


def blanked(text: str, strings: bool = False) -> str:
    """The text without its comments; without the insides of its strings too if asked."""
    out, position = [], 0
    while match := _TOKEN.search(text, position):
        start, end, keep = match.start(), match.end(), False
        if match["block"]:
            end = _block_end(text, start)
        elif match["raw"] is not None:
            close = text.find('"' + match["hashes"], end)
            end = len(text) if close < 0 else close + 1 + len(match["hashes"])
            keep = not strings
        elif match["string"] or match["char"]:
            keep = not strings
        out.append(text[position:start])
        out.append(text[start:end] if keep else _spaces(text[start:end], bool(match["line"] or match["block"])))
        position = end
    out.append(text[position:])
    return "".join(out)


def _spaces(text: str, comment: bool) -> str:
    blank = re.sub(r"[^\n]", " ", text)
    return blank if comment else '"' + blank[1:-1] + '"'


def _block_end(text: str, start: int) -> int:
    """Where a block comment ends; they nest."""
    depth = 0
    for match in re.finditer(r"/\*|\*/", text[start:]):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return start + match.end()
    return len(text)


def test_part(code: str) -> int:
    """Where the `#[cfg(test)]` module of a file begins, or the end of the file."""
    found = re.search(r"#\[cfg\((?:test|all\(test[^\]]*)\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))?\s+)?mod\s+\w+\s*\{", code)
    return found.start() if found else len(code)


def closing(code: str, opened: int) -> int:
    """The position of the bracket that closes the one at `opened` (strings blanked)."""
    depth = 0
    for position in range(opened, len(code)):
        if code[position] in "([{":
            depth += 1
        elif code[position] in ")]}":
            depth -= 1
            if depth == 0:
                return position
    return len(code)


def arguments(text: str, blank: str, opened: int) -> list[str]:
    """The arguments between a bracket and its end, split at top-level commas."""
    end, parts, depth, begin = closing(blank, opened), [], 0, opened + 1
    for position in range(opened + 1, end):
        if blank[position] in "([{":
            depth += 1
        elif blank[position] in ")]}":
            depth -= 1
        elif blank[position] == "," and depth == 0:
            parts.append(text[begin:position].strip())
            begin = position + 1
    return [part for part in [*parts, text[begin:end].strip()] if part]
