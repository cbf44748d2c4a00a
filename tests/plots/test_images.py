"""Figures of images: the right picture at the right place, the right way up, in a small file."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.datasets import load_digits

import narrows
from narrows import plots
from narrows.plots._images import images_of, look_of
from narrows.plots._thumbnails import apart

DIGITS = load_digits()


def drawn(figure):
    """The panel of a drawn figure."""
    return plots._save._off_screen(figure).draw().axes[0]


def pictures(figure):
    """Every picture of a figure: its pixels and its edges (left, right, bottom, top)."""
    return [(np.asarray(one.get_array()), one.get_extent()) for one in drawn(figure).images]


def rendered(figure):
    """The panel after layout, and how the figure looks: shape (height, width), 0 is black."""
    whole, buffer = plots._save._off_screen(figure).draw(), BytesIO()
    whole.savefig(buffer, format="png", dpi=whole.dpi)
    with Image.open(buffer) as image:
        return whole.axes[0], np.asarray(image.convert("L")).astype(float)


def shade(axes, pixels, x, y):
    """What is drawn at a place of the panel, in data units."""
    column, row = axes.transData.transform((x, y))
    return pixels[round(len(pixels) - row), round(column)]


def texts(figure):
    from matplotlib.text import Text

    whole = plots._save._off_screen(figure).draw()
    return [text.get_text() for text in whole.findobj(Text)]


def plane(rows=60, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, 2)) * [3.0, 40.0]


def numbered(rows, height=6, width=4):
    """Images of one value each, the row's number."""
    return np.broadcast_to(np.arange(rows, dtype=float)[:, None, None], (rows, height, width))


class TestThumbnails:
    @settings(max_examples=30, deadline=None)
    @given(
        rows=st.integers(1, 200),
        most=st.integers(1, 60),
        share=st.floats(0.02, 2.0),
        seed=st.integers(0, 99),
    )
    def test_boxes_stand_apart_and_no_other_would_fit(self, rows, most, share, seed):
        points = plane(rows, seed)
        sides = share * np.array([3.0, 40.0])
        chosen = apart(points, sides, most)
        assert len(set(chosen)) == len(chosen) <= most
        overlap = (np.abs(points[:, None] - points[chosen]) < sides).all(axis=2)
        np.testing.assert_array_equal(overlap[chosen], np.eye(len(chosen), dtype=bool))
        assert len(chosen) == most or overlap.any(axis=1).all()

    def test_every_picture_is_its_rows_at_its_rows_place(self):
        Z, images = plane(), numbered(60)
        figure = plots.embedding_thumbnails(Z, images, limits=(0, 60), cmap="gray")
        found = pictures(figure)
        assert 10 < len(found) < 60
        for pixels, (left, right, bottom, top) in found:
            assert pixels.shape == (6, 4, 3)
            row = int(np.argmin(np.abs(pixels[0, 0, 0] - 255 * np.arange(60) / 60)))
            np.testing.assert_allclose([(left + right) / 2, (bottom + top) / 2], Z[row])

    def test_pictures_keep_apart_and_inside_with_their_own_proportions(self):
        figure = plots.embedding_thumbnails(plane(300), numbered(300), size=0.4)
        axes, _ = rendered(figure)
        found = [image.get_extent() for image in axes.images]
        low = np.array([(e[0], e[2]) for e in found])
        high = np.array([(e[1], e[3]) for e in found])
        clash = ((low[:, None] < high) & (low < high[:, None])).all(axis=2)
        assert clash.sum() == len(found)  # each with itself
        assert low[:, 0].min() >= axes.get_xlim()[0]
        assert high[:, 1].max() <= axes.get_ylim()[1]
        assert low[:, 1].min() >= axes.get_ylim()[0]
        assert high[:, 0].max() <= axes.get_xlim()[1]
        corners = axes.transData.transform([low[0], high[0]]) / axes.figure.dpi
        np.testing.assert_allclose(corners[1] - corners[0], [0.4 * 4 / 6, 0.4], rtol=0.05)

    def test_fewer_and_larger_when_asked(self):
        Z, images = plane(), numbered(60)
        assert len(pictures(plots.embedding_thumbnails(Z, images, n=7))) == 7
        many, few = (
            len(pictures(plots.embedding_thumbnails(Z, images, size=size))) for size in (0.2, 0.8)
        )
        assert many > few

    @pytest.mark.parametrize(
        ("label", "shown"),
        [
            (pd.Series(list("ab") * 30, name="kind"), {"kind", "a", "b"}),
            (np.arange(60) % 3, {"label", "0", "1", "2"}),
            (pd.Series(np.linspace(0, 1, 60), name="size"), {"size"}),
            ([None, "b"] * 30, {"label", "(missing)", "b"}),
        ],
        ids=["named", "few numbers", "quantity", "missing"],
    )
    def test_labels_colour_points_and_frames(self, label, shown):
        figure = plots.embedding_thumbnails(plane(), numbered(60), label)
        assert shown <= set(texts(figure))
        frames = drawn(figure).collections[-1]
        assert len(np.unique(frames.get_edgecolor(), axis=0)) >= 2
        assert len(frames.get_edgecolor()) == len(pictures(figure))

    def test_frames_have_their_own_rows_colour(self):
        label = np.repeat(["a", "b"], 30)
        figure = plots.embedding_thumbnails(
            plane(), numbered(60), label, limits=(0, 60), cmap="gray"
        )
        frames = drawn(figure).collections[-1].get_edgecolor()
        of_a = [pixels[0, 0, 0] < 127 for pixels, _ in pictures(figure)]
        assert len({tuple(colour) for colour in frames[of_a]}) == 1
        assert len({tuple(colour) for colour in frames}) == 2

    def test_one_row_or_a_line_of_rows(self):
        assert len(pictures(plots.embedding_thumbnails([[1.0, 2.0]], numbered(1)))) == 1
        line = plane() * [1, 0]
        assert len(pictures(plots.embedding_thumbnails(line, numbered(60)))) > 3

    def test_many_points_become_one_image(self):
        few = plots.figure_svg(plots.embedding_thumbnails(plane(50), numbered(50), n=1))
        many = plots.figure_svg(plots.embedding_thumbnails(plane(800), numbered(800), n=1))
        assert few.count("<image") == 1
        assert many.count("<image") == 2


class TestDecodedGrid:
    Z = np.stack(np.meshgrid(np.linspace(0, 10, 101), np.linspace(-1, 1, 101)), -1).reshape(-1, 2)

    @staticmethod
    def ramp(points):
        """Images whose value is where they were decoded, from left to right."""
        return np.broadcast_to(points[:, 0, None, None] / 10, (len(points), 8, 8))

    @staticmethod
    def rise(points):
        """Images whose value is where they were decoded, from the bottom to the top."""
        return np.broadcast_to((points[:, 1, None, None] + 1) / 2, (len(points), 8, 8))

    def test_the_grid_spans_the_quantiles(self):
        asked = []
        plots.decoded_grid(lambda z: asked.append(z) or self.ramp(z), self.Z, 5)
        (points,) = asked
        assert points.shape == (25, 2)
        np.testing.assert_allclose(np.unique(points[:, 0]), [0.5, 2.75, 5, 7.25, 9.5], rtol=1e-5)
        np.testing.assert_allclose(np.unique(points[:, 1]).round(4), [-0.9, -0.45, 0, 0.45, 0.9])
        plots.decoded_grid(
            lambda z: asked.append(z) or self.ramp(z), self.Z, 2, quantiles=(0, 1)
        )  # fmt: skip
        np.testing.assert_allclose(np.unique(asked[1][:, 0]), [0, 10])

    def test_tiles_lie_where_they_were_decoded(self):
        ramp = plots.decoded_grid(self.ramp, self.Z, 4, quantiles=(0, 1), cmap="gray")
        rise = plots.decoded_grid(self.rise, self.Z, 4, quantiles=(0, 1), cmap="gray")
        looks = rendered(ramp), rendered(rise)
        # Within a third of the distance to the next tile it is still the same one.
        for x, y in ((0, -1), (10 / 3, 1), (10, 1 / 3)):
            for dx, dy in ((0, 0), (1.1, 0.2), (-1.1, -0.2)):
                found = [shade(*look, x + dx, y + dy) for look in looks]
                assert found == pytest.approx([255 * x / 10, 255 * (y + 1) / 2], abs=2)

    def test_images_stand_upright(self):
        sky = np.zeros((8, 8))
        sky[:4], sky[:, 6:] = 1, 0.5

        def decode(points):
            return np.broadcast_to(sky, (len(points), 8, 8))

        figure = plots.decoded_grid(decode, self.Z, 1, quantiles=(0, 1), cmap="gray")
        _, pixels = rendered(figure)
        height, width = pixels.shape
        assert pixels[int(0.3 * height), width // 2] > 250
        assert pixels[int(0.7 * height), width // 2] < 5
        assert pixels[height // 2, int(0.85 * width)] == pytest.approx(127, abs=2)

    def test_one_picture_holds_the_grid_with_white_between(self):
        ((pixels, extent),) = pictures(
            plots.decoded_grid(self.ramp, self.Z, 3, quantiles=(0, 1), cmap="gray")
        )
        assert pixels.shape == (30, 30, 3)
        assert list(extent) == [-2.5, 12.5, -1.5, 1.5]
        assert (pixels[9:11] == 255).all()
        np.testing.assert_array_equal(pixels[5, [5, 15, 25], 0], [0, 128, 255])

    def test_whatever_decodes_will_do(self):
        pca = narrows.PCA(2).fit(DIGITS.data)
        Z = pca.transform(DIGITS.data)
        from narrows._keras import keras

        inputs = keras.Input((2,))
        model = keras.Model(inputs, keras.layers.Reshape((8, 8))(keras.layers.Dense(64)(inputs)))
        directions, middle = pca.components_, pca.mean_
        model.set_weights([directions, middle])
        options = {"n": 4, "limits": (0, 16)}
        wanted = pictures(plots.decoded_grid(pca, Z, shape=(8, 8), **options))[0][0]
        for decoder in (pca.inverse_transform, model):
            found = pictures(plots.decoded_grid(decoder, Z, shape=(8, 8), **options))[0][0]
            assert np.abs(found.astype(int) - wanted).max() <= 1

    def test_tall_images_make_a_tall_figure(self):
        def decode(points):
            return np.zeros((len(points), 20, 10)) + points[:, :1, None]

        axes, _ = rendered(plots.decoded_grid(decode, self.Z, 3))
        box = axes.get_window_extent()
        assert box.height / box.width == pytest.approx(2, rel=0.02)


class TestReconstructions:
    def test_lines_stand_in_order_from_the_top(self):
        images = numbered(12)
        figure = plots.reconstruction_images(
            images, {"ours": images + 1, "PCA": images + 2}, 3, noisy=images + 3,
            limits=(0, 20), cmap="gray",
        )  # fmt: skip
        found = pictures(figure)
        values = [round(float(pixels[0, 0, 0]) * 20 / 255) for pixels, _ in found]
        places = [((left, top)) for _, (left, _, _, top) in found]
        order = sorted(range(12), key=lambda i: (-places[i][1], places[i][0]))
        assert [values[i] for i in order] == [0, 1, 2, 3, 4, 5, 1, 2, 3, 2, 3, 4]
        axes = drawn(figure)
        names = [label.get_text() for label in axes.get_yticklabels()]
        ticks = dict(zip(names, axes.get_yticks(), strict=True))
        assert sorted(ticks, key=ticks.get, reverse=True) == [
            "original", "noisy input", "ours", "PCA"
        ]  # fmt: skip
        # A name stands at the middle of its line.
        line = [(bottom + top) / 2 for _, (_, _, bottom, top) in found]
        np.testing.assert_allclose(sorted(set(line)), sorted(ticks.values()))

    def test_one_reconstruction_and_as_many_columns_as_rows(self):
        figure = plots.reconstruction_images(numbered(4), numbered(4), 10)
        assert len(pictures(figure)) == 8
        assert {"original", "reconstruction"} <= set(texts(figure))
        assert "noisy input" not in texts(figure)

    @pytest.mark.parametrize("name", ["i", "W" * 25])
    def test_pictures_keep_their_proportions(self, name):
        axes, _ = rendered(plots.reconstruction_images(numbered(5), {name: numbered(5)}))
        left, right, bottom, top = axes.images[0].get_extent()
        corners = axes.transData.transform([(left, bottom), (right, top)])
        width, height = corners[1] - corners[0]
        assert height / width == pytest.approx(6 / 4, rel=0.02)

    def test_what_was_lost_looks_lost(self):
        """All lines are drawn in the originals' range, none in its own."""
        images = DIGITS.images
        figure = plots.reconstruction_images(images, images / 4, noisy=images * 3)
        darkest = [pixels.min() for pixels, _ in pictures(figure)]
        assert max(darkest[:20]) < 30
        assert min(darkest[20:]) > 170


class TestLook:
    @pytest.mark.parametrize(
        ("images", "limits"),
        [
            (np.array([[[3, 200]]], np.uint8), (0, 255)),
            (np.array([[[0.1, 0.8]]]), (0, 1)),
            (np.linspace(-0.1, 1.2, 60).reshape(1, 6, 10), (0, 1)),
            (np.array([[[False, True]]]), (0, 1)),
            (np.linspace(0, 16, 60).reshape(1, 6, 10), (0, 16)),
            (np.linspace(-1, 1, 60).reshape(1, 6, 10), (-1, 1)),
            (np.linspace(0, 0.01, 60).reshape(1, 6, 10), (0, 0.01)),
            (np.full((1, 2, 2), 7.0), (7, 7)),
        ],
    )
    def test_limits_follow_the_kind_of_numbers(self, images, limits):
        images = images_of(images, "figure")
        look = look_of(images, None, None)
        assert (look.low, look.high) == pytest.approx(limits)
        assert look.draw(images, 50).dtype == np.uint8

    def test_limits_given_are_kept_and_values_beyond_are_cut(self):
        images = np.array([[[-5.0, 0.0, 2.0, 9.0]]])
        found = look_of(images, (0, 4), "gray").draw(images, 50)
        np.testing.assert_array_equal(found[0, 0, :, 0], [0, 0, 128, 255])

    def test_ink_is_dark_on_empty_ground_and_photographs_stay_as_they_are(self):
        assert look_of(DIGITS.images, None, None).cmap == "gray_r"
        assert look_of(16 - DIGITS.images, None, None).cmap == "gray"
        assert look_of(DIGITS.images, None, "viridis").cmap == "viridis"

    def test_colours_are_drawn_as_they_are(self):
        images = np.random.default_rng(0).integers(0, 256, (3, 5, 6, 3)).astype(np.uint8)
        np.testing.assert_array_equal(look_of(images, None, None).draw(images, 50), images)
        scaled = images / 255
        np.testing.assert_array_equal(look_of(scaled, None, None).draw(scaled, 50), images)

    def test_large_images_are_averaged_down(self):
        images = np.zeros((1, 100, 80))
        images[:, ::2] = 1
        found = look_of(images, (0, 1), "gray").draw(images, 30)
        assert found.shape == (1, 34, 27, 3)  # by a third, rounded up
        assert set(found[:, :33].ravel()) == {85, 170}  # one or two white rows of three


def test_flat_rows_are_the_images():
    Z = plane(100)
    for one, two in (
        (
            plots.embedding_thumbnails(Z, DIGITS.data[:100], shape=(8, 8)),
            plots.embedding_thumbnails(Z, DIGITS.images[:100, ..., None]),
        ),
        (
            plots.reconstruction_images(DIGITS.data, DIGITS.data / 2, shape=(8, 8, 1)),
            plots.reconstruction_images(pd.DataFrame(DIGITS.data), DIGITS.data / 2, shape=(8, 8)),
        ),
    ):
        assert plots.figure_svg(one) == plots.figure_svg(two)
    assert images_of(np.zeros((5, 12)), "f", shape=(2, 2, 3)).shape == (5, 2, 2, 3)


def test_svg_holds_pixels_as_they_are_and_is_small():
    Z, images = plane(1797), DIGITS.images
    thumbnails = plots.figure_svg(plots.embedding_thumbnails(Z, images, DIGITS.target))
    grid = plots.figure_svg(plots.decoded_grid(lambda z: images[:400], Z))
    back = plots.figure_svg(plots.reconstruction_images(images, images))
    assert 'width="8" height="8"' in thumbnails
    assert 'width="200" height="200"' in grid
    assert back.count("<image") == 20
    assert len(thumbnails) < 600_000
    assert len(grid) < 150_000
    assert len(back) < 50_000


def test_saved_as_other_figures_with_the_same_bytes_every_time(tmp_path):
    figure = plots.reconstruction_images(DIGITS.images, DIGITS.images)
    first, second = (
        [file.read_bytes() for file in plots.save_figure(figure, tmp_path / name, "r")]
        for name in "ab"
    )
    assert first == second
    figure.save(tmp_path / "own.png", verbose=False)
    assert (tmp_path / "own.png").stat().st_size > 1000


Z10, X10 = plane(10), numbered(10)


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: plots.embedding_thumbnails(Z10, X10[:9]), "10 points and 9 images"),
        (lambda: plots.embedding_thumbnails(Z10, X10, [1, 2]), "10 images and 2 labels"),
        (lambda: plots.embedding_thumbnails(np.ones((10, 3)), X10), r"shape \(n, 2\).*\(10, 3\)"),
        (lambda: plots.embedding_thumbnails(Z10 * np.nan, X10), "finite.*20 NaN"),
        (lambda: plots.embedding_thumbnails(Z10, X10, n=0), r"'n'.*\[1, inf\).*Got 0"),
        (lambda: plots.embedding_thumbnails(Z10, X10, size=5), "'size'.*inches.*Got 5"),
        (lambda: plots.embedding_thumbnails(Z10, X10, limits=(1, 1)), "'limits'.*lower one first"),
        (lambda: plots.embedding_thumbnails(Z10, X10, cmap="grey9"), "'cmap'.*'grey9'"),
        (lambda: plots.embedding_thumbnails(Z10, X10.reshape(10, -1)), r"\(10, 24\).*need 'shape'"),
        (lambda: plots.embedding_thumbnails(Z10, X10, shape=(5, 5)), r"25 values each.*\(10, 6,"),
        (lambda: plots.embedding_thumbnails(Z10, X10.astype(str)), "finite numbers"),
        (lambda: plots.embedding_thumbnails(Z10, X10 / np.zeros(4)), "finite numbers"),
        (lambda: plots.embedding_thumbnails(Z10, np.ones((10, 4, 4, 2))), "one channel or three"),
        (lambda: plots.decoded_grid(3, Z10), "'decoder'.*inverse_transform.*Got int"),
        (lambda: plots.decoded_grid(lambda z: z, Z10), "decoded rows.*need 'shape'"),
        (lambda: plots.decoded_grid(lambda z: z, Z10, n=2.0), r"'n'.*Got 2\.0"),
        (lambda: plots.decoded_grid(lambda z: z, Z10, quantiles=(0.9, 0)), "'quantiles'.*between"),
        (lambda: plots.decoded_grid(lambda z: z, Z10[:, :1]), r"shape \(n, 2\)"),
        (lambda: plots.reconstruction_images(X10, X10[:5]), r"'reconstruction'.*\(5, 6, 4\)"),
        (lambda: plots.reconstruction_images(X10, X10, noisy=X10[:, 1:]), "'noisy input'"),
        (lambda: plots.reconstruction_images(X10, {"original": X10}), "names of their own"),
        (lambda: plots.reconstruction_images(X10, {}), "names of their own.*none"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning", "ignore:invalid value")
def test_what_cannot_be_drawn_is_named(draw, words):
    with pytest.raises(ValueError, match=words):
        draw()
