package spool

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a spool, a store and a notifier, and remembers what was done to them.
type world struct {
	put  func(context.Context, objstore.Object) error // before an object is kept
	mark func(shotID int64) error                     // before a shot is marked
	page func() error                                 // before a page is read

	renditions int // of each shot that is recorded
	format     stillcast.Format
	mirror     string

	mu      sync.Mutex
	waiting []stillcast.Shot
	gone    map[int64]bool // pictures that SpooledPicture does not find
	objects map[string]objstore.Object
	log     bytes.Buffer
	seen
}

// seen is what a world remembers.
type seen struct {
	tries    map[int64]int // calls of Put
	marked   []int64
	steps    []string // objects that were kept, marks and calls of Stored, in order
	reading  int      // pictures that were read and not let go
	mostRead int
	logs     string
}

// look returns what was seen until now.
func (w *world) look() seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.seen
	s.tries, s.marked, s.steps = maps.Clone(s.tries), slices.Clone(s.marked), slices.Clone(s.steps)
	s.logs = w.log.String()
	return s
}

// sorted returns the ids that were marked, in ascending order.
func (s seen) sorted() []int64 { return slices.Sorted(slices.Values(s.marked)) }

func (w *world) object(key string) objstore.Object {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.objects[key]
}

// Write takes a line of the log.
func (w *world) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(line)
}

func newWorld(shots int) *world {
	w := &world{gone: map[int64]bool{}, objects: map[string]objstore.Object{}, seen: seen{tries: map[int64]int{}}}
	for range shots {
		w.record()
	}
	return w
}

// record puts one more shot into the spool and returns its id.
func (w *world) record() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := int64(len(w.waiting) + len(w.marked) + 1)
	shot := stillcast.Shot{ID: id, Bucket: "shots-1", Key: keyOf(id), Format: w.format, Mirror: w.mirror}
	for i := range w.renditions {
		shot.Renditions = append(shot.Renditions, stillcast.Rendition{Key: fmt.Sprintf("f/%d.jpg.%d", id, i+1)})
	}
	w.waiting = append(w.waiting, shot)
	return id
}

// waits says whether a shot is in the spool.
func (w *world) waits(id int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.waiting, func(s stillcast.Shot) bool { return s.ID == id })
}

func keyOf(id int64) string { return fmt.Sprintf("f/%d.jpg", id) }

func destinationOf(id int64) []stillcast.Destination {
	return []stillcast.Destination{{TemplateID: id, Event: stillcast.EventShot}}
}

func (w *world) SpoolPage(_ context.Context, afterID int64, limit int) ([]stillcast.Shot, error) {
	if w.page != nil {
		if err := w.page(); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var page []stillcast.Shot
	for _, s := range w.waiting {
		if s.ID > afterID && len(page) < limit {
			page = append(page, s)
		}
	}
	return page, nil
}

func (w *world) SpooledPicture(_ context.Context, id int64, index int) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone[id] {
		return nil, fmt.Errorf("read: %w", stillcast.Errorf(stillcast.CodeNotFound, "shot", "%d is gone", id))
	}
	w.reading++
	w.mostRead = max(w.mostRead, w.reading)
	if index > 0 {
		return fmt.Appendf(nil, "jpeg %d.%d", id, index), nil
	}
	return fmt.Appendf(nil, "jpeg %d", id), nil
}

func (w *world) Put(ctx context.Context, o objstore.Object) error {
	var id int64
	if _, err := fmt.Sscanf(o.Key, "f/%d.jpg", &id); err != nil {
		return err
	}
	w.mu.Lock()
	w.tries[id]++
	w.mu.Unlock()
	var err error
	if w.put != nil {
		err = w.put(ctx, o)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reading--
	if err != nil {
		return err
	}
	w.steps = append(w.steps, "put "+o.Key)
	w.objects[o.Key] = o
	return nil
}

func (w *world) Remove(_ context.Context, shot stillcast.Shot) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range shot.Keys() {
		delete(w.objects, key)
		w.steps = append(w.steps, "removed "+key)
	}
	return nil
}

func (w *world) MarkStored(_ context.Context, id int64) ([]stillcast.Destination, error) {
	var err error
	if w.mark != nil {
		err = w.mark(id)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		return nil, err
	}
	w.waiting = slices.DeleteFunc(w.waiting, func(s stillcast.Shot) bool { return s.ID == id })
	w.marked = append(w.marked, id)
	w.steps = append(w.steps, fmt.Sprint("marked ", id))
	return destinationOf(id), nil
}

func (w *world) stored(d []stillcast.Destination) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.steps = append(w.steps, fmt.Sprint("told ", d))
}

func (w *world) stats(context.Context) (count, size int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return int64(len(w.waiting)), 7 * int64(len(w.waiting)), nil
}

func (w *world) options(concurrency int) Options {
	return Options{
		Config:  Config{Concurrency: concurrency, Timeout: 30 * time.Second, Breaker: DefaultConfig().Breaker},
		Primary: Store{Bucket: w, CacheControl: "max-age=60"},
		Ledger:  w, Stored: w.stored, Stats: w.stats,
		Logger:     slog.New(slog.NewTextHandler(w, nil)),
		Registerer: prometheus.NewRegistry(),
	}
}

func (w *world) uploader(t *testing.T, concurrency int) *Uploader {
	t.Helper()
	u, err := New(w.options(concurrency))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// start starts an uploader that stops after the test, which must be in a bubble
// of fake time.
func (w *world) start(t *testing.T, concurrency int) *Uploader {
	t.Helper()
	u := w.uploader(t, concurrency)
	u.Start()
	t.Cleanup(u.Stop)
	return u
}

// ids returns first, first+1, … last.
func ids(first, last int64) []int64 {
	all := make([]int64, 0, last-first+1)
	for id := first; id <= last; id++ {
		all = append(all, id)
	}
	return all
}

// asideOf returns how many shots of the first lane stepped aside.
func asideOf(u *Uploader) float64 {
	return testutil.ToFloat64(u.metrics.aside.WithLabelValues(Primary))
}

// Wake says that a shot was recorded that is not handed over.
func (u *Uploader) Wake() {
	for _, l := range u.lanes {
		signal(l.wake)
	}
}
