"""Base templates, components, menu and panel registries."""
