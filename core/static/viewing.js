// A colleague looks at the portal as somebody sees it: nothing is sent, and every button
// that would send something says why. The server refuses it as well.
const strip = document.querySelector(".viewing-strip");
const why = strip.dataset.why;
const sends = (form) => form.method === "post" && form !== strip;
const mark = (root) => {
  for (const button of root.querySelectorAll("button, input[type=submit]")) {
    const acts = button.matches("[hx-post]") || (button.type === "submit" && button.form && sends(button.form));
    if (acts) button.setAttribute("aria-disabled", "true"), (button.title = why);
  }
};
mark(document);
document.addEventListener("htmx:load", ({ detail }) => mark(detail.elt));
const refuse = (event) => {
  event.preventDefault();
  event.stopImmediatePropagation();
  globalThis.rapport.toast(why);
};
// Pressed, it says so before the browser asks for what is not filled in yet.
addEventListener("click", (event) => event.target.closest?.("[aria-disabled=true]") && refuse(event), true);
addEventListener("submit", (event) => sends(event.target) && refuse(event), true);
document.addEventListener("htmx:beforeRequest", (event) => event.detail.requestConfig.verb === "get" || refuse(event));
