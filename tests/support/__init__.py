"""What tests share: the project, small classes, a JupyterLab, the attacks."""
