"""What axe-core finds on a page: what people with weak eyes, a keyboard or a reader can't use."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe

GRAVE = {"serious", "critical"}
_AXE = Axe()


def findings(page: Any, *rules: str) -> list[str]:
    """What is serious or critical, by its rule, with the element; of these rules or of all."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    found = _AXE.run(page, options=options).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for violation in found
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]


def darken(page: Any) -> None:
    """Shows the page as those see it who chose the dark theme."""
    page.evaluate("document.documentElement.classList.add('dark')")
    # Colours that fade over are neither the old nor the new ones.
    page.evaluate("Promise.all(document.getAnimations().map(it => it.finished.catch(() => 0)))")


def lighten(page: Any) -> None:
    """Back to the light theme."""
    page.evaluate("document.documentElement.classList.remove('dark')")


def too_wide(page: Any) -> str:
    """What makes a page wider than a phone; nothing if it fits."""
    return str(
        page.evaluate(
            """() => {
              const wide = document.documentElement.clientWidth;
              if (document.documentElement.scrollWidth <= wide) return "";
              const all = [...document.querySelectorAll("body *")];
              const last = all.filter(it => it.getBoundingClientRect().right > wide + 1).pop();
              return last ? last.outerHTML.slice(0, 160) : "the page";
            }"""
        )
    )
