"""The documentation: ``make docs``. Nothing is fetched, neither when building nor when reading."""

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

from plotnine.options import set_option

from narrows import __version__

# Figures that an example makes without the package's own theme.
set_option("figure_size", (7, 4))
set_option("dpi", 150)

project = "narrows"
author = "the narrows developers"
version = release = __version__
html_title = "narrows"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "command_line",
    "docstrings",
    "mathml",
]
exclude_patterns = ["_build", "_generated", "_templates", "gallery", "**sg_execution_times.rst"]
templates_path = ["_templates"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
default_role = "literal"
nitpicky = False

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "smartquotes"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

autosummary_generate = True
autosummary_context = {
    # Inherited from scikit-learn, tuple and Keras; explained there.
    "unshown": [
        "__init__", "count", "index", "get_metadata_routing", "set_fit_request",
        "set_inverse_transform_request", "set_output", "set_score_request",
        "set_transform_request",
    ],
    "unshown_of": {"Forest": ["score"], "ForestRegressor": ["score"]},
    # Of a Keras layer, all else is Keras's.
    "shown_of": {"Transposed": ["tie"]},
}  # fmt: skip
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "filename_pattern": r"plot_",
    "image_scrapers": ("plotnine_images.scraper",),
    "capture_repr": ("_repr_html_", "__repr__"),
    "ignore_repr_types": r"ggplot",
    "reset_modules": (),
    "within_subsection_order": "FileNameSortKey",
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 10_000,
    "run_stale_examples": True,
    "write_computation_times": False,
    "download_all_examples": False,
    "abort_on_example_error": False,
    "only_warn_on_example_error": False,
    "copyfile_regex": r".*\.csv",
}

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["narrows.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "narrows"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {
    "changelog": [],
    "contributing": [],
    "comparison-with-others": [],
    "quickstart": [],
    "post": [],
    "command-line": [],
}
html_context = {"default_mode": "auto"}
copyright = "the narrows developers, Apache-2.0"
