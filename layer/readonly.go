package layer

import (
	"context"
	"sync/atomic"

	"dataknobs.dev/dataknobs"
)

// ReadOnlyOptions are the settings of [ReadOnly].
type ReadOnlyOptions struct {
	Reason string `option:"reason" default:"it is used for reading only" doc:"why nothing can be written, for the error"`
}

// ReadOnly returns d with a layer that refuses every write, with Unsupported and
// the reason, before the store is asked. Transactions are for reading only, and
// Sync does nothing.
func ReadOnly(d dataknobs.Driver, o ReadOnlyOptions) dataknobs.Driver {
	return newDriver(d, &readOnly{withDefaults(o).Reason})
}

type readOnlySettings struct {
	ReadOnlyOptions
	Enabled bool `option:"enabled" default:"true" doc:"false: no such layer"`
}

func wrapReadOnly(d dataknobs.Driver, o readOnlySettings, _ Env) (dataknobs.Driver, error) {
	if !o.Enabled {
		return d, nil
	}
	return ReadOnly(d, o.ReadOnlyOptions), nil
}

type readOnly struct{ reason string }

func (r *readOnly) features(f dataknobs.Features) dataknobs.Features {
	f.ReadOnly = r.reason
	return f
}

func (r *readOnly) around(ctx context.Context, c *call, next func(context.Context) error) error {
	switch c.method {
	case apply, load:
		return dataknobs.Errorf(dataknobs.Unsupported, "the store cannot be written: %s", r.reason)
	case begin:
		c.tx.ReadOnly = true
	case syncing:
		return nil
	}
	return next(ctx)
}

// Keep returns d with a layer whose Close leaves d open, for a store that
// several DBs use at once, such as one for each tenant. After it every call of
// this layer fails with InvalidArgument.
func Keep(d dataknobs.Driver) dataknobs.Driver {
	return newDriver(d, &keep{})
}

type keep struct{ closed atomic.Bool }

func (k *keep) around(ctx context.Context, c *call, next func(context.Context) error) error {
	if k.closed.Load() && c.method != rollback {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the store is closed")
	}
	return next(ctx)
}

func (k *keep) close(dataknobs.Driver) error {
	k.closed.Store(true)
	return nil
}
