"""Better and larger pictures of pictures: damage to learn from, enhancers on disk and at work, and their figures."""
