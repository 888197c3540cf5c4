"""The page: Gradio's controls in a panel over the canvas, whose ES modules are in `app/static`.

Gradio is imported in a background thread. Start reading at `slot`, then `page` and `scene_canvas`.
"""
