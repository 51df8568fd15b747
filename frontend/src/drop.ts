/**
 * `<label class="w-drop" data-drop><input type="file">…<span data-drop-names></span></label>`:
 * files may be dropped on the label; the chosen names show where `data-drop-names` stands.
 */
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
    const names = input.closest?.('[data-drop]')?.querySelector('[data-drop-names]');
    if (names) names.textContent = Array.from(input.files ?? [], (file) => `${file.name} (${size(file.size)})`).join(' · ');
  });
}

function zoneOf(event: Event): HTMLElement | null {
  return event.target instanceof Element ? event.target.closest<HTMLElement>('[data-drop]') : null;
}

function size(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
