"""A file of one's own: chosen, dropped, or of the wrong kind."""

import base64
import io

import pytest
from PIL import Image
from playwright.sync_api import expect

DROP = """([name, type, content]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type }));
  const event = { dataTransfer: data, bubbles: true, cancelable: true };
  document.body.dispatchEvent(new DragEvent('dragover', event));
  document.body.dispatchEvent(new DragEvent('drop', event));
}"""


def blue_and_green() -> bytes:
    """A wide PNG: blue above, green below."""
    picture = Image.new("RGB", (60, 40), (40, 90, 200))
    picture.paste((50, 140, 60), (0, 25, 60, 40))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def content() -> bytes:
    """A photo of one's own."""
    return blue_and_green()


def choose(window, name: str, kind: str, content: bytes) -> None:
    with window.page.expect_file_chooser() as chooser:
        window.page.get_by_role("button", name="Drop a photo…").click()
    chooser.value.set_files({"name": name, "mimeType": kind, "buffer": content})


def drop(window, name: str, kind: str, content: bytes) -> None:
    window.page.evaluate(DROP, [name, kind, base64.b64encode(content).decode()])


@pytest.mark.parametrize("give", [choose, drop])
def test_a_file_of_ones_own_is_looked_at_and_says_what_was_cut_off(window, content, give):
    window.look()
    give(window, "Blick übers Land #1.png", "image/png", content)
    window.path_becomes(f"/look/{window.run}/u-[^/]+")
    expect(window.network).to_contain_text("Nobody said what it shows.")
    expect(window.network).to_contain_text("were cut off to make it square")
    window.select("conv1", 0)
    window.page.reload()
    expect(window.network).to_contain_text("Nobody said what it shows.")
    expect(window.sentence).to_contain_text("conv1, unit 0, row ")


@pytest.mark.parametrize("give", [choose, drop])
def test_a_text_file_is_refused_in_three_sentences_and_nothing_is_lost(window, give):
    window.look()
    window.select("conv1", 0)
    path, before = window.path(), window.sentence.inner_text()
    window.statuses = {415, 422}
    give(window, "letter.jpg", "image/jpeg", b"Dear reader, this is no photo.\n" * 20)
    alert = window.page.get_by_role("alert")
    expect(alert).to_contain_text("letter.jpg")
    said = [alert.get_by_role("heading").inner_text(), *alert.locator("p").all_inner_texts()]
    assert len(said) == 3
    assert all(sentence.endswith(".") for sentence in said)
    window.page.get_by_role("button", name="Close").click()
    expect(alert).to_have_count(0)
    assert (window.path(), window.sentence.inner_text()) == (path, before)
