"""The guide builds without a warning, its links lead somewhere, and its pages fetch nothing from elsewhere."""

import logging
import re
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md"))
FETCHING = {"script": "src", "img": "src", "source": "src", "video": "src", "audio": "src", "iframe": "src"}


class Page(HTMLParser):
    """What a page names: its anchors, where it leads, and what a browser fetches to show it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.styles: list[str] = []
        self._in_style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if values.get(name)}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and "href" in values and values.get("rel") not in ("next", "prev", "canonical"):
            self.fetched.append(values["href"])
        if (name := FETCHING.get(tag)) and values.get(name):
            self.fetched.append(values[name])
        self.styles.append(values.get("style", ""))
        self._in_style = tag == "style"

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.styles.append(data)


class Heard(logging.Handler):
    """Warnings, as text."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide, built as `make docs` builds it: a warning ends it."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    heard = Heard()
    logging.getLogger("mkdocs").addHandler(heard)
    try:
        config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True)
        config.plugins.on_startup(command="build", dirty=False)
        build(config)
        config.plugins.on_shutdown()
    finally:
        logging.getLogger("mkdocs").removeHandler(heard)
    assert heard.said == []
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def test_every_page_of_the_guide_is_built_and_in_the_navigation(site: Path, pages: dict[Path, Page]) -> None:
    for name in PAGES:
        path = site / name.replace(".md", ".html")
        assert path in pages
        assert path.name in {urlsplit(link).path for link in pages[site / "index.html"].links} | {"index.html"}


def test_links_and_anchors_lead_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    broken = [
        f"{path.name}: {link}"
        for path, page in pages.items()
        if path.name != "404.html"  # served for any address, so its links are from the root
        for link in [*page.links, *page.fetched]
        if not _leads_somewhere(path, link, pages)
    ]
    assert broken == []


def _leads_somewhere(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return parts.scheme in ("https", "mailto", "data")
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return False
    return not parts.fragment or target not in pages or unquote(parts.fragment) in pages[target].anchors


def test_no_page_names_a_script_a_style_a_font_or_a_picture_of_another_machine(pages: dict[Path, Page]) -> None:
    outside = [
        f"{path.name}: {address}"
        for path, page in pages.items()
        for address in [*page.fetched, *_addresses("\n".join(page.styles))]
        if urlsplit(address).netloc
    ]
    assert outside == []


def test_no_style_of_the_site_names_one_either(site: Path) -> None:
    styles = sorted(site.rglob("*.css"))
    assert styles
    outside = [
        f"{path.name}: {address}"
        for path in styles
        for address in _addresses(path.read_text(encoding="utf-8"))
        if urlsplit(address).netloc
    ]
    assert outside == []


def test_nothing_asks_the_theme_for_what_it_would_fetch(pages: dict[Path, Page], site: Path) -> None:
    """The theme's script brings diagrams from a CDN, and a repository's stars from its host, where a page has such."""
    for path in pages:
        html = path.read_text(encoding="utf-8")
        assert 'class="mermaid"' not in html, path.name
        assert 'data-md-component="source"' not in html, path.name
    assert not (site / "assets" / "external").exists()


def _addresses(style: str) -> Iterator[str]:
    for found in re.finditer(r"url\(\s*['\"]?([^)'\"]+)|@import\s+['\"]([^'\"]+)", style):
        yield found[1] or found[2]


# -------------------------------------------------------------------------------------------- as files, without a site


def _links(path: Path) -> Iterator[str]:
    text = re.sub(r"(?ms)^```.*?^```", "", path.read_text(encoding="utf-8"))
    yield from re.findall(r"\]\(([^)\s]+)\)", text)


def _anchors(path: Path) -> set[str]:
    found: defaultdict[str, int] = defaultdict(int)
    for heading in re.findall(r"(?m)^#+ (.+)$", re.sub(r"(?ms)^```.*?^```", "", path.read_text(encoding="utf-8"))):
        found[re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")] += 1
    return set(found)


@pytest.mark.parametrize("name", ["README.md", "datasets/README.md", *(f"docs/{page}" for page in PAGES)])
def test_links_between_files_lead_somewhere_in_a_clone(name: str) -> None:
    path = ROOT / name
    broken = []
    for link in _links(path):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.exists() or (parts.fragment and parts.fragment not in _anchors(target)):
            broken.append(link)
    assert broken == []
