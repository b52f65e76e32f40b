"""Which static files `up` collects, and how they are named."""

from whitenoise.storage import CompressedManifestStaticFilesStorage

#: What the API's packages bring for pages that we do not have: to name and compress it took 3 s of the first start, the
#: rest takes 0.2 s.
LEFT_OUT = ["rest_framework", "redoc", "*.map", "swagger-ui-standalone-preset*", "oauth2-redirect*", "favicon-*"]


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Names with a hash of the content, to be cached for ever; compressed once."""

    # Source maps are not collected, so what points to them stays as it is.
    patterns = tuple(
        (glob, tuple(rule for rule in rules if "sourceMappingURL" not in str(rule)))
        for glob, rules in CompressedManifestStaticFilesStorage.patterns
    )
    keep_only_hashed_files = True
