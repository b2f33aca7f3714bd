package sqlgen

// Settings are those that every store in a table has.
type Settings struct {
	Layout   string   `option:"layout" enum:"auto document columns" default:"auto" doc:"records as JSON, or a column for each field; auto: as the table is, document for a new one unless types is given"`
	Key      []string `option:"key" doc:"the columns whose text is the ID, where the table has no primary key or another is wanted"`
	Extra    string   `option:"extra" doc:"columns layout: the JSON column that holds all fields without a column"`
	Meta     string   `option:"meta" doc:"columns layout: the JSON column that holds the metadata"`
	ReadOnly bool     `option:"readonly" default:"false" doc:"refuse every write"`
}
