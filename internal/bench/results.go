package bench

import "time"

// Report is all that was measured.
type Report struct {
	Version string       `json:"version"`
	CPUs    int          `json:"cpus"`
	Began   time.Time    `json:"began"`
	Options ReportedSet  `json:"options"`
	Clips   []ClipReport `json:"clips"`
}

// ReportedSet is how it was measured.
type ReportedSet struct {
	Streams   int       `json:"streams"`
	Intervals []float64 `json:"intervals"` // seconds
	Seconds   float64   `json:"seconds"`   // of each run
	Workers   int       `json:"workers"`   // 0 is one for each CPU
	Rounds    int       `json:"rounds"`

	FFmpegThreads *int `json:"ffmpeg_threads,omitempty"` // 0 is ffmpeg's own choice, nil that it was not measured
}

// ClipReport is what was measured with one clip.
type ClipReport struct {
	Name   string  `json:"name"`
	Width  int     `json:"width"` // of its pictures
	Height int     `json:"height"`
	Facts  Facts   `json:"facts"`
	Rounds []Round `json:"rounds"`
}

// Round is what was measured in one turn.
type Round struct {
	Runs    []CaptureRun `json:"runs"`    // one for each interval, the first that of all comparisons
	Idle    CaptureRun   `json:"idle"`    // the same streams, with no shot due while it was measured
	Decode  float64      `json:"decode"`  // CPU seconds to decode one key frame, in a loop, with nothing else
	Receive float64      `json:"receive"` // CPU seconds to receive a second of one stream, with nothing else
	Floor   float64      `json:"floor"`   // CPU seconds for a second of one stream: receiving, and decoding beside it at the pace of shots
	FFmpeg  *FFmpeg      `json:"ffmpeg,omitempty"`
}

// CaptureRun is one run of a server with pushed streams. Times are in seconds.
type CaptureRun struct {
	Interval      float64 `json:"interval"`
	Streams       int     `json:"streams"`
	StreamSeconds float64 `json:"stream_seconds"` // that were measured
	ServerCPU     float64 `json:"server_cpu"`
	WorkersCPU    float64 `json:"workers_cpu"`
	OtherLoad     float64 `json:"other_load"` // part of the machine that others took, publishers not counted; 0 to 1

	Due    int `json:"due"`    // due times
	Taken  int `json:"taken"`  // shots that are durable
	Passed int `json:"passed"` // due times with no key frame near
	Shed   int `json:"shed"`
	Failed int `json:"failed"`

	Decode float64 `json:"decode"` // mean time in a worker, waiting for a CPU included
	Scale  float64 `json:"scale"`
	Encode float64 `json:"encode"`

	Events       int     `json:"events"`        // that arrived
	Missing      int     `json:"missing"`       // events whose picture was not in the store
	PictureBytes float64 `json:"picture_bytes"` // mean
	StoredP50    float64 `json:"stored_p50"`    // from the arrival of the frame
	StoredP99    float64 `json:"stored_p99"`
	EventP50     float64 `json:"event_p50"`
	EventP99     float64 `json:"event_p99"`

	Memory       []MemorySample `json:"memory"` // over the run
	PSS          int64          `json:"pss"`    // bytes, server and workers, at the end; 0 if unknown
	PublisherCPU float64        `json:"publisher_cpu"`
	Late         float64        `json:"late"`     // the most that a message was sent behind its time
	Warnings     int            `json:"warnings"` // in the server's log
	Warning      string         `json:"warning,omitempty"`
}

// MemorySample is what the processes held at a time, in bytes of RSS.
type MemorySample struct {
	At      float64 `json:"at"` // seconds after the begin of the measurement
	Server  int64   `json:"server"`
	Workers int64   `json:"workers"`
}

// perSecond is the CPU seconds of server and workers for a second of one stream.
func (r CaptureRun) perSecond() float64 {
	return ratio(r.ServerCPU+r.WorkersCPU, r.StreamSeconds)
}

// main is the run that others are compared with.
func (r Round) main() CaptureRun { return r.Runs[0] }

// perShot is the CPU seconds of server and workers that one shot costs beyond what
// its stream costs without shots.
func (r Round) perShot() float64 {
	m := r.main()
	return max(0, ratio((m.perSecond()-r.Idle.perSecond())*m.StreamSeconds, float64(m.Taken)))
}

// loopFloor is the floor as it were if a key frame, whenever it comes, were decoded
// with caches as warm as in a loop.
func (r Round) loopFloor() float64 {
	m := r.main()
	return r.Receive + r.Decode*ratio(float64(m.Taken), m.StreamSeconds)
}

// overFloor is how many times the floor is spent.
func (r Round) overFloor() float64 { return ratio(r.main().perSecond(), r.Floor) }

// overLoop is the same of the floor that is computed.
func (r Round) overLoop() float64 { return ratio(r.main().perSecond(), r.loopFloor()) }

// perCore is how many streams one core has the time for at an interval, computed
// from what a second of a stream and what a shot cost.
func (r Round) perCore(interval float64) float64 {
	return ratio(1, r.Idle.perSecond()+r.perShot()/interval)
}

// measuredPerCore is the same from a run at an interval; false when there was none.
func (r Round) measuredPerCore(interval float64) (float64, bool) {
	for _, run := range r.Runs {
		if run.Interval == interval {
			return ratio(1, run.perSecond()), true
		}
	}
	return 0, false
}
