// Copy buttons: <button type="button" data-copy="text" data-copied="said" data-failed="said">
"use strict";
(function () {
  function copyTheOldWay(text) {
    // Where the page isn't served by https there is no clipboard of the newer kind.
    const box = document.createElement("textarea");
    box.value = text;
    box.setAttribute("readonly", "");
    box.className = "kh-aloud";
    document.body.append(box);
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("not copied"));
  }

  function copy(text) {
    return navigator.clipboard
      ? navigator.clipboard.writeText(text).catch(function () { return copyTheOldWay(text); })
      : copyTheOldWay(text);
  }

  function say(text) {
    const place = document.querySelector("[data-copy-status]");
    if (place) place.textContent = text;
  }

  document.addEventListener("click", function (event) {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    event.preventDefault();
    const icon = button.querySelector(".material-symbols-outlined");
    copy(button.dataset.copy).then(function () {
      say(button.dataset.copied);
      if (icon) icon.textContent = "check";
      clearTimeout(button.timer);
      button.timer = setTimeout(function () {
        if (icon) icon.textContent = "content_copy";
        say("");
      }, 2000);
    }, function () { say(button.dataset.failed); }).finally(function () { button.focus(); });
  });
})();
