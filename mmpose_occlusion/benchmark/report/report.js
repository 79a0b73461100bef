// Optional: save a figure, cite a row of numbers, sort a table.
const line = node => node.textContent.replace(/\s+/g, ' ').trim();

for (const save of document.querySelectorAll('.save')) {
  const [image, link] = [save.parentElement.querySelector('img'), document.createElement('a')];
  const section = save.closest('section').id;
  const number = [...document.querySelectorAll(`#${section} .save`)].indexOf(save) + 1;
  Object.assign(link, {href: image.src, textContent: 'SVG', ariaLabel: `save as SVG: ${image.alt}`});
  save.prepend(link);
  for (const each of save.children) each.download = `${section}-${number}.${each.textContent.toLowerCase()}`;
}

const copied = document.querySelector('#copied');
async function copy(text) {
  copied.textContent = text;
  copied.hidden = false;
  try {
    await navigator.clipboard.writeText(text);
  } catch {  // without permission, or an old browser on file://
    getSelection().selectAllChildren(copied);
    document.execCommand('copy');
  }
}
addEventListener('keydown', event => { if (event.key === 'Escape') copied.hidden = true; });
copied.addEventListener('dblclick', () => { copied.hidden = true; });

function cite(place, text) {
  const button = document.createElement('button');
  Object.assign(button, {className: 'cite', textContent: 'cite', ariaLabel: `copy with conditions: ${text}`});
  button.addEventListener('click', () => {
    const model = place.closest('[data-who]');
    const how = (place.closest('section').querySelector('.conditions')
      ?? model.querySelector('.conditions') ?? document.querySelector('.conditions'));
    copy(`${model.dataset.who}: ${text} (${line(how)} · ${document.body.dataset.intervals})`);
  });
  place.append(button);
}
for (const tile of document.querySelectorAll('.tiles div'))
  if (tile.textContent.includes('[')) cite(tile, [...tile.children].map(line).join(' '));
for (const table of document.querySelectorAll('table')) {
  const heads = table.tHead ? [...table.tHead.rows[0].cells] : [];
  if (!heads.length || heads.some(cell => cell.colSpan > 1)) continue;
  const words = heads.map(line);
  for (const body of table.tBodies)
    for (const row of body.rows)
      if (/\[.*\d/.test(row.textContent))
        cite(row.cells[0], [...row.cells].map((cell, i) => `${words[i]} ${line(cell)}`.trim()).join(', '));
}

for (const table of document.querySelectorAll('table.sortable'))
  table.querySelectorAll('thead th').forEach((head, _, all) => {
    if ([...all].some(cell => cell.colSpan > 1)) return;
    const button = document.createElement('button');
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') !== 'descending';
      all.forEach(cell => cell.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const value = row => {
        const cell = row.cells[head.cellIndex];
        const text = cell.dataset.v ?? cell.textContent.replace(/\u2212/g, '-').replace(/,/g, '');
        const found = parseFloat(text);
        return isNaN(found) ? text.trim() : found;
      };
      for (const body of table.tBodies) {
        const rows = [...body.rows].filter(row => row.cells.length > 1);
        rows.sort((a, b) => {
          const [x, y] = [value(a), value(b)];
          const order = typeof x === 'number' && typeof y === 'number'
            ? x - y : String(x).localeCompare(String(y));
          return down ? -order : order;
        });
        body.append(...rows);
      }
    });
  });
