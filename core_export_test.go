package dataknobs

// What the tests of the engine's core need to see of it.
var (
	EncodeCursor = encodeCursor
	DecodeCursor = decodeCursor
	WithoutRoot  = withoutRoot
)

// AppendKey is the bytes by which equal values are found.
func AppendKey(b []byte, v Value) []byte { return v.appendKey(b) }

// AggregationOf returns what a grouped query needs computed.
func AggregationOf(q *Query) (*Aggregation, error) {
	g, err := newGrouping(q)
	if err != nil {
		return nil, err
	}
	return g.agg, nil
}

// GroupRecords returns the results of a grouped query.
func GroupRecords(q *Query, groups []Group) ([]*Record, error) {
	g, err := newGrouping(q)
	if err != nil {
		return nil, err
	}
	return g.records(groups), nil
}
