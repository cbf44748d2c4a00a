"""The picture of a network in notebooks."""

from xml.etree import ElementTree

from narrows import Autoencoder
from narrows.embedders._diagram import layer_widths, network_svg

SPACE = "{http://www.w3.org/2000/svg}"


def test_one_bar_a_layer_in_order_with_its_width(post):
    svg = ElementTree.fromstring(
        network_svg(layer_widths(post.encoder_), layer_widths(post.decoder_)[1:])
    )
    widths = [text.text for text in svg.iter(f"{SPACE}text")]
    # Batch normalization has parameters too, so it is a bar of its own.
    assert widths == ["4", "150", "150", "50", "25", "2", "150", "50", "25", "4"]
    heights = [float(bar.get("height")) for bar in svg.iter(f"{SPACE}rect")]
    assert heights[5] == min(heights)
    assert heights[1] == max(heights)


def test_names_are_escaped():
    svg = network_svg([("<b>", 3), ("z", 1)], [("a & b", 3)])
    titles = [title.text for title in ElementTree.fromstring(svg).iter(f"{SPACE}title")]
    assert titles[0].startswith("<b>")


def test_a_notebook_shows_it_once_fitted(post):
    assert "<svg xmlns" in post._repr_html_()
    assert 'aria-label="Network' not in Autoencoder()._repr_html_()
