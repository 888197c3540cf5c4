"""Translation: one picture of a place made from another, by a trunk beside the frozen model. Start with `tasks`."""
