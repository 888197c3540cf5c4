"""The page: Gradio's controls in a panel over the canvas.

No handler here runs on the server.  Each is one call of the canvas element in the browser (`app/static/panel` has what
it answers); the element talks to the HTTP API.  So a busy model never makes the panel wait, and Gradio's session
carries nothing that could be lost.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI

from app.page.scene_canvas import PanelSlot, SceneCanvas

STATIC = Path(__file__).parent.parent / "static"

# What the shipped model draws well, best first.
CHIPS = (
    ("lake", "a lake in a green forest"),
    ("forest", "dense green forest"),
    ("farmland", "green farmland"),
    ("coast", "a sandy beach beside the sea"),
    ("desert", "desert with sand dunes"),
    ("river", "a river between green banks"),
)
MAX_SEED = 2**32 - 1
SYSTEM_FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")

HEAD = """
<link rel="stylesheet" href="assets/ui/colours.css">
<link rel="stylesheet" href="assets/ui/style.css">
<link rel="stylesheet" href="assets/ui/panel.css">
<link rel="stylesheet" href="assets/ui/map-dialogs.css">
<link rel="stylesheet" href="assets/ui/layers/layers.css">
<link rel="stylesheet" href="assets/ui/model/models.css">
<link rel="stylesheet" href="assets/ui/find/find.css">
<link rel="stylesheet" href="assets/ui/narrow.css">
<link rel="modulepreload" href="assets/ui/scene-canvas.mjs">
"""

CANVAS = 'document.querySelector("scene-canvas")'
PANEL = f"{CANVAS}.panel"


def _send(name: str) -> str:
    """A JavaScript handler that hands a control's value to the canvas."""
    return f'(value) => {PANEL}.take("{name}", value)'


def build_page() -> gr.Blocks:
    """The page as Gradio blocks; `mount_page` adds style and theme."""
    with gr.Blocks(title="Text2Earth", analytics_enabled=False) as page:
        canvas = SceneCanvas()
        with gr.Column(elem_id="t2e-panel"):
            prompt, quality, steps, generate = _prompt_section()
            negative, seed, lock, guidance = _settings_section(quality, steps)
            with gr.Column(elem_id="t2e-layers-section", elem_classes="t2e-section is-empty"):
                PanelSlot("layers", label="Layers")
            with gr.Column(elem_id="t2e-queue-section", elem_classes="t2e-section is-empty"):
                gr.HTML("<h2>Queue</h2>", js_on_load=None, apply_default_css=False)
                PanelSlot("queue", "ul", "Queue")
            with gr.Accordion("Adapters", open=False, elem_classes="t2e-section", elem_id="t2e-adapters") as adapters:
                PanelSlot("adapters", label="Adapters")
            with gr.Accordion("Model", open=False, elem_classes="t2e-section", elem_id="t2e-model") as models:
                PanelSlot("model", label="Model")
            with gr.Accordion("History", open=False, elem_classes="t2e-section", elem_id="t2e-history") as history:
                PanelSlot("history", "ul", "History")
        _js(adapters.expand, f"() => {{ {CANVAS}.layers.adaptersOpened(); return []; }}")
        _js(models.expand, f"() => {{ {CANVAS}.models.opened(); return []; }}")
        _js(history.expand, f"() => {{ {CANVAS}.drawing.historyOpened(); return []; }}")
        _js(canvas.restore, f"() => {PANEL}.chosen", outputs=[prompt, negative, seed, lock])
        _js(canvas.reseed, f"() => [{CANVAS}.settings.seed]", outputs=[seed])
        described = [steps, guidance, quality, generate, negative]
        _js(canvas.describe, f"() => {PANEL}.described", outputs=described)
    return page


def _js(
    event: Callable[..., Any], code: str, inputs: list[Any] | None = None, outputs: list[Any] | None = None
) -> None:
    """Attach a handler that runs in the browser only.

    `multiple`: by default Gradio drops an event that fires while another of its kind is under way.
    """
    event(
        fn=None,
        js=code,
        inputs=inputs,
        outputs=outputs,
        show_progress="hidden",
        trigger_mode="multiple",
        api_visibility="private",
    )


def _prompt_section() -> tuple[gr.Textbox, gr.Radio, gr.Slider, gr.Button]:
    """Layer, prompt, chips, quality and the button."""
    PanelSlot("layer", label="Layer")
    prompt = gr.Textbox(label="Prompt", lines=3, max_lines=6, elem_id="t2e-prompt", placeholder="What should be here?")
    _js(prompt.change, _send("prompt"), [prompt])
    PanelSlot("prompt-notes", label="Notes about the prompt")
    with gr.Row(elem_id="t2e-chips"):
        for name, text in CHIPS:
            chip = gr.Button(name, size="sm", elem_classes="t2e-chip")
            _js(chip.click, f"() => [{text!r}]", outputs=[prompt])
    with gr.Row(elem_id="t2e-go"):
        quality = gr.Radio(["Fast", "Quality"], value="Fast", label="Quality", elem_id="t2e-quality", container=False)
        generate = gr.Button("Generate", variant="primary", elem_id="t2e-generate")
    _js(generate.click, f"() => {{ {CANVAS}.generate(); return []; }}")
    PanelSlot("follow", "fieldset", "Beside other ground")
    steps = gr.Slider(1, 100, value=20, step=1, label="Steps", elem_id="t2e-steps", render=False)
    return prompt, quality, steps, generate


def _settings_section(quality: gr.Radio, steps: gr.Slider) -> tuple[gr.Textbox, gr.Number, gr.Checkbox, gr.Slider]:
    """Resolution and seed in sight; what is changed rarely in an accordion."""
    PanelSlot("resolution", label="Resolution")
    with gr.Row(elem_id="t2e-seed-row"):
        seed = gr.Number(label="Seed", precision=0, minimum=0, maximum=MAX_SEED, value=3, elem_id="t2e-seed")
        PanelSlot("dice", label="Another seed")
        lock = gr.Checkbox(label="Lock", value=False, elem_id="t2e-seed-lock", container=False)
    with gr.Accordion("More settings", open=False, elem_classes="t2e-section"):
        negative = gr.Textbox(label="Negative prompt", lines=1, max_lines=3, elem_id="t2e-negative")
        steps.render()
        guidance = gr.Slider(1, 15, value=4, step=0.5, label="Guidance", elem_id="t2e-guidance")
    _js(negative.change, _send("negative_prompt"), [negative])
    _js(seed.input, _send("seed"), [seed])
    _js(lock.input, _send("seed_locked"), [lock])
    _js(quality.input, f"(name) => {PANEL}.setQuality(name)", [quality])
    for name, control in (("steps", steps), ("guidance", guidance)):
        _js(control.input, f'(value) => {PANEL}.takeOwn("{name}", value)', [control])
    return negative, seed, lock, guidance


def mount_page(app: FastAPI) -> FastAPI:
    """Mount the page at `/` of `app`."""
    theme = gr.themes.Base(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.zinc,
        font=SYSTEM_FONT,
        font_mono=("ui-monospace", "monospace"),
    )
    return gr.mount_gradio_app(
        app,
        build_page(),
        path="/",
        ssr_mode=False,
        footer_links=[],
        run_history=False,
        show_error=False,
        theme=theme,
        head=HEAD,
        favicon_path=str(STATIC / "favicon.svg"),
    )
