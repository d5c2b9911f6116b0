// Live updates: one event stream per browser, shared between its tabs. A message says
// only what changed; the parts of the page that care are fetched again.
const rapport = (globalThis.rapport ??= {});
const TAB = Math.random().toString(36).slice(2);
const state = { cursor: document.body.dataset.liveCursor ?? "", seenAt: Date.now(), stopped: false };

/* The parts of the page -------------------------------------------------------- */
const parts = new WeakMap();
const partOf = (element) => {
  if (!parts.has(element)) parts.set(element, { timer: 0, running: false, again: false, held: new Set() });
  return parts.get(element);
};
const concerns = (element, { type, contact }) => {
  const { liveTypes = "", liveContacts } = element.dataset;
  const kinds = liveTypes.split(/\s+/).filter(Boolean);
  if (!kinds.some((kind) => type.startsWith(kind))) return false;
  return liveContacts === undefined || liveContacts.split(/\s+/).includes(String(contact));
};
const schedule = (element) => {
  const part = partOf(element);
  clearTimeout(part.timer);
  part.timer = setTimeout(() => refresh(element), 150);
};
// Newcomers may appear by themselves only where the reader would see them come and
// is not at work; everywhere else they wait behind the pill.
const atTop = (element) => {
  const { top } = element.getBoundingClientRect();
  return scrollY < 4 || (top >= 0 && top < innerHeight);
};
const typing = () => document.activeElement?.matches("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])") ?? false;
const refresh = async (element, show = false) => {
  const part = partOf(element);
  if (document.hidden) return void (part.stale = true);
  if (part.running) return void (part.again = true);
  part.running = true;
  const answer = await fetch(element.dataset.liveUrl, { headers: { "HX-Request": "true" }, credentials: "same-origin" }).catch(() => null);
  const fresh = answer?.ok && !answer.redirected;
  const html = fresh ? await answer.text().catch(() => null) : null;
  part.running = false;
  // No connection: asked again when there is one.
  if (!answer || (fresh && html === null)) part.stale = true;
  else if (fresh) settle(element, part, html, show);
  else if (answer.status === 404 || answer.status === 403) gone(element, part);
  if (part.again) {
    part.again = false;
    schedule(element);
  }
};
const gone = (element, part) => {
  const line = document.createElement("p");
  line.className = "quiet";
  line.textContent = rapport.say("not_yours");
  part.held.clear();
  pill(element, part);
  element.replaceChildren(line);
};
const settle = (element, part, html, show) => {
  const page = new DOMParser().parseFromString(`<template>${html}</template>`, "text/html");
  let next = page.querySelector("template").content;
  const twin = element.id && next.querySelector(`#${CSS.escape(element.id)}`);
  if (twin) next = twin;
  const mayShow = show || (atTop(element) && !typing() && !rapport.inUse(element));
  const news = rapport.morph(element, document.adoptNode(next), mayShow);
  part.held = new Set(news.held);
  if (news.waiting) element.addEventListener("focusout", () => setTimeout(schedule, 400, element), { once: true });
  if (news.shown.length) rapport.announce(newsText(element, news.shown.length));
  pill(element, part);
  if (show) news.shown[0]?.scrollIntoView({ block: "nearest" });
  if (show) focusOn(news.shown[0] ?? element);
};
const focusOn = (element) => {
  const stop = element.querySelector("[data-stop], a, button") ?? element;
  if (stop === element) element.tabIndex = -1;
  stop.focus({ preventScroll: true });
};
const newsText = ({ dataset }, n) =>
  (n === 1 ? dataset.liveNewOne : dataset.liveNewMany)?.replace("{n}", n) ?? rapport.say(n === 1 ? "new_one" : "new_many", { n });
const pill = (element, part) => {
  const n = part.held.size;
  if (!n) return void (part.slot?.remove(), (part.slot = null));
  if (!part.slot) {
    const button = document.createElement("button");
    part.slot = document.createElement("div");
    part.slot.className = "pill-slot";
    button.type = "button";
    button.className = "pill";
    button.addEventListener("click", () => refresh(element, true));
    part.slot.append(button);
    element.before(part.slot);
  }
  const text = newsText(element, n);
  if (part.slot.firstChild.textContent === text) return;
  part.slot.firstChild.textContent = text;
  rapport.announce(text);
};
const all = () => document.querySelectorAll("[data-live-url]");
const hear = (change) => {
  for (const element of all()) if (concerns(element, change)) schedule(element);
  document.dispatchEvent(new CustomEvent("rapport:change", { detail: change }));
};
const catchUp = () => all().forEach((element) => partOf(element).stale && ((partOf(element).stale = false), schedule(element)));
document.addEventListener("visibilitychange", () => document.hidden || catchUp());
addEventListener("online", catchUp);

/* The news: the leader asks the server, the other tabs hear from the leader ------ */
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("rapport-live") : null;
const recent = [];
let leading = false;
const take = (message) => {
  state.seenAt = Date.now();
  rapport.strip("live", "");
  if (message.cursor) state.cursor = message.cursor;
  if (message.type) hear(message);
};
const tell = (message) => {
  if (message.type) recent.push(message);
  if (recent.length > 200) recent.shift();
  take(message);
  channel?.postMessage({ kind: "news", message });
};
channel?.addEventListener("message", ({ data }) => {
  if (data.kind === "news" && (!data.to || data.to === TAB)) take(data.message);
  if (data.kind !== "hello" || !leading) return;
  // A tab that has just been drawn may have missed what came meanwhile.
  const at = recent.findIndex((message) => message.cursor === data.cursor);
  const missed = data.cursor === state.cursor ? [] : recent.slice(at + 1);
  for (const message of [...missed, { cursor: state.cursor }]) channel.postMessage({ kind: "news", to: data.from, message });
});

const wait = (ms, signal) => new Promise((done) => {
  const timer = setTimeout(done, ms);
  signal.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
});
const address = (path) => `${rapport.root ?? ""}${path}cursor=${encodeURIComponent(state.cursor)}`;

// One stream until it breaks; says whether it ever opened, and if it was refused.
const stream = (signal) => new Promise((done) => {
  const source = new EventSource(address("/live?"));
  const close = (refused) => (clearInterval(pulse), source.close(), done({ opened, refused }));
  let opened = false;
  const pulse = setInterval(() => opened && source.readyState === EventSource.OPEN && tell({}), 5000);
  source.addEventListener("open", () => ((opened = true), tell({})));
  source.addEventListener("change", ({ data, lastEventId }) => {
    const message = JSON.parse(data);
    tell({ ...message, cursor: message.cursor ?? lastEventId });
  });
  // A refusal (429, 503) closes the source for good; a lost line would try again, but
  // with the old cursor, so it is always opened anew.
  source.addEventListener("error", () => close(source.readyState === EventSource.CLOSED));
  signal.addEventListener("abort", () => close(false), { once: true });
});
const poll = async (signal) => {
  const answer = await fetch(address("/api/v1/events?limit=200&"), { credentials: "same-origin", signal });
  if (answer.status === 401 || answer.status === 403) state.stopped = true;
  if (!answer.ok) return;
  const { items, cursor } = await answer.json();
  for (const { type, subject, contact } of items) tell({ type, ref: subject, contact });
  tell({ cursor });
};
const pollFor = async (ms, signal) => {
  for (const until = Date.now() + ms; Date.now() < until && !signal.aborted && !state.stopped; ) {
    await poll(signal).catch(() => {}); // A lost line shows after 30 s by itself.
    await wait(5000, signal);
  }
};
const lead = async (signal) => {
  leading = true;
  for (let failures = 0; !signal.aborted && !state.stopped; ) {
    const { opened, refused } = await stream(signal);
    failures = opened ? 0 : failures + 1;
    if (signal.aborted) break;
    if ((refused && !opened) || failures >= 3) await pollFor(60000, signal);
    else await wait(500 * 2 ** failures * (0.75 + Math.random() / 2), signal);
  }
  leading = false;
};

/* Who leads: the holder of a lock; without locks every tab in sight for itself ---- */
let turn = null;
const start = () => {
  if (turn || !document.body.hasAttribute("data-live-cursor")) return;
  turn = new AbortController();
  const { signal } = turn;
  channel?.postMessage({ kind: "hello", from: TAB, cursor: state.cursor });
  if (navigator.locks) {
    navigator.locks.request("rapport-live", { signal }, () => lead(signal)).catch((error) => {
      if (error.name !== "AbortError") throw error;
    });
  } else if (!document.hidden) lead(signal);
};
const stop = () => (turn?.abort(), (turn = null));
addEventListener("pagehide", stop);
addEventListener("pageshow", (event) => event.persisted && (start(), all().forEach(schedule)));
if (!navigator.locks) document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
start();

setInterval(() => {
  if (!turn || document.hidden || (Date.now() - state.seenAt < 30000 && !state.stopped)) return;
  if (navigator.onLine) rapport.strip("live", rapport.say("paused"), rapport.say("refresh"), () => location.reload());
}, 2000);
