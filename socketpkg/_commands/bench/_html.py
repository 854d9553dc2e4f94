"""The page: the tables and a chart of the ratios, in one file that loads nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from . import _tables
from ._scenario import RAW, STDLIB

LABEL = "Time of each operation as a ratio to the standard library"
CAPTION = (
    "Time as a ratio to the standard library's of the same run, on a logarithmic scale: further left is faster. "
    "A mark is what was reached, the upright line of its colour the goal. Filled: the goal is met, or there is none. "
    "The grey bar is the raw C loop, the lower bound. It is hidden where there is none, or where it is off the scale."
)

#: Per target a colour on light and on dark ground, told apart also by those who do not see colours well: and a shape.
COLOURS = {"c": ("#0b66c3", "#6cb2ff"), "cffi": ("#b35900", "#ffab5e"), "ctypes": ("#7a3fb0", "#c79bf2")}
OTHER = ("#3d6b35", "#8fcf83")
SHAPES = ("circle", "square", "diamond")

WIDTH, LEFT, RIGHT, TOP, LINE = 960, 360, 24, 62, 15
TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --text: #1b1f24; --faint: #6a737d; --rule: #d8dee4; --good: #1a7f37;
  --bad: #c2261d; --band: #f4f6f8; LIGHT }
@media (prefers-color-scheme: dark) { :root { --ground: #14171b; --text: #e4e8ec; --faint: #98a2ad; --rule: #343b43;
  --good: #5fd07e; --bad: #ff8077; --band: #1b2026; DARK } }
body { background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto;
  max-width: 1000px; padding: 0 1rem; }
p, figcaption { color: var(--faint); }
figure { margin: 1.5rem 0; }
svg { height: auto; width: 100%; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; min-width: 65%; }
th, td { border-bottom: 1px solid var(--rule); padding: .25rem .5rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; }
.met { color: var(--good); }
.missed { color: var(--bad); font-weight: 600; }
"""

SVG_STYLE = """
text { font: 12px system-ui, sans-serif; fill: var(--text); }
.faint { fill: var(--faint); }
.grid { stroke: var(--rule); }
.one { stroke: var(--text); stroke-dasharray: 4 3; }
.band { fill: var(--band); }
.goal { stroke-width: 2; }
.raw { fill: var(--faint); opacity: .45; }
"""


def page(facts: Mapping[str, Any]) -> str:
    """The whole page."""
    body = [
        "<h1>socketpkg: what an operation costs</h1>",
        f"<p>{escape(_tables.where(facts))}. {escape(_tables.summary(facts))}.</p>",
        *(f"<p>{escape(note)}</p>" for note in facts["notes"]),
    ]
    if charted(facts):
        body += [
            "<figure>",
            chart(facts, of_a_page=True),
            f"<figcaption>{CAPTION}</figcaption>",
            "</figure>",
        ]
    for table in _tables.tables(facts):
        body += _table(table)
    style = STYLE.replace("LIGHT", _colours(facts, 0)).replace("DARK", _colours(facts, 1)) + SVG_STYLE
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>socketpkg: benchmark</title>\n<style>{style}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def charted(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows that have a ratio to show."""
    ours = _ours(facts)
    return [row for row in facts["operations"] if any("ratio" in row["targets"].get(target, {}) for target in ours)]


def chart(facts: Mapping[str, Any], of_a_page: bool = False) -> str:
    """The ratios as a drawing. Unless it is part of a page it brings its own style, for light ground and dark."""
    rows, ours = charted(facts), _ours(facts)
    found = [row["targets"].get(target, {}) for row in rows for target in ours]
    shown = [one["ratio"] for one in found if "ratio" in one]
    shown += [goal for row in rows for target, goal in row["goals"].items() if target in ours]
    low, high = min([0.5, *shown]) / 1.15, max([2.0, *shown]) * 1.15
    height = LINE * len(ours) + 8
    bottom = TOP + height * len(rows)

    def across(ratio: float) -> float:
        share = (math.log(ratio) - math.log(low)) / (math.log(high) - math.log(low))
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 28}" role="img" aria-label="{LABEL}">'
    ]
    if not of_a_page:
        light, dark = _colours(facts, 0), _colours(facts, 1)
        parts.append(
            f"<style>:root {{ --ground: #fff; --text: #1b1f24; --faint: #6a737d; --rule: #d8dee4; "
            f"--band: #f4f6f8; {light} }}\n"
            "@media (prefers-color-scheme: dark) { :root { --ground: #14171b; --text: #e4e8ec; --faint: #98a2ad; "
            f"--rule: #343b43; --band: #1b2026; {dark} }} }}{SVG_STYLE}</style>"
        )
        # Where the page around it is of another mind about the ground, it is readable all the same.
        parts.append(f'<rect fill="var(--ground)" width="{WIDTH}" height="{bottom + 28}"/>')
    for position, target in enumerate(ours):
        x = LEFT + 110 * position
        parts.append(_mark(target, SHAPES[position % len(SHAPES)], x, 12, True, f"{target}"))
        parts.append(f'<text x="{x + 12}" y="16">{escape(target)}</text>')
    if RAW in facts["targets"]:
        x = LEFT + 110 * len(ours)
        parts.append(_limit(x, 4, 16, "raw C"))
        parts.append(f'<text x="{x + 12}" y="16">raw C</text>')
    for number, row in enumerate(rows):
        top = TOP + height * number
        if number % 2 == 0:
            parts.append(f'<rect class="band" x="0" y="{top}" width="{WIDTH}" height="{height}"/>')
        parts.append(f'<text x="6" y="{top + height / 2 + 4}">{escape(row["title"])}</text>')
    for tick in TICKS:
        if low <= tick <= high:
            along = across(tick)
            kind = "one" if tick == 1 else "grid"
            parts.append(f'<line class="{kind}" x1="{along}" x2="{along}" y1="{TOP - 8}" y2="{bottom}"/>')
            said = "1 = stdlib" if tick == 1 else f"{tick:g}"
            for line in (TOP - 14, bottom + 18):
                parts.append(f'<text class="faint" x="{along}" y="{line}" text-anchor="middle">{said}</text>')
    for number, row in enumerate(rows):
        limit = row["targets"].get(RAW, {}).get("ratio", 0.0)
        if limit > low:
            said = f"{row['title']}, raw C: {limit:.2f}"
            parts.append(_limit(across(limit), TOP + height * number + 3, height - 6, said))
        for position, target in enumerate(ours):
            y = TOP + height * number + 4 + LINE * (position + 0.5)
            parts += _entry(row, target, SHAPES[position % len(SHAPES)], y, across)
    return "\n".join([*parts, "</svg>"])


def _entry(row: Mapping[str, Any], target: str, shape: str, y: float, across: Any) -> Iterator[str]:
    """What one target reached in one row, and its goal."""
    ratio = row["targets"].get(target, {}).get("ratio")
    goal = row["goals"].get(target)
    if goal is not None:
        x = across(goal)
        yield f'<line class="goal" stroke="var(--{_variable(target)})" x1="{x}" x2="{x}" y1="{y - 6}" y2="{y + 6}"/>'
    if ratio is not None:
        said = f"{row['title']}, {target}: {ratio:.2f}" + ("" if goal is None else f", goal {goal:g}")
        yield _mark(target, shape, across(ratio), y, goal is None or ratio <= goal, said)


def _mark(target: str, shape: str, x: float, y: float, filled: bool, said: str) -> str:
    colour = f"var(--{_variable(target)})"
    look = f'fill="{colour if filled else "none"}" stroke="{colour}" stroke-width="1.6"'
    title = f"<title>{escape(said)}</title>"
    if shape == "circle":
        return f'<circle cx="{x}" cy="{y}" r="4.2" {look}>{title}</circle>'
    turned = f' transform="rotate(45 {x} {y})"' if shape == "diamond" else ""
    return f'<rect x="{x - 3.8:.1f}" y="{y - 3.8:.1f}" width="7.6" height="7.6"{turned} {look}>{title}</rect>'


def _limit(x: float, y: float, height: float, said: str) -> str:
    """The bar of the raw C loop."""
    return f'<rect class="raw" x="{x - 2:.1f}" y="{y}" width="4" height="{height}"><title>{escape(said)}</title></rect>'


def _ours(facts: Mapping[str, Any]) -> list[str]:
    return [target for target in facts["targets"] if target not in (STDLIB, RAW)]


def _variable(target: str) -> str:
    """The name of its colour: a backend of anyone may have a name that CSS does not take."""
    return "target-" + "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in target)


def _colours(facts: Mapping[str, Any], ground: int) -> str:
    return " ".join(f"--{_variable(target)}: {COLOURS.get(target, OTHER)[ground]};" for target in _ours(facts))


def _table(table: _tables.Table) -> Iterator[str]:
    yield f"<h2>{escape(table.title)}</h2>"
    if table.note:
        yield f"<p>{escape(table.note)}</p>"
    yield '<div class="scroll"><table><thead><tr>'
    yield "".join(f"<th>{escape(name)}</th>" for name in table.head)
    yield "</tr></thead><tbody>"
    for row in table.rows:
        yield "<tr>" + "".join(_cell(cell) for cell in row) + "</tr>"
    yield "</tbody></table></div>"


def _cell(cell: _tables.Cell) -> str:
    kind = "" if cell.met is None else f' class="{"met" if cell.met else "missed"}"'
    return f"<td{kind}>{escape(cell.plain)}</td>"
