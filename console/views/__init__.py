"""Flask blueprints, one module for each family of pages. A view reads the request, calls one service function and renders the result."""
