package stillcast

import "time"

// MaxRunningTasks is how many tasks may run on one stream at once, as in Tencent
// Cloud CSS ("CreateScreenshotTask").
const MaxRunningTasks = 3

// Task captures one stream in a window of time, beside what its rules say. It
// outlives the pushes of the stream: what is live within the window is captured.
type Task struct {
	ID         string // assigned by state, never reused
	Stream     Stream
	TemplateID int64 // of a [SnapshotTemplate], which may not exist
	Start, End time.Time
	Created    time.Time
	Stopped    time.Time // zero: not stopped before its end
}

// Running reports whether the task captures at a time.
func (t Task) Running(at time.Time) bool {
	return !at.Before(t.Start) && at.Before(t.End) && t.Stopped.IsZero()
}
