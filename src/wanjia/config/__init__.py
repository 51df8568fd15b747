"""Settings, URL root, wsgi: the only place that knows every slice."""
