"""The page for teachers against the studio's own lists: cards, and parts that can be hidden."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOUR = ROOT / "studio" / "src" / "tour"
PAGE = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")


def _keys(text: str, start: str, end: str) -> list[str]:
    """The keys of one object of words.ts, in order."""
    body = text[text.index(start) + len(start) :]
    body = body[: body.index(end)]
    level = min(len(found) for found in re.findall(r"^( +)['\w]", body, re.MULTILINE))
    return re.findall(rf"^ {{{level}}}'?([a-z-]+)'?:", body, re.MULTILINE)


def test_the_page_lists_every_card_in_the_order_of_the_tour():
    words = (TOUR / "words.ts").read_text(encoding="utf-8")
    cards = _keys(words, "export const cards = {\n", "\n} as const")
    assert len(cards) == 20
    assert re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE) == cards


def test_the_page_names_every_part_that_can_be_hidden():
    words = (TOUR / "words.ts").read_text(encoding="utf-8")
    parts = _keys(words, "  parts: {\n", "\n  }")
    hidden = re.findall(r"\[data-hide~='(\w+)'\] \[", (TOUR / "hide.css").read_text("utf-8"))
    assert hidden == parts
    named = re.search(r"The parts are (.+?)\. ", PAGE)
    assert named is not None
    assert re.findall(r"`(\w+)`", named[1]) == parts


def test_every_lesson_of_the_page_is_made_of_cards_and_parts_that_exist():
    lessons = re.findall(r"^ {4}(/\S+)$", PAGE, re.MULTILINE)
    assert len(lessons) == 4
    cards = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE))
    for lesson in lessons:
        said = dict(pair.split("=") for pair in lesson.partition("?")[2].split("&"))
        assert said["tour"] in cards
        assert set(said.get("steps", said["tour"]).split(",")) <= cards
        for part in said.get("hide", "header").split(","):
            assert f"`{part}`" in PAGE
