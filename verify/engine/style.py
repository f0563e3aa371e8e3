"""Style sheet of the HTML report: system fonts, light and dark."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1d2733; --soft: #5a6775; --line: #d9dfe6; --wash: #f4f6f9;
  --run: #1f3a5f; --area: #8fa8c4; --band: #dfeedd; --edge: #4d8a4a; --mutant: #b8452d;
  --pass: #1d6b34; --fail: #b3261e; --inconclusive: #80560a; --badge: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181d; --ink: #e4e9ef; --soft: #a3afbc; --line: #333d48;
  --wash: #1c2229; --run: #b4cdec; --area: #55749a; --band: #1f3a2a; --edge: #6fb586; --mutant: #f08a70;
  --pass: #7fd29a; --fail: #ff8f85; --inconclusive: #e5b95c; --badge: #14181d; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; } h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1.05rem; margin: 2rem 0 .25rem; } h4 { font-size: 1rem; margin: 0 0 .5rem; }
p { margin: .25rem 0 .5rem; max-width: 75ch; }
small { color: var(--soft); font-size: .85em; font-weight: normal; overflow-wrap: break-word; }
a { color: inherit; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
caption { text-align: left; color: var(--soft); padding: .25rem 0; }
th, td { padding: .3rem .5rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
th[scope=rowgroup] { background: var(--wash); }
.n { font-variant-numeric: tabular-nums; white-space: nowrap; }
.verdicts small { display: block; } .verdicts td:first-child { min-width: 10rem; }
.verdicts td:nth-child(5) { min-width: 10rem; }
.manifest th { font-weight: normal; color: var(--soft); width: 1%; white-space: nowrap; }
.manifest td, .code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .8125rem; }
.manifest td { overflow-wrap: anywhere; }
.badge { display: inline-block; padding: 0 .5em; border-radius: .25em; font-size: .8em; font-weight: 700;
  color: var(--badge); letter-spacing: .02em; }
.badge.pass { background: var(--pass); } .badge.fail { background: var(--fail); }
.badge.inconclusive { background: var(--inconclusive); }
article { border: 1px solid var(--line); border-radius: 6px; padding: 1rem; margin: 1rem 0; break-inside: avoid; }
article:target { border-color: var(--run); }
.reason { color: var(--inconclusive); } .reason.fail { color: var(--fail); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .5rem 0; font-size: .875rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
pre { background: var(--wash); padding: .75rem; border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; list-style: none; padding: 0; margin: .5rem 0; }
.legend svg { vertical-align: -1px; }
svg.figure, svg.overview { display: block; width: 100%; min-width: 720px; height: auto; }
svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; fill: var(--soft); }
svg text.verdict { fill: var(--ink); font-weight: 700; } svg text.mutant { fill: var(--mutant); }
svg .note { fill: var(--soft); }
svg .band { fill: var(--band); } svg .grid, svg .tick { stroke: var(--line); } svg .axis { stroke: var(--soft); }
svg .theory { stroke: var(--edge); stroke-width: 1.5; } svg .rule { stroke: var(--ink); stroke-dasharray: 2 3; }
svg .run.area { fill: var(--area); fill-opacity: .45; stroke: var(--run); stroke-width: .75; stroke-opacity: .6; }
svg .run.line { fill: none; stroke: var(--run); stroke-width: 1.75; }
svg .run.bar { stroke: var(--run); stroke-width: 3; }
svg .run.dot { fill: var(--run); }
svg .mutant.area { fill: var(--mutant); fill-opacity: .25; stroke: var(--mutant); stroke-width: .75; }
svg .mutant.line { fill: none; stroke: var(--mutant); stroke-width: 1.75; }
svg .mutant.bar { stroke: var(--mutant); stroke-width: 3; } svg .mutant.dot { fill: var(--mutant); }
svg .mutant.level { stroke: var(--mutant); stroke-width: 1.25; stroke-dasharray: 6 4; }
svg .mutant.cross { fill: none; stroke: var(--mutant); stroke-width: 2; }
svg .mutant.lead { fill: none; stroke: var(--mutant); stroke-width: .75; stroke-opacity: .7; }
@media print { body { max-width: none; } }
""".replace("\n", " ").strip()
