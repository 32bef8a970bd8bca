"""decode.py: each kind of file against the formula in colour.py, computed a second time here."""

import contextlib
import re
import resource
import threading
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.corpus import encoded, images, photo
from tests.corpus.images import BadImage, rotated, sixteen_bit_png, solid_png

from seethrough.data.decode import decode, fit, picture
from seethrough.data.limits import MAX_FILE_BYTES
from seethrough.errors import DataError

CORPUS = list(images())
RNG = np.random.default_rng(7)


def seen(image: Image.Image, kind: str, **options: object) -> np.ndarray:
    return decode(encoded(image, kind, **options), name="a").pixels.astype(np.int64)


def on_white(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    opaque = alpha[..., None].astype(np.float64) / 255
    return np.rint(rgb * opaque + 255 * (1 - opaque))


# ---------------------------------------------------------------- the corpus


@pytest.mark.parametrize("image", CORPUS, ids=lambda image: image.name)
def test_every_file_of_the_corpus_has_the_promised_outcome(image: BadImage):
    if image.refused is None:
        fitted = picture(image.content, name=image.name, image_px=32)
        assert fitted.pixels.shape == (32, 32, 3)
        assert (image.note or "") in (fitted.note or "")
    else:
        with pytest.raises(DataError, match=re.escape(image.refused)) as caught:
            picture(image.content, name=image.name, image_px=32)
        assert caught.value.what.startswith(image.name + ": ")
        assert caught.value.why
        assert caught.value.fix


def test_foreign_formats_are_called_by_their_name():
    files = {image.name: image.content for image in CORPUS}
    for name, words in {"heic.jpg": "a HEIC photo", "pdf.png": "a PDF", "text.jpg": "text"}.items():
        with pytest.raises(DataError, match="not an image") as caught:
            decode(files[name], name=name)
        assert words in caught.value.why


def test_mutated_files_are_refused_or_decoded_and_nothing_else_happens():
    good = [image.content for image in CORPUS if image.refused is None and len(image.content) > 100]
    rng = np.random.default_rng(11)
    for number in range(600):
        content = bytearray(good[number % len(good)])
        for _ in range(int(rng.integers(1, 9))):
            content[int(rng.integers(0, min(len(content), 2000)))] = int(rng.integers(0, 256))
        with contextlib.suppress(DataError):
            assert picture(bytes(content), name="m", image_px=16).pixels.shape == (16, 16, 3)


# ---------------------------------------------------------------- limits


def test_64_million_pixels_are_decoded_and_65_million_are_not():
    content = solid_png(8000, 8000)
    assert len(content) < 300_000
    fitted = picture(content, name="large.png", image_px=32)
    assert (fitted.width, fitted.height) == (8000, 8000)
    assert fitted.pixels.min() == 255
    with pytest.raises(DataError, match=r"too large \(8,125 × 8,000 px\)"):
        decode(solid_png(8125, 8000), name="larger.png")


def test_headers_that_promise_too_much_cost_no_memory():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for image in CORPUS:
        if image.refused == "too large":
            with pytest.raises(DataError, match="too large"):
                decode(image.content, name=image.name)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 20_000


def test_a_file_of_more_than_50_mb_is_refused_by_its_length():
    with pytest.raises(DataError, match=r"the file is too large \(50\.0 MB\)"):
        decode(b"\xff\xd8\xff" + bytes(MAX_FILE_BYTES), name="a.jpg")


# ---------------------------------------------------------------- colours

GREY = RNG.integers(0, 256, (9, 7), dtype=np.uint8)
RGB = RNG.integers(0, 256, (9, 7, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (9, 7), dtype=np.uint8)


def test_grey_and_one_bit_pictures_have_three_equal_channels():
    assert np.array_equal(seen(Image.fromarray(GREY), "PNG"), GREY[..., None].repeat(3, axis=2))
    bits = GREY > 127
    expected = (bits * 255)[..., None].repeat(3, axis=2)
    assert np.array_equal(seen(Image.fromarray(bits), "PNG"), expected)
    assert np.array_equal(seen(Image.fromarray(bits), "TIFF"), expected)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_rgb_comes_through_unchanged(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(seen(Image.fromarray(RGB), kind, **options), RGB)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_transparency_is_laid_on_white(kind):
    layered = Image.fromarray(np.dstack([RGB, ALPHA]))
    assert np.abs(seen(layered, kind) - on_white(RGB, ALPHA)).max() <= 1
    grey = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(ALPHA)])
    wide = GREY[..., None].repeat(3, axis=2)
    assert np.abs(seen(grey, kind) - on_white(wide, ALPHA)).max() <= 1


def test_one_transparent_colour_becomes_white():
    chosen = tuple(int(value) for value in RGB[2, 3])
    expected = np.where((chosen == RGB).all(axis=2)[..., None], 255, RGB)
    assert np.array_equal(seen(Image.fromarray(RGB), "PNG", transparency=chosen), expected)
    expected = np.where(GREY[0, 0] == GREY, 255, GREY)[..., None].repeat(3, axis=2)
    got = seen(Image.fromarray(GREY), "PNG", transparency=int(GREY[0, 0]))
    assert np.array_equal(got, expected)


def test_a_palette_is_looked_up_and_its_transparency_laid_on_white():
    indices = RNG.integers(0, 4, (9, 7), dtype=np.uint8)
    palette = RNG.integers(0, 256, (4, 3), dtype=np.uint8)
    alphas = np.array([0, 80, 160, 255], dtype=np.uint8)
    image = Image.frombytes("P", (7, 9), indices.tobytes())
    image.putpalette(palette.tobytes())
    assert np.array_equal(seen(image, "PNG"), palette[indices])
    assert np.array_equal(seen(image, "GIF"), palette[indices])
    got = seen(image, "PNG", transparency=alphas.tobytes())
    assert np.abs(got - on_white(palette[indices], alphas[indices])).max() <= 1


def test_sixteen_bits_are_scaled_and_not_clipped():
    assert decode(sixteen_bit_png(40_000), name="a").pixels.mean() == pytest.approx(156, abs=0.5)
    values = np.linspace(0, 65_535, 64 * 5, dtype=np.uint16).reshape(5, 64)
    expected = np.rint(values / 257)[..., None].repeat(3, axis=2)
    for kind in ("PNG", "TIFF"):
        assert np.array_equal(seen(Image.fromarray(values), kind), expected)


@pytest.mark.parametrize(
    ("values", "expected", "noted"),
    [
        (np.array([[0, 100, 255]], dtype=np.int32), [0, 100, 255], False),
        (np.array([[0, 25_700, 65_535]], dtype=np.int32), [0, 100, 255], False),
        (np.array([[-1000, 0, 1000]], dtype=np.int32), [0, 128, 255], True),
        (np.array([[0.0, 0.5, 1.0]], dtype=np.float32), [0, 128, 255], False),
        (np.array([[0.0, 99.6, 255.0]], dtype=np.float32), [0, 100, 255], False),
        (np.array([[-2.0, 0.0, 3.0]], dtype=np.float32), [0, 102, 255], True),
        (np.array([[7.5e9, 7.5e9, 7.5e9]], dtype=np.float32), [0, 0, 0], True),
    ],
)
def test_wide_grey_values_find_their_place_in_0_to_255(values, expected, noted):
    found = decode(encoded(Image.fromarray(values), "TIFF"), name="a")
    assert found.pixels[0, :, 0].tolist() == expected
    assert ("stretched" in (found.note or "")) == noted


def test_a_picture_with_values_that_are_no_numbers_is_refused():
    values = np.array([[0.0, np.nan]], dtype=np.float32)
    with pytest.raises(DataError, match="damaged") as caught:
        decode(encoded(Image.fromarray(values), "TIFF"), name="a")
    assert "not numbers" in caught.value.why


def test_cmyk_has_the_right_colours_with_and_without_adobes_marker():
    ink = np.array([[[0, 255, 255, 0], [255, 0, 255, 0], [0, 0, 0, 255], [0, 0, 0, 0]]])
    wanted = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 0], [255, 255, 255]])
    blocks = ink.repeat(16, axis=1).repeat(16, axis=0).astype(np.uint8)
    adobe = encoded(Image.frombytes("CMYK", (64, 16), blocks.tobytes()), quality=95)
    inverted = Image.frombytes("CMYK", (64, 16), (255 - blocks).tobytes())
    content = encoded(inverted, quality=95)
    at = content.index(b"\xff\xee\x00\x0eAdobe")
    plain = content[:at] + content[at + 16 :]
    for file in (adobe, plain):
        middle = decode(file, name="a").pixels[8, 8::16].astype(np.int64)
        assert np.abs(middle - wanted).max() <= 3
    tiff = encoded(Image.frombytes("CMYK", (64, 16), blocks.tobytes()), "TIFF")
    assert np.array_equal(decode(tiff, name="a").pixels[8, 8::16], wanted)


def test_lab_is_converted_by_its_definition():
    wanted = np.array([[200, 40, 30], [60, 180, 70], [50, 60, 190], [128, 128, 128]])
    linear = np.where(
        wanted / 255 > 0.04045, ((wanted / 255 + 0.055) / 1.055) ** 2.4, wanted / 255 / 12.92
    )
    # sRGB to XYZ, adapted to D50: Bruce Lindbloom, "RGB/XYZ Matrices"
    matrix = [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
    x, y, z = np.cbrt(linear @ np.array(matrix).T / [0.96422, 1.0, 0.82521]).T
    lab = np.stack([(116 * y - 16) * 2.55, 500 * (x - y), 200 * (y - z)], axis=1)
    stored = np.rint(lab).astype(np.int64).astype(np.uint8)  # a and b are signed bytes
    found = seen(Image.frombytes("LAB", (4, 1), stored.tobytes()), "TIFF")[0]
    assert np.abs(found - wanted).max() <= 8  # one step of an 8-bit a or b


# ---------------------------------------------------------------- orientation, frames


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "JPEG"])
def test_every_orientation_comes_out_upright(kind, orientation):
    found = decode(rotated(kind, orientation), name="a")
    upright = np.asarray(photo(48, 32)).astype(np.int64)
    assert (found.width, found.height) == (48, 32)
    assert found.pixels.shape == upright.shape
    tolerance = 24 if kind == "JPEG" else 0
    assert np.abs(found.pixels - upright).max() <= tolerance


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_of_several_frames_is_used(kind):
    pictures = [Image.new("RGB", (24, 24), colour) for colour in ("red", "green", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encoded(pictures[0], kind, save_all=True, append_images=pictures[1:], **options)
    found = decode(content, name="a")
    assert (found.pixels == [255, 0, 0]).all()
    assert "the first is used" in (found.note or "")


# ---------------------------------------------------------------- the square


def test_a_square_of_the_right_size_is_not_touched():
    pixels = RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert np.array_equal(fit(pixels, 32), pixels)


@settings(deadline=None)
@given(width=st.integers(1, 90), height=st.integers(1, 90), side=st.integers(1, 40))
def test_the_largest_centred_square_is_kept(width, height, side):
    short = min(width, height)
    left, top = (width - short) // 2, (height - short) // 2
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[top : top + short, left : left + short] = (9, 99, 199)
    fitted = fit(pixels, side)
    assert fitted.shape == (side, side, 3)
    assert (fitted == (9, 99, 199)).all()


@settings(deadline=None)
@given(width=st.integers(1, 500), height=st.integers(1, 500))
def test_the_note_counts_every_pixel_that_was_cut_off(width, height):
    note = picture(solid_png(width, height), name="a.png", image_px=8).note or ""
    said = next((sentence for sentence in note.split(". ") if "cut off" in sentence), "")
    cut = [int(number) for number in re.findall(r"(\d+) px", said)]
    total = sum(cut) * (2 if " and " in said and len(cut) == 1 else 1)
    assert total == abs(width - height)
    assert ("left" in note or "right" in note) == (width > height)


def test_a_shrunken_photo_is_the_mean_of_what_it_was():
    pixels = np.asarray(photo(256, 256, seed=3))
    blocks = pixels.reshape(32, 8, 32, 8, 3).mean(axis=(1, 3))
    assert np.abs(fit(pixels, 32) - blocks)[2:-2, 2:-2].max() < 6


def test_a_drafted_jpeg_gives_what_the_whole_one_gives():
    content = encoded(photo(1500, 1100, seed=5), quality=92)
    fitted = picture(content, name="a.jpg", image_px=64)
    drafted = decode(content, name="a.jpg", image_px=64)
    assert min(drafted.pixels.shape[:2]) in range(128, 300)
    assert (drafted.width, drafted.height) == (fitted.width, fitted.height) == (1500, 1100)
    assert np.array_equal(fit(drafted.pixels, 64), fitted.pixels)
    whole = fit(decode(content, name="a.jpg").pixels, 64).astype(np.int64)
    assert np.abs(whole - fitted.pixels).max() <= 8


def test_a_large_picture_that_is_no_jpeg_gives_what_the_whole_one_gives():
    content = encoded(photo(3600, 2400, seed=6).transpose(Image.Transpose.ROTATE_90), "BMP")
    fitted = picture(content, name="a.bmp", image_px=64)
    assert (fitted.width, fitted.height) == (2400, 3600)
    whole = fit(decode(content, name="a.bmp").pixels, 64).astype(np.int64)
    assert np.abs(whole - fitted.pixels).max() <= 8


def test_threads_see_what_one_sees_and_leave_the_warning_filters_alone():
    files = [image for image in CORPUS if image.refused is None and image.note != "8000"]
    alone = [picture(image.content, name="a", image_px=16).pixels for image in files]
    before = list(warnings.filters)
    wrong: list[str] = []

    def look() -> None:
        for image, expected in zip(files, alone, strict=True):
            if not np.array_equal(picture(image.content, name="a", image_px=16).pixels, expected):
                wrong.append(image.name)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert list(warnings.filters) == before


def test_pixels_belong_to_the_caller():
    pixels = np.asarray(photo(40, 40))
    content = encoded(photo(40, 40), "PNG")
    for array in (fit(pixels, 40), fit(pixels, 20), decode(content, name="a").pixels):
        array[:] = 0
    assert np.array_equal(picture(content, name="a", image_px=40).pixels, pixels)
