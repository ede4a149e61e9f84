"""The leaderboard as a page: a Gradio Space over the published marts. Start it with `python app.py`.

BENCHFORGE_FOLDER shows a local folder instead of the Hub; the port is Gradio's own GRADIO_SERVER_PORT.
"""

from __future__ import annotations

import os

# before gradio is imported: it would ask a server for its newest version and tell it what is used
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import gradio as gr  # pyright: ignore[reportMissingImports]
import layout
import views
from published import Board, NotReadable, Reader, Source
from tables import notice
from views import Options, Shown

STYLE = Path(__file__).with_name("style.css")
# which fields, when they change, change the choices of others
DEPENDENT: dict[str, Callable[[Board, views.Values], Shown]] = {
    "cell": lambda board, values: views.ways(board, values["cell"]),
    "compared": lambda board, values: views.compared_models(board, values["compared"]),
}
TABLES: dict[str, Callable[[Board, views.Values], str]] = {
    "board": views.board_table,
    "matrix": views.matrix_table,
    "pairs": views.pairs_table,
    "refusals": views.refusals_table,
}


class Page:
    """The page and what happens on it. Numbers come when it is opened, so that it also opens where there are none."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        with gr.Blocks(title="benchForge leaderboard", analytics_enabled=False) as self.blocks:
            self.fields, self.outputs = layout.fields(), layout.outputs()
            self.tabs, self.tab = layout.placed(self.fields, self.outputs)
            self.again = gr.Button("Try again", visible=False)
            self.current = gr.State("board")
            self._wire()

    def _wire(self) -> None:
        self._on(self.blocks.load, self.opened)
        self._on(self.again.click, self.tried_again)
        for name, field in self.fields.items():
            # a Textbox reports `input` for keys, and nothing for text that is pasted
            event = field.change if isinstance(field, gr.Textbox) else field.input
            self._on(event, self._changed(name))
        for name, tab in self.tab.items():
            self._on(tab.select, self._turned(name))
        for name in layout.SORTABLE:
            self._on(self.outputs[name].select, self.followed)

    def _on(self, event: Callable[..., Any], answer: Callable[..., Any]) -> None:
        everything = [*self.fields.values(), *self.outputs.values(), self.tabs, self.current, self.again]
        # of keys pressed quickly only the last is answered; a queue of its own for each reader
        event(
            answer,
            [self.current, *self.fields.values()],
            everything,
            show_progress="hidden",
            trigger_mode="always_last",
            concurrency_limit=None,
            api_visibility="private",
        )

    def opened(self, request: gr.Request, tab: str, *values: Any) -> dict[Any, Any]:
        """A page just opened; the address may name a tab, a model, a board: `?tab=matrix`, `?model=org__name`."""
        wanted = dict(request.query_params)
        tab = "model" if "model" in wanted else wanted.get("tab", "board")

        def make(board: Board, _: views.Values) -> Shown:
            return views.opened(board, self.reader.source, wanted)

        return self._answer(tab if tab in layout.TABS else "board", values, make, turned=True)

    def tried_again(self, request: gr.Request, tab: str, *values: Any) -> dict[Any, Any]:
        """The button that stands there where nothing could be read."""
        self.reader.look_again()
        return self.opened(request, tab, *values)

    def followed(self, event: gr.EventData, tab: str, *values: Any) -> dict[Any, Any]:
        """A model's link in a table."""
        model = Options(None, event.model)
        return self._answer("model", values, lambda board, _: {"model": model}, turned=True)

    def _changed(self, name: str) -> Callable[..., dict[Any, Any]]:
        def answer(tab: str, *values: Any) -> dict[Any, Any]:
            return self._answer(tab, values, DEPENDENT.get(name))

        return answer

    def _turned(self, name: str) -> Callable[..., dict[Any, Any]]:
        def answer(_: str, *values: Any) -> dict[Any, Any]:
            return {self.current: name} | self._answer(name, values)

        return answer

    def _answer(
        self,
        tab: str,
        values: tuple[Any, ...],
        make: Callable[[Board, views.Values], Shown] | None = None,
        turned: bool = False,
    ) -> dict[Any, Any]:
        """Updates of what `make` says and of the open tab's table; or why there are no numbers."""
        named = dict(zip(self.fields, values, strict=True))
        if named["cell"] is None and not turned:
            return {}  # gradio reports the first tab as chosen before the fields are filled: `opened` answers that
        try:
            board = self.reader.board()
            shown = make(board, named) if make else {}
            named |= {name: value.value for name, value in shown.items() if isinstance(value, Options)}
            shown |= self._table(board, tab, named)
        except NotReadable as failure:
            return self._not_readable(str(failure))
        except duckdb.Error as failure:
            traceback.print_exception(failure)
            return self._not_readable("This page cannot answer that: its published data are not as it expects.")
        moved = {self.tabs: gr.update(selected=tab), self.current: tab} if turned else {}
        if turned:  # what is typed before the fields are filled would not be answered
            moved[self.fields["search"]] = gr.update(interactive=True)
        places = self.fields | self.outputs
        return (
            {places[name]: _update(value) for name, value in shown.items()}
            | moved
            | {self.again: gr.update(visible=False)}
        )

    def _table(self, board: Board, tab: str, values: views.Values) -> Shown:
        """What the open tab shows; the others are filled when they are opened."""
        if tab == "model":
            return views.model_page(board, self.reader.source, values)
        return {tab: TABLES[tab](board, values)} if tab in TABLES else {}

    def _not_readable(self, why: str) -> dict[Any, Any]:
        text = f"{why} Nothing is wrong on your side: press “Try again”, or open this page again later."
        return {self.outputs["status"]: notice(text, urgent=True), self.again: gr.update(visible=True)}


def _update(value: str | Options) -> Any:
    if not isinstance(value, Options):
        return value
    return gr.update(value=value.value) | ({} if value.choices is None else {"choices": list(value.choices)})


def main() -> None:
    """Serve the page; reading starts at once, not when the first reader comes."""
    reader = Reader(Source.declared())
    threading.Thread(target=_read_ahead, args=[reader], daemon=True).start()
    page = Page(reader)
    # fonts of the reader's own machine: nothing to fetch, and no second face where a weight is missing
    theme = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
    # in the head as it is: what is given as `css` gradio rewrites, selector by selector
    style = f"<style>{STYLE.read_text(encoding='utf-8')}</style>"
    page.blocks.launch(theme=theme, head=style, footer_links=["gradio"], ssr_mode=False, quiet=True)


def _read_ahead(reader: Reader) -> None:
    try:
        reader.board()
    except NotReadable as failure:
        print(failure, flush=True)


if __name__ == "__main__":
    main()
