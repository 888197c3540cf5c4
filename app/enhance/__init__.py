"""Enhancement of files: one picture, a folder of them, or tables of rows.

Start reading at `plan`, which says what there is to do, then `work`; who does it is `app.runner`'s concern.
"""
