package chunk_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

// calls keeps what each call of Write was given.
type calls []string

func (c *calls) Write(p []byte) (int, error) {
	*c = append(*c, hex.EncodeToString(p))
	return len(p), nil
}

func TestWriter(t *testing.T) {
	tests := []struct {
		name    string
		size    int // 0: as it is at first
		message chunk.Message
		want    string // in hexadecimal; blanks are for the eye
	}{
		{
			"one chunk", 0,
			chunk.Message{ChunkStream: 3, Type: 20, StreamID: 1, Timestamp: 0x010203, Payload: []byte{0xAA, 0xBB}},
			"03 010203 000002 14 01000000 aabb",
		},
		{
			"empty", 0,
			chunk.Message{ChunkStream: 4, Type: 8, Timestamp: 5},
			"04 000005 000000 08 00000000",
		},
		{
			"exactly a chunk", 2,
			chunk.Message{ChunkStream: 4, Type: 9, Payload: []byte{1, 2}},
			"04 000000 000002 09 00000000 0102",
		},
		{
			"three chunks", 2,
			chunk.Message{ChunkStream: 6, Type: 9, Payload: []byte{1, 2, 3, 4, 5}},
			"06 000000 000005 09 00000000 0102 c6 0304 c6 05",
		},
		{
			"last short timestamp", 1,
			chunk.Message{ChunkStream: 6, Type: 9, Timestamp: 0xFFFFFE, Payload: []byte{1, 2}},
			"06 fffffe 000002 09 00000000 01 c6 02",
		},
		{
			"first extended timestamp", 1,
			chunk.Message{ChunkStream: 6, Type: 9, Timestamp: 0xFFFFFF, Payload: []byte{1, 2}},
			"06 ffffff 000002 09 00000000 00ffffff 01 c6 00ffffff 02",
		},
		{
			"last timestamp", 1,
			chunk.Message{ChunkStream: 6, Type: 9, Timestamp: 0xFFFFFFFF, Payload: []byte{1, 2}},
			"06 ffffff 000002 09 00000000 ffffffff 01 c6 ffffffff 02",
		},
		{
			"last short chunk stream", 1,
			chunk.Message{ChunkStream: 63, Type: 9, Payload: []byte{1, 2}},
			"3f 000000 000002 09 00000000 01 ff 02",
		},
		{
			"two-byte chunk stream", 1,
			chunk.Message{ChunkStream: 319, Type: 9, Payload: []byte{1, 2}},
			"00ff 000000 000002 09 00000000 01 c0ff 02",
		},
		{
			"three-byte chunk stream", 1,
			chunk.Message{ChunkStream: 320, Type: 9, Payload: []byte{1, 2}},
			"010001 000000 000002 09 00000000 01 c10001 02",
		},
		{
			"last chunk stream", 0,
			chunk.Message{ChunkStream: 65599, Type: 9, StreamID: 0x01020304},
			"01ffff 000000 000000 09 04030201",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got calls
			w := chunk.NewWriter(&got)
			if tt.size > 0 {
				w.SetChunkSize(tt.size)
			}
			if err := w.Write(tt.message); err != nil {
				t.Fatal(err)
			}
			// One element: one message is one call of Write.
			if diff := cmp.Diff(calls{strings.ReplaceAll(tt.want, " ", "")}, got); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWriterChunkSizes(t *testing.T) {
	payload := make([]byte, 300)
	tests := []struct {
		name string
		set  []int
		want int // chunks: their headers beyond the first are one byte each
	}{
		{"default 128", nil, 3},
		{"below the smallest", []int{0}, 300},
		{"far too large", []int{1 << 30}, 1},
		{"the last counts", []int{1, 100}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			w := chunk.NewWriter(&out)
			for _, n := range tt.set {
				w.SetChunkSize(n)
			}
			if err := w.Write(chunk.Message{ChunkStream: 3, Payload: payload}); err != nil {
				t.Fatal(err)
			}
			if got := out.Len() - 12 - len(payload) + 1; got != tt.want {
				t.Errorf("%d chunks, want %d", got, tt.want)
			}
		})
	}
}

func TestWriterRefuses(t *testing.T) {
	tests := []struct {
		name    string
		message chunk.Message
		text    string
	}{
		{"chunk stream 1", chunk.Message{ChunkStream: 1}, "chunk stream 1 is outside of 2 to 65599"},
		{"chunk stream 65600", chunk.Message{ChunkStream: 65600}, "chunk stream 65600 is outside"},
		{"payload", chunk.Message{ChunkStream: 2, Payload: make([]byte, chunk.MaxPayload+1)}, "16777216 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			err := chunk.NewWriter(&out).Write(tt.message)
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("Write: %v, want an error with %q", err, tt.text)
			}
			if out.Len() != 0 {
				t.Errorf("%d bytes were written", out.Len())
			}
		})
	}
}

func TestWriterReportsErrors(t *testing.T) {
	r, w := io.Pipe()
	r.CloseWithError(io.ErrClosedPipe)
	if err := chunk.NewWriter(w).Write(chunk.Message{ChunkStream: 2}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Write: %v, want it to wrap %v", err, io.ErrClosedPipe)
	}
}

func TestWriterDoesNotAllocate(t *testing.T) {
	w := chunk.NewWriter(io.Discard)
	m := chunk.Message{ChunkStream: 6, Type: chunk.TypeVideo, Timestamp: 0xFFFFFFFF, Payload: make([]byte, 150<<10)}
	if err := w.Write(m); err != nil {
		t.Fatal(err)
	}
	n := testing.AllocsPerRun(100, func() {
		if err := w.Write(m); err != nil {
			t.Error(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations per message, want none", n)
	}
}
