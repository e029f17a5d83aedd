"""MediLite for programs: five endpoints, by HTTP (Gradio's API), by MCP, and described in llms.txt.

`endpoints` defines them once; `serving` makes Gradio events of them,
`mcp_server` MCP tools and `llms` a text. They use the same engine under the same
limits as the page (`asking`, `reading`).
"""

from medilite.ui.api.endpoints import Endpoint, endpoints
from medilite.ui.api.serving import offer

__all__ = ["Endpoint", "endpoints", "offer"]
