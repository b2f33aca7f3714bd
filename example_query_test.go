package dataknobs_test

import (
	"encoding/json"
	"fmt"

	"dataknobs.dev/dataknobs"
)

func ExampleParse() {
	q, err := dataknobs.Parse("age > ? and city in ? order by age desc limit 10", 30, []string{"Rome", "Oslo"})
	fmt.Println(q, err)
	_, err = dataknobs.Parse("age > 30 ODER BY age")
	fmt.Println(err)
	// Output:
	// WHERE age > 30 AND city IN ('Rome', 'Oslo') ORDER BY age DESC LIMIT 10 <nil>
	// 1:10: expected AND, OR, GROUP BY, HAVING, ORDER BY, LIMIT, OFFSET or the end, but found the name ODER
	//     age > 30 ODER BY age
	//              ^^^^ (did you mean ORDER BY?)
}

func ExampleBuilder() {
	q := dataknobs.Select("carrier", "count(*) AS flights").
		Where(dataknobs.P("origin").In("JFK", "LGA"), dataknobs.P("dep_delay").IsNotNull()).
		GroupBy("carrier").
		Having("count(*) > ?", 1000).
		OrderBy("flights DESC").
		Query()
	fmt.Println(q)
	// Output:
	// SELECT carrier, count(*) AS flights WHERE origin IN ('JFK', 'LGA') AND dep_delay IS NOT NULL GROUP BY carrier HAVING count(*) > 1000 ORDER BY flights DESC
}

func ExampleQuery_MarshalJSON() {
	b, err := json.Marshal(dataknobs.MustParse("city = 'Oslo' limit 10"))
	fmt.Println(string(b), err)
	// Output:
	// {"v":1,"where":{"path":"city","op":"=","value":"Oslo"},"limit":10} <nil>
}
