"""The canvas as a Gradio component: one constant element; everything in it belongs to the ES module."""

from __future__ import annotations

import gradio as gr

MODULE = "assets/ui/scene-canvas.mjs"  # from the page's own address

# Gradio makes an event of every name that stands in quotes here; none of them goes to the server.
ON_LOAD = f"""
const events = ["restore", "reseed", "describe"];
const tell = (name) => events.includes(name) && trigger(name);
import(new URL("{MODULE}", document.baseURI).href).then((module) => module.mount(element, tell));
"""


class SceneCanvas(gr.HTML):
    """The map with its bars.  Controls reach it through `document.querySelector("scene-canvas")`.

    Events: `restore` (prompts and seed are to be read from the element), `reseed` (only the seed), `describe` (all that
    depends on scene and model).  The template is constant: a property used in it would render it anew and clear the
    canvas.
    """

    def __init__(self) -> None:
        super().__init__(
            html_template='<scene-canvas class="t2e"></scene-canvas>',
            js_on_load=ON_LOAD,
            apply_default_css=False,
            elem_id="t2e-canvas",
        )

    def get_block_name(self) -> str:
        """The front end draws it with its own HTML component."""
        return "html"


class PanelSlot(gr.HTML):
    """A place in the panel that the canvas module fills: notes about the prompt, the slider beside it, layers,
    adapters, models, the queue, the history."""

    def __init__(self, name: str, tag: str = "div", label: str = "") -> None:
        super().__init__(
            html_template=f'<{tag} class="t2e-slot" data-t2e-slot="{name}" aria-label="{label}"></{tag}>',
            js_on_load=None,
            apply_default_css=False,
        )

    def get_block_name(self) -> str:
        """The front end draws it with its own HTML component."""
        return "html"
