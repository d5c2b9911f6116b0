// How far a reader has read: told to the server once the page was before their eyes, and
// again when something new has appeared on it. `u` walks from one unread entry to the next.
const PAUSE = 1500;
const formOf = () => document.querySelector("form[data-seen]");
const shown = () => [...document.querySelectorAll("#timeline li[id^=entry-]")].map((line) => Number(line.id.slice("entry-".length)));
let told = -1;
let timer = 0;
const tell = async () => {
  const form = formOf();
  if (!form || document.hidden) return;
  const upto = Math.max(Number(form.elements.upto.value), 0, ...shown().filter(Number.isFinite));
  if (upto <= told) return;
  const before = told;
  told = upto;
  const body = new FormData(form);
  body.set("upto", upto);
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" }, credentials: "same-origin", keepalive: true });
    if (!answer.ok) told = before;
  } catch {
    told = before; // No connection: the next look tells it.
  }
};
const soon = () => {
  clearTimeout(timer);
  timer = setTimeout(tell, PAUSE);
};
if (formOf()) {
  new MutationObserver(soon).observe(document.getElementById("story").parentElement, { childList: true, subtree: true });
  document.addEventListener("visibilitychange", soon);
  soon();
}

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-unread]")) return;
  const unread = [...document.querySelectorAll("#timeline .entry-new")];
  const at = unread.findIndex((line) => line.contains(document.activeElement));
  const next = unread[(at + 1) % unread.length];
  if (!next) return;
  event.preventDefault();
  const fold = next.closest("details");
  if (fold) fold.open = true;
  next.scrollIntoView({ block: "center" });
  (next.querySelector("[data-stop]") ?? next).focus({ preventScroll: true });
});

// What was opened under an entry is shut by the same link.
document.addEventListener("htmx:beforeRequest", (event) => {
  const key = event.detail.elt?.dataset?.below;
  const open = key && document.querySelector(`[data-below-of="${CSS.escape(key)}"]`);
  if (!open) return;
  event.preventDefault();
  open.remove();
});
