"""The report as one HTML file that needs nothing else."""

from __future__ import annotations

import html
from pathlib import Path

from tests.campaign.evidence import Evidence
from tests.campaign.judge import Outcome, Verdict
from tests.campaign.report import NUMBERS, Row, Table, headline, tables

_TONES = {Outcome.HELD: "held", Outcome.BROKEN: "broken", Outcome.VOID: "void"}
_STYLE = """
:root { color-scheme: light dark; --page: #f6f6f3; --card: #fff; --ink: #1c2226; --dim: #68727a;
        --line: #e2e3de; --held: #1a7f4b; --broken: #b8322a; --void: #95650a; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181b; --card: #1c2226; --ink: #e6e8e6; --dim: #96a0a6; --line: #2d353a;
          --held: #4fbf85; --broken: #f0766c; --void: #e0ac4d; }
}
* { box-sizing: border-box; }
body { font: 14px/1.5 system-ui, "DejaVu Sans", sans-serif; color: var(--ink);
       background: var(--page); max-width: 64rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.35rem; margin: 0; }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
p.dim { color: var(--dim); margin: .15rem 0 1.25rem; }
p.verdict { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
            border-left: 5px solid var(--tone); padding: .8rem 1rem; font-size: 1.05rem; }
p.verdict b { color: var(--tone); }
ul.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.4rem, 1fr));
             gap: .75rem; list-style: none; margin: 1rem 0 0; padding: 0; }
ul.figures li { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
                padding: .7rem .8rem; color: var(--dim); }
ul.figures b { display: block; font-size: 1.6rem; line-height: 1.2; color: var(--tone, var(--ink));
               font-variant-numeric: tabular-nums; font-weight: 600; }
div.table { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
            overflow-x: auto; padding: .25rem .9rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .38rem 1rem .38rem 0; border-bottom: 1px solid var(--line);
         vertical-align: top; }
tr:last-child td { border-bottom: 0; }
th { font-weight: 500; color: var(--dim); white-space: nowrap; }
th.number, td.number { text-align: right; padding-right: 1.2rem; }
"""


def write_html(path: Path, evidence: Evidence, verdict: Verdict) -> None:
    """Write the report as a page."""
    tone = f"--tone: var(--{_TONES[verdict.outcome]})"
    word, _, rest = verdict.sentence.partition(":")
    body = [
        "<h1>Campaign</h1>",
        f'<p class="dim">{html.escape(headline(evidence))}</p>',
        f'<p class="verdict" style="{tone}"><b>{word}:</b>{html.escape(rest)}</p>',
        _figures(verdict),
        *map(_section, tables(evidence, verdict)),
    ]
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Campaign</title>'
        f"<style>{_STYLE}</style><body>{''.join(body)}</body></html>\n"
    )
    path.write_text(page, encoding="utf-8")


def _figures(verdict: Verdict) -> str:
    shown = [
        ("published", verdict.published, False),
        ("faults", verdict.faults, False),
        ("kills and cuts", verdict.kills_and_cuts, False),
        ("twice", verdict.twice, True),
        ("lost", verdict.lost, True),
        ("wrong “done”", verdict.wrong_done, True),
        ("left to a person", verdict.unresolved, True),
    ]
    return f"<ul class='figures'>{''.join(_figure(*figure) for figure in shown)}</ul>"


def _figure(name: str, count: int, should_be_none: bool) -> str:
    tone = f' style="--tone: var(--{"broken" if count else "held"})"' if should_be_none else ""
    return f"<li{tone}><b>{count:,}</b>{name}</li>"


def _section(table: Table) -> str:
    lines = "".join(f"<tr>{_cells('td', row, table.heads)}</tr>" for row in table.rows)
    heads = _cells("th", table.heads, table.heads)
    return (
        f"<h2>{html.escape(table.title)}</h2>"
        f'<div class="table"><table><tr>{heads}</tr>{lines}</table></div>'
    )


def _cells(tag: str, row: Row, heads: Row) -> str:
    kinds = [' class="number"' if head in NUMBERS else "" for head in heads]
    return "".join(
        f"<{tag}{kind}>{html.escape(cell)}</{tag}>" for kind, cell in zip(kinds, row, strict=True)
    )
