"""How the text of messages is stored: with lz4 where the server has it, else as it is.

Postgres's own compression takes 90 µs for 4 kB, more than all the rest of storing a message. The embedded
server and some packages are built without it.
"""

from django.db import migrations

COMPRESS = """
DO $$
BEGIN
    ALTER TABLE conversations_message ALTER COLUMN blocks SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    ALTER TABLE conversations_message ALTER COLUMN blocks SET STORAGE EXTERNAL;
END $$
"""
UNDO = "ALTER TABLE conversations_message ALTER COLUMN blocks SET STORAGE EXTENDED"


class Migration(migrations.Migration):
    dependencies = [("conversations", "0002_within_workspace")]

    operations = [migrations.RunSQL(COMPRESS, UNDO), migrations.RunSQL(
        # The bytes of batches are compressed already; trying again only costs.
        "ALTER TABLE conversations_batchchunk ALTER COLUMN body SET STORAGE EXTERNAL",
        "ALTER TABLE conversations_batchchunk ALTER COLUMN body SET STORAGE EXTENDED",
    )]
