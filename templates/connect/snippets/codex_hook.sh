pip install {{ wheel }}
observatory-hook install --codex --url {{ url }} --key {{ key }}
