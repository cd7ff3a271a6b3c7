package chunk_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib/pkg/bytecounter"
	"github.com/bluenviron/gortmplib/pkg/rawmessage"
	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

// oracle reads chunks as another implementation does, up to the end of data. It
// takes message stream ids for big-endian, which the specification says are not
// (section 5.3.1.2.5).
func oracle(t testing.TB, data []byte) []chunk.Message {
	t.Helper()
	in := bytes.NewReader(data)
	r := rawmessage.NewReader(in, bytecounter.NewReader(in), nil)
	var all []chunk.Message
	for {
		m, err := r.Read()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return all
		}
		if err != nil {
			t.Fatalf("gortmplib, after %d messages: %v", len(all), err)
		}
		if m.Type == chunk.TypeSetChunkSize {
			if err := r.SetChunkSize(binary.BigEndian.Uint32(m.Body)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		all = append(all, chunk.Message{
			ChunkStream: uint32(m.ChunkStreamID), Type: m.Type, StreamID: bits.ReverseBytes32(m.MessageStreamID),
			Timestamp: uint32(m.Timestamp / time.Millisecond), Payload: bytes.Clone(m.Body),
		})
	}
}

// ours reads the same, keeping all, in pieces.
func ours(t testing.TB, data []byte, piece int) []chunk.Message {
	t.Helper()
	rec := newRecorder()
	rec.skipType = 0xff
	rec.budget = chunk.NewBudget(1 << 30)
	if err := read(data, piece, rec, chunk.DefaultLimits()); err != nil {
		t.Fatalf("after %d messages: %v", len(rec.messages), err)
	}
	return rec.messages
}

// same compares messages. Their payloads are many and long, so that they are
// compared quickly.
func same(t testing.TB, want, got []chunk.Message) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d messages, want %d", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(want[i].Payload, got[i].Payload) {
			t.Fatalf("payload of message %d: %.100x, want %.100x", i, got[i].Payload, want[i].Payload)
		}
		want[i].Payload, got[i].Payload = nil, nil
		if diff := cmp.Diff(want[i], got[i]); diff != "" {
			t.Fatalf("message %d (-want +got):\n%s", i, diff)
		}
	}
}

func compare(t testing.TB, data []byte, piece int) {
	t.Helper()
	want, got := oracle(t, data), ours(t, data, piece)
	same(t, want, got)
}

// Of what real publishers sent, both read every message alike.
func TestRecordingsAgainstAnotherReader(t *testing.T) {
	paths, err := filepath.Glob("../testdata/*.rtmp")
	if err != nil || len(paths) < 6 {
		t.Fatalf("recordings: %v, %v", paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			const handshake = 1 + 2*1536
			compare(t, data[handshake:], 997)
		})
	}
}

// FuzzAgainstAnotherWriter lets another implementation write messages that the
// input describes, with whatever headers it chooses, and reads them.
func FuzzAgainstAnotherWriter(f *testing.F) {
	f.Add([]byte{4, 8, 0, 1, 40, 4, 8, 0, 2, 40, 4, 9, 100, 3, 0}, uint16(128), uint8(7))
	f.Add(bytes.Repeat([]byte{6, 9, 255, 255, 255}, 50), uint16(4096), uint8(200))
	f.Add(bytes.Repeat([]byte{5, 18, 0, 0, 20}, 20), uint16(1), uint8(0))
	f.Fuzz(func(t *testing.T, plan []byte, size uint16, piece uint8) {
		var wire bytes.Buffer
		w := rawmessage.NewWriter(&wire, bytecounter.NewWriter(&wire), false)
		stamps := map[byte]uint32{}
		write := func(m *rawmessage.Message) {
			if err := w.Write(m); err != nil {
				t.Fatal(err)
			}
		}
		if size > 0 {
			write(&rawmessage.Message{ChunkStreamID: 2, Type: chunk.TypeSetChunkSize, Body: binary.BigEndian.AppendUint32(nil, uint32(size))})
			w.SetChunkSize(uint32(size))
		}
		var want []chunk.Message
		for ; len(plan) >= 5 && len(want) < 100; plan = plan[5:] {
			// Chunk streams 3 to 63, types that are no control messages.
			stream, kind := 3+plan[0]%61, 8+plan[1]%12
			length := int(plan[2])<<4 | int(plan[3])
			// With an extended timestamp it writes zeros in the chunks of type 3, which
			// repeat that.
			step := min(uint32(plan[4])<<(plan[1]%20), chunk.ExtendedTimestamp-1)
			stamps[stream] += step
			body := bytes.Repeat([]byte{plan[3]}, length)
			at := stamps[stream]
			write(&rawmessage.Message{ChunkStreamID: stream, Type: kind, MessageStreamID: bits.ReverseBytes32(1), Timestamp: time.Duration(at) * time.Millisecond, Body: body})
			want = append(want, chunk.Message{ChunkStream: uint32(stream), Type: kind, StreamID: 1, Timestamp: at, Payload: body})
		}
		got := ours(t, wire.Bytes(), int(piece)+1)
		same(t, want, got)
	})
}
