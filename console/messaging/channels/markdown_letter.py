"""A Markdown text as the two bodies of an e-mail: HTML that is safe to show, and plain text."""

import html
from collections.abc import Iterator

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

_PROSE = {
    "p",
    "br",
    "strong",
    "em",
    "ul",
    "ol",
    "li",
    "h1",
    "h2",
    "h3",
    "blockquote",
    "a",
    "hr",
    "code",
    "pre",
    "table",
    "thead",
    "tbody",
}
_PROSE |= {"tr", "th", "td"}
_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable(["image"])
STYLE = "margin:0 auto;max-width:36rem;padding:1.5rem;font:16px/1.5 system-ui,sans-serif;color:#1c1c1c"


def as_html(markdown: str, *, title: str, language: str, footer: tuple[str, str] | None = None) -> str:
    """The whole HTML page of the letter. `footer` is (words, address) of the link below."""
    body = nh3.clean(
        _markdown.render(markdown),
        tags=_PROSE,
        attributes={"a": {"href"}},
        url_schemes={"https", "http", "mailto", "tel"},
    )
    below = ""
    if footer is not None:
        words, address = (html.escape(part, quote=True) for part in footer)
        below = f'<hr><p style="color:#595959;font-size:14px"><a href="{address}">{words}</a></p>'
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title>'
    page = f'<body style="{STYLE}">{body}{below}</body>'
    return f'<!doctype html><html lang="{html.escape(language, quote=True)}"><head>{head}</head>{page}</html>'


def as_plain(markdown: str, *, footer: tuple[str, str] | None = None) -> str:
    """The text without marks; links with their address behind."""
    text = "".join(_plain(_markdown.parse(markdown))).strip()
    return "\n\n".join([text, f"{footer[0]}: {footer[1]}"] if footer is not None else [text]) + "\n"


def _plain(tokens: list[Token]) -> Iterator[str]:
    lists: list[int | None] = []
    for token in tokens:
        match token.type:
            case "bullet_list_open":
                lists.append(None)
            case "ordered_list_open":
                lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
                yield "\n"
            case "list_item_open":
                number = lists[-1]
                yield "- " if number is None else f"{number}. "
                lists[-1] = None if number is None else number + 1
            case "inline":
                yield _inline(token.children or [])
            case "paragraph_close" | "heading_close":
                yield "\n" if token.hidden or lists else "\n\n"
            case "th_close" | "td_close":
                yield "\t"
            case "tr_close":
                yield "\n"
            case "fence" | "code_block":
                yield f"{token.content}\n"


def _inline(tokens: list[Token]) -> str:
    parts, addresses = list[str](), list[tuple[str, int]]()
    for token in tokens:
        match token.type:
            case "link_open":
                addresses.append((str(token.attrs.get("href", "")), len(parts)))
            case "link_close":
                address, start = addresses.pop()
                if "".join(parts[start:]).strip() != address:
                    parts.append(f" ({address})")
            case "softbreak" | "hardbreak":
                parts.append("\n")
            case "text" | "code_inline":
                parts.append(token.content)
    return "".join(parts)
