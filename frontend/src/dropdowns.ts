/** A `<details data-dropdown>` closes when one clicks or tabs elsewhere, or presses Escape. */
export function closeDropdowns(): void {
  const close = (except: Node | null): void => {
    document.querySelectorAll<HTMLDetailsElement>('details[data-dropdown][open]').forEach((details) => {
      if (!except || !details.contains(except)) details.open = false;
    });
  };
  document.addEventListener('click', (event) => close(event.target as Node));
  document.addEventListener('focusin', (event) => close(event.target as Node));
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    const open = document.querySelector<HTMLDetailsElement>('details[data-dropdown][open]');
    close(null);
    open?.querySelector('summary')?.focus();
  });
}
