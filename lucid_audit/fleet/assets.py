"""The style and the script of the page. Both are in the page; its policy allows these two by their hashes and nothing else."""

from __future__ import annotations

from lucid_audit.report.page import STYLE as PAGE

STYLE = (
    PAGE
    + """
.totals { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: .5rem; padding: 0; list-style: none; }
.totals li { border: 1px solid var(--line); border-radius: .4rem; padding: .45rem .6rem; } .totals b { display: block; font-size: 1.05rem; }
.tools { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0; align-items: center; }
input, select { font: inherit; padding: .3rem .5rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .5rem; text-align: left; vertical-align: top; white-space: nowrap; }
th[scope=row] { font-weight: 600; } thead th { position: sticky; top: 0; background: Canvas; }
td a { color: inherit; text-decoration: none; border-bottom: 1px dotted; }
section.service { border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem; margin: .6rem 0; overflow-wrap: anywhere; }
section.service:target { outline: 2px solid Highlight; } section.service h3 { margin: 0 0 .3rem; font-size: 1rem; }
details ul { margin: .2rem 0 .4rem; padding-left: 1.3rem; }
input:focus-visible, select:focus-visible { outline: 2px solid Highlight; outline-offset: 2px; }
svg { width: 100%; height: 1.4rem; display: block; } svg rect { stroke: Canvas; stroke-width: .4; } .own { fill: #6e9bd6; } .shared { fill: #8886; }
[hidden] { display: none; }
@media (max-width: 40rem) { th, td { padding: .3rem .35rem; } }
@media print { .tools { display: none; } section.service { break-inside: avoid; } thead th { position: static; } }"""
)

SCRIPT = """
'use strict';
const text = document.getElementById('filter'), only = document.getElementById('only'), count = document.getElementById('count');
const rows = [...document.querySelectorAll('tbody tr')];
function show() {
  const wanted = text.value.toLowerCase(); let seen = 0;
  for (const row of rows) {
    const fits = row.dataset.words.includes(wanted) && (only.value === '' || row.dataset.state === only.value);
    row.hidden = !fits; seen += fits;
    document.getElementById(row.dataset.service).hidden = !fits;
  }
  count.textContent = seen + ' of ' + rows.length;
}
function open() {
  const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!place) return;
  const service = place.closest('section.service');
  if (service && service.hidden) { text.value = ''; only.value = ''; show(); }
  if (place.tagName === 'DETAILS') place.open = true;
  place.scrollIntoView({block: 'center'});
}
text.addEventListener('input', show); only.addEventListener('change', show); addEventListener('hashchange', open);
addEventListener('beforeprint', () => document.querySelectorAll('details').forEach(one => { one.open = true; }));
show(); open();
"""
