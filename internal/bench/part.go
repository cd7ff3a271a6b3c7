package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/stillcast/stillcast"
)

// The parts of a measurement that run in processes of their own, so that their
// CPU time is told apart.
const (
	partPush    = "push"    // publishers
	partReceive = "receive" // takes bytes and throws them away
	partDecode  = "decode"  // decodes key frames and does nothing else
)

// order is what a part is told on its standard input, as one line of JSON. The
// part ends at the end of its input.
type order struct {
	Clip    string        `json:"clip,omitempty"`     // path
	Address string        `json:"address,omitempty"`  // to push to
	PushKey string        `json:"push_key,omitempty"` // "" pushes bare messages over TCP, without RTMP's commands
	Streams int           `json:"streams,omitempty"`
	Ramp    time.Duration `json:"ramp,omitempty"`    // over which pushes begin, evenly
	Decodes int           `json:"decodes,omitempty"` // at least so many key frames
	Every   time.Duration `json:"every,omitempty"`   // decode one key frame in so long, until the end, instead

	First     int           `json:"first,omitempty"`      // index of the first stream, of those that other parts push with it
	ChunkSize int           `json:"chunk_size,omitempty"` // 0 is publish.DefaultChunkSize
	Pieces    bool          `json:"pieces,omitempty"`     // write each message as FFmpeg does, see pieces
	Idle      bool          `json:"idle,omitempty"`       // push nothing
	Spread    bool          `json:"spread,omitempty"`     // connect from many addresses, see localAddress
	Tick      time.Duration `json:"tick,omitempty"`       // report so often, and go on without streams that end; 0 is at begin and end
	Mark      int           `json:"mark,omitempty"`       // SO_RCVLOWAT of the receiver, in bytes; 0 is lowWater
}

// report is what a part says on its standard output, a line of JSON each time.
type report struct {
	Ready   bool          `json:"ready,omitempty"`   // all pushes have begun, or the receiver listens
	Address string        `json:"address,omitempty"` // that the receiver listens on
	Late    time.Duration `json:"late,omitempty"`    // the most that a message of a push was sent behind its time, since the report before
	Sent    int64         `json:"sent,omitempty"`    // bytes of messages
	At      time.Time     `json:"at,omitzero"`       // when Sent was read
	Lost    int           `json:"lost,omitempty"`    // pushes that ended by themselves
	Cause   string        `json:"cause,omitempty"`   // of the first of them
	Decodes int           `json:"decodes,omitempty"`
	CPU     time.Duration `json:"cpu,omitempty"` // of the decodes
	Width   int           `json:"width,omitempty"`
	Height  int           `json:"height,omitempty"`
}

// Part is one part of a measurement: the process that [Run] starts for it. It
// returns at the end of in, or of ctx.
func Part(ctx context.Context, role string, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := json.NewDecoder(in)
	var o order
	if err := lines.Decode(&o); err != nil {
		return fmt.Errorf("read the order (this command is started by stillcast bench itself): %w", err)
	}
	// It reads until the parent goes away, or until this process ends.
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, io.MultiReader(lines.Buffered(), in)) // any end is the end
	}()
	tell := func(r report) error {
		if err := json.NewEncoder(out).Encode(r); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		return nil
	}
	switch role {
	case partPush:
		return push(ctx, o, tell)
	case partReceive:
		return receive(ctx, cmp.Or(o.Mark, lowWater), tell)
	case partDecode:
		return decode(ctx, o, tell)
	}
	return stillcast.Errorf(stillcast.CodeInvalid, "part", "is %q; allowed are %s, %s and %s", role, partPush, partReceive, partDecode)
}

// part is a part as its parent sees it.
type part struct {
	*process
	ready chan struct{} // closed after the first report

	mu   sync.Mutex
	last report
	late time.Duration // the most of all reports since takeLate
}

// startPart starts a part. It ends when stop is called, and no later than ctx.
func (p Program) startPart(role string, o order) (*part, error) {
	line, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("write the order of %s: %w", role, err)
	}
	q := &part{ready: make(chan struct{})}
	q.process, err = start("the part "+role, p.command(append(append([]string{}, p.Args...), role)...), append(line, '\n'), q.listen)
	return q, err
}

// listen takes a line of the part.
func (p *part) listen(line string) {
	var r report
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &r) != nil {
		return // words for people, which the tail keeps
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.ready:
	default:
		close(p.ready)
	}
	p.last, p.late = r, max(p.late, r.Late)
}

// takeLate is how late messages were at most since it was called before.
func (p *part) takeLate() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	late := p.late
	p.late = 0
	return late
}

// said is the last report.
func (p *part) said() report {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

func (p Program) command(args ...string) *exec.Cmd {
	return &exec.Cmd{Path: p.Path, Args: append([]string{p.Name}, args...)}
}
