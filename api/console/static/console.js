// Keys and partial updates. Everything here only saves keystrokes and flicker: each page works without it.
"use strict";

const live = () => document.getElementById("live");
const keysOn = () => document.documentElement.dataset.keys !== "off";
const announce = (text) => { const region = live(); region.textContent = ""; setTimeout(() => { region.textContent = text; }, 50); };

// --- keys: an element says which key presses it (data-key); two letters are pressed one after the other ---------------

let begun = "";
let begunAt = 0;
let pointed = false;

document.addEventListener("pointerdown", () => { pointed = true; }, true);
document.addEventListener("keydown", (event) => {
  pointed = false;
  const form = event.key === "Enter" && event.target.matches("form[data-auto] select, form[data-auto] [type=range]") && event.target.form;
  if (form) { event.preventDefault(); form.requestSubmit(); }
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isField(event.target)) { leave(event.target); return; }
  if (!keysOn() || event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return;
  if (document.querySelector("dialog[open]") && event.key !== "?") return;
  // A key that is held down goes on through a list; it never answers the next question, too.
  if (event.repeat && !/^[jk[\]]$/i.test(event.key)) return;
  const fresh = performance.now() - begunAt < 1200;
  const second = fresh && begun !== "";
  const target = find(second ? begun + " " + event.key : event.key);
  begun = "";
  // "g m" leads nowhere, and must not merge either.
  if (second && !target) { event.preventDefault(); return; }
  if (target) { event.preventDefault(); press(target); return; }
  // Where a step is another person's, its keys say why.
  const why = [...document.querySelectorAll("[data-says]")].find((node) => node.dataset.says.split(" ").includes(event.key) && seen(node));
  if (why) { event.preventDefault(); stand(why); announce(why.textContent.trim()); return; }
  if (event.key === "j" || event.key === "k") { if (step(event.key === "j" ? 1 : -1)) event.preventDefault(); return; }
  if (/^[1-9]$/.test(event.key) && pick(Number(event.key))) { event.preventDefault(); return; }
  if (event.key === "x" && toggle()) { event.preventDefault(); return; }
  if (event.key === "Enter" && open_(event)) { event.preventDefault(); return; }
  if (event.key === "?") { event.preventDefault(); explain(); return; }
  // Where the page has nothing to undo, `z` shows what was done last, and is pressed again there.
  if (event.key === "z" && document.querySelector(".side")) { event.preventDefault(); swap("/console/steps", {}, true); return; }
  if (event.key === "g") { begun = "g"; begunAt = performance.now(); }
});

const isField = (node) => node instanceof HTMLElement
  && (node.isContentEditable || node.matches("select, textarea, input:not([type=checkbox]):not([type=radio])"));
const seen = (node) => node.offsetParent !== null || node.getClientRects().length > 0;
const find = (key) => [...document.querySelectorAll("[data-key]")].find((node) => node.dataset.key === key && seen(node) && !node.disabled);

// Where the focus was when a key led into a field: Escape leads back there, or to the page's heading.
let from = null;

const heading = () => document.querySelector("[data-focus]") || document.querySelector("h1");
const stand = (place) => { if (!place) return; if (place.tabIndex < 0) place.tabIndex = -1; place.focus({ preventScroll: true }); };

function leave(field) {
  const place = from && from.isConnected && from !== document.body ? from : heading();
  from = null;
  field.blur();
  stand(place);
}

// The page may have changed behind the open list of keys: then what had the focus is gone.
document.addEventListener("close", (event) => {
  const held = document.activeElement;
  if (held === document.body || event.target.contains(held)) stand(heading());
}, true);

function press(node) {
  if (node.matches("input:not([type=checkbox]), textarea, select")) { from = document.activeElement; node.focus(); if (node.select) node.select(); return; }
  if (node.matches("summary")) { node.click(); node.focus(); return; }
  node.click();
}

// --- one current item of a list: j and k move, Enter opens, x ticks, 1 to 9 pick the value of a column -----------------

const items = () => [...document.querySelectorAll("[data-item]")].filter(seen);
const current = () => document.querySelector("[data-item].current");

function step(by) {
  const all = items();
  if (!all.length) return false;
  const at = all.indexOf(current());
  select(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))]);
  return true;
}

function select(item, quietly) {
  for (const other of document.querySelectorAll("[data-item].current")) { other.classList.remove("current"); other.removeAttribute("aria-current"); }
  item.classList.add("current");
  item.setAttribute("aria-current", "true");
  item.tabIndex = -1;
  if (quietly) return;
  item.focus({ preventScroll: true });
  item.scrollIntoView({ block: "nearest" });
}

function open_(event) {
  if (event.target.closest("a, button, input, summary, select")) return false;
  const link = current() && current().querySelector("a[data-open], a");
  if (link) link.click();
  return Boolean(link);
}

function toggle() {
  const box = current() && current().querySelector("input[type=checkbox]");
  if (box) box.click();
  return Boolean(box);
}

function pick(number) {
  const row = current();
  const choice = row && row.querySelector(`input[type=radio][data-column="${number}"]`);
  if (!choice) return false;
  choice.checked = true;
  choice.dispatchEvent(new Event("change", { bubbles: true }));
  announce(`${row.dataset.name}: ${choice.getAttribute("aria-label")}`);
  return true;
}

// `?` on the row that has the focus opens what is behind its value, and it is read out; anywhere else it shows the keys.
function explain() {
  const row = current() && current().contains(document.activeElement) ? current() : null;
  const details = row && row.querySelector("details");
  if (details) {
    details.open = !details.open;
    announce(details.open ? details.innerText.trim().replace(/\s+/g, " ") : "Closed.");
    return;
  }
  if (row && document.querySelector("[data-item] details")) { announce("There is nothing more behind this row."); return; }
  const dialog = document.getElementById("keys");
  if (!dialog || !dialog.showModal) { location.assign("/console/help"); return; }
  if (dialog.open) dialog.close(); else dialog.showModal();
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) { event.preventDefault(); document.getElementById(opener.dataset.dialog).showModal(); return; }
  const narrow = event.target.closest("[data-narrows]");
  if (narrow) narrowRows(narrow);
});

document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-all]");
  if (all) for (const box of document.querySelectorAll(`input[type=checkbox][name="${all.dataset.all}"]`)) box.checked = all.checked;
  const form = event.target.closest("form[data-auto]");
  // Chosen with a pointer. Who types in a list has not ended with the first letter: the others would be keys of the next page.
  if (form && event.target.matches("select, [type=range]") && pointed) form.requestSubmit();
});

function narrowRows(button) {
  const pressed = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(pressed));
  for (const row of document.getElementById(button.dataset.narrows).tBodies[0].rows) row.hidden = pressed && row.dataset.same === "yes";
  announce(pressed ? "Only rows that differ are shown." : "All rows are shown.");
}

// --- partial updates: a form or link marked data-swap replaces the page's content without loading the page -------------

// Only the newest answer is shown, whatever order they arrive in; while a form is under way nothing else is begun, unless it
// only looks ahead (data-looks).
let newest = 0;
let sending = false;

async function swap(address, options, push, looks) {
  if (sending) return;
  const mine = ++newest;
  sending = Boolean(options && options.method === "POST" && !looks);
  document.documentElement.classList.add("busy");
  let answer;
  try {
    answer = await fetch(address, { credentials: "same-origin", headers: { Accept: "text/html" }, ...options });
    const text = await answer.text();
    if (mine !== newest) return;
    const next = new DOMParser().parseFromString(text, "text/html");
    const main = next.querySelector("main");
    if (!main || answer.url.includes("/console/sign-in")) { location.assign(answer.url); return; }
    document.querySelector("main").replaceWith(document.adoptNode(main));
    const side = next.querySelector(".side");
    if (side && document.querySelector(".side")) document.querySelector(".side").replaceWith(document.adoptNode(side));
    document.title = next.title;
    if (push && answer.url !== location.href) history.pushState({}, "", answer.url);
    arrive();
  } catch (error) {
    if (options && options.method === "POST") announce("The hub did not answer. Nothing was lost: try again.");
    else location.assign(address);
  } finally {
    if (mine === newest) { sending = false; document.documentElement.classList.remove("busy"); }
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-swap]")) return;
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(form, event.submitter));
  const action = (event.submitter && event.submitter.getAttribute("formaction")) || form.getAttribute("action") || location.pathname;
  if (form.method === "get") swap(`${action}?${fields}`, {}, true);
  else swap(action, { method: "POST", body: fields }, true, Boolean(event.submitter && event.submitter.hasAttribute("data-looks")));
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  swap(link.href, {}, true);
});

addEventListener("popstate", () => swap(location.href, {}, false));

// After every update the focus stands at the page's heading (or where the page says), and the outcome is read out.
function arrive() {
  ready();
  scrollTo(0, 0);
  stand(heading());
  const outcome = document.querySelector("[data-outcome]") || document.querySelector("[data-said]");
  const said = outcome && (outcome.querySelector("[data-focus]") || outcome);
  announce(said ? said.textContent.trim().replace(/\s+/g, " ") : document.title);
}

function ready() {
  for (const node of document.querySelectorAll("[data-scripted]")) node.hidden = false;
  const first = document.querySelector("[data-item][data-first]");
  if (first) select(first, true);
  for (const node of document.querySelectorAll("[data-poll]")) poll(node);
}

// A part of the page that looks again by itself: counts, the progress of long work. It never moves the focus.
function poll(node) {
  setTimeout(async () => {
    if (!document.contains(node)) return;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(node.id);
      if (!document.contains(node)) return;
      if (!fresh && !answer.ok) { poll(node); return; }
      // What was waited for is there: the part says so, or the page has another in its place.
      if (node.dataset.then === "swap" && !(fresh && fresh.dataset.poll)) { swap(location.href, {}, false); return; }
      if (!fresh) return;
      const changed = fresh.textContent !== node.textContent;
      node.replaceChildren(...fresh.childNodes);
      if (changed && node.dataset.aloud) announce(node.textContent.trim().replace(/\s+/g, " "));
      if (fresh.dataset.poll) poll(node);
    } catch (error) { poll(node); }
  }, Number(node.dataset.poll) * 1000);
}

ready();
