"""ChatEarthNet's own files: six lists of captions and the folders of its images, read and written.

Start reading at `layout`, then `reading` and `writing`.
"""
