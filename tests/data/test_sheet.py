"""sheet.py and labelled.py: what a CSV says, and what it may not say."""

import numpy as np
import pytest
from PIL import Image
from tests.train.shapes import LABELS, shapes, written

from seethrough.data.load import load
from seethrough.data.sheet import read
from seethrough.data.split import Split
from seethrough.errors import DataError


def sheet(tmp_path, text, encoding="utf-8"):
    place = tmp_path / "labels.csv"
    place.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return read(place)


def said(found):
    return {file: {found.classes[each] for each in own} for file, own in found.labels.items()}


LIST = "file,labels\na.jpg,red|blue\nb.jpg,\nc.jpg,blue\n"
COLUMNS = "file,blue,red\na.jpg,1,1\nb.jpg,0,0\nc.jpg,1,0\n"


@pytest.mark.parametrize("text", [LIST, COLUMNS], ids=["list", "columns"])
def test_both_ways_of_writing_say_the_same(tmp_path, text):
    found = sheet(tmp_path, text)
    assert said(found) == {"a.jpg": {"red", "blue"}, "b.jpg": set(), "c.jpg": {"blue"}}
    assert found.classes == ("blue", "red")
    assert found.is_several
    assert "2 labels, up to 2 a photo; 1 photos have none" in found.notes[-1]


def test_a_bom_quotes_blanks_other_line_ends_and_empty_lines_change_nothing(tmp_path):
    text = '\ufefffile, labels\r\n\r\n"a.jpg", red | blue \r\n./b.jpg,\r\nc.jpg,"blue"\r\n'
    assert said(sheet(tmp_path, text)) == said(sheet(tmp_path, LIST))


def test_a_backslash_is_a_slash_and_accents_may_be_stored_either_way(tmp_path):
    found = sheet(tmp_path, "file,labels\nsub\\cafe\u0301.jpg,the\u0301|a\nb.jpg,a\nc.jpg,\n")
    assert set(found.labels) == {"sub/caf\u00e9.jpg", "b.jpg", "c.jpg"}
    assert found.classes == ("a", "th\u00e9")


def test_a_formula_is_text_and_nothing_else(tmp_path):
    formula = '=HYPERLINK("http://x"|"y")'
    found = sheet(
        tmp_path, f'file,labels\na.jpg,"{formula.replace(chr(34), chr(34) * 2)}"\nb.jpg,\n'
    )
    assert found.classes == ('"y")', '=HYPERLINK("http://x"')


def test_one_label_a_photo_is_no_matter_of_several(tmp_path):
    for text in ("file,label\na.jpg,cat\nb.jpg,dog\n", "file,cat,dog\na.jpg,1,0\nb.jpg,0,1\n"):
        found = sheet(tmp_path, text)
        assert not found.is_several
        assert "so they are classes" in found.notes[-1]


def test_a_line_that_is_there_twice_is_said(tmp_path):
    found = sheet(tmp_path, LIST + "a.jpg,blue|red\n")
    assert found.labels == sheet(tmp_path, LIST).labels
    assert "1 lines are there twice" in found.notes[0]


def test_another_sign_inside_a_label_is_noticed(tmp_path):
    found = sheet(tmp_path, "file,labels\na.jpg,red;blue\nb.jpg,\nc.jpg,green\n")
    assert "'red;blue' has another sign inside" in found.notes[-1]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the first column is nothing"),
        ("name,labels\na.jpg,x\n", "the first column is 'name'"),
        ("file;labels\na.jpg;x\n", "the first column is 'file;labels'"),
        ("file\na.jpg\n", "its columns cannot be understood"),
        ("file,labels,author\na.jpg,x,me\n", "its columns cannot be understood"),
        ("file,x,x\na.jpg,1,0\n", "its columns cannot be understood"),
        ("file,x,\na.jpg,1,0\n", "its columns cannot be understood"),
        ("file,labels\n", "no photos in it"),
        ("file,labels\na.jpg,x,y\n", "line 2: 3 cells"),
        ("file,labels\n,x\n", "line 2: no file"),
        ("file,x,y\na.jpg,1,yes\n", "line 2: 'yes' in the column 'y'"),
        ("file,labels\na.jpg,x\nb.jpg,y\na.jpg,y\n", "line 4: a.jpg has other labels here"),
        ("file,labels\na.jpg,Red|blue\nb.jpg,red\n", "'Red' and 'red' are too alike"),
        ("file,labels\na.jpg,x\nb.jpg,\n", "only one label, 'x'"),
        ("file,labels\na.jpg,\nb.jpg,\n", "no label"),
        ("file,labels\na.jpg,x|y\nb.jpg,x\n", "every photo has the label 'x'"),
        ("file,x,y,z\na.jpg,1,1,0\nb.jpg,0,1,0\nc.jpg,0,0,0\n", "no photo has the label 'z'"),
        ('file,labels\na.jpg,"x\n', "this is no CSV"),
        (b"file,labels\na.jpg,caf\xe9\n", "line 2: the text is not UTF-8"),
        ("file,labels\na.jpg,x\n".encode("utf-16"), "not UTF-8"),
        ("file,labels\na\0.jpg,x\n", "line 2: this is no text"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_line(tmp_path, text, what):
    with pytest.raises(DataError, match=what) as caught:
        sheet(tmp_path, text)
    assert caught.value.why
    assert caught.value.fix


def test_a_csv_that_is_not_there_is_said(tmp_path):
    with pytest.raises(DataError, match="labels cannot be read"):
        read(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("columns", [False, True], ids=["list", "columns"])
def test_photos_come_with_the_table_of_their_labels(tmp_path, columns):
    csv = written(tmp_path, 48, columns=columns)
    photos = load(tmp_path / "photos", labels=csv)
    made = shapes(48)
    assert photos.is_several
    assert photos.classes == LABELS
    assert photos.paths == made.paths
    assert np.array_equal(photos.labels, made.labels)
    assert photos.labels.dtype == np.uint8
    assert photos.labels_file == str(csv)
    assert photos.shown(7) == LABELS
    assert photos.shown(0) == ()
    again = load(tmp_path / "photos", labels=csv)  # from the cache
    assert np.array_equal(again.labels, made.labels)
    assert again.fingerprint == photos.fingerprint


def test_a_csv_that_was_changed_is_read_again(tmp_path):
    csv = written(tmp_path, 48)
    before = load(tmp_path / "photos", labels=csv)
    csv.write_text(csv.read_text().replace("0001.png,red square", "0001.png,blue disc"))
    after = load(tmp_path / "photos", labels=csv)
    assert before.shown(1) == ("red square",)
    assert after.shown(1) == ("blue disc",)
    assert before.fingerprint != after.fingerprint


def test_a_csv_with_one_label_a_photo_makes_an_ordinary_data_set(tmp_path):
    for label in ("cat", "dog"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(4):
            tone = 40 * number + (20 if label == "cat" else 0)
            place = tmp_path / "photos" / label / f"{number}.png"
            Image.new("RGB", (8, 8), (tone, tone, tone)).save(place)
    csv = tmp_path / "labels.csv"
    lines = [f"{label}/{number}.png,{label}" for label in ("cat", "dog") for number in range(4)]
    csv.write_text("\n".join(["file,label", *lines]))
    of_folders, of_csv = load(tmp_path / "photos"), load(tmp_path / "photos", labels=csv)
    assert not of_csv.is_several
    assert of_csv.fingerprint == of_folders.fingerprint
    assert np.array_equal(of_csv.labels, of_folders.labels)


def test_a_photo_that_is_named_and_missing_is_refused_with_its_neighbour(tmp_path):
    csv = written(tmp_path, 16)
    csv.write_text(csv.read_text() + "deep/0003.png,red square\n")
    with pytest.raises(DataError, match=r"there is no 'deep/0003\.png'") as caught:
        load(tmp_path / "photos", labels=csv)
    assert "there is '0003.png'" in caught.value.why


def test_photos_that_the_csv_does_not_name_are_left_out_and_counted(tmp_path):
    csv = written(tmp_path, 24)
    lines = csv.read_text().splitlines()
    csv.write_text("\n".join(lines[:-3]))
    photos = load(tmp_path / "photos", labels=csv)
    assert len(photos) == 21
    assert any("3 photos that the CSV does not name: not used" in note for note in photos.notes)


def test_a_broken_photo_is_listed_and_a_label_without_any_other_is_refused(tmp_path):
    csv = written(tmp_path, 24)
    (tmp_path / "photos" / "0005.png").write_bytes(b"no picture")
    photos = load(tmp_path / "photos", labels=csv)
    assert [problem.path for problem in photos.problems] == ["0005.png"]
    assert len(photos) == 23
    lines = csv.read_text().splitlines()
    csv.write_text("\n".join([*lines, ""]).replace("0005.png,", "0005.png,rare|", 1))
    with pytest.raises(DataError, match="no readable photo of 'rare'"):
        load(tmp_path / "photos", labels=csv)


def test_the_same_photo_with_other_labels_is_said(tmp_path):
    csv = written(tmp_path, 24)
    content = (tmp_path / "photos" / "0003.png").read_bytes()
    (tmp_path / "photos" / "0004.png").write_bytes(content)
    photos = load(tmp_path / "photos", labels=csv)
    assert any("The same photo with other labels: 1 case" in note for note in photos.notes)
    assert photos.splits[3] == photos.splits[4]


def test_every_label_is_in_training_and_test(tmp_path):
    photos = load(tmp_path / "photos", labels=written(tmp_path, 40))
    for split in (Split.TRAIN, Split.TEST):
        assert (photos.labels[photos.indices(split)].sum(axis=0) > 0).all()
