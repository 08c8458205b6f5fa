"""How a report looks: dark text on white, on a phone, a wide screen and paper."""

STYLE = """
:root { --ink: #1b1f24; --soft: #57606a; --line: #d8dee4; --tint: #f6f8fa; --blue: #0072b2; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: #fff; color: var(--ink); line-height: 1.55;
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.01em; }
h2 { font-size: 1.4rem; margin: 3.2rem 0 .6rem; padding-top: 1rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p, ul { max-width: 46rem; margin: .5rem 0; }
.lead { color: var(--soft); font-size: 1.05rem; }
.note, figcaption, .scale { color: var(--soft); font-size: .85rem; }
a { color: var(--blue); }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem;
  max-width: none; }
.table { overflow-x: auto; margin: 0 0 1.4rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
.caption { margin: 1.1rem 0 .2rem; }
th, td { padding: .42rem .7rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; vertical-align: middle; }
thead th { font-weight: 600; font-size: .82rem; color: var(--soft); vertical-align: bottom;
  border-bottom: 2px solid var(--line); white-space: normal; line-height: 1.3; }
.scale { display: block; font-weight: 400; white-space: nowrap; }
th:first-child, .words th, .words td { text-align: left; }
tbody th { font-weight: 600; min-width: 5.5rem; max-width: 17rem;
  overflow-wrap: break-word; white-space: normal; }
.words td { white-space: normal; }
.words tbody th { white-space: nowrap; }
td strong { font-weight: 700; }
.whisker { display: inline-flex; align-items: center; gap: .6rem; }
.whisker svg { flex: none; }
small { font-size: 1em; color: var(--soft); }
.stacked .whisker { flex-direction: column; align-items: flex-end; gap: .1rem; }
.stacked svg { width: 96px; }
.stacked .whisker small { display: block; font-size: .85em; }
.grid { display: grid; gap: .9rem .8rem;
  grid-template-columns: repeat(var(--columns), minmax(0, 1fr));
  align-items: start; margin: .8rem 0 1.2rem; }
figure { margin: 0; }
figure img, figure svg { display: block; max-width: 100%; height: auto; margin: 0 auto; }
.worlds figure img { max-height: 300px; }
figcaption { text-align: center; padding-top: .25rem; line-height: 1.35; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.3rem; font-size: .85rem; color: var(--soft);
  margin: .6rem 0; }
.legend span { display: inline-flex; align-items: center; gap: .4rem; }
pre, code { font: .85rem/1.5 ui-monospace, 'DejaVu Sans Mono', monospace; }
pre { background: var(--tint); padding: .8rem 1rem; white-space: pre-wrap;
  overflow-wrap: anywhere; }
dl { max-width: 52rem; font-size: .92rem; }
dt { font-weight: 600; margin-top: .6rem; }
dd { margin: 0; color: var(--soft); }
@media (max-width: 720px) {
  body { font-size: 15px; }
  main { padding: 1.4rem .9rem 3rem; }
  h1 { font-size: 1.5rem; }
  h2 { font-size: 1.25rem; margin-top: 2.2rem; }
  .grid { grid-template-columns: repeat(min(var(--columns), 2), minmax(0, 1fr)); }
  .whisker { flex-direction: column; align-items: flex-end; gap: .1rem; }
  .whisker small { display: block; font-size: .85em; }
  .charts { grid-template-columns: minmax(0, 1fr); }
  th, td { padding: .38rem .5rem; }
  th:first-child { position: sticky; left: 0; background: #fff; max-width: 9rem; }
  .words tbody th { white-space: normal; }
}
@media print {
  @page { size: A4; margin: 15mm 13mm; }
  body { font-size: 9.5pt; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  section[id^='suite-'] ~ section[id^='suite-'] { break-before: page; }
  h2 { margin-top: 1.6rem; }
  h2, h3, h4, h2 + p, .caption, .note, .legend { break-after: avoid; }
  tr, .legend, .grid, figure { break-inside: avoid; }
  .table { overflow: visible; }
  .stacked svg { width: 80px; }
  table { font-size: 8pt; }
  th, td { padding: .25rem .35rem; }
  .worlds figure img { max-height: 42mm; }
  a { color: inherit; text-decoration: none; }
}
"""
