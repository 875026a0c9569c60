"""The ASGI application: routes, problems (RFC 9457), conditional requests, the edge."""
