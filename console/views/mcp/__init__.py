"""The console as a server of the Model Context Protocol."""
