// Where a page is one column, what a click fetched may lie far below: bring it before the reader.
export function bringIntoView(): void {
  document.body.addEventListener('htmx:afterSwap', (event) => {
    const part = event.target;
    if (part instanceof HTMLElement && part.id === 'explained' && part.getBoundingClientRect().top > window.innerHeight) {
      part.scrollIntoView();
    }
  });
}
