// Filters, clean against occluded, and arrow keys.
const cards = [...document.querySelectorAll('article')];
const bar = document.querySelector('.bar');
const selects = [...bar.querySelectorAll('select')];
const [severity, changed] = ['severity', 'changed'].map(id => bar.querySelector('#' + id));

function filter() {
  for (const card of cards) {
    const has = JSON.parse(card.dataset.has);
    card.hidden = +card.dataset.severity < +severity.value
      || changed.checked && !+card.dataset.severity
      || selects.some(one => one.value && !has[one.id].includes(one.value));
  }
  severity.setAttribute('aria-valuetext', `${severity.value} per cent`);
  const shown = cards.filter(card => !card.hidden).length;
  bar.querySelector('output').value = `${severity.value} %, ${shown} of ${cards.length} crops`;
}
bar.addEventListener('input', filter);
filter();

const compare = new Map(cards.map(card => {
  const [clean, occluded] = card.querySelectorAll('img');
  const own = occluded.src;
  return [card, on => {
    card.classList.toggle('clean', on);
    occluded.src = on ? clean.src : own;
    occluded.alt = (on ? 'clean' : 'occluded') + ' crop';
    occluded.parentElement.querySelector('figcaption').textContent = on ? 'clean' : 'occluded';
  }];
}));
for (const card of cards) {
  const figure = card.querySelectorAll('figure')[1];
  const mouse = event => event.pointerType === 'mouse';
  figure.addEventListener('pointerenter', event => mouse(event) && compare.get(card)(true));
  figure.addEventListener('pointerleave', event => mouse(event) && compare.get(card)(false));
  figure.addEventListener('click', event => {
    if (!mouse(event)) compare.get(card)(!card.classList.contains('clean'));
  });
}

const isKey = event => !event.target.closest('input, select, pre')
  && !event.ctrlKey && !event.metaKey && !event.altKey;
document.addEventListener('keydown', event => {
  if (!isKey(event)) return;
  if (event.key === 'c' && !event.repeat) compare.forEach(show => show(true));
  const shown = cards.filter(card => !card.hidden);
  const columns = shown.filter(card => card.offsetTop === shown[0].offsetTop).length;
  const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns}[event.key];
  if (!step || !shown.length) return;
  const at = shown.indexOf(document.activeElement.closest('article'));
  const next = shown[at < 0 ? 0 : at + step];
  event.preventDefault();
  next?.focus();
});
document.addEventListener('keyup', event => {
  if (event.key === 'c') compare.forEach(show => show(false));
});
window.addEventListener('blur', () => compare.forEach(show => show(false)));
