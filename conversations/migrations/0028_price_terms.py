"""What a call is billed as: its service tier, cache writes for an hour, and prices for tiers and for long prompts."""

from django.db import migrations, models

_CHARACTERS = 20
_SUMS = ("told_calls", "cache_write_1h_tokens", "summary_write_1h_tokens")
_TABLES = (
    "conversationday", "agentday", "agenttotal", "tagday", "conversationslot", "agentslot", "tagslot",
)  # fmt: skip
#: The defaults stay in the store: rows are also made by statements that know nothing of these columns.
_COLUMNS = [(table, name, "bigint NOT NULL DEFAULT 0") for table in _TABLES for name in _SUMS] + [
    ("request", "cache_write_1h_tokens", "bigint CHECK (cache_write_1h_tokens >= 0)"),
    ("request", "service_tier", f"varchar({_CHARACTERS}) NOT NULL DEFAULT ''"),
    ("modelprice", "tier", f"varchar({_CHARACTERS}) NOT NULL DEFAULT ''"),
    ("modelprice", "over_tokens", "bigint NOT NULL DEFAULT 0 CHECK (over_tokens >= 0)"),
    ("modelprice", "cache_write_1h_usd", "numeric(12, 6)"),
]


def _altered(clause):
    tables = dict.fromkeys(table for table, *_ in _COLUMNS)
    return ";\n".join(
        f"ALTER TABLE conversations_{table} " + ", ".join(clause(*each) for each in _COLUMNS if each[0] == table)
        for table in tables
    )


class AddColumns(migrations.RunSQL):
    """All of them in one statement a table. As AddField each would render all models anew, 85 ms."""

    def state_forwards(self, app_label, state):
        state.__dict__.pop("apps", None)  # rendered once, when somebody asks
        super().state_forwards(app_label, state)


def _tier():
    return models.CharField(blank=True, default="", max_length=_CHARACTERS)


def _dollars():
    return models.DecimalField(blank=True, decimal_places=6, max_digits=12, null=True)


class Migration(migrations.Migration):
    dependencies = [("conversations", "0027_budget_tags")]

    operations = [
        AddColumns(
            _altered(lambda _, name, kind: f"ADD COLUMN {name} {kind}"),
            _altered(lambda _, name, kind: f"DROP COLUMN {name}"),
            state_operations=[
                *(
                    migrations.AddField(table, name, models.BigIntegerField(default=0))
                    for table in _TABLES
                    for name in _SUMS
                ),
                migrations.AddField("request", "cache_write_1h_tokens", models.PositiveBigIntegerField(null=True)),
                migrations.AddField("request", "service_tier", _tier(), preserve_default=False),
                migrations.AddField("modelprice", "tier", _tier(), preserve_default=False),
                migrations.AddField("modelprice", "over_tokens", models.PositiveBigIntegerField(default=0)),
                migrations.AddField("modelprice", "cache_write_1h_usd", _dollars()),
            ],
        ),
        migrations.RemoveConstraint("modelprice", "model_price_once"),
        migrations.AddConstraint(
            "modelprice",
            models.UniqueConstraint(
                fields=["workspace", "pattern", "since", "tier", "over_tokens"],
                name="model_price_once",
                nulls_distinct=False,
            ),
        ),
    ]
