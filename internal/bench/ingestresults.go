package bench

import "time"

// IngestReport is all that was measured of receiving.
type IngestReport struct {
	Version string       `json:"version"`
	CPUs    int          `json:"cpus"`
	Began   time.Time    `json:"began"`
	Rounds  int          `json:"rounds"`
	Facts   Facts        `json:"facts"` // of the stream
	Loads   []IngestLoad `json:"loads,omitempty"`
	Idle    []IdleRound  `json:"idle,omitempty"`
}

// IngestLoad is what was measured with one way of publishing.
type IngestLoad struct {
	ChunkSize int           `json:"chunk_size"`
	Writes    string        `json:"writes"`
	Streams   int           `json:"streams"`
	BitRate   float64       `json:"bit_rate"` // of a stream, in bits per second
	Seconds   float64       `json:"seconds"`  // of each run
	Interval  float64       `json:"interval"` // seconds from shot to shot; 0 takes none
	Rounds    []IngestRound `json:"rounds"`
}

// IngestRound is what was measured in one turn, in the order of the targets.
type IngestRound struct {
	Runs []IngestRun `json:"runs"`
}

// IngestRun is one run of one server with pushed streams. Times are in seconds.
type IngestRun struct {
	Target       string  `json:"target"`
	Seconds      float64 `json:"seconds"`
	Bytes        float64 `json:"bytes"` // of messages, that publishers sent
	CPU          float64 `json:"cpu"`   // of the server's process
	WorkersCPU   float64 `json:"workers_cpu"`
	PublisherCPU float64 `json:"publisher_cpu"`
	OtherLoad    float64 `json:"other_load"` // part of the machine that went to others or was stolen, 0 to 1

	Empty  int64          `json:"empty"` // RSS of the server before the first push, in bytes
	Memory []MemorySample `json:"memory"`

	Late        float64 `json:"late"`         // the most that a message was sent behind its time
	WaitingMean float64 `json:"waiting_mean"` // of what streams had sent and the server had not read, as time of a stream
	WaitingMost float64 `json:"waiting_most"` // of one stream

	Lost     int    `json:"lost"` // pushes that ended by themselves
	Cause    string `json:"cause,omitempty"`
	Warnings int    `json:"warnings"` // of the server
	Warning  string `json:"warning,omitempty"`

	Shots *IngestShots `json:"shots,omitempty"` // nil when none are taken
}

// IngestShots are the shots of a run.
type IngestShots struct {
	Due    int `json:"due"`
	Taken  int `json:"taken"`
	Passed int `json:"passed"` // no key frame was near
	Shed   int `json:"shed"`
	Failed int `json:"failed"`
	Events int `json:"events"`
}

// result works out what was measured. All events have arrived.
func (m *ingestMeasurement) result(load *IngestLoad) (IngestRun, error) {
	length := m.after.at.Sub(m.before.at).Seconds()
	server, workers := m.after.server-m.before.server, m.after.workers-m.before.workers
	pushes := m.pushAfter - m.pushBefore
	busy := m.after.machine.busy - m.before.machine.busy + m.after.machine.stolen - m.before.machine.stolen
	run := IngestRun{
		Target: m.target.name, Seconds: length, Bytes: sentRate(m.saidBefore, m.saidAfter) * length,
		CPU: server.Seconds(), WorkersCPU: workers.Seconds(), PublisherCPU: pushes.Seconds(),
		OtherLoad: max(0, ratio((busy-server-workers-pushes-m.ourselves).Seconds(), length*float64(cpus()))),
		Empty:     m.empty, Memory: m.memory, Late: m.late.Seconds(),
	}
	for _, r := range m.saidAfter {
		if run.Lost += r.Lost; run.Cause == "" {
			run.Cause = r.Cause
		}
	}
	run.addWaiting(m.looks, ratio(run.Bytes, length*float64(load.Streams)))
	s := m.receiver.server
	if s == nil {
		return run, nil
	}
	run.Warnings, run.Warning = s.warnings, s.warning
	if load.Interval == 0 {
		return run, nil
	}
	count := func(name string) int { return int(m.metricsAfter.since(m.metricsBefore, "stillcast_capture_"+name)) }
	events, err := s.events.between(m.before.at, m.after.at)
	run.Shots = &IngestShots{
		Due: count("due_total"), Taken: count("taken_total"), Passed: count("passed_total"),
		Shed: count("shed_total"), Failed: count("failed_total"), Events: len(events),
	}
	return run, err
}

// sentRate is the bytes per second that publishers sent between two reports of
// each.
func sentRate(before, after []report) (rate float64) {
	for i := range before {
		rate += ratio(float64(after[i].Sent-before[i].Sent), after[i].At.Sub(before[i].At).Seconds())
	}
	return rate
}

// addWaiting turns bytes that wait to be read into time of a stream, given its
// bytes per second.
func (r *IngestRun) addWaiting(looks []waiting, rate float64) {
	for _, w := range looks {
		r.WaitingMean += ratio(ratio(float64(w.bytes), float64(w.connections)), rate) / float64(len(looks))
		r.WaitingMost = max(r.WaitingMost, ratio(float64(w.most), rate))
	}
}

// perGB is CPU seconds of the server for 10^9 bytes.
func (r IngestRun) perGB() float64 { return ratio(r.CPU, r.Bytes/1e9) }

// perCore is how many streams of so many bits per second one core has the time for.
func (r IngestRun) perCore(bitRate float64) float64 { return ratio(1, r.perGB()*bitRate/8e9) }

// perStream is the memory that a stream takes beyond an empty server, in bytes, at
// the end of the run.
func (r IngestRun) perStream(streams int) float64 {
	if len(r.Memory) == 0 {
		return 0
	}
	return ratio(float64(r.Memory[len(r.Memory)-1].Server-r.Empty), float64(streams))
}

// taken is the part of the due shots that were taken, 0 to 1, and is 1 when some
// were under way at the begin.
func (s IngestShots) taken() float64 { return min(1, ratio(float64(s.Taken), float64(s.Due))) }

// IdleRound is what connections that publish nothing take, in one turn.
type IdleRound struct {
	Runs []IdleRun `json:"runs"`
}

// IdleRun is one server with such connections.
type IdleRun struct {
	Target      string  `json:"target"`
	Connections int     `json:"connections"`
	Lost        int     `json:"lost"`
	Cause       string  `json:"cause,omitempty"`
	Empty       int64   `json:"empty"`   // RSS before the first, in bytes
	Full        int64   `json:"full"`    // RSS with all
	CPU         float64 `json:"cpu"`     // seconds for Seconds of all
	Seconds     float64 `json:"seconds"` // that were measured
	Kernel      int64   `json:"kernel"`  // bytes that all TCP sockets of this machine, both ends, took more with all than before
}

// perConnection is the memory that one takes, in bytes.
func (r IdleRun) perConnection() float64 {
	return ratio(float64(r.Full-r.Empty), float64(r.Connections))
}
