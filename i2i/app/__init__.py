"""The web page: pictures of one's own through a model, drawings too, and a training run to watch.

`serving` opens it, `page` lays it out and is the only module that knows Gradio, `guard` stands before it. What the page
does is in the others, without Gradio: `shelf` has the models, `intake` looks uploads through, `translating` works them
off, `drawing` is the canvas, `live` a run's state, `shown` what becomes HTML.
"""
