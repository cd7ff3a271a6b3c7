package spool

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
)

// Policy says what gives way when the spool is full.
type Policy string

// The policies.
const (
	RefuseNew  Policy = "refuse_new"  // no shots are taken until there is room again
	DropOldest Policy = "drop_oldest" // the shots that waited longest lose their pictures
)

// QuotaConfig bounds the spool.
type QuotaConfig struct {
	MaxBytes int64  `yaml:"max_bytes"` // of the pictures that wait to be stored; 0 for no limit
	Policy   Policy `yaml:"policy"`    // when they are more
}

// minQuota is room for some pictures.
const minQuota = 1 << 20

// DefaultQuota returns the defaults.
func DefaultQuota() QuotaConfig { return QuotaConfig{MaxBytes: 10 << 30, Policy: RefuseNew} }

// Validate reports the first setting that is not allowed.
func (c QuotaConfig) Validate() error {
	if c.MaxBytes != 0 && c.MaxBytes < minQuota {
		return stillcast.Errorf(stillcast.CodeInvalid, "max_bytes", "is %d; allowed are %d and more, and 0 for no limit", c.MaxBytes, minQuota)
	}
	if c.Policy != RefuseNew && c.Policy != DropOldest {
		return stillcast.Errorf(stillcast.CodeInvalid, "policy", "is %q; allowed are %s and %s", c.Policy, RefuseNew, DropOldest)
	}
	return nil
}

// ErrFull says that there is no room for another shot at the moment.
var ErrFull = errors.New("the spool has no room")

const (
	countEvery  = 10 * time.Second       // the spool's size is read at least so often,
	recountFull = 250 * time.Millisecond // and at most so often while it seems full
	diskPause   = time.Second            // until the next try after the disk was full
	alarmEvery  = time.Minute            // between two lines of the log that say the same
)

// dropper is the spool that a quota bounds.
type dropper interface {
	SpoolStats(ctx context.Context) (pictures, bytes int64, err error)
	// DropSpooled gives up the pictures of the oldest shots, until so many bytes
	// are free or it gave up as many as one call may, and returns these shots.
	DropSpooled(ctx context.Context, bytes int64) ([]stillcast.Shot, error)
}

// QuotaOptions are what a [Quota] needs; all are required.
type QuotaOptions struct {
	Config     QuotaConfig
	Spool      dropper
	Dropped    func(shotID int64) // pictures of shots up to this id were dropped
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Quota says whether there is room for one more shot: within the limit, and on
// the disk. When there is none it says what to do, and when there is again, that
// too.
type Quota struct {
	opts    QuotaOptions
	refused *prometheus.CounterVec
	dropped prometheus.Counter
	full    prometheus.Gauge

	mu        sync.Mutex
	used      int64 // bytes; never less than there are, but for what is being recorded
	counted   time.Time
	wanted    int64     // by the shot that was refused last
	diskUntil time.Time // no shot before, since the disk was full
	diskError error     // nil: it is not full
	short     bool      // a shot was refused since there was room
	refusals  int       // since then
	drops     int       // since the log said so
	droppedAt time.Time // last
	alarmed   map[string]time.Time
}

// Reasons to refuse a shot, as labels.
const (
	refusedQuota = "quota"
	refusedDisk  = "disk_full"
)

// NewQuota returns a quota of a spool.
func NewQuota(opts QuotaOptions) (*Quota, error) {
	if err := opts.Config.Validate(); err != nil {
		return nil, err
	}
	q := &Quota{
		opts: opts, wanted: 1, alarmed: map[string]time.Time{},
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stillcast_spool_refused_total", Help: "Shots that were not taken because there was no room for their pictures, by reason.",
		}, []string{"reason"}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "stillcast_spool_dropped_total", Help: "Shots whose pictures were dropped before they were stored, to make room.",
		}),
		full: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "stillcast_spool_full", Help: "1 while shots are refused or dropped because there is no room for their pictures.",
		}),
	}
	limit := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "stillcast_spool_max_bytes", Help: "Bytes that pictures may have while they wait to be stored; 0 for no limit.",
	})
	limit.Set(float64(opts.Config.MaxBytes))
	for _, reason := range []string{refusedQuota, refusedDisk} {
		q.refused.WithLabelValues(reason)
	}
	opts.Registerer.MustRegister(q.refused, q.dropped, q.full, limit)
	return q, nil
}

// Room says whether a shot could be recorded now, as far as can be told before
// its size is known. A shot for which there is none counts as refused.
func (q *Quota) Room(ctx context.Context) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.admit(ctx, q.wanted, false) == nil
}

// Admit makes room for a shot of so many bytes, or fails with [ErrFull].
func (q *Quota) Admit(ctx context.Context, bytes int64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.admit(ctx, bytes, true); err != nil {
		q.wanted = bytes
		return err
	}
	q.used += bytes
	return nil
}

func (q *Quota) admit(ctx context.Context, bytes int64, drop bool) error {
	now := time.Now()
	if now.Before(q.diskUntil) {
		return q.refuse(refusedDisk, now)
	}
	limit := q.opts.Config.MaxBytes
	if limit == 0 {
		return nil
	}
	q.count(ctx, now, countEvery)
	if q.used+bytes > limit {
		q.count(ctx, now, recountFull)
	}
	switch {
	case q.used+bytes <= limit:
		q.relax(now)
		return nil
	case q.opts.Config.Policy != DropOldest || bytes > limit:
		return q.refuse(refusedQuota, now)
	case !drop:
		return nil // room is made once it is needed
	}
	q.drop(ctx, q.used+bytes-limit)
	if q.used+bytes > limit {
		return q.refuse(refusedQuota, now)
	}
	return nil
}

// count reads how full the spool is, unless it did so in that time.
func (q *Quota) count(ctx context.Context, now time.Time, age time.Duration) {
	if !q.counted.IsZero() && now.Sub(q.counted) < age {
		return
	}
	q.counted = now
	_, bytes, err := q.opts.Spool.SpoolStats(ctx)
	if err != nil {
		q.opts.Logger.Error("reading the size of the spool failed; going on with the last one", "error", err)
		return
	}
	q.used = bytes
}

// refuse counts a shot that is not taken.
func (q *Quota) refuse(reason string, now time.Time) error {
	q.refused.WithLabelValues(reason).Inc()
	q.full.Set(1)
	q.short = true
	q.refusals++
	if q.alarm(reason, now) {
		if reason == refusedDisk {
			q.opts.Logger.Error("the disk of data_dir is full: no shots are taken until there is space; free some, "+
				"or set storage.spool.max_bytes lower and storage.retention", "refused", q.refusals, "error", q.diskError)
		} else {
			q.opts.Logger.Error("the spool is full: no shots are taken until pictures are stored; repair the object store, "+
				"or raise storage.spool.max_bytes, or set storage.spool.policy: drop_oldest",
				"bytes", q.used, "max_bytes", q.opts.Config.MaxBytes, "refused", q.refusals)
		}
	}
	return ErrFull
}

// drop makes room by giving up the oldest pictures.
func (q *Quota) drop(ctx context.Context, bytes int64) {
	// A little more, so that not each shot has to.
	bytes = max(bytes, q.opts.Config.MaxBytes/256)
	shots, freed, last := 0, int64(0), int64(0)
	for freed < bytes {
		dropped, err := q.opts.Spool.DropSpooled(ctx, bytes-freed)
		if err != nil {
			q.opts.Logger.Error("dropping the oldest pictures of the spool failed", "error", err)
			break
		}
		if len(dropped) == 0 {
			break
		}
		for _, s := range dropped {
			freed += bytesOf(s)
			last = max(last, s.ID)
		}
		shots += len(dropped)
	}
	if shots == 0 {
		return
	}
	q.opts.Dropped(last)
	q.dropped.Add(float64(shots))
	q.full.Set(1)
	q.used -= freed
	q.drops += shots
	q.droppedAt = time.Now()
	if q.alarm("drop", q.droppedAt) {
		q.opts.Logger.Error("the spool is full: the pictures of the oldest shots are dropped, and their events parked; repair the object store, "+
			"or raise storage.spool.max_bytes", "dropped", q.drops, "last_shot", last, "max_bytes", q.opts.Config.MaxBytes)
		q.drops = 0
	}
}

func bytesOf(s stillcast.Shot) int64 {
	bytes := s.Size
	for _, r := range s.Renditions {
		bytes += r.Size
	}
	return int64(bytes)
}

// alarm says whether it is time for another line of that kind.
func (q *Quota) alarm(kind string, now time.Time) bool {
	if last, ok := q.alarmed[kind]; ok && now.Sub(last) < alarmEvery {
		return false
	}
	q.alarmed[kind] = now
	return true
}

// relax notes that there is room, as far as is known: whether the disk is still
// full, only a shot that is recorded tells. What was dropped is seen for a while.
func (q *Quota) relax(now time.Time) {
	if q.diskError != nil {
		return
	}
	if now.Sub(q.droppedAt) >= alarmEvery {
		q.full.Set(0)
	}
	if q.short {
		q.opts.Logger.Warn("there is room again; shots are taken", "refused", q.refusals)
	}
	q.short, q.refusals = false, 0
}

// DiskFull says that a shot could not be recorded because the disk is full. For a
// moment none is tried then.
func (q *Quota) DiskFull(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	q.diskUntil, q.diskError = now.Add(diskPause), err
	_ = q.refuse(refusedDisk, now) // the error is the caller's own
}

// Recorded says that a shot was recorded.
func (q *Quota) Recorded() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.diskError != nil {
		q.diskError, q.diskUntil = nil, time.Time{}
		q.relax(time.Now())
	}
}
