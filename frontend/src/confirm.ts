import { chosen } from './selection';

/**
 * `<form data-confirm="派发 {n} 条？">` asks before it is sent; `{n}` is the number of ticked rows.
 * A form is sent once: a second click on a slow line changes nothing.
 */
export function askBefore(): void {
  document.addEventListener('submit', (event) => {
    const form = event.target as HTMLFormElement;
    const submitter = (event as SubmitEvent).submitter;
    const question = submitter?.dataset.confirm ?? form.dataset.confirm;
    if (question && !window.confirm(question.replace('{n}', chosen(form).toLocaleString('en')))) {
      event.preventDefault();
      return;
    }
    if (form.method.toLowerCase() !== 'post' || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = 'yes';
    form.setAttribute('aria-busy', 'true');
    // A refusal by the browser or a page brought back by the back button must be sendable again.
    window.setTimeout(() => release(form), 10_000);
  });
  window.addEventListener('pageshow', () => document.querySelectorAll('form').forEach(release));
  document.addEventListener('htmx:afterRequest', (event) => {
    if (event.target instanceof HTMLFormElement) release(event.target);
  });
}

function release(form: HTMLFormElement): void {
  delete form.dataset.sent;
  form.removeAttribute('aria-busy');
}
