"""Writes the figures into performance.md, and its chart: ``python docs/_performance.py RESULT.json ...``.

Each RESULT is what ``python -m socketpkg bench --json`` has written, one a Python. The chart is the first one's. It
needs a socketpkg that can be imported, and changes nothing but what stands between the two marks of the page.
"""

from __future__ import annotations

import sys
from pathlib import Path

from socketpkg._commands.bench import _html, _results, _tables

PAGE = Path(__file__).with_name("performance.md")
CHART = PAGE.with_suffix(".svg")
BEGIN, END = "<!-- figures: written by docs/_performance.py -->\n", "<!-- end of the figures -->\n"


def main(paths: list[str]) -> None:
    """Does it."""
    if not paths:
        raise SystemExit(__doc__)
    parts = []
    for number, path in enumerate(paths):
        facts = _results.load(path)[_results.KEY]
        parts.append(f"\n## {facts['python']}\n\n")
        if not number:
            CHART.write_text(_html.chart(facts) + "\n", encoding="utf-8")
            parts.append(f"![{_html.LABEL}]({CHART.name})\n\n{_html.CAPTION}\n\n")
        parts.append(_tables.markdown(facts))
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"{PAGE} has lost the marks of its figures")
    PAGE.write_text(f"{before}{BEGIN}{''.join(parts)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
