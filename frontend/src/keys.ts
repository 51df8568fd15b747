/**
 * `<a data-key="j">` is followed when its key is pressed outside a field: j next, k previous,
 * `/` puts the cursor into the search.
 */
export function followKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target as HTMLElement;
    if (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return;
    if (event.key === '/') {
      const search = document.querySelector<HTMLInputElement>('.w-search input[type=search]');
      if (search) {
        event.preventDefault();
        search.focus();
      }
      return;
    }
    if (!/^[a-z]$/.test(event.key)) return;
    document.querySelector<HTMLElement>(`[data-key="${event.key}"]`)?.click();
  });
}
