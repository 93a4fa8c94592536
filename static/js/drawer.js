// Details open in a drawer over the page; their links lead to a page of their own where scripts do not run.
export function startDrawer() {
  const drawer = document.getElementById("drawer");
  if (!drawer) return;
  const skeleton = document.getElementById("drawer-skeleton");
  const body = document.getElementById("drawer-body");

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target !== body || drawer.open) return;
    body.replaceChildren(skeleton.content.cloneNode(true));
    drawer.showModal();
  });
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      if (event.detail.target === body) body.replaceChildren(document.getElementById("drawer-error").content.cloneNode(true));
    });
  }
  drawer.addEventListener("click", (event) => {
    if (event.target === drawer || event.target.closest("[data-close]")) drawer.close();
  });
  drawer.addEventListener("close", () => body.replaceChildren());
}
