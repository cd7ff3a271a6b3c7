package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/config"
)

// past is a ledger of old shots, events and attempts, which are as old as their
// times say.
type past struct {
	shots    []stillcast.Shot // that have pictures
	pruned   []stillcast.Shot // that have none any more
	events   []time.Time
	attempts []time.Time
	largest  int // batch
	calls    []time.Time
	removed  map[int64]bool
	fails    error
}

func (p *past) call(limit int) {
	p.largest = max(p.largest, limit)
	p.calls = append(p.calls, time.Now())
}

func (p *past) ExpiredPictures(_ context.Context, before time.Time, limit int) (expired []stillcast.Shot, err error) {
	p.call(limit)
	for _, s := range p.shots {
		if s.Captured.Before(before) && len(expired) < limit && !p.removed[s.ID] {
			expired = append(expired, s)
		}
	}
	return expired, p.fails
}

func (p *past) PicturesRemoved(_ context.Context, ids []int64) error {
	for _, id := range ids {
		p.removed[id] = true
	}
	return p.fails
}

func (p *past) PruneShots(_ context.Context, before time.Time, limit int) (gone []stillcast.Shot, err error) {
	p.call(limit)
	for len(p.shots) > 0 && p.shots[0].Captured.Before(before) && len(gone) < limit {
		gone = append(gone, p.shots[0])
		p.shots = p.shots[1:]
	}
	p.pruned = append(p.pruned, gone...)
	return gone, p.fails
}

func (p *past) PruneEvents(_ context.Context, before time.Time, limit int) (int, error) {
	return p.prune(&p.events, before, limit), p.fails
}

func (p *past) PruneAttempts(_ context.Context, before time.Time, limit int) (int, error) {
	return p.prune(&p.attempts, before, limit), p.fails
}

func (p *past) prune(list *[]time.Time, before time.Time, limit int) (n int) {
	p.call(limit)
	for len(*list) > 0 && (*list)[0].Before(before) && n < limit {
		*list = (*list)[1:]
		n++
	}
	return n
}

// TestRetention runs ten days of it.
func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &past{removed: map[int64]bool{}}
		began := time.Now()
		const each = 10 * time.Minute
		for i := range 1000 { // of the week before
			at := began.Add(time.Duration(i-1000) * each)
			p.shots = append(p.shots, stillcast.Shot{ID: int64(i + 1), Captured: at})
			p.events, p.attempts = append(p.events, at), append(p.attempts, at)
		}
		var order []string
		stuck := errors.New("no permission")
		r := newRetention(retentionOptions{
			config: config.Retention{Pictures: 24 * time.Hour, Shots: 72 * time.Hour, Attempts: 48 * time.Hour},
			ledger: p, logger: slog.New(slog.DiscardHandler), registerer: prometheus.NewRegistry(),
			remove: func(_ context.Context, s stillcast.Shot) error {
				if s.ID == 7 && time.Since(began) < time.Hour {
					return stuck
				}
				order = append(order, fmt.Sprint(s.ID))
				return nil
			},
		})
		run := func(d time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			r.run(ctx)
		}
		run(retentionFirst - time.Second)
		if len(p.calls) != 0 {
			t.Errorf("looked at %v after the start, want not before %v", p.calls[0].Sub(began), retentionFirst)
		}
		run(30 * time.Minute)
		if len(p.pruned) != 0 || len(order) < 800 || p.removed[7] {
			t.Errorf("%d shots were removed while a picture could not be; of %d the pictures were", len(p.pruned), len(order))
		}
		if n := testutil.ToFloat64(r.failed.WithLabelValues("pictures")); n < 3 {
			t.Errorf("%v looks at a picture that could not be removed are counted, want one each ten minutes", n)
		}
		run(2 * time.Hour)
		for name, check := range map[string]struct {
			oldest time.Time
			age    time.Duration
		}{
			"shots": {p.shots[0].Captured, 72 * time.Hour}, "events": {p.events[0], 72 * time.Hour}, "attempts": {p.attempts[0], 48 * time.Hour},
		} {
			if age := time.Since(check.oldest); age > check.age+retentionEvery+time.Minute || age < check.age-each {
				t.Errorf("the oldest of the %s is %s old, want about %s", name, age, check.age)
			}
		}
		for _, s := range p.shots {
			age := time.Since(s.Captured)
			if old := age > 24*time.Hour+retentionEvery+time.Minute; old && !p.removed[s.ID] || age < 24*time.Hour && p.removed[s.ID] {
				t.Errorf("picture of shot %d, %s old, is removed: %v", s.ID, age, p.removed[s.ID])
			}
		}
		if p.largest > 500 {
			t.Errorf("batches were up to %d", p.largest)
		}
		if n := testutil.ToFloat64(r.removed.WithLabelValues("shots")); n != float64(len(p.pruned)) || n == 0 {
			t.Errorf("counted %v removed shots of %d", n, len(p.pruned))
		}
		if n := testutil.ToFloat64(r.removed.WithLabelValues("pictures")); n != float64(len(order)) {
			t.Errorf("counted %v shots whose pictures were removed, of %d", n, len(order))
		}
		for i := range p.calls[1:] {
			if p.calls[i+1].Sub(p.calls[i]) < retentionPause {
				t.Fatal("batches followed one another without a pause")
			}
		}
		// What fails is tried again later.
		p.fails = errors.New("database is locked")
		run(time.Hour)
		p.fails = nil
		run(240 * time.Hour)
		if len(p.shots) != 0 || len(p.events) != 0 || len(p.attempts) != 0 {
			t.Errorf("%d shots, %d events and %d attempts are left ten days later", len(p.shots), len(p.events), len(p.attempts))
		}
	})
}

// TestRetentionForEver: nothing is looked for that is kept for ever.
func TestRetentionForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &past{attempts: []time.Time{time.Now()}}
		r := newRetention(retentionOptions{ledger: p, logger: slog.New(slog.DiscardHandler), registerer: prometheus.NewRegistry()})
		r.run(t.Context()) // at once
		r.config.Attempts = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		r.run(ctx)
		if len(p.attempts) != 0 || len(p.shots) != 0 || testutil.ToFloat64(r.removed.WithLabelValues("attempts")) != 1 {
			t.Errorf("%d attempts are left", len(p.attempts))
		}
	})
}
