"""Hold promises to plain files: what happens goes in, what the clocks say comes out."""
