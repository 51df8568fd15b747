/**
 * What somebody typed into `<form data-draft="case-12/verify">` outlives an ended session, a switch of
 * language and a page left by mistake: it is kept in this tab and put back for the same person.
 *
 * `<body data-person>` says who reads. Nothing is left for another person, after signing out (in whatever
 * tab), after a working day, or once the page says `data-draft-done="case-12"`. `data-entered` marks a form
 * the server filled with what was typed. Photos are not kept, nor what is marked `data-no-draft`.
 *
 * `<div data-drafts="case-12">` is where the page tells of it; its other attributes are the sentences.
 */

const PREFIX = 'wanjia.draft:';
const SIGNED_OUT = 'wanjia.signed-out'; // a time, in localStorage, which every tab sees
const WORKING_DAY = 8 * 3600 * 1000;

interface Draft {
  at: number;
  fields: [string, string][];
  files: boolean;
}

export function keepDrafts(): void {
  sweep();
  window.addEventListener('storage', (event) => event.key === SIGNED_OUT && sweep());
  document.addEventListener('submit', (event) => {
    if ((event.target as HTMLElement).matches?.('[data-signs-out]')) forgetAll();
  });
  const person = document.body.dataset.person;
  if (!person) return;
  const mine = `${PREFIX}${person}:`;
  document.querySelectorAll<HTMLElement>('[data-draft-done]').forEach((done) => forget(`${mine}${done.dataset.draftDone}/`));
  const forms = Array.from(document.querySelectorAll<HTMLFormElement>('form[data-draft]'));
  const untouched = new Map(forms.map((form) => [form, JSON.stringify(typed(form))]));
  const save = (form: HTMLFormElement): void => {
    const key = mine + form.dataset.draft;
    const fields = typed(form);
    if (!('entered' in form.dataset) && JSON.stringify(fields) === untouched.get(form)) sessionStorage.removeItem(key);
    else keep(key, { at: Date.now(), fields, files: hasFiles(form) });
  };
  let restored: Draft | undefined;
  forms.forEach((form) => {
    if ('entered' in form.dataset) save(form);
    else {
      const draft = read(mine + form.dataset.draft);
      if (draft) restored = putBack(form, draft);
    }
    form.addEventListener('input', () => save(form));
    form.addEventListener('change', () => save(form));
  });
  tell(mine, forms, restored);
}

/** Name and value of all that was typed, ticked or chosen. */
function typed(form: HTMLFormElement): [string, string][] {
  return controls(form)
    .filter((control) => !isTick(control) || control.checked)
    .map((control) => [control.name, control.value]);
}

function putBack(form: HTMLFormElement, draft: Draft): Draft {
  controls(form).forEach((control) => {
    const values = draft.fields.filter(([name]) => name === control.name).map(([, value]) => value);
    if (isTick(control)) control.checked = values.includes(control.value);
    else if (values[0] !== undefined) control.value = values[0];
  });
  const folded = form.closest('details');
  if (folded) folded.open = true;
  return draft;
}

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

function controls(form: HTMLFormElement): Control[] {
  return Array.from(form.elements).filter(
    (element): element is Control =>
      (element instanceof HTMLInputElement && !['hidden', 'file', 'submit'].includes(element.type) && !('noDraft' in element.dataset)) ||
      element instanceof HTMLTextAreaElement ||
      element instanceof HTMLSelectElement,
  );
}

function isTick(control: Control): control is HTMLInputElement {
  return control instanceof HTMLInputElement && ['checkbox', 'radio'].includes(control.type);
}

function hasFiles(form: HTMLFormElement): boolean {
  return Array.from(form.querySelectorAll<HTMLInputElement>('input[type=file]')).some((input) => input.files?.length);
}

/** Says what was put back, or shows what has no form any more because the case moved on. */
function tell(mine: string, forms: HTMLFormElement[], restored: Draft | undefined): void {
  const place = document.querySelector<HTMLElement>('[data-drafts]');
  if (!place) return;
  const all = `${mine}${place.dataset.drafts}/`;
  const shown = new Set(forms.map((form) => mine + form.dataset.draft));
  const homeless = keys(all).filter((key) => !shown.has(key));
  const texts = homeless.flatMap((key) => read(key)?.fields.filter(([name]) => /^(note|reason)$/.test(name)).map(([, value]) => value) ?? []);
  const words = texts.filter((text) => text.trim());
  if (!restored && !words.length) return;
  const box = document.createElement('div');
  box.className = 'w-message w-message-info';
  box.setAttribute('role', 'status');
  const body = box.appendChild(document.createElement('div'));
  const { restored: back = '', files = '', kept = '', forget: label = '' } = place.dataset;
  paragraph(body, restored ? back + (restored.files ? files : '') : kept);
  words.forEach((text) => (body.appendChild(document.createElement('blockquote')).textContent = text));
  const button = box.appendChild(document.createElement('button'));
  button.type = 'button';
  button.className = 'btn btn-ghost';
  button.textContent = label;
  button.addEventListener('click', () => {
    forget(all);
    forms.forEach((form) => form.reset());
    box.remove();
  });
  place.append(box);
}

function paragraph(parent: HTMLElement, text: string): void {
  parent.appendChild(document.createElement('p')).textContent = text;
}

/** Removes what nobody who sits here now may find. */
function sweep(): void {
  const person = document.body.dataset.person;
  const since = Math.max(Number(storedTime()), Date.now() - WORKING_DAY);
  keys(PREFIX).forEach((key) => {
    const ofAnother = person !== undefined && !key.startsWith(`${PREFIX}${person}:`);
    if (ofAnother || (read(key)?.at ?? 0) <= since) sessionStorage.removeItem(key);
  });
}

function forgetAll(): void {
  forget(PREFIX);
  try {
    localStorage.setItem(SIGNED_OUT, String(Date.now()));
  } catch {
    // a browser that keeps nothing has nothing to forget
  }
}

function storedTime(): string {
  try {
    return localStorage.getItem(SIGNED_OUT) ?? '0';
  } catch {
    return '0';
  }
}

function keys(beginning: string): string[] {
  try {
    return Object.keys(sessionStorage).filter((key) => key.startsWith(beginning));
  } catch {
    return [];
  }
}

function forget(beginning: string): void {
  keys(beginning).forEach((key) => sessionStorage.removeItem(key));
}

function read(key: string): Draft | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

function keep(key: string, draft: Draft): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(draft));
  } catch {
    // full or forbidden: the form itself still holds it
  }
}
