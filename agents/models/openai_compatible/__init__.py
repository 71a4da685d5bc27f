"""The direct route: OpenAI's API, and every server that speaks it, without litellm.

    direct      `DirectLM`, the model
    route       which models, where to, with which key, through which proxy
    dialect     a request's body for one model
    streaming   a streamed answer, as pieces
    exchange    one POST and its answer
    connection  connections, and the pool that keeps them
    tls, wire   how bytes move: encrypted or not, blocking or on an event loop

What comes from a server is hostile input: it is bounded in size and time, and becomes an answer or one
of our errors.
"""

from .direct import DirectLM
from .route import why_not_direct

__all__ = ["DirectLM", "why_not_direct"]
