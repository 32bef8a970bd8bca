"""Photos by id: lists, pictures, and photos that were dropped on the page."""

import io
from urllib.parse import quote

import anyio
import numpy as np
import pytest
from PIL import Image

from seethrough.data.dataset import Split
from seethrough.data.decode import picture
from seethrough.serve import body
from seethrough.serve.dropped import DropBox
from seethrough.serve.refusal import Refusal

from .conftest import OWN_PAGE, photo_of


@pytest.fixture
def base(trained):
    return f"/api/runs/{trained.run.id}/photos"


@pytest.fixture
def dataset(trained):
    return trained.run.dataset()


def png(pixels) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG")
    return stream.getvalue()


def pixels_of(answer) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(answer.content)).convert("RGB"))


def test_every_split_lists_its_own_photos_in_file_order(client, base, dataset):
    for split in Split:
        told = client.get(base, params={"split": split.name.lower()}).json()
        indices = dataset.indices(split)
        assert told["total"] == len(indices)
        assert [photo["id"] for photo in told["photos"]] == [f"t{index}" for index in indices]
        for photo, index in zip(told["photos"], indices, strict=True):
            assert photo["path"] == dataset.paths[index]
            assert photo["label"] == dataset.classes[dataset.labels[index]]
            assert (photo["width"], photo["height"]) == (40, 30)


def test_predictions_of_test_photos_are_those_of_the_run(client, base, trained, dataset):
    told = {photo["id"]: photo for photo in client.get(base).json()["photos"]}
    predictions = trained.run.predictions
    for index, row in zip(predictions.index, predictions.probabilities, strict=True):
        photo = told[f"t{index}"]
        assert photo["predicted"] == dataset.classes[row.argmax()]
        assert photo["probability"] == float(row.max())
    training = client.get(base, params={"split": "train"}).json()["photos"]
    assert {photo["predicted"] for photo in training} == {None}


def test_a_cell_of_the_confusion_matrix_lists_exactly_its_photos(client, base, trained):
    report = trained.run.report
    for row, label in enumerate(report.classes):
        for column, predicted in enumerate(report.classes):
            told = client.get(base, params={"label": label, "predicted": predicted}).json()
            assert told["total"] == report.confusion[row][column]
            for photo in told["photos"]:
                assert (photo["label"], photo["predicted"]) == (label, predicted)


def test_sure_and_unsure_are_orders_of_one_list(client, base):
    sure = client.get(base, params={"order": "sure"}).json()["photos"]
    unsure = client.get(base, params={"order": "unsure"}).json()["photos"]
    probabilities = [photo["probability"] for photo in sure]
    assert probabilities == sorted(probabilities, reverse=True)
    assert [photo["probability"] for photo in unsure] == sorted(probabilities)


def test_pages_join_to_the_whole_list(client, base):
    whole = client.get(base, params={"split": "train"}).json()["photos"]
    pages = [
        client.get(base, params={"split": "train", "limit": 7, "offset": offset}).json()["photos"]
        for offset in range(0, 35, 7)
    ]
    assert [photo for page in pages for photo in page] == whole


def test_an_unknown_class_is_named_with_those_there_are(client, base):
    answer = client.get(base, params={"label": "cat"})
    assert answer.status_code == 404
    assert "red, stripes" in answer.json()["why"]


@pytest.mark.parametrize(
    "name", ["t40", "t-1", "t01", "t1.5", "x", "t", "t9999999999", "T1", "%00"]
)
def test_an_unknown_photo_is_404(client, base, name):
    for part in ("", "/image", "/trace"):
        assert client.get(f"{base}/{name}{part}").status_code == 404


def test_a_photo_says_what_was_cut_off(client, base):
    assert "5 px at the left and right were cut off" in client.get(f"{base}/t3").json()["note"]


def test_the_picture_is_the_file_and_the_fitted_one_what_the_network_reads(
    client, base, dataset, trained
):
    for index in (0, 25):
        file = np.array(Image.open(trained.photos / dataset.paths[index]))
        whole = client.get(f"{base}/t{index}/image")
        assert whole.headers["content-type"] == "image/png"
        assert np.array_equal(pixels_of(whole), file)
        fitted = client.get(f"{base}/t{index}/image", params={"fitted": True})
        assert np.array_equal(pixels_of(fitted), dataset.images[index])


def test_a_dropped_photo_is_judged_kept_and_found_by_its_content(client, base, trained):
    content = png(photo_of("red", np.random.default_rng(77)))
    headers = {"x-photo-name": quote("Füße & “cups”.png")}
    answer = client.post(base, content=content, headers=headers)
    assert answer.status_code == 201
    photo = answer.json()
    assert photo["path"] == "Füße & “cups”.png"
    assert photo["split"] == "dropped"
    assert photo["label"] is None
    judged = trained.run.classifier.predict(content)
    assert (photo["predicted"], photo["probability"]) == (judged.label, judged.probability)
    assert client.post(base, content=content).json()["id"] == photo["id"]
    fitted = client.get(f"{base}/{photo['id']}/image", params={"fitted": True})
    side = trained.run.manifest.dataset.image_px
    assert np.array_equal(pixels_of(fitted), picture(content, name="x", image_px=side).pixels)
    assert client.get(f"{base}/{photo['id']}/trace").json()["loss"] is None


def test_a_dropped_photo_that_made_room_is_gone_with_words(client, base):
    answer = client.get(f"{base}/u-0123456789abcdef")
    assert answer.status_code == 404
    assert answer.json()["what"] == "This photo is not here any more."
    assert answer.json()["fix"] == "drop the file again."


def test_the_photo_that_was_not_looked_at_for_longest_makes_room():
    box = DropBox(photos=3, size=1000)
    ids = [box.put(bytes([number]) * 10, f"{number}").id for number in range(3)]
    box.get(ids[0])
    box.put(b"new", "new")
    assert box.get(ids[0]).name == "0"
    with pytest.raises(Refusal, match="not here any more"):
        box.get(ids[1])
    box.put(b"x" * 995, "large")
    for gone in ids:
        with pytest.raises(Refusal, match="not here any more"):
            box.get(gone)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"plain text, no picture", "image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "image"),
    ],
)
@pytest.mark.parametrize("door", ["photos", "predict"])
def test_what_is_no_picture_is_refused_and_not_kept(client, trained, content, words, door):
    answer = client.post(f"/api/runs/{trained.run.id}/{door}", content=content)
    assert answer.status_code == 422
    assert words in (answer.json()["what"] + answer.json()["why"]).lower()
    assert not client.app.state.desk.drops._drops


def test_half_a_picture_is_refused(client, base):
    content = png(photo_of("red", np.random.default_rng(8)))
    assert client.post(base, content=content[: len(content) // 2]).status_code == 422


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=x", "text/plain", "application/json"]
)
def test_forms_and_texts_are_415(client, base, kind):
    answer = client.post(base, content=b"x", headers={"content-type": kind})
    assert answer.status_code == 415
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("length", ["25000001", "1000000000000"])
def test_a_length_that_is_too_much_is_413_before_the_body_comes(client, base, length):
    answer = client.post(base, content=b"", headers={"content-length": length})
    assert answer.status_code == 413


@pytest.mark.parametrize("length", ["-1", "many", "1e3", "²"])
def test_a_length_that_is_no_number_is_400(client, base, length):
    headers = {"content-length": length.encode()}
    assert client.post(base, content=b"", headers=headers).status_code == 400


def test_a_body_is_counted_while_it_comes(client, base):
    """Chunked, so that no length promises anything; stopped after 25 MB, not after 40."""
    taken = 0

    async def pieces():
        nonlocal taken
        for _ in range(40):
            taken += 1_000_000
            yield b"x" * 1_000_000

    answer = client.post(base, content=pieces())
    assert answer.status_code == 413
    assert taken < 27_000_000


def test_a_body_that_stops_arriving_is_408_and_holds_nothing(client, base, monkeypatch):
    monkeypatch.setattr(body, "PIECE_S", 0.1)

    async def pieces():
        yield b"the beginning"
        await anyio.sleep_forever()

    for _ in range(body.AT_ONCE + 1):  # a place that is not given back would block the last one
        answer = client.post(base, content=pieces())
        assert answer.status_code == 408
        assert answer.json()["what"] == "The picture stopped arriving."


def test_http_predicts_bit_for_bit_what_python_predicts(client, trained):
    rng = np.random.default_rng(9)
    for number in range(6):
        content = png(photo_of(("red", "stripes")[number % 2], rng))
        headers = {"x-photo-name": f"{number}.png"}
        told = client.post(f"/api/runs/{trained.run.id}/predict", content=content, headers=headers)
        assert (
            told.json() == trained.run.classifier.predict(content, name=f"{number}.png").to_dict()
        )


def test_changing_requests_need_our_own_page(client, base):
    headers = {name: value for name, value in OWN_PAGE.items() if name != "sec-fetch-site"}
    headers["sec-fetch-site"] = "cross-site"
    assert client.post(base, content=b"x", headers=headers).status_code == 403
