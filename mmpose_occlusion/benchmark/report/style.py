"""The page's style sheet: for the screen, and for paper."""

CSS = """
:root { --ink: #22262e; --faint: #5c6573; --line: #e1e4de;
  --paper: #fcfcfa; --soft: #f3f4f0; --deep: #0b3c5d; --warm: #b35f00 }
* { box-sizing: border-box }
html { scroll-behavior: smooth }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif }
main { max-width: 1120px; margin: auto; padding: 40px 28px 64px }
header { margin-bottom: 22px }
.over { margin: 0; font-size: 13px; letter-spacing: .08em;
  text-transform: uppercase; color: var(--warm); font-weight: 600 }
h1 { font-size: 38px; line-height: 1.15; margin: 4px 0 6px;
  letter-spacing: -.01em }
.who { margin: 0; font-size: 17px; overflow-wrap: anywhere }
h2 { font-size: 23px; margin: 0 0 10px; letter-spacing: -.005em }
h2.model { font-size: 28px; border-top: 4px solid var(--deep);
  padding-top: 10px; margin-top: 60px }
h3 { font-size: 16px; margin: 22px 0 8px }
section { margin-top: 46px; scroll-margin-top: 50px }
.note { color: var(--faint); margin: 4px 0; max-width: 50em }
nav { position: sticky; top: 0; z-index: 3; background: var(--paper);
  border-bottom: 1px solid var(--line); padding: 8px 0; display: flex;
  flex-wrap: wrap; gap: 2px 20px; font-size: 14px }
nav a { color: var(--deep); text-decoration: none }
nav a:hover { text-decoration: underline }
nav + section, .one > section:first-of-type { margin-top: 26px }
.tiles { display: grid; gap: 12px;
  grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)) }
.tiles div { background: var(--soft); border-left: 4px solid var(--deep);
  border-radius: 3px; padding: 12px 16px }
.tiles p { margin: 0; font-size: 13.5px; color: var(--faint);
  line-height: 1.3 }
.tiles b { display: block; font-size: 31px; line-height: 1.25;
  font-variant-numeric: tabular-nums }
.tiles small { color: var(--faint); font-size: 13.5px; line-height: 1.3;
  display: block }
.said { margin: 22px 0 0; padding-left: 20px; max-width: 52em }
.said li { margin: 5px 0 }
figure { margin: 14px 0 8px }
figure img { max-width: 100%; height: auto; display: block }
figcaption { color: var(--faint); font-size: 14px; max-width: 54em;
  margin-top: 8px }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums;
  font-size: 14px; margin: 10px 0 }
th, td { padding: 4px 16px 4px 0; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left }
thead th { color: var(--faint); font-weight: 600; vertical-align: bottom;
  border-bottom: 2px solid var(--ink) }
table.all { width: 100%; font-size: 13px }
table.all th, table.all td { padding-right: 10px }
table.all code { font-size: 12px; white-space: normal;
  overflow-wrap: anywhere }
table.all thead th { white-space: normal; line-height: 1.25;
  max-width: 9em }
tr.suite th { text-align: left; padding-top: 16px; color: var(--warm) }
td.delta { position: relative; min-width: 190px }
td.delta i { position: absolute; right: 10px; bottom: 0; height: 3px;
  max-width: calc(100% - 10px) }
td.delta i.loss { background: var(--deep) }
td.delta i.gain { background: repeating-linear-gradient(90deg, #d98200 0 4px,
  transparent 4px 7px) }
td small { color: var(--faint) }
code { font: 13px ui-monospace, "DejaVu Sans Mono", monospace }
details { margin: 12px 0 }
summary { cursor: pointer; color: var(--deep) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px;
  margin: 6px 0; font-size: 14px }
dt { color: var(--faint) }
dd { margin: 0; overflow-wrap: anywhere }
.cards { display: grid; gap: 18px;
  grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)) }
article { background: #fff; border: 1px solid var(--line);
  border-radius: 6px; overflow: hidden }
article p { margin: 0; padding: 9px 13px 11px; font-size: 14px;
  line-height: 1.4; color: var(--faint) }
article p b { color: var(--ink) }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 2px }
.pair div { position: relative; background: #000; overflow: hidden }
.pair img, .pair svg { display: block; width: 100%; height: auto }
.pair svg { position: absolute; inset: 0; height: 100% }
.pair span { position: absolute; left: 6px; top: 5px; padding: 0 7px;
  font-size: 12px; border-radius: 9px; color: #fff; background: #000a }
@media print {
  body { font-size: 11pt; background: #fff;
    -webkit-print-color-adjust: exact; print-color-adjust: exact }
  main { max-width: none; padding: 0 }
  nav { display: none }
  h2, h3 { break-after: avoid }
  figure, article, tr, .tiles div { break-inside: avoid }
  .wide { overflow: visible }
  table.all { font-size: 8pt }
  table.all code { font-size: 7.5pt }
  th, td { padding-right: 8px }
}
"""
