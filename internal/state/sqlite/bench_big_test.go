package sqlite

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// healthy is how many destinations there are beside the one that answers nothing,
// and how many deliveries each of them is owed.
const healthy, owedToHealthy = 49, 20

// owe makes a file where destination 1, which answers nothing, is owed so many
// deliveries, each attempted once, and the healthy ones fresh ones. They went
// through no method: that would take hours.
func owe(b *testing.B, path string, rows int) {
	b.Helper()
	s := openStore(b, path, prometheus.NewRegistry(), defaultTuning())
	numbers := "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < LAST) "
	fill := strings.NewReplacer("ROWS", fmt.Sprint(rows), "LAST", fmt.Sprint(rows+healthy*owedToHealthy), "NOW", fmt.Sprint(micros(time.Now())))
	for _, statement := range []string{
		"INSERT INTO stream (id, domain, app, name) VALUES (1, 'push.example.com', 'live', 'cam-1'), (2, 'push.example.com', 'live', 'cam-2')",
		numbers + `INSERT INTO shot (id, bucket, region, key, due_at, captured_at, width, height, size)
			SELECT i, 'shots', 'r', printf('2026-03-04/cam-screenshot-%d.jpg', i), NOW + i, NOW + i, 1920, 1080, 100000 FROM n`,
		`INSERT INTO event (num, id, type, stream, push, at, fields, shot)
			SELECT id, printf('00000000-0000-7000-8000-%012d', id), 200, 1 + id % 2, 'push', captured_at, printf('{"pad":"%0300d"}', id), id FROM shot`,
		`INSERT INTO shot_count (at, domain, shots, first_event, last_event)
			SELECT at / 300000000 * 300000000, 'push.example.com', count(*), min(num), max(num) FROM event GROUP BY 1`,
		numbers + `INSERT INTO destination (id, template, event_type, pending) SELECT i, i, 200, iif(i = 1, ROWS, 20) FROM n WHERE i <= 50 LIMIT 50`,
		`INSERT INTO delivery (event, destination, sequence, state, attempt, due, at)
			SELECT id, iif(id > ROWS, 2 + id % 49, 1), id, 1, id <= ROWS, captured_at, captured_at FROM shot`,
		"INSERT INTO sequence (destination, stream, last) SELECT id, 1, LAST FROM destination UNION ALL SELECT id, 2, LAST FROM destination",
	} {
		check(b, s.change(b.Context(), "fill", func(t *tx) error {
			_, err := t.exec(fill.Replace(statement))
			return err
		}))
	}
	check(b, s.Close())
}

// durations are how long something took, each time.
type durations []time.Duration

func (d *durations) measure(b *testing.B, do func() error) {
	b.Helper()
	began := time.Now()
	err := do()
	*d = append(*d, time.Since(began))
	if err != nil {
		b.Fatal(err)
	}
}

// report says what half and what 99 % of them stayed below.
func (d durations) report(b *testing.B, name string) {
	b.Helper()
	slices.Sort(d)
	for _, q := range []int{50, 99} {
		b.ReportMetric(float64(d[(len(d)-1)*q/100].Nanoseconds())/1000, fmt.Sprintf("p%d-µs/%s", q, name))
	}
}

// BenchmarkRestart opens a state that owes 1,000,000 deliveries, of which 500
// were under way when the program ended, and goes on until a shot is accepted.
// The figures are of each step, in microseconds.
func BenchmarkRestart(b *testing.B) {
	path := filepath.Join(b.TempDir(), "state.db")
	owe(b, path, 1_000_000)
	var whole, opening, reading, stranded, first durations
	for i := 0; b.Loop(); i++ {
		var s *Store
		whole.measure(b, func() (err error) {
			opening.measure(b, func() error {
				s, err = Open(b.Context(), Config{Path: path}, discard(), prometheus.NewRegistry())
				return err
			})
			reading.measure(b, func() error { return errorOf(s.Backlogs(b.Context())) })
			stranded.measure(b, func() error { return errorOf(s.Stranded(b.Context(), 0, 0)) })
			first.measure(b, func() error {
				return errorOf(s.CommitShot(b.Context(), newShot(fmt.Sprintf("event-%012d", i), make([]byte, 100_000), hook(2))))
			})
			return nil
		})
		b.StopTimer()
		claimed, err := s.Claim(b.Context(), state.Claim{Destination: hook(1), Lane: state.LaneRetry, Limit: 500, Now: time.Now().Add(time.Hour), Lease: time.Hour})
		if err != nil || len(claimed) != 500 {
			b.Fatalf("claimed %d, %v", len(claimed), err)
		}
		check(b, s.Close())
		b.StartTimer()
	}
	for name, d := range map[string]durations{
		"whole": whole, "open": opening, "backlogs": reading, "stranded": stranded, "shot": first,
	} {
		d.report(b, name)
	}
}

func errorOf[T any](_ T, err error) error { return err }

// BenchmarkClaim claims 4 deliveries while one destination answers nothing and is
// owed more and more: of that one, and of one of the others. Each is ended at
// once, to be retried, so that the backlogs stay. Time is that of the claims alone.
func BenchmarkClaim(b *testing.B) {
	for _, rows := range []int{1000, 100_000, 1_000_000} {
		path := filepath.Join(b.TempDir(), "state.db")
		owe(b, path, rows)
		for name, to := range map[string]func(i int) stillcast.Destination{
			"blackhole": func(int) stillcast.Destination { return hook(1) },
			"healthy":   func(i int) stillcast.Destination { return hook(int64(2 + i%healthy)) },
		} {
			b.Run(fmt.Sprintf("%drows/%s", rows, name), func(b *testing.B) {
				s := openStore(b, path, prometheus.NewRegistry(), defaultTuning())
				var took durations
				for i := 0; b.Loop(); i++ {
					c := state.Claim{Destination: to(i), Lane: state.LaneRetry, Limit: 4, Now: time.Now().Add(time.Hour), Lease: time.Hour}
					if i < healthy {
						c.Lane = state.LaneFresh // all of them the first time
						c.Limit = owedToHealthy
					}
					var claimed []state.Delivery
					took.measure(b, func() (err error) {
						claimed, err = s.Claim(b.Context(), c)
						return err
					})
					for _, d := range claimed {
						check(b, s.Finish(b.Context(), state.Result{
							DeliveryID: d.ID, Attempt: d.Attempt, Outcome: state.OutcomeRetry, RetryAt: c.Now, Started: c.Now, Status: 503,
						}))
					}
				}
				took.report(b, "claim")
			})
		}
	}
}

// BenchmarkDeliveryCycle is the whole life of an event without a picture: made
// durable, claimed, and its attempt ended, by 64 callers at a time.
func BenchmarkDeliveryCycle(b *testing.B) {
	for _, request := range []string{"", `{"t":1622600525,"sign":"ca3e25e5dc17a6f9909a9ae7281e300d","webhook":"msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"}`} {
		b.Run(fmt.Sprintf("64callers/request%dB", len(request)), func(b *testing.B) {
			s := newStore(b)
			before := cpuTime(b)
			b.ResetTimer()
			spread(b, 64, func(i int64) error { return cycle(b, s, i, request) })
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/event")
			counts, err := s.CountDeliveries(b.Context())
			if err != nil || counts["delivered"] != int64(b.N) {
				b.Errorf("%v of %d were delivered, %v", counts, b.N, err)
			}
		})
	}
}

// cycle records an event and delivers one, which may be that of another caller.
func cycle(b *testing.B, s *Store, i int64, request string) error {
	b.Helper()
	to := stillcast.Destination{TemplateID: 1 + i%8, Event: stillcast.EventPushException}
	n := newShot(fmt.Sprintf("event-%012d", i), nil)
	e, err := shotEvent(n.Shot)
	if err != nil {
		return err
	}
	e.Type = stillcast.EventPushException
	if err := s.RecordEvent(b.Context(), state.NewEvent{Event: e, Destinations: []stillcast.Destination{to}}); err != nil {
		return err
	}
	return deliver(b, s, to, request)
}

// deliver claims one delivery and ends its attempt.
func deliver(b *testing.B, s *Store, to stillcast.Destination, request string) error {
	b.Helper()
	claimed, err := s.Claim(b.Context(), state.Claim{Destination: to, Limit: 1, Now: time.Now(), Lease: time.Minute})
	if err != nil {
		return err
	}
	for _, d := range claimed {
		r := state.Result{DeliveryID: d.ID, Attempt: d.Attempt, Outcome: state.OutcomeDelivered, Started: time.Now(), Status: 200, Reply: `{"code":0}`}
		if request != "" {
			r.Request = []byte(request)
		}
		if err := s.Finish(b.Context(), r); err != nil {
			return err
		}
	}
	return nil
}

// cpuTime is what this process has used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used unix.Rusage
	check(b, unix.Getrusage(unix.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkShotCycle is the whole life of a shot and its event: made durable,
// marked as stored, claimed, and its attempt ended. With one caller each shot has
// a commit of its own, as when there are few in a second.
func BenchmarkShotCycle(b *testing.B) {
	jpeg := make([]byte, 100_000)
	_, _ = rand.Read(jpeg)
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("%dcallers/100KB", callers), func(b *testing.B) {
			s := newStore(b)
			before := cpuTime(b)
			b.ResetTimer()
			spread(b, callers, func(i int64) error {
				to := hook(1 + i%8)
				shot, err := s.CommitShot(b.Context(), newShot(fmt.Sprintf("event-%012d", i), jpeg, to))
				if err == nil {
					_, err = s.MarkStored(b.Context(), shot.ID)
				}
				if err != nil {
					return err
				}
				return deliver(b, s, to, "")
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "shots/s")
			b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/shot")
		})
	}
}
