// Drafts of the composer: what was written and chosen comes back after a closed tab or a
// lost connection. Readers outside never do, and files cannot: both are said in words.
// A draft holds what its writer changed; where the page has changed since, the page wins.
// Each tab keeps its own, so that none destroys another's: the newest comes back first.
const rapport = (globalThis.rapport ??= {});
const MONTH = 30 * 24 * 3600 * 1000;
const FIELDS = ".composer-more :is(input:not([type=checkbox], [type=file], [type=hidden]), select, textarea)[name]";
const PREFIX = "rapport-draft:";
const store = (act) => {
  try {
    return act(localStorage);
  } catch {
    return null; // Private windows may refuse; then there is no draft, and no error.
  }
};
const keyOf = (form, name = form.dataset.draftKey) => `${PREFIX}${document.body.dataset.user ?? ""}:${name}`;
const newId = () => Date.now().toString(36) + Math.random().toString(36).slice(2, 12);
const draftsAt = (key) => {
  try {
    const kept = [JSON.parse(store((box) => box.getItem(key)) ?? "[]")].flat();
    return kept.filter((one) => one?.from && Date.now() - one.at < MONTH);
  } catch {
    return []; // Somebody else's words stand there: no draft of ours.
  }
};
const put = (key, drafts) => store((box) => (drafts.length ? box.setItem(key, JSON.stringify(drafts)) : box.removeItem(key), true));
const others = (form) => draftsAt(keyOf(form)).filter(({ by }) => by !== form.by);
const textOf = (form) => form.querySelector("textarea");
const kindOf = (form) => form.querySelector("select[name=kind]");
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const note = (form, text) => {
  const line = form.querySelector("[data-draft-note]");
  if (line) line.textContent = text;
};

/* What stands in the form ---------------------------------------------------------- */
const timed = (field) => field.closest("[data-timer]")?.minutes?.();
// Whom outside one had named is no part of it either.
const READERS = ".choices input:not([name=shared_with])";
const readersIn = (form) => [...form.querySelectorAll(`${READERS}:checked`)].map(({ name, value }) => [name, value]);
const stateOf = (form) => {
  const fields = [...form.querySelectorAll(FIELDS)];
  return {
    text: textOf(form).value,
    kind: kindOf(form)?.value ?? "",
    fields: Object.fromEntries(fields.filter((one) => !timed(one)).map(({ name, value }) => [name, value])),
    // A clock that runs is no reason for a draft; what it shows is part of one.
    clock: Object.fromEntries(fields.filter(timed).map((one) => [one.name, String(timed(one))])),
    chosen: [...[...form.querySelectorAll(".people-chosen input:checked")].map(({ name, value }) => [name, value]), ...(form.unseen ?? [])],
    readers: readersIn(form),
    files: [...(form.querySelector(".files-field input")?.files ?? [])].map(({ name }) => name),
  };
};
const isOutside = (readers) => readers.some(([name, value]) => name === "audience" && value === "shared");
const isWorth = (form, now) => {
  const { text, fields, chosen } = form.start;
  const words = now.text.trim() && now.text !== form.begun && now.text !== text;
  const filled = Object.entries(now.fields).some(([name, value]) => value && value !== (fields[name] ?? ""));
  return words || filled || !same(now.chosen, chosen) || now.files.length || form.lost?.length;
};

const keep = (form) => {
  form.start ??= stateOf(form);
  const now = stateOf(form);
  form.keepTimer = 0;
  if (!isWorth(form, now)) return put(keyOf(form), others(form));
  form.by ??= newId();
  if (now.files.length) form.lost = [];
  else now.files = form.lost ?? [];
  // "Outside" is remembered only as a word to its writer, never as a choice.
  const outside = form.outside || (isOutside(now.readers) && !isOutside(form.start.readers));
  const { files: _none, ...from } = form.start;
  const { by, sending: sent } = form;
  const draft = { ...now, readers: isOutside(now.readers) ? null : now.readers, outside, from, by, sent, at: Date.now() };
  const kept = put(keyOf(form), [...others(form), draft]);
  const timeZone = document.body.dataset.zone || undefined;
  const time = new Date().toLocaleTimeString(document.documentElement.lang, { timeStyle: "short", timeZone });
  note(form, kept ? rapport.say("draft_kept", { time }) : rapport.say("draft_lost"));
};

/* What the writer has to do again --------------------------------------------------- */
const hint = (form, name, text = "") => {
  const before = form.querySelector(`.composer-draft [data-hint="${name}"]`);
  if (!text || before) return text ? undefined : before?.remove();
  let box = form.querySelector(".composer-draft");
  if (!box) {
    box = document.createElement("div");
    box.className = "composer-draft";
    form.querySelector(".composer-foot").before(box);
  }
  const line = document.createElement("p");
  line.dataset.hint = name;
  line.textContent = text;
  box.append(line);
};
const forget = (form) => {
  clearTimeout(form.keepTimer);
  put(keyOf(form), others(form));
  note(form, "");
  [form.keepTimer, form.by, form.lost, form.unseen, form.outside, form.due] = [0, undefined, [], [], false, null];
  form.querySelector(".composer-draft")?.remove();
};

/* What comes back ------------------------------------------------------------------- */
const newest = (key) => draftsAt(key).sort((one, other) => one.at - other.at).at(-1);
// From now on it is this tab's; where another has it open, that one's next word is its own.
const adopt = (form, draft) => {
  const rest = draftsAt(keyOf(form)).filter(({ by }) => by !== draft.by);
  form.by = newId();
  put(keyOf(form), [...rest, { ...draft, by: form.by, sent: undefined }]);
};
const fill = (form, draft) => {
  for (const [name, value] of Object.entries({ ...draft.fields, ...draft.clock })) {
    const field = [...form.querySelectorAll(FIELDS)].find((one) => one.name === name);
    if (!field || field.value === value || field.value !== (draft.from.fields[name] ?? "")) continue;
    field.value = value;
    field.closest("details")?.setAttribute("open", "");
    field.dispatchEvent(new Event("input"));
  }
};
const choose = async (form, draft) => {
  const had = new Set(draft.from.chosen.map(String));
  const has = new Set(draft.chosen.map(String));
  for (const box of form.querySelectorAll(".people-chosen input")) {
    const one = `${box.name},${box.value}`;
    if (had.has(one) && !has.has(one)) box.checked = false;
  }
  for (const field of form.querySelectorAll("[data-people-url]")) {
    const name = field.dataset.name ?? "contacts";
    const wanted = draft.chosen.filter((one) => one[0] === name && !had.has(String(one))).map(([, value]) => value);
    if (!wanted.length) continue;
    // Only what is still there, and still open to its reader, is named.
    const url = new URL(field.dataset.peopleUrl, location.href);
    for (const one of wanted) url.searchParams.append("chosen", one);
    const answer = await fetch(url, { credentials: "same-origin" }).catch(() => null);
    const items = answer?.ok ? (await answer.json()).items : [];
    // Nobody could be asked: they stay in the draft until somebody can.
    if (!answer?.ok) form.unseen = [...(form.unseen ?? []), ...wanted.map((value) => [name, value])];
    for (const item of items) rapport.choose?.(field, item);
    if (items.length) field.setAttribute("open", "");
    if (items.length < wanted.length) hint(form, "gone", rapport.say("draft_gone"));
  }
};
const allow = (form, draft) => {
  const now = readersIn(form);
  if (draft.outside && !isOutside(now)) {
    form.outside = true;
    hint(form, "outside", rapport.say("draft_inside"));
    rapport.announce(rapport.say("draft_inside"));
  }
  if (!draft.readers || same(now, draft.readers)) return;
  // Who reads an entry that is there already may have been changed by somebody since.
  if (form.dataset.draftKey.startsWith("entry-") && !same(now, draft.from.readers)) return;
  const offered = [...form.querySelectorAll(READERS)];
  const wanted = new Set(draft.readers.map(String));
  const isOffered = (one) => offered.some(({ name, value }) => `${name},${value}` === one);
  // Whom it was for may not be on offer any more, such as a team that one has left. It
  // must not open to those whom the page would choose by itself: nobody chose them.
  const alone = ![...wanted].every(isOffered) && form.querySelector(".choice-private");
  for (const box of offered) box.checked = alone ? box === alone : wanted.has(`${box.name},${box.value}`);
  if (!alone) return;
  hint(form, "alone", rapport.say("draft_alone"));
  rapport.announce(rapport.say("draft_alone"));
};
// What was written before it was known about whom goes on where that is known.
const follow = (form) => {
  const { draftFrom } = form.dataset;
  if (!draftFrom) return;
  const key = keyOf(form, draftFrom);
  const last = newest(key);
  if (!last) return;
  put(keyOf(form), [...draftsAt(keyOf(form)), last]);
  put(key, draftsAt(key).filter(({ by }) => by !== last.by));
};
const restore = (form) => {
  follow(form);
  form.start = stateOf(form);
  // A form that was refused shows what was sent.
  if ("errors" in form.dataset) {
    const mine = draftsAt(keyOf(form)).find(({ sent, text }) => sent && text.trim() === textOf(form).value.trim());
    return mine && adopt(form, mine);
  }
  const draft = newest(keyOf(form));
  if (!draft) return forget(form);
  const field = textOf(form);
  const begun = form.querySelector("[data-template]")?.dataset.template;
  if (field.value.trim() && field.value !== begun && field.value !== draft.from.text) return;
  if (draft.text.trim()) field.value = draft.text;
  adopt(form, draft);
  form.due = draft;
  form.lost = draft.files;
  allow(form, draft);
  fill(form, draft);
  if (draft.files.length) hint(form, "files", rapport.say("draft_files", { names: draft.files.join(", ") }));
  note(form, rapport.say("draft_back"));
  form.classList.add("open");
};
// What the server has to be asked for, once the page can ask.
const resume = (form) => {
  const { due: draft } = form;
  if (!draft) return;
  const select = kindOf(form);
  form.due = null;
  choose(form, draft);
  form.querySelector(".choices")?.dispatchEvent(new Event("change"));
  if (!select || select.value === draft.kind || select.value !== draft.from.kind) return;
  if (![...select.options].some(({ value }) => value === draft.kind)) return;
  select.value = draft.kind;
  form.fields = draft;
  select.dispatchEvent(new Event("change", { bubbles: true }));
};
document.addEventListener("htmx:load", ({ detail }) => {
  const form = detail.elt.closest?.(".composer");
  if (!form?.fields || !detail.elt.matches(".kind-row")) return;
  fill(form, form.fields);
  form.fields = null;
});
document.addEventListener("change", ({ target }) => {
  const form = target.closest?.(".composer");
  if (!form) return;
  if (target.closest(".choices")) {
    form.outside = false;
    for (const name of ["outside", "alone"]) hint(form, name);
  }
  if (form.querySelector(".files-field input")?.files.length) hint(form, "files");
});

// What the server says has arrived is no draft any more, nor what is older than a month.
const arrived = document.cookie.match(/(?:^|; )rapport-arrived=([a-z0-9]+)/)?.[1];
store((box) => Object.keys(box).filter((key) => key.startsWith(PREFIX)).forEach((key) => put(key, draftsAt(key).filter(({ sent }) => !sent || sent !== arrived))));

rapport.drafts = { newId, keep, forget, restore, resume };
