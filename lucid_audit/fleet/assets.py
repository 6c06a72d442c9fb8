"""The style and the script of the page. Both are in the page; its policy allows these two by their hashes and nothing else."""

STYLE = """
:root { color-scheme: light dark; --pass: #1a7f37; --fail: #cf222e; --unknown: #9a6700; --line: #8886; --soft: #8881; }
@media (prefers-color-scheme: dark) { :root { --pass: #3fb950; --fail: #ff7b72; --unknown: #d29922; } }
* { box-sizing: border-box; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.about { opacity: .75; margin: 0 0 1rem; }
.totals { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: .5rem; padding: 0; list-style: none; }
.totals li { border: 1px solid var(--line); border-radius: .4rem; padding: .45rem .6rem; } .totals b { display: block; font-size: 1.05rem; }
.tools { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0; align-items: center; }
input, select { font: inherit; padding: .3rem .5rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .5rem; text-align: left; vertical-align: top; white-space: nowrap; }
th[scope=row] { font-weight: 600; } thead th { position: sticky; top: 0; background: Canvas; }
td a { color: inherit; text-decoration: none; border-bottom: 1px dotted; }
.pass { color: var(--pass); } .fail { color: var(--fail); font-weight: 600; } .unknown { color: var(--unknown); }
section.service { border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem; margin: .6rem 0; overflow-wrap: anywhere; }
section.service:target { outline: 2px solid Highlight; } section.service h3 { margin: 0 0 .3rem; font-size: 1rem; }
details { margin: .25rem 0; } summary { cursor: pointer; } details ul { margin: .2rem 0 .4rem; padding-left: 1.3rem; }
a:focus-visible, summary:focus-visible, input:focus-visible, select:focus-visible { outline: 2px solid Highlight; outline-offset: 2px; }
svg { width: 100%; height: 1.4rem; display: block; } svg rect { stroke: Canvas; stroke-width: .4; } .own { fill: #6e9bd6; } .shared { fill: #8886; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .8rem; margin: .3rem 0; } dt { opacity: .75; } dd { margin: 0; }
[hidden] { display: none; }
@media (max-width: 40rem) { body { padding: .5rem; font-size: 14px; } th, td { padding: .3rem .35rem; } }
@media print { .tools { display: none; } body { max-width: none; } section.service { break-inside: avoid; } thead th { position: static; } }
"""

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
