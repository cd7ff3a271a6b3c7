package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

// Primary is the name of the store that holds the pictures of all shots, in logs
// and metrics.
const Primary = "primary"

// probesPerLog is how many failed probes one line of the log stands for.
const probesPerLog = 20

type bucket interface {
	Put(ctx context.Context, o objstore.Object) error
	// Remove deletes all pictures of a shot that are there.
	Remove(ctx context.Context, shot stillcast.Shot) error
}

// Store is where pictures go.
type Store struct {
	Name         string // of a mirror; that of the primary store is ignored
	Bucket       bucket
	CacheControl string // of the pictures; "" leaves it to the store
}

// store is a Store with its slots and its breaker. All lanes that lead to it
// share them.
type store struct {
	Store

	timeout time.Duration
	slots   chan struct{} // holds a token for each upload under way
	breaker *breaker
	metrics *metrics
	log     *slog.Logger
	poke    func() // the breaker may let something else through
}

func newStore(s Store, config Config, m *metrics, log *slog.Logger, poke func()) *store {
	m.open.WithLabelValues(s.Name).Set(0)
	return &store{
		Store: s, timeout: config.Timeout, slots: make(chan struct{}, config.Concurrency),
		breaker: &breaker{config: config.Breaker}, metrics: m, log: log.With("store", s.Name), poke: poke,
	}
}

// note tells of a breaker's turn.
func (st *store) note(t turn, err error) {
	switch {
	case t.opened:
		st.metrics.open.WithLabelValues(st.Name).Set(1)
		st.log.Error("object store does not work; pictures wait in the spool, and one at a time is tried until it works again",
			"failures", st.breaker.config.Failures, "error", err)
	case t.closed:
		st.metrics.open.WithLabelValues(st.Name).Set(0)
		st.log.Info("object store works again; its pictures are stored in order", "after", t.lasted.Round(time.Millisecond))
	case t.probes > 0 && t.probes%probesPerLog == 0:
		st.log.Error("object store still does not work", "for", t.lasted.Round(time.Second), "probes", t.probes, "error", err)
	}
}

// put stores one picture of a shot, within the limits of the store. It fails
// with errOpen where nothing was tried, and before the picture was read. With
// counts false a failure is not held against the store.
func (st *store) put(ctx context.Context, o objstore.Object, read func() ([]byte, error), counts bool) error {
	select {
	case st.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-st.slots }()
	leave, ok := st.breaker.enter(time.Now())
	if !ok {
		return errOpen
	}
	var err error
	if o.Body, err = read(); err != nil {
		st.breaker.giveBack(leave)
		return err
	}
	err = st.try(ctx, o)
	if err != nil && ctx.Err() != nil {
		st.breaker.giveBack(leave)
		return err
	}
	if err != nil {
		st.metrics.failed.WithLabelValues(st.Name, kindOf(err)).Inc()
	}
	t := st.breaker.leave(leave, err, counts, time.Now())
	st.note(t, err)
	if t.opened || t.closed || leave.probe {
		st.poke()
	}
	return err
}

func (st *store) try(ctx context.Context, o objstore.Object) error {
	putCtx, cancel := context.WithTimeout(ctx, st.timeout)
	defer cancel()
	o.CacheControl = st.CacheControl
	err := st.Bucket.Put(putCtx, o)
	if err != nil && putCtx.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("storage.upload.timeout (%s) passed: %w", st.timeout, err)
	}
	return err
}

// kindOf names the kind of an error of Put, as a label.
func kindOf(err error) string {
	kinds := []struct {
		err  error
		kind string
	}{
		{objstore.ErrDenied, "denied"},
		{objstore.ErrThrottled, "throttled"},
		{objstore.ErrUnavailable, "unavailable"},
		{objstore.ErrName, "name"},
		{context.DeadlineExceeded, "timeout"},
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.kind
		}
	}
	return "other"
}
