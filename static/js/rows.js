// Rows of a form that come and go. Without this script the page offers one empty row; here a button adds them.
let added = 0;

export function startRows() {
  for (const rows of document.querySelectorAll("[data-rows]")) start(rows);
}

function start(rows) {
  const list = rows.querySelector(".row-list");
  const spare = list.querySelector("[data-spare]");
  const button = rows.querySelector("[data-add-row]");
  spare.remove();
  button.hidden = false;
  for (const remove of list.querySelectorAll("[data-remove-row]")) remove.hidden = false;
  button.addEventListener("click", () => {
    const row = blank(spare);
    list.append(row);
    row.querySelector("input").focus();
    changed(rows);
  });
  list.addEventListener("click", (event) => {
    const row = event.target.closest("[data-remove-row]")?.closest("[data-row]");
    if (!row) return;
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    (next?.querySelector("input") ?? button).focus();
    changed(rows);
  });
  limit(rows);
}

function blank(spare) {
  const row = spare.cloneNode(true);
  added += 1;
  row.removeAttribute("data-spare");
  row.querySelector("[data-remove-row]").hidden = false;
  for (const element of row.querySelectorAll("[id], [for]")) {
    for (const name of ["id", "for"]) {
      if (element.hasAttribute(name)) element.setAttribute(name, element.getAttribute(name).replace("_new_", `_new${added}_`));
    }
  }
  return row;
}

function changed(rows) {
  limit(rows);
  rows.dispatchEvent(new Event("input", { bubbles: true }));
}

function limit(rows) {
  const count = rows.querySelectorAll("[data-row]").length;
  rows.querySelector("[data-add-row]").hidden = count >= Number(rows.dataset.most);
}
