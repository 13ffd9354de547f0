// Nothing that somebody entered is lost because it could not be sent: signed out, offline, refused.
"use strict";
(function () {
  const TOKEN = "csrfmiddlewaretoken";

  // Its inline style is forbidden; pages.css has the rules.
  window.htmx.config.includeIndicatorStyles = false;
  window.htmx.config.attributesToSettle = ["class", "width", "height"]; // nor does it copy one
  window.htmx.config.allowEval = false;

  function texts() { return document.getElementById("backoffice-texts").dataset; }

  // Signing in changes it, also in another window.
  function freshToken() {
    const found = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
    return found && found[1];
  }

  function notice(form, words, offersSignIn) {
    let box = form.querySelector(".send-notice");
    if (!box) {
      box = document.createElement("div");
      box.className = "send-notice";
      box.setAttribute("role", "alert");
      form.prepend(box);
    }
    box.textContent = words + " ";
    if (offersSignIn) {
      const link = document.createElement("a");
      link.href = texts().signInAddress;
      link.target = "_blank";
      link.rel = "noopener";
      link.textContent = texts().signIn;
      box.append(link);
    }
    box.scrollIntoView({ block: "center" });
  }

  function clear(form) {
    const box = form.querySelector(".send-notice");
    if (box) box.remove();
  }

  // A page's own form: asked first, with a light request, whether it would arrive.
  async function stopper() {
    try {
      const options = { cache: "no-store", redirect: "manual" };
      const answer = await fetch(texts().signedInAddress, options);
      // Whose password or code is still to come is led to the page for it.
      if (answer.type === "opaqueredirect") return "signedOut";
      return answer.status === 204 ? "" : "unreachable";
    } catch {
      return "unreachable";
    }
  }

  const asking = new WeakSet(), asked = new WeakSet();
  document.addEventListener("submit", async function (event) {
    const form = event.target, submitter = event.submitter;
    if (event.defaultPrevented || form.method !== "post" || !form.closest("#content")) return;
    if (form.hasAttribute("hx-post")) return;
    const token = form.elements[TOKEN];
    if (token && freshToken()) token.value = freshToken();
    if (asked.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (asking.has(form)) return; // a second click
    asking.add(form);
    const why = await stopper();
    asking.delete(form);
    if (why) return notice(form, texts()[why], why === "signedOut");
    clear(form);
    asked.add(form);
    form.requestSubmit(submitter);
  }, true);

  // Dialogs, which htmx gets and sends.
  document.addEventListener("htmx:configRequest", function (event) {
    if (event.detail.verb === "post" && freshToken()) event.detail.parameters[TOKEN] = freshToken();
  });

  function formOf(event) { return event.detail.elt.closest("form"); }

  document.addEventListener("htmx:beforeSwap", function (event) {
    const came = event.detail.xhr.responseURL;
    if (!came || !texts().signInPages.split(" ").includes(new URL(came).pathname)) return;
    event.detail.shouldSwap = false;
    const form = formOf(event);
    if (form) notice(form, texts().signedOut, true);
    else location.reload(); // nothing is entered yet: to the sign-in page, and back here
  });

  function refused(event, words) {
    const form = formOf(event);
    if (form) return notice(form, words, false);
    const box = document.getElementById("modal-content");
    box.replaceChildren();
    notice(box, words, false);
  }

  document.addEventListener("htmx:responseError", function (event) {
    const name = { 403: "forbidden", 404: "gone" }[event.detail.xhr.status] || "broken";
    refused(event, texts()[name]);
  });
  document.addEventListener("htmx:sendError", function (event) {
    refused(event, texts().unreachable);
  });
})();
