package postgres

// For tests in postgres_test.
var (
	ParseLocation = parseLocation
	TableName     = tableName
	DSN           = dsn
)
