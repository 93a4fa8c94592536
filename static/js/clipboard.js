// Copy buttons: `data-copy` names the element whose text is copied. The button says that it happened.
export function startClipboard() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    const label = button.querySelector("[data-copy-label]") ?? button;
    const before = label.textContent;
    label.textContent = (await copy(source)) ? "Copied" : "Press Ctrl C";
    setTimeout(() => (label.textContent = before), 1600);
  });
}

async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
    return true;
  } catch {
    // Plain http on another host has no clipboard: select the text, so that the keyboard can copy it.
    getSelection().selectAllChildren(source);
    return false;
  }
}
