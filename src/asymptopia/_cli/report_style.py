"""Style sheet of the HTML reports: that of ``verify`` and what the strips of the figures need."""

from __future__ import annotations

from asymptopia.verify.engine.style import STYLE as BASE

STYLE = (
    BASE
    + " "
    + """
:root { --found: #b8452d; --open: #1f3a5f; --calm: #1d6b34; --noise: #d8dbe0; --first: #1f3a5f; --second: #8fa8c4; }
@media (prefers-color-scheme: dark) { :root { --found: #f08a70; --open: #b4cdec; --calm: #7fd29a; --noise: #3a424c;
  --first: #b4cdec; --second: #55749a; } }
h1 { overflow-wrap: anywhere; } h3 { overflow-wrap: anywhere; margin: 0 0 .25rem; }
article h4 { margin: 1rem 0 .25rem; }
.badge.found { background: var(--found); } .badge.open { background: var(--open); }
.badge.calm { background: var(--calm); }
a.long { display: inline-block; width: 14rem; overflow-wrap: anywhere; } td.n, th.n { text-align: right; }
.w { white-space: nowrap; }
.spark { position: relative; height: 1.5rem; min-width: 9rem; border-bottom: 1px solid var(--soft); }
.facts { font-size: .9375rem; }
.strips { display: grid; grid-template-columns: fit-content(38%) minmax(0, 1fr); column-gap: .75rem; margin: .5rem 0; }
.strips > .label { font-size: .875rem; padding: .2rem 0; overflow-wrap: anywhere; align-self: center;
  text-align: right; }
.strips > .strip { position: relative; min-height: 1.65rem; }
.strips.tall > .strip { min-height: 2.3rem; }
.strips > .axis { position: relative; min-height: 1.5rem; }
.strips > .title { grid-column: 2; text-align: center; font-size: .8125rem; color: var(--soft); }
.strip svg, .axis svg, .chart svg, .spark svg { position: absolute; left: 0; top: 0; width: 100%;
  height: 100%; overflow: visible; }
.chart { position: relative; height: 17rem; margin: .75rem 0 .25rem; }
svg .grid { stroke: var(--line); } svg .zero { stroke: var(--soft); }
svg .noise { fill: var(--noise); } svg .woe { fill: var(--area); fill-opacity: .6; }
svg .first { fill: var(--first); } svg .second { fill: var(--second); }
svg .margin { stroke: var(--found); stroke-dasharray: 5 4; }
svg .way { stroke: var(--area); stroke-width: 1.25; }
svg .found { stroke: var(--found); fill: var(--found); } svg .open { stroke: var(--open); fill: var(--open); }
svg .calm { stroke: var(--calm); fill: var(--calm); }
svg line.found, svg line.open, svg line.calm { stroke-width: 2.5; } svg line.mark { stroke-width: 1.5; }
svg text.infinite { fill: var(--found); font-weight: 700; }
.box { background: var(--wash); border-radius: 6px; padding: .25rem 1rem .5rem; margin: 2rem 0; }
.box h2 { margin-top: .75rem; } .box li { margin: 0 0 .6rem; max-width: 78ch; }
.box ul { padding-left: 1.1rem; margin: .5rem 0; }
.notes li { max-width: 78ch; margin: .25rem 0; } ul.notes { padding-left: 1.1rem; margin: .5rem 0; }
@media (min-width: 860px) { .box ul { columns: 2; column-gap: 2.5rem; } .box li { break-inside: avoid; } }
@media (max-width: 560px) { body { padding: 1rem .6rem 3rem; } article { padding: .75rem .6rem; }
  h1 { font-size: 1.3rem; }
  .chart { height: 14rem; } }
""".replace("\n", " ").strip()
)
