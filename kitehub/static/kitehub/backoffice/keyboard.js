// What unfold's pages lack for keyboards and screen readers; their templates stay as they are.
"use strict";
(function () {
  const ICON = ".material-symbols-outlined";
  const NATIVE = "a[href], button, input, select, textarea, label, summary";
  // Icons that are all there is to see of a button, and which text names it.
  const NAMES = { dock_to_right: "menu", school: "home", search: "search", more_horiz: "more", more_vert: "more", close: "close" };

  function text(name) {
    const texts = document.getElementById("backoffice-texts");
    return (texts && texts.dataset[name]) || "";
  }

  // Alpine would set the whole style attribute, which the page's policy forbids.
  document.addEventListener("alpine:init", function () {
    const bar = document.getElementById("changelist-actions");
    const bound = bar && bar.getAttribute("x-bind:style");
    const parts = bound && bound.match(/^'width: ' \+ (.+)$/);
    if (parts) bar.setAttribute("x-bind:style", "{width: " + parts[1] + "}");
  });

  // What a click does, Enter and Space do, and Tab finds it.
  function makeButtons(root) {
    root.querySelectorAll("[x-on\\:click]").forEach(function (element) {
      if (element.matches(NATIVE)) return;
      element.setAttribute("role", "button");
      element.tabIndex = 0;
      element.addEventListener("keydown", function (event) {
        if (event.target !== element || (event.key !== "Enter" && event.key !== " ")) return;
        event.preventDefault();
        element.click();
      });
    });
  }

  function nameIcons(root) {
    root.querySelectorAll(ICON).forEach(function (icon) {
      const button = icon.closest("[role=button], a, button");
      const words = button ? button.textContent.trim() : "";
      if (button && words === icon.textContent.trim() && !button.hasAttribute("aria-label")) {
        const name = button.title || text(NAMES[words]) || namesInside(button.parentElement);
        if (!name) return;
        button.setAttribute("aria-label", name);
      }
      if (icon !== button) icon.setAttribute("aria-hidden", "true");
    });
  }

  // A menu without a name is called by what it offers.
  function namesInside(around) {
    const items = around.querySelectorAll("nav a > span:not(" + ICON + ")");
    return Array.from(items, function (item) { return item.textContent.trim(); }).join(", ");
  }

  function nameRegions() {
    const header = document.getElementById("header-inner");
    if (header) header.setAttribute("role", "banner");
    const content = document.getElementById("content");
    if (content) {
      content.setAttribute("role", "main");
      content.tabIndex = -1; // where the skip link leads to
    }
    const menu = document.getElementById("nav-sidebar-inner");
    if (menu && text("menu")) menu.setAttribute("aria-label", text("menu"));
    document.querySelectorAll(".simplebar-content-wrapper").forEach(function (region) {
      const name = region.closest("#nav-sidebar-inner") ? "menu" : "sideways";
      region.setAttribute("aria-label", text(name));
      if (name === "menu") region.setAttribute("role", "group");
    });
  }

  // Autocompletes are named as their labels are.
  function nameChoices(root) {
    root.querySelectorAll(".select2-selection").forEach(function (choice) {
      const select = choice.closest(".select2-container").previousElementSibling;
      const label = select && select.labels && select.labels[0];
      if (!label) return;
      const name = label.textContent.trim();
      choice.setAttribute("aria-label", name);
      choice.removeAttribute("aria-labelledby");
      const shown = choice.querySelector(".select2-selection__rendered");
      if (shown) shown.setAttribute("aria-label", name);
    });
  }

  // A dialog takes the focus, keeps it, and gives it back.
  function watchDialog() {
    const overlay = document.getElementById("modal-overlay");
    const box = document.getElementById("modal-content");
    if (!overlay || !box) return;
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-modal", "true");
    let opener = null, isOpen = false;
    document.addEventListener("htmx:beforeRequest", function (event) {
      if (event.detail.target === box) opener = event.detail.elt;
    });
    new MutationObserver(function () {
      const open = getComputedStyle(overlay).display !== "none";
      if (open === isOpen) return;
      isOpen = open;
      for (const part of document.body.children) part.inert = open && !part.contains(box);
      if (open) enter(box);
      else if (opener && opener.isConnected) opener.focus();
    }).observe(overlay, { attributes: true, attributeFilter: ["style"] });
  }

  function enter(box) {
    const title = box.querySelector("h1, h2");
    if (title) box.setAttribute("aria-label", title.textContent.trim());
    box.querySelectorAll("table").forEach(function (table) {
      if (table.scrollWidth > table.clientWidth) table.tabIndex = 0; // arrow keys scroll it
    });
    const first = box.querySelector("input:not([type=hidden]), select, textarea, button");
    if (first) first.focus();
  }

  // They appear when their own script gets to it.
  function watchChoices() {
    new MutationObserver(function (changes) {
      const choices = changes.some(function (change) {
        return Array.from(change.addedNodes).some(function (node) {
          return node.classList && node.classList.contains("select2-container");
        });
      });
      if (choices) nameChoices(document);
    }).observe(document.body, { childList: true, subtree: true });
  }

  // What came back of a dialog is looked at from its beginning, or where something is wrong.
  document.addEventListener("htmx:afterSettle", function (event) {
    const box = document.getElementById("modal-content");
    if (!box || !box.contains(event.target) || !box.querySelector("#dialog-form")) return;
    const wrong = box.querySelector(".errors :is(input, select, textarea)");
    if (wrong) wrong.focus();
    else box.scrollTop = 0;
  });

  // On a phone each cell has its column's name before it, which begins with a capital.
  function capitalise(root) {
    root.querySelectorAll("[data-label]").forEach(function (cell) {
      const name = cell.dataset.label.trim();
      cell.dataset.label = name.charAt(0).toLocaleUpperCase("vi") + name.slice(1);
    });
  }

  function mend(root) {
    capitalise(root);
    makeButtons(root);
    nameIcons(root);
  }

  document.addEventListener("DOMContentLoaded", function () {
    mend(document);
    watchChoices();
    watchDialog();
  });
  window.addEventListener("load", nameRegions);
  document.addEventListener("htmx:load", function (event) { mend(event.detail.elt); });
})();
