// Saves keystrokes; every page works without it.
"use strict";

const box = document.querySelector("#find");

// "/" goes to the search box, unless the reader is typing.
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLInputElement;
  if (event.key === "/" && box !== null && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box.focus();
    box.select();
  }
});

// A table of several records can be narrowed to the rows in which they differ.
for (const button of document.querySelectorAll("button[data-narrows]")) {
  const table = document.getElementById(button.dataset.narrows);
  const same = table === null ? [] : table.querySelectorAll("tbody tr:not(.differs)");
  button.hidden = same.length === 0;
  button.addEventListener("click", () => {
    const narrow = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(narrow));
    for (const row of same) {
      row.hidden = narrow;
    }
  });
}
