// The settings form: back to inherited, the way to a folded field that is wrong, and a preview that says when it is old.
export function startSettings() {
  const form = document.getElementById("settings-form");
  if (!form) return;
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-reset]");
    if (button) inherit(document.getElementById(button.dataset.reset));
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".notice a[href^='#']");
    const target = link && document.getElementById(link.hash.slice(1));
    if (!target) return;
    event.preventDefault();
    unfold(target);
    target.scrollIntoView({ block: "center" });
    target.focus();
  });
  watchPreview(document.querySelector("[data-legs]"));
}

function inherit(field) {
  field.value = "";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

function unfold(element) {
  for (let at = element; at; at = at.parentElement) {
    if (at instanceof HTMLDetailsElement) at.open = true;
  }
}

function watchPreview(form) {
  const shown = document.getElementById("leg-preview");
  form?.addEventListener("htmx:beforeRequest", () => shown.setAttribute("aria-busy", "true"));
  form?.addEventListener("htmx:afterRequest", (event) => {
    shown.removeAttribute("aria-busy");
    shown.classList.toggle("is-old", event.detail.failed && !event.detail.xhr.aborted);
  });
}
