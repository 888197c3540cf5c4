"""Work on every image of tables of any size, resumable, each row exactly once: enhancement, quality scores, hashes.

Start reading at `parts`. Who does the parts (this process, several, a cluster) is the app's concern (`app.runner`).
"""
