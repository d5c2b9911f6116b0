// What every page has: words, toasts, waiting, lost line, dialogs, long entries.
const rapport = (globalThis.rapport ??= {});
const root = document.documentElement;
const words = JSON.parse(document.body.dataset.words || "{}");

// rapport.say("new_many", {n: 3}) gives the translated sentence.
rapport.say = (key, values = {}) =>
  Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, value), words[key] ?? "");
rapport.root = document.body.dataset.root ?? "";
// A newcomer to a live region is read out; the region itself must be there before.
rapport.announce = (text) => {
  const region = document.getElementById("announce");
  if (region) region.textContent = text;
};

// Strips: one line above the page while something lasts.
rapport.strip = (name, text, button, act) => {
  const box = document.getElementById("strips");
  const old = box?.querySelector(`[data-strip="${name}"]`);
  if (!box || (!text && !old)) return;
  if (!text) return old.remove();
  if (old) return;
  const line = document.createElement("p");
  line.dataset.strip = name;
  line.append(text);
  if (button) {
    const control = document.createElement("button");
    control.type = "button";
    control.textContent = button;
    control.addEventListener("click", act);
    line.append(control);
  }
  box.append(line);
};
const lineState = () => rapport.strip("offline", navigator.onLine ? "" : rapport.say("offline"));
addEventListener("online", lineState);
addEventListener("offline", lineState);
lineState();

// A list that scrolls in its own box: the browser keeps no place in it, so we do.
const list = document.querySelector(".list-page > .table-box");
if (list) {
  const place = `place:${location.pathname}${location.search}`;
  const [came] = performance.getEntriesByType("navigation");
  if (came && came.type !== "navigate") list.scrollTop = sessionStorage.getItem(place) ?? 0;
  addEventListener("pagehide", () => sessionStorage.setItem(place, list.scrollTop));
}

// Of more tabs than there is room for, the one that is open is in sight.
const tab = document.querySelector(".tabs [aria-current]");
if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - 48;

// Toasts: one at a time; the clock stands still on hover and focus.
const tray = document.getElementById("toasts");
const waiting = [];
let shown = null;

const held = (toast) => toast.matches(":hover, :focus-within");
const nextToast = () => {
  const mine = (shown = waiting.shift() ?? null);
  if (!mine) return;
  tray.append(mine);
  let left = mine.querySelector("button, a") ? 12000 : 6000;
  let last = Date.now();
  const clock = setInterval(() => {
    const now = Date.now();
    if (!held(mine) && !document.hidden) left -= now - last;
    last = now;
    if (left > 0 && shown === mine && mine.isConnected) return;
    clearInterval(clock);
    if (shown !== mine) return;
    mine.remove();
    nextToast();
  }, 250);
};
rapport.toast = (text, undo) => {
  const toast = document.createElement("div");
  toast.className = "toast";
  const line = document.createElement("p");
  line.textContent = text;
  toast.append(line);
  if (undo) {
    const form = document.getElementById("undo-form").content.cloneNode(true).firstElementChild;
    form.action = undo;
    toast.append(form);
  }
  // What was done last is taken back first, and may go out soon: it waits behind nothing
  // but a hand that is on the one before.
  const first = undo && shown && !held(shown);
  if (!first) waiting.push(toast);
  else waiting.unshift(toast, shown), shown.remove();
  if (first || !shown) nextToast();
};
// The page's own messages take the same road, so they are read out and go away.
if (tray) {
  waiting.push(...tray.children);
  tray.replaceChildren();
  nextToast();
}
// A server answers htmx with `HX-Trigger: {"toast": {"text": "…", "undo": "/…"}}`.
document.addEventListener("toast", ({ detail }) => rapport.toast(detail.text, detail.undo));

// Waiting: after 0.4 s a bar, after 8 s words; the old content stays.
const running = new Map();
const begin = (event) => {
  const { elt, target } = event.detail;
  running.set(event.detail.xhr, {
    target,
    bar: setTimeout(() => {
      root.classList.add("is-busy");
      target?.setAttribute("aria-busy", "true");
    }, 400),
    words: setTimeout(() => rapport.strip("slow", rapport.say("slow"), rapport.say("again"), () => {
      event.detail.xhr.abort();
      elt.isConnected && elt.matches("form") ? elt.requestSubmit() : location.reload();
    }), 8000),
  });
};
const end = ({ detail }) => {
  const work = running.get(detail.xhr);
  if (!work) return;
  running.delete(detail.xhr);
  clearTimeout(work.bar);
  clearTimeout(work.words);
  work.target?.removeAttribute("aria-busy");
  if (running.size) return;
  root.classList.remove("is-busy");
  rapport.strip("slow", "");
};
document.addEventListener("htmx:beforeSend", begin);
document.addEventListener("htmx:afterRequest", end);
// A line of "my day" that goes hands the focus to the next one.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const line = detail.target;
  if (!line.matches?.(".day-line") || detail.xhr.status >= 300) return;
  const next = line.nextElementSibling ?? line.previousElementSibling;
  (next?.querySelector("[data-stop]") ?? document.getElementById("main"))?.focus();
});
// Errors are never only a toast: they stand in the page until the next try.
const fault = (text) => {
  const box = document.getElementById("faults");
  if (box) box.textContent = text;
  if (box) box.hidden = !text;
};
document.addEventListener("htmx:beforeRequest", () => fault(""));
document.addEventListener("htmx:responseError", ({ detail }) => fault(
  rapport.say(detail.xhr.status === 403 || detail.xhr.status === 404 ? "not_yours" : "not_done"),
));
document.addEventListener("htmx:sendError", () => fault(rapport.say("not_sent")));

// Dialogs open by [data-opens="id"] and close by [data-closes].
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  const dialog = opener && document.getElementById(opener.dataset.opens);
  if (dialog instanceof HTMLDialogElement) {
    event.preventDefault();
    dialog.showModal();
  }
  // Going back finds the page as it was left, where the browser kept it.
  if (event.target.closest("[data-back]") && history.length > 1) {
    event.preventDefault();
    history.back();
  }
  if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
});

// Long entries: "More" stands in the entry's last line, so nothing shifts.
const seeMore = (scope) => {
  for (const body of scope.querySelectorAll(".entry-body.clamp")) {
    const more = body.closest("article")?.querySelector("[data-more]");
    if (more) more.hidden = body.scrollHeight <= body.clientHeight + 2;
  }
};
document.addEventListener("click", (event) => {
  const more = event.target.closest("[data-more]");
  if (!more) return;
  const body = document.getElementById(more.getAttribute("aria-controls"));
  const open = body.classList.toggle("clamp");
  more.setAttribute("aria-expanded", String(!open));
  more.textContent = open ? more.dataset.more : more.dataset.less;
});
// Copying is offered only where the browser lets a page do it.
const offerCopies = (scope) => {
  if (!navigator.clipboard) return;
  for (const button of scope.querySelectorAll("[data-copies]")) button.hidden = false;
};
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  navigator.clipboard.writeText(button.dataset.copies).then(
    () => rapport.toast(rapport.say("copied")),
    () => rapport.toast(rapport.say("not_copied")),
  );
});
rapport.enhance = (scope) => (seeMore(scope), offerCopies(scope));
document.addEventListener("htmx:load", (event) => rapport.enhance(event.detail.elt));
rapport.enhance(document);

// On a phone the panels of a record start folded; they stand below the timeline.
if (matchMedia("(width < 48em)").matches) {
  for (const fold of document.querySelectorAll(".record-facts .fold, .record-panels .fold")) fold.open = false;
}
// Tick all, and say how many.
document.addEventListener("change", ({ target }) => {
  if (!target.matches?.(".pick, .pick-all")) return;
  const form = target.closest("form, .list-page");
  const picks = [...form.querySelectorAll(".pick")];
  if (target.matches(".pick-all")) picks.forEach((pick) => (pick.checked = target.checked));
  const some = picks.filter((pick) => pick.checked).length;
  const all = form.querySelector(".pick-all");
  if (all) [all.checked, all.indeterminate] = [some === picks.length, some > 0 && some < picks.length];
  for (const bar of form.querySelectorAll("[data-picked]")) bar.hidden = !some;
  for (const text of form.querySelectorAll("[data-picked-count]")) text.textContent = some;
});
