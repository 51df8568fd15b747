/**
 * `<input type="checkbox" data-select-all="finding">` ticks every `name="finding"` of its table;
 * `<output data-selected="finding">` shows how many are ticked.
 */
export function selectAll(): void {
  document.addEventListener('change', (event) => {
    const box = event.target as HTMLInputElement;
    if (box.type !== 'checkbox') return;
    const name = box.dataset.selectAll ?? box.name;
    const scope = box.closest('form') ?? document;
    const rows = Array.from(scope.querySelectorAll<HTMLInputElement>(`input[type=checkbox][name="${CSS.escape(name)}"]`));
    if (box.dataset.selectAll) rows.forEach((row) => (row.checked = box.checked));
    const count = rows.filter((row) => row.checked).length;
    const all = scope.querySelector<HTMLInputElement>(`[data-select-all="${CSS.escape(name)}"]`);
    if (all) {
      all.checked = rows.length > 0 && count === rows.length;
      all.indeterminate = count > 0 && count < rows.length;
    }
    scope.querySelectorAll(`[data-selected="${CSS.escape(name)}"]`).forEach((place) => {
      place.textContent = count.toLocaleString('en');
    });
  });
}

/** How many rows of a form are ticked. */
export function chosen(form: HTMLFormElement): number {
  return form.querySelectorAll('input[type=checkbox][name]:checked:not([data-select-all])').length;
}
