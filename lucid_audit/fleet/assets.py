"""The style and the script of the page. Both are in the page; its policy allows these two by their hashes and nothing else."""

STYLE = """
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --ink: #1c2128; --quiet: #59636e; --line: #d9dee4; --soft: #eef1f4;
  --pass: #116329; --pass-soft: #dcf5e3; --fail: #a51d26; --fail-soft: #fde4e4; --unknown: #744b00; --unknown-soft: #fdf0d2;
  --link: #0b5fcb; --own: #2f6fd0; --shared: #a9b4c0; }
@media (prefers-color-scheme: dark) { :root { --ground: #0f1318; --card: #171c23; --ink: #e3e8ee; --quiet: #96a1ad; --line: #2c343d;
  --soft: #1f262e; --pass: #4cc46a; --pass-soft: #12301b; --fail: #ff8a84; --fail-soft: #3d181a; --unknown: #e0a93b; --unknown-soft: #362809;
  --link: #74b0ff; --own: #5b97ec; --shared: #4b5763; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; margin: 0; background: var(--ground); color: var(--ink); }
main { max-width: 80rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0; letter-spacing: -.01em; overflow-wrap: anywhere; } header p { color: var(--quiet); margin: .25rem 0 1.25rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; } h4 { font-size: .8rem; margin: .6rem 0 .2rem; color: var(--quiet); font-weight: 600; }
a { color: var(--link); } small { color: var(--quiet); font-size: .82em; } .quiet { color: var(--quiet); }
.skip { position: absolute; left: -999rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .4rem .8rem; z-index: 9; }
.totals { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .75rem; padding: 0; margin: 0; list-style: none; }
.totals li { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .4rem; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem .85rem .8rem; }
.totals span { color: var(--quiet); font-size: .85rem; flex-basis: 100%; } .totals .meter { margin-top: auto; } .totals b { font-size: 1.45rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.totals i { font-style: normal; font-weight: 400; font-size: .95rem; color: var(--quiet); } .totals small { margin-left: auto; }
.totals .delta { flex-basis: auto; color: var(--link); font-weight: 600; } .totals .good b { color: var(--pass); } .totals .bad b { color: var(--fail); }
svg { display: block; width: 100%; } .meter { height: .35rem; margin-top: .35rem; border-radius: .2rem; } .rest { fill: var(--soft); } .part { fill: var(--own); }
.good .part { fill: var(--pass); } .wide { width: 60%; vertical-align: middle; }
.tools { display: flex; flex-wrap: wrap; gap: .5rem 1rem; margin: 0 0 .75rem; align-items: center; } .tools label { color: var(--quiet); }
input, select { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .3rem .55rem; margin-left: .25rem; }
output { color: var(--quiet); } .keys { margin-left: auto; color: var(--quiet); font-size: .8rem; }
kbd { font: .75rem ui-monospace, monospace; border: 1px solid var(--line); border-radius: .25rem; padding: 0 .3rem; background: var(--card); }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .6rem; background: var(--card); }
table { border-collapse: separate; border-spacing: 0; width: 100%; } th, td { border-bottom: 1px solid var(--line); padding: .5rem .75rem; text-align: left; }
tbody tr:last-child > * { border-bottom: 0; } thead th { font-size: .8rem; color: var(--quiet); font-weight: 600; background: var(--soft); white-space: nowrap; }
#services th[scope=row] { position: sticky; left: 0; background: var(--card); font-weight: 600; overflow-wrap: anywhere; min-width: 8rem; } #services th a { text-decoration: none; }
#services td { white-space: nowrap; } #services td a { display: inline-block; text-decoration: none; color: inherit; border-radius: 1rem; padding: .05rem .6rem; font-size: .85rem; }
td.pass a { background: var(--pass-soft); color: var(--pass); } td.fail a { background: var(--fail-soft); color: var(--fail); font-weight: 600; }
td.unknown a { background: var(--unknown-soft); color: var(--unknown); } #services tr:hover > * { background: var(--soft); }
.pass { color: var(--pass); } .fail { color: var(--fail); } .unknown { color: var(--unknown); }
section.around { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 0 1rem; overflow-wrap: anywhere; } .around details:first-child { border: 0; }
section.service { background: var(--card); border: 1px solid var(--line); border-left: .25rem solid var(--fail); border-radius: .6rem; padding: .9rem 1.1rem; margin: .75rem 0;
  overflow-wrap: anywhere; scroll-margin-top: 1rem; } section.ready { border-left-color: var(--pass); }
section.service:target, details:target { outline: 2px solid var(--link); outline-offset: 2px; } h3 { margin: 0 0 .5rem; font-size: 1.05rem; }
.badge { font-size: .75rem; font-weight: 600; border-radius: 1rem; padding: .1rem .6rem; margin-left: .6rem; background: var(--fail-soft); color: var(--fail); vertical-align: .1em; }
.ready .badge { background: var(--pass-soft); color: var(--pass); }
details { border-top: 1px solid var(--line); scroll-margin-top: 4rem; } summary { cursor: pointer; padding: .4rem .2rem; } summary > span { margin-left: .5rem; font-weight: 600; font-size: .9rem; }
details ul { margin: .1rem 0 .6rem; padding-left: 1.4rem; } details dl { padding-left: .4rem; } details .scroll { margin: .2rem 0 .6rem; }
.proof { margin: 0 0 .6rem .4rem; padding: .1rem .8rem .5rem; background: var(--soft); border-radius: .4rem; }
.proof ol { margin: 0; padding: 0; list-style: none; font: .82rem/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; } .proof li b { font-weight: 600; color: var(--quiet); }
.findings, .skipped { list-style: none; } details .findings, details .skipped { padding-left: .4rem; } .findings li, .skipped li { padding: .15rem 0; } .findings small, .skipped small { display: block; }
.level { font-size: .75rem; font-weight: 600; border-radius: .25rem; padding: 0 .4rem; background: var(--soft); } .error .level { background: var(--fail-soft); color: var(--fail); }
.warning .level { background: var(--unknown-soft); color: var(--unknown); } .silenced { opacity: .6; } .skipped li { color: var(--quiet); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .9rem; margin: .2rem 0 .6rem; font-size: .9rem; } dt { color: var(--quiet); } dd { margin: 0; }
.sizes { margin: .7rem 0 .25rem; font-size: .85rem; color: var(--quiet); } .sizes b { color: var(--ink); } .layers { height: 1.1rem; background: var(--soft); border-radius: .2rem; }
.own { fill: var(--own); } .shared { fill: var(--shared); } .layers rect:hover { fill: var(--link); } .back { display: inline-block; margin-top: .7rem; font-size: .85rem; }
.common td, .common th { vertical-align: top; font-weight: 400; } .common .dots { white-space: nowrap; } .common details { border: 0; } .common summary { padding: 0; } .dots a { text-decoration: none; color: var(--line); } .dots a.has { color: var(--own); } code { font-size: .85em; }
.trend { columns: 22rem; } :focus-visible { outline: 2px solid var(--link); outline-offset: 2px; } [hidden] { display: none !important; }
@media (max-width: 44rem) {
  main { padding: .8rem .8rem 3rem; } .keys { display: none; } .totals { grid-template-columns: 1fr 1fr; gap: .5rem; } .totals b { font-size: 1.2rem; }
  .totals small { display: none; } input { width: 9rem; } select { max-width: 11rem; }
  #services, #services tbody, #services tr, #services th[scope=row] { display: block; } #services thead { display: none; }
  #services tr { border-bottom: 1px solid var(--line); padding: .5rem .2rem; } #services tr > * { border: 0; } #services th[scope=row] { position: static; padding-bottom: .2rem; }
  #services tr { display: grid; grid-template-columns: 1fr 1fr; } #services th[scope=row] { grid-column: 1 / 3; }
  #services td { display: flex; gap: .35rem; align-items: center; justify-content: space-between; padding: .15rem .75rem; font-size: .82rem; white-space: normal; } #services td::before { content: attr(data-title); color: var(--quiet); } .trend { columns: auto; }
  #services td:last-child:not(.fail) { display: none; } dl { grid-template-columns: 1fr; } dd { margin-bottom: .25rem; } .wide { width: 30%; }
}
@media print {
  :root { --ground: #fff; --card: #fff; --ink: #000; --soft: #f2f2f2; --line: #bbb; --quiet: #444; } body { font-size: 10pt; } main { max-width: none; padding: 0; }
  .tools, .skip, .back { display: none; } .totals { grid-template-columns: repeat(4, 1fr); } .totals li, tr, details, .proof { break-inside: avoid; } h2, h3, summary { break-after: avoid; }
  .scroll { overflow: visible; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } a { color: inherit; text-decoration: none; }
}
"""

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
