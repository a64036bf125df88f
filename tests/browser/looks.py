"""How a page looks: what is too wide, what is hard to read, and pictures for people to look at."""

from pathlib import Path

from playwright.sync_api import Page

SHOTS = Path("build/page")
"""Where each run leaves its pictures."""


def too_wide(page: Page, width: int) -> list[str]:
    """The ids of what is wider than the window, `width` pixels, or than the column that it is in."""
    whole = ["the document"] if page.evaluate("document.documentElement.scrollWidth") > width else []
    return [*whole, *page.evaluate(_OUT_OF_COLUMN)]


def poor_contrasts(page: Page) -> list[str]:
    """The elements whose text has a contrast below 4.5."""
    found: list[str] = page.evaluate(_CONTRASTS)
    return found


def take_picture(page: Page, name: str) -> None:
    """Leave a picture of the whole page in `SHOTS`."""
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


# What is wider than what it stands in.
_OUT_OF_COLUMN = """[...document.querySelectorAll("table, dl, form, .text")].filter(
  (each) => each.offsetParent && each.offsetWidth > each.parentElement.offsetWidth
).map((each) => each.id)"""
# Every element that has text of its own, whose colour differs too little from what lies behind it (WCAG 2, AA).
_CONTRASTS = """() => {
  const parts = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\\d.]+/g).map(Number);
    return [red, green, blue, alpha];
  };
  const over = (top, below) => [0, 1, 2].map((index) => top[index] * top[3] + below[index] * (1 - top[3])).concat(1);
  const behind = (element) => {
    const back = parts(getComputedStyle(element).backgroundColor);
    if (back[3] === 1 || !element.parentElement) return back[3] === 1 ? back : [255, 255, 255, 1];
    return over(back, behind(element.parentElement));
  };
  const light = (colour) => colour.slice(0, 3).map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const poor = [];
  for (const element of document.querySelectorAll("body *:not(script, noscript, svg, svg *)")) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const back = behind(element);
    const [low, high] = [light(over(parts(getComputedStyle(element).color), back)), light(back)].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) poor.push(`${element.tagName} ${element.className}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""
