/**
 * `<label class="w-drop" data-drop><input type="file">…<span data-drop-names></span></label>`:
 * files may be dropped on the label; the chosen names show where `data-drop-names` stands.
 * `data-drop-clear` is a button that lets go of them.
 * An input that takes several keeps what was chosen before: a phone's camera gives one photo at a time.
 */
const kept = new WeakMap<HTMLInputElement, File[]>();

export function acceptDrops(): void {
  document.addEventListener('dragover', (event) => {
    const zone = zoneOf(event);
    if (!zone) return;
    event.preventDefault();
    zone.classList.add('is-over');
  });
  document.addEventListener('dragleave', (event) => zoneOf(event)?.classList.remove('is-over'));
  document.addEventListener('drop', (event) => {
    const zone = zoneOf(event);
    const input = zone?.querySelector<HTMLInputElement>('input[type=file]');
    if (!zone || !input || !event.dataTransfer) return;
    event.preventDefault();
    zone.classList.remove('is-over');
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  });
  document.addEventListener('change', (event) => {
    const input = event.target as HTMLInputElement;
    if (input.type !== 'file') return;
    if (input.multiple) addUp(input);
    const zone = input.closest('[data-drop]');
    const names = zone?.querySelector('[data-drop-names]');
    if (names) names.textContent = Array.from(input.files ?? [], (file) => `${file.name} (${size(file.size)})`).join(' · ');
    zone?.querySelector('[data-drop-clear]')?.toggleAttribute('hidden', !input.files?.length);
  });
  document.addEventListener('click', (event) => {
    if (!(event.target as Element).closest?.('[data-drop-clear]')) return;
    const input = zoneOf(event)?.querySelector<HTMLInputElement>('input[type=file]');
    if (!input) return;
    input.value = '';
    input.dispatchEvent(new Event('change', { bubbles: true }));
  });
}

function addUp(input: HTMLInputElement): void {
  const chosen = Array.from(input.files ?? []);
  const before = chosen.length ? (kept.get(input) ?? []) : [];
  const fresh = chosen.filter((file) => !before.some((old) => old.name === file.name && old.size === file.size && old.lastModified === file.lastModified));
  const all = new DataTransfer();
  [...before, ...fresh].forEach((file) => all.items.add(file));
  input.files = all.files;
  kept.set(input, Array.from(all.files));
}

function zoneOf(event: Event): HTMLElement | null {
  return event.target instanceof Element ? event.target.closest<HTMLElement>('[data-drop]') : null;
}

function size(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
