package capture

import (
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// job is a shot that is to be made of access units.
type job struct {
	plan     *plan
	pick     pick
	template stillcast.SnapshotTemplate
	accuracy stillcast.Accuracy
	first    bool // first shot of its plan
	alone    bool // the first picture that the decoder gives, not that of the last unit

	config    *media.Config
	units     [][]byte
	unit      *lent         // that owns them, or
	chunks    []*chunk      // that they are in
	from      uint64        // number of the first one in its stream, with chunks
	captured  time.Time     // when the frame arrived
	timestamp time.Duration // of the frame

	feed     *feed         // that it belongs to, or nil
	cost     time.Duration // reserved of the share of exact shots
	mark     uint64        // fingerprint of an input that killed workers, see plan.failed
	size     int64         // bytes that count for the queue
	position int           // in the queue's heap
}

// job makes a job of units[from] to units[target]. Unless all are wanted, those between
// that no other picture needs are left out.
func (g *group) job(from, target int, all bool) *job {
	j := &job{
		config: g.config, from: g.number(from),
		captured: g.units[target].arrived, timestamp: g.units[target].pts,
	}
	for i := from; i <= target; i++ {
		k := &g.units[i]
		if !all && k.disposable && i != from && i != target {
			continue
		}
		j.units = append(j.units, k.data)
		if n := len(j.chunks); n == 0 || j.chunks[n-1] != k.chunk {
			k.chunk.hold()
			j.chunks = append(j.chunks, k.chunk)
		}
	}
	return j
}

// letGo gives the access units back. More calls do nothing.
func (j *job) letGo() {
	if j.unit != nil {
		j.unit.letGo()
	}
	for _, c := range j.chunks {
		c.letGo()
	}
	j.unit, j.units, j.chunks = nil, nil, nil
}

// bytes returns how many the access units have together.
func (j *job) bytes() int {
	n := 0
	for _, u := range j.units {
		n += len(u)
	}
	return n
}

// slow says whether the job takes many times what a key frame does.
func (j *job) slow() bool { return len(j.units) > 1 }

// before reports whether j is made before k.
func (j *job) before(k *job) bool {
	if j.first != k.first {
		return j.first
	}
	return j.pick.due.Before(k.pick.due)
}

func (j *job) order() Order {
	return Order{Config: j.config, Units: j.units, First: j.alone, Pictures: j.template.Pictures()}
}
