"""A run's recipe as a file, and what is refused where a training begins."""

from tests.cli.conftest import NETWORK

from seethrough.train.recipe import Recipe


def test_a_printed_recipe_trains_the_same_weights_again(seethrough, trained, shapes, tmp_path):
    said = seethrough("runs", "recipe", trained.id, "--runs-dir", trained.runs_dir)
    assert (said.code, said.err) == (0, "")
    file = tmp_path / "mine.toml"
    file.write_text(said.out)
    assert Recipe.read(file).to_toml() == said.out
    words = "--recipe", file, "--model", NETWORK, "--image-px", "12", "--json"
    again = seethrough("train", shapes, *words, "--runs-dir", tmp_path / "runs")
    assert again.json["weights_sha256"] == trained.said["weights_sha256"]


def test_weights_of_other_libraries_are_refused_with_a_way(seethrough, shapes):
    said = seethrough("train", shapes, "--from", "timm:resnet18")
    assert said.code == 2
    assert "A training cannot begin with timm:resnet18." in said.err
    assert "hf:OWNER/resnet18" in said.err


def test_a_slip_of_the_pen_is_told_what_was_meant(seethrough, shapes, tmp_path):
    said = seethrough("train", shapes, "--from", "cifar-10", "--runs-dir", tmp_path)
    assert said.code == 2
    assert "the network that comes with the program is cifar10: --from cifar10." in said.err


def test_a_schedule_by_another_name_is_told_that_it_is_there(seethrough, shapes, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('schedule = "one-cycle"')
    said = seethrough("train", shapes, "--recipe", file)
    assert said.code == 2
    assert 'is not "linear" or "cosine".' in said.err
    assert "Either is one cycle" in said.err
