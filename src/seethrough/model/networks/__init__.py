"""Ready networks as torch modules, one file a family, each from its paper."""
