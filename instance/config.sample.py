"""A sample configuration: copy it to config.py and uncomment what you change.

Each key can also be set by an environment variable, RAPPORT_<KEY>, which wins.
"""

# The name of the house, in titles and in the portal.
# HOUSE_NAME = "Kallio Wholesale"

# PostgreSQL instead of the SQLite file in this folder.
# DATABASE_URL = "postgresql://rapport:secret@localhost/rapport"

# Money is written in this currency (ISO 4217).
# CURRENCY = "EUR"

# Installed plugins that are switched off. Their tables stay.
# PLUGINS_DISABLED = ["portal"]

# Behind a proxy that ends TLS: cookies over TLS only, one hop of X-Forwarded-*, and
# the host names this server answers to.
# SESSION_COOKIE_SECURE = True
# PROXIES = 1
# TRUSTED_HOSTS = ["crm.example.com"]

# Outgoing mail: where people reach Rapport (links), the server, the sender.
# PUBLIC_URL = "https://crm.example.com"
# SMTP_HOST = "smtp.example.com"
# SMTP_PORT = 587
# SMTP_SECURITY = "starttls"
# SMTP_USER = "crm@example.com"
# SMTP_PASSWORD = "secret"
# MAIL_FROM = "crm@example.com"

# Days until a sign-in must be repeated.
# SESSION_DAYS = 30

# Where uploaded files and the search index live.
# FILES_FOLDER = "/var/lib/rapport/files"
# SEARCH_FOLDER = "/var/lib/rapport/search"

# Requests of one user or address, and where they are counted (memory: per process).
# RATE_LIMIT = "1200 per minute"
# RATE_LIMIT_STORAGE = "memory://"

# Live pages one process serves, and its threads: streams plus 32 is a good number.
# LIVE_STREAMS = 64
# THREADS = 96

# A setting of a plugin, pinned here, is shown read-only in the administration.
# DOCUMENTS_MAX_UPLOAD = 50_000_000
