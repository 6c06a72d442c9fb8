"""The style and the script of the page. Both are in the page; its policy allows these two by their hashes and nothing else."""

from lucid_audit.report.theme import THEME

STYLE = (
    THEME
    + """
.tools { display: flex; flex-wrap: wrap; gap: .5rem 1rem; margin: 0 0 .75rem; align-items: center; } .tools label { color: var(--quiet); }
input, select { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .3rem .55rem; margin-left: .25rem; }
output { color: var(--quiet); } .keys { margin-left: auto; color: var(--quiet); font-size: .8rem; }
kbd { font: .75rem ui-monospace, monospace; border: 1px solid var(--line); border-radius: .25rem; padding: 0 .3rem; background: var(--card); }
#services th[scope=row] { position: sticky; left: 0; background: var(--card); font-weight: 600; overflow-wrap: anywhere; min-width: 8rem; } #services th a { text-decoration: none; }
#services td { white-space: nowrap; } #services td a { display: inline-block; text-decoration: none; color: inherit; border-radius: 1rem; padding: .05rem .6rem; font-size: .85rem; }
td.pass a { background: var(--pass-soft); color: var(--pass); } td.fail a { background: var(--fail-soft); color: var(--fail); font-weight: 600; }
td.unknown a { background: var(--unknown-soft); color: var(--unknown); } #services tr:hover > * { background: var(--soft); }
section.around { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 0 1rem; overflow-wrap: anywhere; } .around details:first-child { border: 0; }
.common td, .common th { vertical-align: top; font-weight: 400; } .common .dots { white-space: nowrap; } .common details { border: 0; } .common summary { padding: 0; } .dots a { text-decoration: none; color: var(--line); } .dots a.has { color: var(--own); } code { font-size: .85em; }
.trend { columns: 22rem; }
@media (max-width: 44rem) {
  .keys { display: none; } input { width: 9rem; } select { max-width: 11rem; }
  #services, #services tbody, #services tr, #services th[scope=row] { display: block; } #services thead { display: none; }
  #services tr { border-bottom: 1px solid var(--line); padding: .5rem .2rem; } #services tr > * { border: 0; } #services th[scope=row] { position: static; padding-bottom: .2rem; }
  #services tr { display: grid; grid-template-columns: 1fr 1fr; } #services th[scope=row] { grid-column: 1 / 3; }
  #services td { display: flex; gap: .35rem; align-items: center; justify-content: space-between; padding: .15rem .75rem; font-size: .82rem; white-space: normal; } #services td::before { content: attr(data-title); color: var(--quiet); } .trend { columns: auto; }
  #services td:last-child:not(.fail) { display: none; }
}
@media print { .tools { display: none; } }
"""
)

SCRIPT = """
'use strict';
const filter = document.getElementById('filter'), only = document.getElementById('only'), count = document.getElementById('count');
const rows = [...document.querySelectorAll('#services tbody tr')];
let opened = null;
function show() {
  const wanted = filter.value.toLowerCase(); let seen = 0;
  for (const row of rows) {
    const fits = row.dataset.words.includes(wanted) && (only.value === '' || row.dataset.flags.split(' ').includes(only.value));
    row.hidden = !fits; seen += fits;
    document.getElementById(row.dataset.service).hidden = !fits;
  }
  count.textContent = seen + ' of ' + rows.length;
}
function open() {
  const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!place) return;
  const service = place.closest('section.service');
  if (service && service.hidden) { filter.value = ''; only.value = ''; show(); }
  if (place.tagName === 'DETAILS') { place.open = true; place.querySelector('summary').focus({preventScroll: true}); }
  else if (service) service.focus({preventScroll: true});
  place.scrollIntoView({block: place.tagName === 'DETAILS' ? 'center' : 'start'});
}
function move(link, right, down) {
  const row = link.closest('tr'), shown = rows.filter(one => !one.hidden), cells = [...row.children];
  const next = down ? shown[shown.indexOf(row) + down] : row;
  for (let at = cells.indexOf(link.closest('th, td')) + right; next && at >= 0 && at < cells.length; at += right) {
    const found = next.children[at].querySelector('a');
    if (found) { found.focus(); return true; }
    if (!right) break;
  }
  return false;
}
const STEPS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
addEventListener('keydown', event => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const typing = event.target === filter || event.target === only, link = event.target.closest && event.target.closest('#services tbody a');
  if (event.key === '/' && !typing) { filter.focus(); filter.select(); event.preventDefault(); }
  else if (event.key === 'Escape' && typing) { filter.value = ''; only.value = ''; show(); }
  else if (event.key === 'Escape' && opened) { document.getElementById('matrix').scrollIntoView(); opened.focus(); }
  else if (STEPS[event.key] && link && move(link, ...STEPS[event.key])) event.preventDefault();
});
document.getElementById('services').addEventListener('click', event => { const link = event.target.closest('a'); if (link) { opened = link; if (link.hash === location.hash) open(); } });
filter.addEventListener('input', show); only.addEventListener('change', show); addEventListener('hashchange', open);
addEventListener('beforeprint', () => document.querySelectorAll('section.service:not([hidden]) details').forEach(one => { one.open = true; }));
show(); open();
"""
