// What makes the portal's pages nicer; each of them works without it.
"use strict";
(function () {
  document.documentElement.classList.add("js");

  // Copy buttons: <button type="button" data-copy="text" data-copied="Copied">
  function copyTheOldWay(text) {
    // Where the page isn't served by https there is no clipboard of the newer kind.
    const box = document.createElement("textarea");
    box.value = text;
    box.setAttribute("readonly", "");
    box.className = "skip";
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

  document.addEventListener("click", function (event) {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const before = button.dataset.label || button.textContent;
    button.dataset.label = before;
    copy(button.dataset.copy).then(function () {
      button.textContent = button.dataset.copied;
      clearTimeout(button.timer);
      button.timer = setTimeout(function () { button.textContent = before; }, 2000);
    }, function () {});
  });

  // Countdowns: <time datetime="2026-03-01T10:00:00+07:00" data-countdown>
  function two(number) { return String(number).padStart(2, "0"); }

  function tick() {
    document.querySelectorAll("[data-countdown]").forEach(function (place) {
      const left = Math.max(0, Math.floor((Date.parse(place.dateTime) - Date.now()) / 1000));
      place.textContent =
        two(Math.floor(left / 3600)) + ":" + two(Math.floor(left / 60) % 60) + ":" + two(left % 60);
    });
  }
  tick();
  setInterval(tick, 1000);
  document.addEventListener("htmx:afterSwap", tick);
})();
