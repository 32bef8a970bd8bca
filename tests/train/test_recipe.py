"""recipe.py: every way out and back in again, and every refusal."""

import dataclasses
import math
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seethrough.errors import RecipeError
from seethrough.train.recipe import DEMO, Optimizer, Precision, Recipe, Schedule

shares = st.floats(0, 0.9)
recipes = st.builds(
    Recipe,
    epochs=st.integers(1, 10_000),
    batch=st.integers(2, 4096),
    optimizer=st.sampled_from(Optimizer),
    peak_lr=st.floats(1e-8, 100),
    schedule=st.sampled_from(Schedule),
    warmup=shares,
    final_lr=shares,
    momentum=st.floats(0.001, 0.99),
    nesterov=st.booleans(),
    weight_decay=st.floats(0, 1),
    label_smoothing=shares,
    flip=st.booleans(),
    alternate=st.booleans(),
    whiten=st.booleans(),
    unit_kernels=st.booleans(),
    shift_px=st.integers(0, 64),
    colour=shares,
    cutout_px=st.integers(0, 64),
    mixup=st.floats(0, 1),
    focal=st.floats(0, 5),
    class_weights=st.booleans(),
    ema=st.floats(0, 0.9999),
    micro_batch=st.sampled_from([0, 2, 64]),
    precision=st.sampled_from(Precision),
    seed=st.integers(0, 2**63 - 1),
)


@given(recipe=recipes)
def test_a_recipe_comes_back_from_a_dictionary_and_from_toml_unchanged(recipe):
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    # a reader that is not ours sees the same values
    assert tomllib.loads(recipe.to_toml()) == recipe.to_dict()


def test_a_recipe_names_every_field_it_has():
    assert list(Recipe().to_dict()) == [field.name for field in dataclasses.fields(Recipe)]


def test_fields_that_are_left_out_take_their_default(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text('epochs = 3\noptimizer = "adamw"\npeak_lr = 1\n')
    recipe = Recipe.read(path)
    assert recipe == Recipe(epochs=3, optimizer=Optimizer.ADAMW, peak_lr=1.0)
    assert type(recipe.peak_lr) is float


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("epochs", 10**12),
        ("batch", 1),
        ("batch", 0),
        ("peak_lr", 0.0),
        ("peak_lr", -0.1),
        ("peak_lr", math.nan),
        ("peak_lr", math.inf),
        ("warmup", 1.0),
        ("warmup", -0.1),
        ("final_lr", 1.1),
        ("momentum", 1.0),
        ("weight_decay", -1e-9),
        ("label_smoothing", 1.0),
        ("shift_px", -1),
        ("colour", 1.1),
        ("cutout_px", -1),
        ("mixup", 1.5),
        ("cutmix", 1.5),
        ("focal", 5.1),
        ("ema", 1.0),
        ("micro_batch", -1),
        ("seed", -1),
    ],
)
def test_a_value_out_of_its_range_is_refused_with_the_range(field, value):
    with pytest.raises(RecipeError, match=rf"{field}=.* is outside .*\.\.") as caught:
        Recipe(**{field: value})
    assert field in caught.value.fix


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("epochs", 2.5, "a whole number"),
        ("epochs", True, "a whole number"),
        ("epochs", "20", "a whole number"),
        ("peak_lr", "nan", "a number"),
        ("flip", 1, "true or false"),
        ("optimizer", "adam", '"sgd" or "adamw" or "muon"'),
        ("schedule", 3, '"linear" or "cosine"'),
    ],
)
def test_a_value_of_another_type_is_refused_with_the_type(field, value, expected):
    with pytest.raises(RecipeError, match=f"{field}=.* is not {expected}"):
        Recipe.from_dict({field: value})


@pytest.mark.parametrize(
    "values",
    [
        {"ends_lr": 1.5, "bias_lr": 100.0},
        {"optimizer": "muon", "ends_lr": 1.5},
        {"optimizer": "muon", "bias_lr": 100.0},
    ],
)
def test_rates_beside_muon_s_belong_to_muon_and_go_together(values):
    with pytest.raises(RecipeError, match=r"ends_lr=.* and bias_lr=.* do not belong here"):
        Recipe.from_dict(values)
    both = Recipe(optimizer=Optimizer.MUON, ends_lr=1.5, bias_lr=100.0, rest_decay=0.004)
    assert Recipe.from_toml(both.to_toml()) == both


def test_two_ways_of_putting_two_images_into_one_are_refused():
    with pytest.raises(RecipeError, match=r"mixup=0\.2 and cutmix=1 do not go together"):
        Recipe(mixup=0.2, cutmix=1.0)
    assert Recipe.from_toml(Recipe(cutmix=0.5).to_toml()) == Recipe(cutmix=0.5)


def test_an_unknown_field_is_refused_with_the_nearest_known_one():
    with pytest.raises(RecipeError, match="A recipe has no 'epoch'") as caught:
        Recipe.from_dict({"epoch": 3})
    assert caught.value.fix == "write 'epochs', or leave it out."
    with pytest.raises(RecipeError, match="A recipe has no '_target_'") as caught:
        Recipe.from_dict({"_target_": "os.system"})
    assert caught.value.fix == "leave it out."


def test_a_recipe_that_is_not_toml_or_not_there_is_refused(tmp_path):
    with pytest.raises(RecipeError, match="not TOML"):
        Recipe.from_toml("epochs: 3")
    with pytest.raises(RecipeError, match=r"recipe\.toml cannot be read"):
        Recipe.read(tmp_path / "recipe.toml")


def test_nesterov_without_momentum_is_refused_where_it_would_be_used():
    with pytest.raises(RecipeError, match="nesterov=true needs a momentum"):
        Recipe(momentum=0.0)
    assert Recipe(momentum=0.0, nesterov=False).momentum == 0
    assert Recipe(momentum=0.0, optimizer=Optimizer.ADAMW).nesterov


@given(train_images=st.integers(2, 2_000_000), image_px=st.integers(8, 224))
def test_the_recipe_that_is_chosen_by_number_of_images_is_within_bounds(train_images, image_px):
    recipe = Recipe.default_for(train_images=train_images, image_px=image_px, seed=7)
    assert 16 <= recipe.batch <= 256
    assert recipe.batch & (recipe.batch - 1) == 0
    assert train_images < 256 or train_images / recipe.batch >= 16
    assert recipe.shift_px < image_px
    assert recipe.seed == 7


def test_fewer_images_are_seen_more_often():
    epochs = [Recipe.default_for(train_images=n, image_px=32).epochs for n in (50, 5_000, 50_000)]
    assert epochs == sorted(epochs, reverse=True)
    assert len(set(epochs)) > 1


def test_the_demo_has_a_recipe():
    assert Recipe.from_toml(DEMO.to_toml()) == DEMO
