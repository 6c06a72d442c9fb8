"""The style that all pages have: colours for light and dark, tiles, cards, lists of findings, drawings, paper and phone."""

THEME = """
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
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .6rem; background: var(--card); }
table { border-collapse: separate; border-spacing: 0; width: 100%; } th, td { border-bottom: 1px solid var(--line); padding: .5rem .75rem; text-align: left; }
tbody tr:last-child > * { border-bottom: 0; } thead th { font-size: .8rem; color: var(--quiet); font-weight: 600; background: var(--soft); white-space: nowrap; }
.pass { color: var(--pass); } .fail { color: var(--fail); } .unknown { color: var(--unknown); }
section.service, section.subject { background: var(--card); border: 1px solid var(--line); border-left: .25rem solid var(--fail); border-radius: .6rem; padding: .9rem 1.1rem; margin: .75rem 0;
  overflow-wrap: anywhere; scroll-margin-top: 1rem; } section.ready { border-left-color: var(--pass); }
section:target, details:target { outline: 2px solid var(--link); outline-offset: 2px; } h3 { margin: 0 0 .5rem; font-size: 1.05rem; }
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
.own { fill: var(--own); } .shared { fill: var(--shared); } .found { fill: var(--fail); } .layers rect:hover { fill: var(--link); } code { font: .92em ui-monospace, SFMono-Regular, Menlo, monospace; } .back { display: inline-block; margin-top: .7rem; font-size: .85rem; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; } [hidden] { display: none !important; }
@media (max-width: 44rem) {
  main { padding: .8rem .8rem 3rem; } .totals { grid-template-columns: 1fr 1fr; gap: .5rem; } .totals b { font-size: 1.2rem; } .totals small { display: none; }
  dl { grid-template-columns: 1fr; } dd { margin-bottom: .25rem; } .wide { width: 30%; }
}
@media print {
  :root { --ground: #fff; --card: #fff; --ink: #000; --soft: #f2f2f2; --line: #bbb; --quiet: #444; } body { font-size: 10pt; } main { max-width: none; padding: 0; }
  .skip, .back { display: none; } .totals { grid-template-columns: repeat(4, 1fr); } .totals li, tr, details, .proof { break-inside: avoid; } h2, h3, summary { break-after: avoid; }
  .scroll { overflow: visible; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } a { color: inherit; text-decoration: none; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
"""
