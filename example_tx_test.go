package dataknobs_test

import (
	"context"
	"errors"
	"fmt"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/txfake"
)

// openAccounts opens a store that has transactions, with two accounts in it.
func openAccounts(ctx context.Context) *dataknobs.DB {
	db := dataknobs.New(txfake.New(), nil)
	_, err := db.CreateMany(ctx, []*dataknobs.Record{
		dataknobs.NewRecord("alice", dataknobs.F("cents", 500)),
		dataknobs.NewRecord("bob", dataknobs.F("cents", 100)),
	})
	if err != nil {
		panic(err)
	}
	return db
}

type Account struct {
	ID    string `dk:"_id"`
	Cents int64  `dk:"cents"`
}

var errTooPoor = errors.New("not enough money")

// A transfer happens as a whole or not at all. The function may be run again,
// where another transfer met it, so it does nothing but what it does with tx.
func ExampleDB_Tx() {
	ctx := context.Background()
	db := openAccounts(ctx)
	defer db.Close()
	accounts, err := dataknobs.NewCollection[Account](db)
	if err != nil {
		panic(err)
	}

	transfer := func(from, to string, cents int64) error {
		return db.Tx(ctx, func(tx *dataknobs.DB) error {
			in := accounts.In(tx)
			a, err := in.Get(ctx, from)
			if err != nil {
				return err
			}
			b, err := in.Get(ctx, to)
			if err != nil {
				return err
			}
			a.Cents, b.Cents = a.Cents-cents, b.Cents+cents
			if _, err := in.PutMany(ctx, []Account{a, b}); err != nil {
				return err
			}
			if a.Cents < 0 {
				return errTooPoor // everything is undone
			}
			return nil
		}, dataknobs.TxIsolation(dataknobs.Serializable))
	}

	fmt.Println(transfer("alice", "bob", 50))
	fmt.Println(transfer("bob", "alice", 1000))
	for a, err := range accounts.Query(ctx, "order by _id") {
		fmt.Println(a.ID, a.Cents, err)
	}
	// Output:
	// <nil>
	// not enough money
	// alice 450 <nil>
	// bob 150 <nil>
}

// A transaction inside another is a savepoint: what fails in it is undone
// alone.
func ExampleDB_Tx_nested() {
	ctx := context.Background()
	db := openAccounts(ctx)
	defer db.Close()

	err := db.Tx(ctx, func(tx *dataknobs.DB) error {
		if _, err := tx.Create(ctx, dataknobs.NewRecord("carol", dataknobs.F("cents", 0))); err != nil {
			return err
		}
		err := tx.Tx(ctx, func(inner *dataknobs.DB) error {
			if _, err := inner.DeleteWhere(ctx, nil); err != nil {
				return err
			}
			return errors.New("on second thoughts")
		})
		fmt.Println("inner:", err)
		return nil
	})
	n, _ := db.Count(ctx, nil)
	fmt.Println("outer:", err, "with", n, "accounts")
	// Output:
	// inner: on second thoughts
	// outer: <nil> with 3 accounts
}
