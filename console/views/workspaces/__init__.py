"""The pages of workspaces: the running page, and the builder."""
