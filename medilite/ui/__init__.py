"""The browser's side of MediLite: one file a tab, the pure parts beside them.

`app.build_ui(engine, profile, settings)` puts it together. Handlers take an
engine by its protocol; nothing here imports an engine's implementation.
What needs no Gradio (`comparison`, `cards`, `plot`, `links`, `downloads`,
`history`, …) doesn't import it, so that it can be tested in milliseconds.
"""
