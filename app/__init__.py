"""The page, the HTTP API and the command line around a scene."""
