"""Colours, fonts and CSS of the page: the report's."""

from importlib import resources

from gradio import themes


def theme() -> themes.Base:
    """The report's colours and the fonts of the reader's own machine: nothing is fetched for them."""
    accent = themes.Color(
        "#eef1fc", "#dfe4f9", "#c3cdf4", "#a3b2ee", "#93a7ff", "#3a55c4", "#3149ad", "#283c8e", "#20306f", "#182453",
        "#10183a",
    )  # fmt: skip
    fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Liberation Sans", "sans-serif"]
    base = themes.Base(
        primary_hue=accent,
        secondary_hue=accent,
        neutral_hue=themes.colors.zinc,
        font=[themes.Font(name) for name in fonts],
        font_mono=[themes.Font(name) for name in ("ui-monospace", "Menlo", "Consolas", "monospace")],
        radius_size=themes.sizes.radius_md,
    )
    return base.set(
        body_background_fill="#faf9f6",
        body_background_fill_dark="#131417",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#1a1b1f",
        background_fill_secondary="#f1efe9",
        background_fill_secondary_dark="#222328",
        block_background_fill="#ffffff",
        block_background_fill_dark="#1a1b1f",
        block_border_color="#e4e2db",
        block_border_color_dark="#2b2c31",
        border_color_primary="#e4e2db",
        border_color_primary_dark="#2b2c31",
        body_text_color="#1d1d1b",
        body_text_color_dark="#ebe9e3",
        body_text_color_subdued="#6a6964",
        body_text_color_subdued_dark="#98968f",
        button_primary_background_fill="#3a55c4",
        button_primary_background_fill_hover="#3149ad",
        button_primary_background_fill_dark="#3a55c4",
        button_primary_background_fill_hover_dark="#4a66d6",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#ffffff",
        link_text_color_dark="#93a7ff",
        color_accent_soft_dark="#2a2f45",
        block_shadow="none",
        block_label_text_color="#6a6964",
        block_label_text_color_dark="#98968f",
    )


def style() -> str:
    """The page's own CSS."""
    return resources.files("i2i.app.page").joinpath("page.css").read_text(encoding="utf-8")
