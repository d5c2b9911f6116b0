// The few fields of a kind in the composer: the text to begin with, the clock of a call.
const rapport = (globalThis.rapport ??= {});
const formOf = (element) => element.closest?.(".composer");
const rowOf = (form) => form.querySelector(".kind-row");

/* The text to begin with: only where nothing else was written ---------------------- */
const begin = (form, row) => {
  const field = form.querySelector("textarea");
  if (!field.value.trim() || field.value === form.begun) field.value = row.dataset.template;
  form.begun = row.dataset.template;
};

/* The clock ------------------------------------------------------------------------ */
const two = (number) => String(number).padStart(2, "0");
const clockOf = (box) => {
  const field = box.querySelector("input");
  const button = document.createElement("button");
  const face = document.createElement("span");
  let from = 0;
  let ticking = 0;
  button.type = "button";
  button.className = "btn btn-ghost";
  face.className = "timer";
  face.setAttribute("aria-hidden", "true");
  const seconds = () => Math.floor((Date.now() - from) / 1000);
  const show = () => {
    face.textContent = ticking ? `${Math.floor(seconds() / 60)}:${two(seconds() % 60)}` : "";
    button.textContent = ticking ? box.dataset.stop : box.dataset.start;
  };
  const halt = () => (clearInterval(ticking), (ticking = 0), show());
  // Running: what the field says already counts as well, or how long ago it rang.
  box.start = (elapsed = 0) => {
    if (ticking) return;
    from = Date.now() - (1000 * elapsed || 60_000 * (Number(field.value) || 0));
    ticking = setInterval(() => (box.isConnected ? show() : halt()), 1000);
    show();
  };
  box.minutes = () => (ticking ? Math.max(1, Math.ceil(seconds() / 60)) : 0);
  box.stop = () => {
    if (!ticking) return;
    field.value = box.minutes();
    halt();
  };
  button.addEventListener("click", () => (ticking ? box.stop() : box.start()));
  field.addEventListener("input", halt);
  formOf(box).addEventListener("reset", halt);
  box.append(face, button);
  show();
};

/* Fast hands: who saves before the fields of the kind are here waits for them ------- */
const arrived = (form) => {
  const { held } = form;
  form.runs = false;
  form.held = undefined;
  held?.();
};

// The address began this entry, not the next one, and not once more.
const goOn = (form) => {
  const select = form.querySelector("select[name=kind]");
  const kind = select?.value;
  for (const option of select?.options ?? []) option.defaultSelected = false;
  if (select) select.value = kind;
  form.classList.add("open");
  if (document.activeElement === document.body) form.querySelector("textarea").focus();
  if (form.matches("#main [hx-post]")) history.replaceState(history.state, "", location.pathname);
};

const setUp = (scope) => {
  for (const row of scope.querySelectorAll(".composer .kind-row")) {
    if (row.ready) continue;
    row.ready = true;
    const form = formOf(row);
    form.querySelector("textarea").required = !("wordless" in row.dataset);
    const first = form.begun === undefined;
    if (first) form.begun = form.querySelector("textarea").value === row.dataset.template ? row.dataset.template : "";
    else begin(form, row);
    const box = row.querySelector("[data-timer]");
    if (box) {
      clockOf(box);
      if (form.runs || "elapsed" in box.dataset) box.start(Number(box.dataset.elapsed));
      if ("elapsed" in box.dataset) goOn(form);
    }
    arrived(form);
  }
};
setUp(document);
document.addEventListener("htmx:load", ({ detail }) => setUp(detail.elt.parentElement ?? document));
// Before anybody reads the fields: at the window, which hears of it first.
addEventListener(
  "submit",
  (event) => {
    const { target: form, submitter } = event;
    if (form.runs) {
      event.preventDefault();
      event.stopImmediatePropagation();
      form.held = () => form.requestSubmit(submitter);
    } else form.querySelector?.("[data-timer]")?.stop?.();
  },
  true,
);
// Fields that do not come hold nothing up.
document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  const form = !detail.successful && target.matches?.("select[name=kind]") && formOf(target);
  if (form) arrived(form);
});
// A form that begins anew shows the fields of the kind it begins with.
document.addEventListener("reset", ({ target }) => {
  const select = target.matches?.(".composer") && target.querySelector("select[name=kind]");
  if (!select || !rowOf(target)) return;
  const before = select.value;
  target.begun = "";
  setTimeout(() => select.value !== before && select.dispatchEvent(new Event("change", { bubbles: true })));
});

// Begin an entry of a kind in a composer that is on the page; its clock runs.
rapport.begin = (form, kind) => {
  const select = form.querySelector("select[name=kind]");
  form.classList.add("open");
  if (select && [...select.options].some(({ value }) => value === kind)) {
    const same = select.value === kind;
    select.value = kind;
    form.runs = !same;
    // Who saves at once waits for what the fields say of it.
    if (!same) form.querySelector("textarea").required = false;
    if (same) rowOf(form)?.querySelector("[data-timer]")?.start?.();
    else select.dispatchEvent(new Event("change", { bubbles: true }));
  }
  form.querySelector("textarea").focus();
};
