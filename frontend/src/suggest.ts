/**
 * `<form data-suggest="address" data-title="…" data-nothing="…">` with a search field: whoever may be meant, while one types.
 * Arrow keys choose, Enter follows the choice (or sends the form where nothing is chosen), Escape closes.
 * What was typed is posted and stands in no address; of several answers only the last one asked for is shown.
 */

interface Found {
  people: { household_no: number; name: string; place: string; address: string }[];
  households: { household_no: number; head: string; place: string; address: string }[];
  villages: { name: string; address: string }[];
}

interface Line {
  name: string;
  more: string;
  address: string;
}

const WAIT = 180; // ms without a key

export function suggestWhileTyping(): void {
  document.querySelectorAll<HTMLFormElement>('form[data-suggest]').forEach(attach);
}

function attach(form: HTMLFormElement): void {
  const field = form.querySelector<HTMLInputElement>('input[type=search]');
  const token = form.querySelector<HTMLInputElement>('input[name=csrfmiddlewaretoken]');
  if (!field || !token) return;
  const list = document.createElement('div');
  list.id = `${field.id}-suggested`;
  list.className = 'w-suggest';
  list.hidden = true;
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', form.dataset.title ?? '');
  form.append(list);
  field.setAttribute('role', 'combobox');
  field.setAttribute('aria-autocomplete', 'list');
  field.setAttribute('aria-controls', list.id);
  field.setAttribute('aria-expanded', 'false');

  let timer = 0;
  let asked: AbortController | undefined;
  let chosen = -1;
  const options = (): HTMLElement[] => Array.from(list.querySelectorAll<HTMLElement>('[role=option]'));

  const close = (): void => {
    window.clearTimeout(timer);
    asked?.abort();
    chosen = -1;
    list.hidden = true;
    field.setAttribute('aria-expanded', 'false');
    field.removeAttribute('aria-activedescendant');
  };

  const choose = (at: number): void => {
    const all = options();
    if (!all.length) return;
    chosen = ((at % all.length) + all.length) % all.length;
    all.forEach((option, place) => option.setAttribute('aria-selected', String(place === chosen)));
    field.setAttribute('aria-activedescendant', all[chosen].id);
    all[chosen].scrollIntoView({ block: 'nearest' });
  };

  const show = (lines: Line[]): void => {
    chosen = -1;
    field.removeAttribute('aria-activedescendant');
    list.replaceChildren(...lines.map((line, place) => option(line, `${list.id}-${place}`)));
    if (!lines.length) list.append(option({ name: form.dataset.nothing ?? '', more: '', address: '' }, `${list.id}-none`));
    list.hidden = false;
    field.setAttribute('aria-expanded', 'true');
  };

  const ask = async (): Promise<void> => {
    const text = field.value.trim();
    if (!text) return close();
    asked?.abort();
    const mine = (asked = new AbortController());
    try {
      const body = new URLSearchParams({ text, csrfmiddlewaretoken: token.value });
      const answer = await fetch(form.dataset.suggest ?? '', { method: 'POST', body, signal: mine.signal });
      if (!answer.ok || answer.redirected) return close();
      const found = (await answer.json()) as Found;
      if (mine === asked && !mine.signal.aborted) show(linesOf(found));
    } catch {
      // asked anew, or no line: the form itself still searches
    }
  };

  const later = (): void => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void ask(), WAIT);
  };

  field.addEventListener('input', (event) => {
    if (!(event as InputEvent).isComposing) later();
  });
  field.addEventListener('compositionend', later);
  field.addEventListener('keydown', (event) => {
    if (event.isComposing || list.hidden) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      choose(event.key === 'ArrowDown' ? chosen + 1 : chosen < 0 ? -1 : chosen - 1);
    } else if (event.key === 'Enter' && chosen >= 0) {
      event.preventDefault();
      follow(options()[chosen]);
    } else if (event.key === 'Escape') {
      event.preventDefault();
      close();
    }
  });
  list.addEventListener('mousedown', (event) => event.preventDefault()); // the field keeps the cursor
  list.addEventListener('click', (event) => {
    const line = (event.target as Element).closest<HTMLElement>('[role=option]');
    if (line) follow(line);
  });
  field.addEventListener('blur', close);
  form.addEventListener('submit', close);
}

/** People first, who bring their household along; households that a number named; villages. */
function linesOf(found: Found): Line[] {
  const told = new Set(found.people.map((person) => person.household_no));
  return [
    ...found.people.map((person) => ({ name: person.name, more: `${person.place} · ${person.household_no}`, address: person.address })),
    ...found.households
      .filter((household) => !told.has(household.household_no))
      .map((household) => ({ name: `${household.household_no}`, more: `${household.head} · ${household.place}`, address: household.address })),
    ...found.villages.map((village) => ({ name: village.name, more: '', address: village.address })),
  ];
}

function option(line: Line, id: string): HTMLElement {
  const made = document.createElement('div');
  made.id = id;
  made.setAttribute('role', 'option');
  made.setAttribute('aria-selected', 'false');
  made.dataset.address = line.address;
  if (!line.address) made.setAttribute('aria-disabled', 'true');
  made.appendChild(document.createElement('span')).textContent = line.name;
  if (line.more) made.appendChild(document.createElement('small')).textContent = line.more;
  return made;
}

function follow(line: HTMLElement): void {
  if (line.dataset.address) window.location.assign(line.dataset.address);
}
