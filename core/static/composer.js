// The composer: says before sending who will see it, and never loses a word.
const rapport = (globalThis.rapport ??= {});
const { newId, keep, forget, restore, resume } = rapport.drafts;
const textOf = (form) => form.querySelector("textarea");
const isOutside = (form) => form.querySelector(".choice-shared")?.checked ?? false;
const sendOf = (form) => form.querySelector(isOutside(form) ? ".send-outside" : ".send-inside");

/* Inside or outside -------------------------------------------------------------- */
const show = (form) => {
  const chosen = form.querySelector("[name=audience]:checked");
  if (!chosen) return;
  form.classList.toggle("is-outside", isOutside(form));
  const name = form.querySelector(".aud-name");
  const label = chosen.closest(".check");
  const names = [...label.nextElementSibling?.matches(".sub") ? label.nextElementSibling.querySelectorAll(":checked") : []].map((box) => box.dataset.name);
  const word = label.querySelector("span").textContent;
  name.replaceChildren(label.querySelector(".icon").cloneNode(true), names.length && chosen.value === "teams" ? names.join(", ") : word);
  name.className = `aud-name aud aud-${chosen.value}`;
};
const verb = (form) => {
  const said = form.querySelector(".who [data-verb]")?.dataset.verb;
  const button = form.querySelector(".send-outside");
  if (button) button.textContent = said || button.dataset.text;
};

// What the words ask for, such as a reminder, the server says below them.
const ask = (form) => {
  const place = form.querySelector("[data-asked]");
  const text = textOf(form).value;
  if (!place || text === form.askedText || !(place.childElementCount || new RegExp(place.dataset.asked, "i").test(text))) return;
  form.askedText = text;
  place.dispatchEvent(new Event("asked"));
};

const setUp = (form) => {
  if (form.ready) return;
  form.ready = true;
  restore(form);
  show(form);
  verb(form);
  for (const button of form.querySelectorAll(".preview")) button.hidden = false;
  if (textOf(form).value.trim() || form.dataset.errors !== undefined) form.classList.add("open");
  form.askTimer = setTimeout(ask, 400, form);
};
const forms = (scope) => scope.querySelectorAll(".composer[data-draft-key]");

forms(document).forEach(setUp);
document.addEventListener("htmx:load", ({ detail }) => {
  const found = [...forms(detail.elt.parentElement ?? document)];
  found.forEach(setUp);
  found.forEach(resume);
});

const formOf = (event) => event.target.closest?.(".composer[data-draft-key]");
document.addEventListener("focusin", (event) => {
  const form = formOf(event);
  if (form && !form.classList.contains("open")) form.classList.add("open");
});
const later = (event) => {
  const form = formOf(event);
  if (!form) return;
  if (event.target === textOf(form)) form.classList.add("open"); // It closes when sent, and the hand may stay in it.
  clearTimeout(form.keepTimer);
  form.keepTimer = setTimeout(keep, 1000, form);
  if (event.target !== textOf(form)) return;
  clearTimeout(form.askTimer);
  form.askTimer = setTimeout(ask, 400, form);
};
document.addEventListener("input", later);
document.addEventListener("change", later);
const keepAll = (scope) => forms(scope).forEach((form) => form.keepTimer && !form.sending && keep(form));
addEventListener("pagehide", () => keepAll(document));
// Before another place to write takes this one's.
document.addEventListener("htmx:beforeSwap", ({ target }) => keepAll(target));
document.addEventListener("change", (event) => formOf(event) && show(formOf(event)));
document.addEventListener("htmx:afterSwap", (event) => event.target.closest?.(".composer") && verb(event.target.closest(".composer")));

document.addEventListener("keydown", (event) => {
  const form = formOf(event);
  if (!form || event.isComposing) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    // Nothing goes outside by one key: the hand has to find the button.
    if (isOutside(form)) sendOf(form).focus();
    else form.requestSubmit(sendOf(form));
  } else if (event.key === "Escape" && event.target === textOf(form) && !event.target.value.trim()) {
    event.target.blur();
    form.classList.remove("open");
  }
});
// The same in every other form where one writes at length.
document.addEventListener("keydown", (event) => {
  const form = event.target.matches?.("textarea") && !formOf(event) && event.target.form;
  if (!form || event.isComposing || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  const outside = form.querySelector(".btn-out");
  const save = form.querySelector(".btn-primary");
  if (outside) outside.focus();
  else if (save) form.requestSubmit(save);
});
document.addEventListener("keydown", (event) => {
  if (!event.altKey || !event.shiftKey || event.code !== "KeyA") return;
  const form = formOf(event) ?? forms(document)[0];
  form?.classList.add("open");
  form?.querySelector(".aud-button")?.click();
});

/* Sending ------------------------------------------------------------------------ */
// Only the server knows that words sent the plain way have arrived: it names them.
const mark = (form, id) => {
  form.sending = id;
  form.querySelector("[name=draft]")?.remove();
  if (id) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "draft", value: id }));
};
const settle = (form) => {
  mark(form);
  for (const button of form.querySelectorAll(".send")) button.textContent = button.dataset.before ?? button.textContent;
  verb(form); // The answer may have named more readers.
};
document.addEventListener("submit", (event) => {
  const form = formOf(event);
  if (!form) return;
  // A second click must not reach htmx either, which would send it after the first.
  if (form.sending) return void (event.preventDefault(), event.stopImmediatePropagation());
  mark(form, newId());
  form.sentText = textOf(form).value;
  const wrong = form.querySelector(".composer-error");
  // A button in it that sends the form has to be there until it is sent.
  if (wrong && !wrong.contains(event.submitter)) wrong.replaceChildren();
  keep(form);
  const button = sendOf(form);
  button.dataset.before = button.textContent;
  button.textContent = rapport.say(isOutside(form) ? "sending" : "saving");
}, true);
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  // The answer may have replaced the form, which then hears of nothing by itself.
  const form = detail.requestConfig?.elt;
  if (!form?.matches(".composer[data-draft-key]") || !form.sending) return;
  settle(form);
  // htmx calls a swapped 422 successful; to the writer it is a refusal: all stays.
  const refused = !detail.successful || detail.xhr.status >= 400;
  if (refused && form.querySelector(".composer-error")?.childElementCount) textOf(form).focus();
  if (refused) return;
  const now = textOf(form).value;
  forget(form);
  form.reset();
  // What the hand went on to write meanwhile is the beginning of the next one.
  if (now !== form.sentText && now.startsWith(form.sentText)) textOf(form).value = now.slice(form.sentText.length).trimStart();
  clearTimeout(form.askTimer);
  form.askedText = "";
  form.querySelector("[data-asked]")?.dispatchEvent(new Event("htmx:abort"));
  for (const part of form.querySelectorAll(".composer-preview, .composer-error, [data-asked]")) part.replaceChildren();
  show(form);
  form.classList.remove("open");
});
addEventListener("pageshow", (event) => event.persisted && forms(document).forEach(settle));
