package config

// Example is a configuration to begin with: what dk config init writes.
const Example = `# Stores by name: dk query people, cfg.Open(ctx, "people").
# dk config check says what is wrong with this file, dk config show what it comes to.

# Values to refer to from elsewhere in this file.
settings:
  folder: data                        # ${settings.folder}

databases:
  # A file. A relative path starts from the folder of this file.
  - name: people
    backend: file
    path: ${settings.folder}/people.json

  # A server. ${NAME} must be set, ${NAME:default} need not be.
  # - name: main
  #   backend: postgres
  #   host: ${DB_HOST:localhost}
  #   port: ${DB_PORT:5432}
  #   user: ${DB_USER:app}
  #   password: ${file:/run/secrets/db}  # the content of a file, never shown
  #   dbname: app
  #   table: people
  #   layers:                         # the first is the outermost
  #     retry: {attempts: 5}
  #     timeout: 10s

  # Everything as in main, but for the table.
  # - name: scratch
  #   extends: main
  #   table: scratch

  # Memory that lives as long as the program.
  - name: temp
    backend: memory

# Any value can be overridden by a variable: DK_DATABASES_PEOPLE_PATH=/srv/people.json
# dk backends NAME lists the settings of a backend, dk config schema is for editors.
`
