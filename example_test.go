package dataknobs_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"

	"dataknobs.dev/dataknobs"
	_ "dataknobs.dev/dataknobs/driver/memory"
)

// examplePeople opens a store in memory with three records.
func examplePeople(ctx context.Context) *dataknobs.DB {
	db, err := dataknobs.Open(ctx, "mem:", nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = db.CreateMany(ctx, []*dataknobs.Record{
		dataknobs.NewRecord("ann", dataknobs.F("name", "Ann"), dataknobs.F("age", 34), dataknobs.F("city", "Oslo")),
		dataknobs.NewRecord("bob", dataknobs.F("name", "Bob"), dataknobs.F("age", 27), dataknobs.F("city", "Rome")),
		dataknobs.NewRecord("eve", dataknobs.F("name", "Eve"), dataknobs.F("age", 41), dataknobs.F("city", "Rome")),
	})
	if err != nil {
		log.Fatal(err)
	}
	return db
}

func Example() {
	ctx := context.Background()
	db := examplePeople(ctx)
	defer db.Close()

	for rec, err := range db.Query(ctx, "age > ? order by age desc", 30) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(rec.ID, rec.Get("name"), rec.Get("age"))
	}
	// Output:
	// eve 'Eve' 41
	// ann 'Ann' 34
}

func ExampleOpen() {
	db, err := dataknobs.Open(context.Background(), "mem:?index=city", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	fmt.Println(db.Name())

	_, err = dataknobs.Open(context.Background(), "mem:?indx=city", nil)
	fmt.Println(err)
	// Output:
	// mem:
	// open: mem: the memory backend has no option "indx" (did you mean index?)
}

func ExampleDB_Create() {
	ctx := context.Background()
	db := examplePeople(ctx)
	defer db.Close()

	res, err := db.Create(ctx, dataknobs.NewRecord("", dataknobs.F("name", "Zoe")))
	fmt.Println(len(res.ID), res.Created, err)

	_, err = db.Create(ctx, dataknobs.NewRecord("ann"))
	fmt.Println(errors.Is(err, dataknobs.AlreadyExists), err)
	// Output:
	// 36 true <nil>
	// true create: mem: record "ann": already exists
}

func ExampleIfRevision() {
	ctx := context.Background()
	db := examplePeople(ctx)
	defer db.Close()

	rec, err := db.Get(ctx, "ann")
	if err != nil {
		log.Fatal(err)
	}
	old := rec.Revision
	rec.Set("age", dataknobs.Int(35))
	_, err = db.Update(ctx, rec, dataknobs.IfRevision(old))
	fmt.Println(err)
	_, err = db.Update(ctx, rec, dataknobs.IfRevision(old)) // somebody was here before
	fmt.Println(errors.Is(err, dataknobs.Conflict))
	// Output:
	// <nil>
	// true
}

func ExampleDB_Run() {
	ctx := context.Background()
	db := examplePeople(ctx)
	defer db.Close()

	q := dataknobs.Where(dataknobs.P("city").Eq("Rome")).OrderBy("name").Query()
	for rec, err := range db.Run(ctx, q) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(rec.ID)
	}
	// Output:
	// bob
	// eve
}

func ExampleDB_Query_groups() {
	ctx := context.Background()
	db := examplePeople(ctx)
	defer db.Close()

	for rec, err := range db.Query(ctx, "select city, count(*) as people, avg(age) group by city") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(dataknobs.Object(rec.Fields))
	}
	// Output:
	// {'city': 'Oslo', 'people': 1, 'avg(age)': 34.0}
	// {'city': 'Rome', 'people': 2, 'avg(age)': 34.0}
}

func ExampleDB_Page() {
	ctx := context.Background()
	db := examplePeople(ctx)
	defer db.Close()

	q := dataknobs.MustParse("order by age limit 2")
	for {
		page, err := db.Page(ctx, q)
		if err != nil {
			log.Fatal(err)
		}
		for i, rec := range page.Records {
			fmt.Println(i, rec.ID)
		}
		fmt.Println("more:", page.Next != "")
		if q.After = page.Next; q.After == "" {
			return
		}
	}
	// Output:
	// 0 bob
	// 1 ann
	// more: true
	// 0 eve
	// more: false
}

func ExampleDB_PatchWhere() {
	ctx := context.Background()
	db := examplePeople(ctx)
	defer db.Close()

	n, err := db.PatchWhere(ctx, dataknobs.P("city").Eq("Rome"), []dataknobs.Change{
		{Path: dataknobs.P("address.country"), Value: dataknobs.String("Italy")},
	})
	fmt.Println(n, err)
	rec, _ := db.Get(ctx, "eve")
	fmt.Println(rec.Lookup(dataknobs.P("address.country")))
	// Output:
	// 2 <nil>
	// 'Italy'
}

func ExampleBatchError() {
	ctx := context.Background()
	db := examplePeople(ctx)
	defer db.Close()

	_, err := db.CreateMany(ctx, []*dataknobs.Record{
		dataknobs.NewRecord("fay"), dataknobs.NewRecord("bob"), dataknobs.NewRecord("gus"),
	})
	var failed *dataknobs.BatchError
	if errors.As(err, &failed) {
		for _, it := range failed.Errors {
			fmt.Println(it)
		}
	}
	n, _ := db.Count(ctx, nil)
	fmt.Println(n, "records")
	// Output:
	// item 1, record "bob": already exists
	// 5 records
}

func ExampleCollection() {
	type Person struct {
		ID   string `dk:"_id"`
		Name string `dk:"name"`
		Age  int    `dk:"age"`
		City string `dk:"city,omitempty"`
	}
	ctx := context.Background()
	db := examplePeople(ctx)
	defer db.Close()

	people, err := dataknobs.NewCollection[Person](db)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := people.Put(ctx, Person{ID: "kim", Name: "Kim", Age: 19}); err != nil {
		log.Fatal(err)
	}
	for p, err := range people.Query(ctx, "order by age limit 2") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%+v\n", p)
	}
	// Output:
	// {ID:kim Name:Kim Age:19 City:}
	// {ID:bob Name:Bob Age:27 City:Rome}
}

// Ask several things at once and stop all of them at the first error.
func Example_fanOut() {
	db := examplePeople(context.Background())
	defer db.Close()

	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	cities := []string{"Oslo", "Rome", "Bern"}
	counts := make([]int64, len(cities))
	var wg sync.WaitGroup
	for i, city := range cities {
		wg.Go(func() {
			n, err := db.Count(ctx, dataknobs.P("city").Eq(city))
			if err != nil {
				cancel(err) // the others return soon
			}
			counts[i] = n
		})
	}
	wg.Wait()
	fmt.Println(counts, context.Cause(ctx))
	// Output:
	// [1 2 0] <nil>
}

func ExampleDB_Explain() {
	ctx := context.Background()
	db := examplePeople(ctx)
	defer db.Close()

	plan, err := db.Explain(ctx, dataknobs.MustParse("select name where city = 'Rome' order by age limit 1"), dataknobs.ExplainOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the store:", plan.Pushed.Where)
	for _, part := range plan.Residual {
		fmt.Println("here:", part.Part, part.Text)
	}
	// Output:
	// the store: city = 'Rome'
	// here: sort age
	// here: page limit 1
	// here: select name
}

func ExampleDB_Aggregate() {
	ctx := context.Background()
	db := examplePeople(ctx)
	defer db.Close()

	by := []dataknobs.Path{dataknobs.P("city")}
	age := dataknobs.Column{Agg: dataknobs.Avg, Path: dataknobs.P("age"), As: "age"}
	for g, err := range db.Aggregate(ctx, nil, by, dataknobs.Column{Agg: dataknobs.CountAll}, age) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(g.Get("city"), g.Get("count(*)"), g.Get("age"))
	}
	// Output:
	// 'Oslo' 1 34.0
	// 'Rome' 2 34.0
}
