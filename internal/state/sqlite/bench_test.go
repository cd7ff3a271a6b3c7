package sqlite

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// spread runs fn b.N times with so many callers at a time.
func spread(b *testing.B, callers int, fn func(i int64) error) {
	b.Helper()
	var next atomic.Int64
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(b.N) {
					return
				}
				if err := fn(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

// BenchmarkCommitShot commits shots of 100 KB with 64 callers. "stored" also
// marks each as stored, which is the whole life of a picture in the spool.
func BenchmarkCommitShot(b *testing.B) {
	jpeg := make([]byte, 100_000)
	_, _ = rand.Read(jpeg)
	for _, bench := range []struct {
		name    string
		callers int
		bytes   int
		store   bool
	}{
		{"1caller/100KB", 1, 100_000, false},
		{"64callers/100KB", 64, 100_000, false},
		{"64callers/100KB/stored", 64, 100_000, true},
		{"64callers/1KB", 64, 1000, false},
	} {
		b.Run(bench.name, func(b *testing.B) {
			s := newStore(b)
			before := cpuTime(b)
			b.SetBytes(int64(bench.bytes))
			b.ResetTimer()
			spread(b, bench.callers, func(i int64) error {
				shot, err := s.CommitShot(b.Context(), newShot(fmt.Sprintf("event-%012d", i), jpeg[:bench.bytes], hook(i%8)))
				if err == nil && bench.store {
					_, err = s.MarkStored(b.Context(), shot.ID)
				}
				return err
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "shots/s")
			b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/shot")
		})
	}
}

// backlogOf200k opens a store where 50 destinations are owed 4,000 deliveries
// each, which went through no method: that would take minutes.
func backlogOf200k(b *testing.B) *Store {
	b.Helper()
	s := openStore(b, filepath.Join(b.TempDir(), "state.db"), prometheus.NewRegistry(), defaultTuning())
	for _, statement := range []string{
		"INSERT INTO stream (id, domain, app, name) VALUES (1, 'push.example.com', 'live', 'cam')",
		`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
			INSERT INTO shot (id, bucket, region, key, due_at, captured_at, width, height, size)
			SELECT i, 'shots', 'r', printf('2026-03-04/cam-screenshot-%d.jpg', i), i, i, 1920, 1080, 100000 FROM n`,
		`INSERT INTO event (num, id, type, stream, push, at, fields, shot)
			SELECT id, printf('00000000-0000-7000-8000-%012d', id), 200, 1, 'push', id, printf('{"pad":"%0500d"}', id), id FROM shot`,
		`INSERT INTO destination (id, template, event_type, pending)
			SELECT id, id, 200, 4000 FROM shot WHERE id <= 50`,
		`INSERT INTO delivery (event, destination, sequence, state, due, at)
			SELECT id, 1 + id % 50, id, 1, id, id FROM shot`,
	} {
		check(b, s.change(b.Context(), "fill", func(t *tx) error {
			_, err := t.exec(statement)
			return err
		}))
	}
	return s
}

// BenchmarkBacklogs reads what 50 destinations are owed, 200,000 in all.
func BenchmarkBacklogs(b *testing.B) {
	s := backlogOf200k(b)
	b.ResetTimer()
	for range b.N {
		list, err := s.Backlogs(b.Context())
		if err != nil || len(list) != 50 {
			b.Fatalf("got %d backlogs, %v", len(list), err)
		}
	}
}
