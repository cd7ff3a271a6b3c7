package chunk_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

// A length costs its sender nothing: memory is taken for what really came.
func TestReaderTakesMemoryAsItComes(t *testing.T) {
	rec := newRecorder()
	r := chunk.NewReader(chunk.DefaultLimits(), &rec.pool, rec)
	feed := func(b []byte) {
		t.Helper()
		if err := r.Feed(b); err != nil {
			t.Fatal(err)
		}
	}
	feed(unhex(t, "02 000000 000004 01 00000000 01000000")) // one chunk is enough
	feed(unhex(t, "04 000000 800000 09 01000000"))
	if used := rec.budget.Used(); used != 0 {
		t.Errorf("%d bytes taken for a header", used)
	}
	feed(make([]byte, chunk.HeadSize))
	if used := rec.budget.Used(); used != 32<<10 {
		t.Errorf("%d bytes taken for the first bytes, want %d", used, 32<<10)
	}
	feed(make([]byte, 100<<10))
	if used := rec.budget.Used(); used != 128<<10 {
		t.Errorf("%d bytes taken for 100 KiB, want %d", used, 128<<10)
	}
	r.Close()
	if used := rec.budget.Used(); used != 0 {
		t.Errorf("%d bytes still taken after Close", used)
	}
}

func TestReaderBudget(t *testing.T) {
	var wire bytes.Buffer
	w := chunk.NewWriter(&wire)
	write(t, w, chunk.Message{ChunkStream: 4, Type: chunk.TypeVideo, Payload: make([]byte, 100<<10)})
	write(t, w, chunk.Message{ChunkStream: 4, Type: chunk.TypeVideo, Payload: []byte{1, 2}})
	rec := newRecorder()
	rec.budget = chunk.NewBudget(64 << 10)
	if err := read(wire.Bytes(), 999, rec, chunk.DefaultLimits()); err != nil {
		t.Fatal(err)
	}
	if rec.shed != 1 {
		t.Errorf("%d messages shed, want 1", rec.shed)
	}
	if diff := cmp.Diff([]stamp{{4, 0, "0102"}}, stamps(rec.messages), cmp.AllowUnexported(stamp{})); diff != "" {
		t.Errorf("the message after it (-want +got):\n%s", diff)
	}
	if used := rec.budget.Used(); used != 0 {
		t.Errorf("%d bytes of the budget are still taken", used)
	}
	rec.shedErr = errors.New("stop")
	if err := read(wire.Bytes(), 999, rec, chunk.DefaultLimits()); !errors.Is(err, rec.shedErr) {
		t.Errorf("Feed: %v, want what Shed returned", err)
	}
}

// discard skips everything.
type discard struct{}

func (discard) Begin(chunk.Header, []byte) (*chunk.Budget, error) { return nil, nil }
func (discard) Complete(chunk.Header, []byte) error               { return nil }
func (discard) Shed(chunk.Header, error) error                    { return nil }

func TestReaderSkipsWithoutAllocating(t *testing.T) {
	var wire bytes.Buffer
	w := chunk.NewWriter(&wire)
	for i := range uint32(50) {
		write(t, w, chunk.Message{ChunkStream: 6, Type: chunk.TypeVideo, Timestamp: 0xFFFFF0 + i, Payload: make([]byte, 20_000)})
		write(t, w, chunk.Message{ChunkStream: 4, Type: chunk.TypeAudio, Timestamp: i, Payload: make([]byte, 300)})
	}
	r := chunk.NewReader(chunk.DefaultLimits(), new(chunk.Pool), discard{})
	feed := func() {
		for data := wire.Bytes(); len(data) > 0; {
			n := min(997, len(data))
			if err := r.Feed(data[:n]); err != nil {
				t.Error(err)
			}
			data = data[n:]
		}
	}
	feed() // the chunk streams come into being
	if n := testing.AllocsPerRun(20, feed); n != 0 {
		t.Errorf("%v allocations for 100 skipped messages, want none", n)
	}
}

// BenchmarkReaderSkips skips video in chunks of 4 KiB, as OBS sends it.
func BenchmarkReaderSkips(b *testing.B) {
	var wire bytes.Buffer
	w := chunk.NewWriter(&wire)
	w.SetChunkSize(4096)
	for i := range uint32(50) {
		write(b, w, chunk.Message{ChunkStream: 6, Type: chunk.TypeVideo, Timestamp: 40 * i, Payload: make([]byte, 20_000)})
	}
	r := chunk.NewReader(chunk.DefaultLimits(), new(chunk.Pool), discard{})
	data := unhex(b, "02 000000 000004 01 00000000 00001000")
	if err := r.Feed(data); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(wire.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Feed(wire.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}

func TestPool(t *testing.T) {
	var p chunk.Pool
	tests := []struct{ size, room int }{
		{0, 4 << 10}, {1, 4 << 10}, {4 << 10, 4 << 10}, {4<<10 + 1, 8 << 10}, {143 << 10, 256 << 10}, {chunk.MaxPayload, 16 << 20},
	}
	for _, tt := range tests {
		b := p.Get(tt.size)
		if len(b) != 0 || cap(b) != tt.room {
			t.Errorf("Get(%d): %d of %d bytes, want 0 of %d", tt.size, len(b), cap(b), tt.room)
		}
		p.Put(append(b, 1))
		if again := p.Get(tt.size); len(again) != 0 || cap(again) != tt.room {
			t.Errorf("Get(%d) after Put: %d of %d bytes", tt.size, len(again), cap(again))
		}
	}
	p.Put(make([]byte, 5000)) // not of the pool: must not come back as 8 KiB
	p.Put(nil)
	if b := p.Get(8 << 10); cap(b) != 8<<10 {
		t.Errorf("Get(8 KiB) gave room for %d bytes", cap(b))
	}
}
