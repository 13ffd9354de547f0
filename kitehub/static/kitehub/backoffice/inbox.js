// The keys of the inbox: J and K go on and back, arrows choose an order, U undoes. Enter presses
// the button that has the focus, as everywhere.
"use strict";

(function () {
    const typing = (target) =>
        target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);

    const busy = () => {
        const modal = document.getElementById("modal-content");
        return Boolean(modal && modal.offsetParent !== null);
    };

    const follow = (selector) => {
        const link = document.querySelector(selector);
        if (link) {
            link.click();
        }
        return Boolean(link);
    };

    const choose = (step) => {
        const buttons = [...document.querySelectorAll("[data-inbox-assign]")];
        if (!buttons.length) {
            return false;
        }
        const at = buttons.indexOf(document.activeElement);
        const next = at < 0 ? (step > 0 ? 0 : buttons.length - 1) : at + step;
        buttons[Math.min(Math.max(next, 0), buttons.length - 1)].focus();
        return true;
    };

    const keys = {
        j: () => follow("[data-inbox-next]"),
        k: () => follow("[data-inbox-previous]"),
        u: () => follow("[data-inbox-undo]"),
        ArrowDown: () => choose(1),
        ArrowUp: () => choose(-1),
    };

    document.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || busy()) {
            return;
        }
        const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
        if (act && act()) {
            event.preventDefault();
        }
    });
})();
