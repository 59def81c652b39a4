"""Physics processes, one file each; recipes name them by ``class_path``."""
