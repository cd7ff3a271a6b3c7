package picturetest

import (
	"fmt"
	"testing"
)

// atOnce is how many rows are pushed at the same time.
const atOnce = 12

// attempts is how often a stream is pushed that does not give what it should. A machine that is busy with other things
// may stand still for seconds; what is wrong is wrong each time.
const attempts = 3

func TestEveryPictureIsRight(t *testing.T) {
	rows := prepareAll(t, table())
	rig := startRig(t)
	over := make([]<-chan struct{}, len(rows))
	stream := func(i int) string { return fmt.Sprintf("row-%d", i) }
	lines := make([]line, len(rows))
	for i, next := 0, 0; i < len(rows); i++ {
		for ; next < min(i+atOnce, len(rows)); next++ {
			over[next] = rows[next].start(t, rig.pushURL(appKeyframe, stream(next)))
		}
		shots := rig.take(stream(i), rows[i].wanted(), over[i])
		for again := 1; len(shots) < rows[i].wanted() && again < attempts; again++ {
			t.Logf("%s: %d shots, pushed again", rows[i].name(), len(shots))
			name := fmt.Sprintf("%s-%d", stream(i), again)
			shots = rig.take(name, rows[i].wanted(), rows[i].start(t, rig.pushURL(appKeyframe, name)))
		}
		t.Run(rows[i].name(), func(t *testing.T) {
			lines[i] = rows[i].line(rows[i].check(t, shots))
		})
	}
	if !t.Failed() {
		checkDocument(t, lines)
	}
}

// prepareAll makes the files of all rows, on every core.
func prepareAll(t *testing.T, rows []row) []prepared {
	t.Helper()
	all := make([]prepared, len(rows))
	t.Run("clips", func(t *testing.T) {
		for i, r := range rows {
			t.Run(r.name(), func(t *testing.T) {
				t.Parallel()
				all[i] = r.prepare(t)
			})
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return all
}
